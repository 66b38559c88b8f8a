"""What operators do with jobs, and the tidying that a slot of the clock starts."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from opora.adapters.sql.connection import Database
from opora.adapters.sql.housekeeping import SqlHousekeeping
from opora.adapters.sql.jobs import SqlJobViews
from opora.adapters.sql.leases import SqlJobLeases
from opora.adapters.sql.unit import SqlUnitOfWork
from opora.adapters.system.clock import SystemClock
from opora.adapters.system.identifiers import TimeOrderedIdentifiers
from opora.adapters.system.randomness import SystemRandomness
from opora.core.jobs.errors import LeaseLost, NoSuchJob
from opora.core.jobs.model import Claim, JobState, NewJob
from opora.core.jobs.usecases import CancelJob, RetryJob, TidyUp
from opora.core.kernel.errors import IllegalMove
from opora.core.kernel.model import Actor, Origin
from servers.stores import KeptAnnouncements

pytestmark = pytest.mark.anyio

ANNA = Actor(user_id=3, origin=Origin(request_id="r1"))


class Office:
    """An operator's desk over one store."""

    def __init__(self, unit: SqlUnitOfWork, database: Database, announcements: KeptAnnouncements) -> None:
        clock = SystemClock()
        self.unit, self.database, self.announcements = unit, database, announcements
        self.leases = SqlJobLeases(database, TimeOrderedIdentifiers(), SystemRandomness(), clock)
        self.views = SqlJobViews(database.read)
        self.cancel, self.retry = CancelJob(unit, clock), RetryJob(unit, clock)

    async def add(self, **changes: Any) -> UUID:
        async with self.unit() as tx:
            return await tx.jobs.add(NewJob(kind="k", **changes))

    async def claim(self) -> Claim:
        (claim,) = await self.leases.claim(["k"], 1, 60.0)
        return claim

    async def dead(self) -> UUID:
        await self.add(attempts_max=1)
        claim = await self.claim()
        await self.leases.fail(claim, JobState.DEAD, 0.0, "so it is")
        return claim.id

    async def entries(self) -> list[tuple[str, str, str]]:
        rows = await self.database.read.fetch("SELECT action, entity_id, old_values FROM audit_log ORDER BY id")
        return [(row["action"], row["entity_id"], row["old_values"]) for row in rows]


@pytest.fixture
def office(sqlite_unit: SqlUnitOfWork, sqlite_database: Database, announcements: KeptAnnouncements) -> Office:
    return Office(sqlite_unit, sqlite_database, announcements)


async def test_a_waiting_job_is_cancelled_at_once_and_the_log_says_by_whom(office: Office) -> None:
    id = await office.add()
    job = await office.cancel(ANNA, id)
    assert job.state is JobState.CANCELLED
    assert await office.entries() == [("job.cancelled", str(id), '{"state":"queued","kind":"k"}')]


async def test_a_running_job_is_asked_to_stop(office: Office) -> None:
    await office.add()
    claim = await office.claim()
    job = await office.cancel(ANNA, claim.id)
    assert (job.state, job.cancel_requested) == (JobState.RUNNING, True)
    assert await office.leases.beat([claim], 60.0) == {claim.id: True}


async def test_an_ended_job_cannot_be_cancelled_and_leaves_no_entry(office: Office) -> None:
    id = await office.add()
    await office.cancel(ANNA, id)
    with pytest.raises(IllegalMove):
        await office.cancel(ANNA, id)
    assert len(await office.entries()) == 1


async def test_a_dead_job_is_retried_and_announced(office: Office) -> None:
    id = await office.dead()
    office.announcements.ids.clear()
    job = await office.retry(ANNA, id)
    assert (job.state, job.attempt) == (JobState.QUEUED, 0)
    assert office.announcements.ids == [id]
    assert (await office.entries())[-1] == ("job.retried", str(id), '{"state":"dead","kind":"k"}')


async def test_only_a_dead_job_can_be_retried(office: Office) -> None:
    with pytest.raises(IllegalMove) as refusal:
        await office.retry(ANNA, await office.add())
    assert refusal.value.facts["allowed"] == ["cancelled", "running"]


async def test_no_job_can_be_cancelled_or_retried_that_is_not_there(office: Office) -> None:
    for act in (office.cancel, office.retry):
        with pytest.raises(NoSuchJob):
            await act(ANNA, uuid4())


async def test_tidying_deletes_what_is_past_its_time_and_says_how_much(office: Office) -> None:
    old = await office.add()
    await office.cancel(ANNA, old)
    await office.add()
    claim = await office.claim()
    await TidyUp(office.unit, SqlHousekeeping(office.database, keep_s=-1.0))(claim)
    job = await office.views.one(claim.id)
    assert job is not None
    assert job.result == {
        "jobs": 1,
        "events": 0,
        "idempotency_keys": 0,
        "one_time_tokens": 0,
        "quota_usage": 0,
        "refused_tokens": 0,
        "sessions": 0,
    }
    assert await office.views.one(old) is None


async def test_tidying_ends_only_with_its_claim(office: Office) -> None:
    await office.add()
    claim = await office.claim()
    await office.leases.release([claim])
    with pytest.raises(LeaseLost):
        await TidyUp(office.unit, SqlHousekeeping(office.database))(claim)


async def test_a_job_with_a_time_of_its_own_keeps_it_when_cancelled(office: Office) -> None:
    at = datetime(2031, 1, 1, tzinfo=UTC)
    job = await office.cancel(ANNA, await office.add(run_at=at))
    assert job.run_at == at
