"""What waits in the store is told as it is, and what was recorded is counted once it is committed."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from adapters.sql.test_audit import a_change
from opora.adapters.memory.event_counts import EventCounts
from opora.adapters.sql.connection import Database
from opora.adapters.sql.outbox import Subscription
from opora.adapters.sql.repositories import SqlParts
from opora.adapters.sql.standing import Standing, StandingWork
from opora.adapters.sql.unit import SqlUnitOfWork
from opora.core.jobs.model import NewJob
from opora.testing.outbox import Happened

pytestmark = pytest.mark.anyio
HOUR = timedelta(hours=1)


async def test_an_empty_store_has_nothing_waiting(database: Database) -> None:
    work = StandingWork(database)
    assert work.last is None
    assert await work.read() is False
    assert work.last == Standing()


async def test_what_waits_is_told_with_how_long(sql_parts: SqlParts, database: Database) -> None:
    heard = replace(sql_parts, subscriptions={Happened.topic: [Subscription("a", "test")]})
    earlier = datetime.now(UTC) - HOUR
    async with SqlUnitOfWork(database, heard)() as tx:
        await tx.jobs.add(NewJob(kind="test", run_at=earlier))
        await tx.jobs.add(NewJob(kind="test", run_at=earlier + 3 * HOUR))
        await tx.outbox.add(Happened(subject=1, at=earlier, what="that"))
        await tx.audit.record(replace(a_change(), at=earlier))
    work = StandingWork(database)
    await work.read()
    found = work.last
    assert found is not None
    assert (dict(found.jobs), found.events) == ({"queued": 2}, 1)
    assert all(3600 <= span_s < 7200 for span_s in (found.due_s, found.events_s, found.unsealed_s)), found


async def test_a_job_of_the_future_is_not_late(unit: SqlUnitOfWork, database: Database) -> None:
    async with unit() as tx:
        await tx.jobs.add(NewJob(kind="test", run_at=datetime.now(UTC) + HOUR))
    work = StandingWork(database)
    await work.read()
    assert work.last == Standing(jobs={"queued": 1})


async def test_an_event_is_counted_with_its_commit_and_not_without(sql_parts: SqlParts, database: Database) -> None:
    counts = EventCounts()
    unit = SqlUnitOfWork(database, replace(sql_parts, noted=counts.add))
    event = Happened(subject=1, at=datetime.now(UTC), what="that")
    async with unit() as tx:
        await tx.outbox.add(event)
        await tx.outbox.add(event)
        assert counts.by_topic == {}
    with pytest.raises(RuntimeError, match="changed my mind"):
        async with unit() as tx:
            await tx.outbox.add(event)
            raise RuntimeError("changed my mind")
    assert counts.by_topic == {Happened.topic: 2}
