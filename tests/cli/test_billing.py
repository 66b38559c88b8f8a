"""What an operator asks of the ledger and of the payment provider from the command line."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from cli.conftest import Opora
from opora.cli.exits import Exit


def test_the_ledger_is_recounted_and_a_difference_is_told_by_the_exit_code(opora: Opora, installation: Path) -> None:
    assert opora("db", "upgrade").code == Exit.OK
    assert "sandbox" in opora("billing", "provider").out
    whole = opora("billing", "check", "--json")
    assert (whole.code, json.loads(whole.out)["discrepancies"]) == (Exit.OK, [])
    with closing(sqlite3.connect(installation / "home" / "opora.db", isolation_level=None)) as base:
        base.execute(
            "INSERT INTO ledger_accounts (name, currency, kind, user_id, has_balance, created_at)"
            " VALUES ('person:7', 'RUB', 'person', 7, true, '2030-01-01T00:00:00.000000Z')"
        )
        base.execute("DROP TRIGGER ledger_balance_follows")
        base.execute("UPDATE ledger_balances SET posted_minor = 5")
    differs = opora("billing", "check")
    assert differs.code == Exit.FINDINGS
    assert "person:7 RUB" in differs.out
