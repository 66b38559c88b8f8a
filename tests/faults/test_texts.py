"""Workers killed in the middle of texts: each text is taken up again, written once, and charged once."""

import asyncio
import os
import signal

import pytest

from core.generation.press import Press
from faults.conftest import Yard
from opora.core.generation.model.texts import Mode

pytestmark = pytest.mark.anyio

TEXTS = 60
KILLS = 6
WITHIN_S = 90.0


async def test_workers_killed_in_the_middle_of_texts_lose_none_and_charge_each_once(yard: Yard) -> None:
    press = Press(yard.unit, yard.database)
    for number in range(TEXTS):
        await press.ask(topic=f"tea {number}", mode=Mode.ASYNC)
    workers = [yard.nursery.start() for _ in range(2)]
    await until(yard, "status <> 'queued'", 4)
    for turn in range(KILLS):
        await asyncio.sleep(0.4)
        os.kill(workers[turn % 2], signal.SIGKILL)
        workers[turn % 2] = yard.nursery.start()
    await until(yard, "status = 'completed'", TEXTS)
    assert await press.quota() == (TEXTS, 0)
    assert await yard.database.read.fetch_value("SELECT count(*) FROM quota_holds") == 0
    assert (await press.topics()).count("generation.completed") == TEXTS
    assert await yard.database.read.fetch_value("SELECT max(attempts) FROM generations") > 1
    assert await yard.database.read.fetch_value("SELECT count(*) FROM generation_words") == 0


async def until(yard: Yard, condition: str, count: int) -> None:
    """Look until so many texts are so."""
    sql = f"SELECT count(*) FROM generations WHERE {condition}"
    async with asyncio.timeout(WITHIN_S):
        while await yard.database.read.fetch_value(sql) < count:  # noqa: ASYNC110
            await asyncio.sleep(0.05)  # it is the store that is asked
