"""Events that arrive all at once, at two processes, repeated and in any order, end as if told one by one."""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from core.numbers.desk import Desk, TurnedClock
from opora.adapters.sql.connection import Database
from opora.adapters.sql.unit import SqlUnitOfWork
from opora.core.kernel.model import Actor
from opora.core.numbers.model.calls import CallEvent, CallEventType, CallResult
from opora.core.numbers.model.numbers import PhoneNumber
from opora.core.numbers.usecases.calls import ReceiveCallEvent, ReceiveCallEvents

pytestmark = pytest.mark.anyio
CALLS = 60


def story(numbers: Sequence[PhoneNumber], chance: random.Random) -> list[CallEvent]:
    """Return what a telephone tells of calls, some numbers being called twice: in order, each event once."""
    told = []
    for place in range(CALLS):
        number = chance.choice(numbers)
        for nth, type in enumerate(CallEventType):
            event = CallEvent(
                event_id=f"{place}.{nth}",
                call_id=f"{place}",
                type=type,
                phone=number.phone,
                project_id=number.project_id,
                occurred_at=number.created_at + timedelta(seconds=10 * place + nth),
            )
            is_result = type is CallEventType.RESULT
            told.append(replace(event, result=chance.choice(list(CallResult))) if is_result else event)
    return told


async def test_a_storm_is_kept_once_and_settles_as_if_told_one_by_one(unit: SqlUnitOfWork, database: Database) -> None:
    chance = random.Random(5)  # noqa: S311  # the same story each time
    desk = Desk(unit, database, TurnedClock())
    stormed, calm = await desk.project(), await desk.project()
    numbers = [await desk.number(stormed) for _ in range(CALLS // 2)]
    events = story(numbers, chance)
    storm = [*events, *chance.sample(events, len(events) // 4)]
    chance.shuffle(storm)
    processes = [ReceiveCallEvent(ReceiveCallEvents(unit, desk.clock, desk.policy)) for _ in range(2)]
    found = await asyncio.gather(*(processes[place % 2](Actor(), one) for place, one in enumerate(storm)))
    assert sum(found) == len(events)
    assert await database.read.fetch_value("SELECT count(*) FROM call_events") == len(events)

    twins = {one.phone: await desk.number(calm) for one in numbers}
    for event in events:
        twin = replace(event, phone=twins[event.phone].phone, project_id=calm)
        assert await desk.receive(Actor(), replace(twin, event_id=f"c{event.event_id}", call_id=f"c{event.call_id}"))
    for number in numbers:
        ended, as_calm = await desk.read(number), await desk.read(twins[number.phone])
        assert (ended.status, ended.attempts, ended.next_call_at) == (
            as_calm.status,
            as_calm.attempts,
            as_calm.next_call_at,
        )
    async with unit() as tx:
        assert await tx.tally.of(stormed) == await tx.tally.of(calm)
    sql = "SELECT count(*) FROM audit_log WHERE action = 'number.status_changed'"
    moved = "SELECT count(*) FROM outbox WHERE topic = 'number.status_changed'"
    assert await database.read.fetch_value(sql) == await database.read.fetch_value(moved) > 0
