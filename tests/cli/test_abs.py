"""What an operator asks of the bank's system from the command line."""

import asyncio
import json
from pathlib import Path

from cli.conftest import Opora
from opora.adapters.banking.local import LocalCoreBanking
from opora.cli.exits import Exit
from opora.core.documents.model.statuses import DocumentStatus
from opora.testing.core_banking import a_consignment


def test_both_sides_are_compared_and_a_difference_is_told_by_the_exit_code(opora: Opora, installation: Path) -> None:
    assert opora("db", "upgrade").code == Exit.OK
    assert "embedded stand-in" in opora("abs", "check").out
    same = opora("abs", "reconcile")
    assert (same.code, same.out.startswith("0 documents compared")) == (Exit.OK, True)
    bank = LocalCoreBanking(installation / "home" / "abs")
    asyncio.run(bank.submit(a_consignment(77, status=DocumentStatus.REJECTED), None))
    differ = opora("abs", "reconcile", "--json")
    assert (differ.code, json.loads(differ.out)["differences"]) == (Exit.FINDINGS, 1)
    (ticket,) = json.loads(opora("abs", "tickets", "--json").out)["results"]
    assert (ticket["kind"], ticket["subject"]) == ("unknown_here", "document:77")
    assert "document:77" in opora("abs", "tickets").out
