"""Who wants the same time goes one after another and keeps no connection while waiting."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from core.bookings.builders import CLIENT, DAY, HOUR, NOW, STRANGER, an_appointment
from core.bookings.salon import Salon
from opora.adapters.sql.connection import Database, Transaction
from opora.adapters.sql.unit import SqlParts, SqlUnitOfWork
from opora.core.bookings.errors import SlotTaken
from opora.core.bookings.model.appointments import Appointment
from opora.core.bookings.usecases.turns import Turns

pytestmark = pytest.mark.anyio

TEN = NOW + DAY + HOUR


async def passed(turns: Turns, thing: int, appointment: Appointment, told: list[tuple[int, frozenset[int]]]) -> None:
    """Take a turn, let others run meanwhile, and give the time of whoever the appointment is with."""
    async with turns.of(thing) as turn:
        told.append((appointment.id, turn.gone))
        await asyncio.sleep(0)
        turn.give(appointment)
        told.append((appointment.id, turn.gone))


NOBODY: frozenset[int] = frozenset()


async def test_those_who_want_the_same_follow_one_another_and_others_do_not_wait() -> None:
    turns, told = Turns(), list[tuple[int, frozenset[int]]]()
    group = an_appointment(id=2, staff_id=11, capacity=5)
    wanted = ((1, an_appointment(id=1, staff_id=10)), (1, group), (1, an_appointment(id=3)), (7, an_appointment(id=4)))
    await asyncio.gather(*(passed(turns, thing, one, told) for thing, one in wanted))
    assert [id for id, _ in told if id != 4] == [1, 1, 2, 2, 3, 3]
    assert told.index((4, NOBODY)) < told.index((2, frozenset({10})))
    assert told[-2] == (3, frozenset({10})), "a session with room for more is not gone"


async def test_who_comes_later_hears_nothing_of_what_went_before() -> None:
    turns = Turns()
    async with turns.of(1) as turn:
        turn.give(an_appointment())
        waiting = turns.of(1)
        late = asyncio.create_task(waiting.__aenter__())
        await asyncio.sleep(0)
    assert (await late).gone == NOBODY
    await waiting.__aexit__(None, None, None)


async def test_who_gives_up_waiting_keeps_nobody_from_their_turn() -> None:
    turns, told = Turns(), list[tuple[int, frozenset[int]]]()
    async with turns.of(1):
        first = asyncio.create_task(passed(turns, 1, an_appointment(id=1), told))
        second = asyncio.create_task(passed(turns, 1, an_appointment(id=2), told))
        await asyncio.sleep(0)
        first.cancel()
    await asyncio.wait([first, second])
    assert {id for id, _ in told} == {2}


@pytest.fixture
async def begun(postgres_database: Database, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[list[Transaction]]:
    """The transactions that were begun."""
    kept: list[Transaction] = []
    real = postgres_database.begin

    async def begin() -> Transaction:
        kept.append(await real())
        return kept[-1]

    monkeypatch.setattr(postgres_database, "begin", begin)
    yield kept


async def test_of_many_who_want_one_time_at_once_one_begins_a_transaction(
    postgres_database: Database, sql_parts: SqlParts, begun: list[Transaction]
) -> None:
    salon = Salon(SqlUnitOfWork(postgres_database, sql_parts), postgres_database)
    await salon.open()
    begun.clear()
    actors = [CLIENT, STRANGER] * 10
    found = await asyncio.gather(*(salon.booked(one, TEN) for one in actors), return_exceptions=True)
    assert [isinstance(one, SlotTaken) for one in found].count(True) == len(actors) - 1
    assert len(begun) == 1
