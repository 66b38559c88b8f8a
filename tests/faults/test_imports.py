"""Workers killed in the middle of imports: every row meets its end once, and nothing is left of a part."""

import asyncio
import os
import signal

import pytest

from core.numbers.depot import Depot
from faults.conftest import Yard
from opora.core.numbers.model.tables import Refusal
from opora.core.numbers.model.transfers import TransferPolicy, TransferStatus

pytestmark = pytest.mark.anyio

ROWS = 120_000
KILLS = 4


async def test_an_import_whose_workers_are_killed_brings_every_number_in_once(yard: Yard) -> None:
    depot = Depot(yard.unit, yard.database, yard.nursery.home, policy=TransferPolicy())
    project = await depot.project()
    phones = [79160000000 + nth for nth in range(ROWS)]
    lines = ["phone", *map(str, phones), *map(str, phones[:50]), "none"]
    asked = await depot.ask(project, ("\n".join(lines) + "\n").encode())
    for _ in range(KILLS):
        worker = yard.nursery.start()
        before = (await depot.transfer(asked.id)).created
        async with asyncio.timeout(30):
            while (await depot.transfer(asked.id)).created == before:  # noqa: ASYNC110
                await asyncio.sleep(0.01)  # it is the store that is asked
        os.kill(worker, signal.SIGKILL)
        if (await depot.transfer(asked.id)).status is TransferStatus.COMPLETED:
            break
    yard.nursery.start()
    async with asyncio.timeout(60):
        while (await depot.transfer(asked.id)).status is not TransferStatus.COMPLETED:  # noqa: ASYNC110
            await asyncio.sleep(0.05)  # as above
    made = await depot.transfer(asked.id)
    assert (made.records, made.created, made.duplicates_in_file, made.invalid) == (ROWS + 51, ROWS, 50, 1)
    assert await depot.numbers(project) == phones
    assert await depot.counted(project) == {"new": ROWS}
    assert [row.reason for row in await depot.rows(made)].count(Refusal.DUPLICATE_IN_FILE) == 50
