"""Jobs on both stores: claimed once, in order of urgency, ended by whoever still holds the lease."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from opora.adapters.sql.connection import Database
from opora.adapters.sql.jobs import SqlJobViews
from opora.adapters.sql.leases import SqlJobLeases
from opora.adapters.sql.unit import SqlUnitOfWork
from opora.adapters.system.clock import SystemClock
from opora.adapters.system.identifiers import TimeOrderedIdentifiers
from opora.adapters.system.randomness import SystemRandomness
from opora.core.jobs.errors import LeaseLost
from opora.core.jobs.model import Claim, JobState, NewJob, Priority
from servers.stores import KeptAnnouncements

pytestmark = pytest.mark.anyio


@pytest.fixture
def leases(database: Database) -> SqlJobLeases:
    """The leases of one worker."""
    return SqlJobLeases(database, TimeOrderedIdentifiers(), SystemRandomness(), SystemClock())


async def added(unit: SqlUnitOfWork, *jobs: NewJob) -> None:
    """Commit jobs, each in a transaction of its own."""
    for job in jobs:
        async with unit() as tx:
            await tx.jobs.add(job)


async def claimed(leases: SqlJobLeases, limit: int = 10) -> list[Claim]:
    """Lease what is due for a minute."""
    return list(await leases.claim({"test"}, limit, 60.0))


async def test_the_most_urgent_goes_first(unit: SqlUnitOfWork, leases: SqlJobLeases) -> None:
    urgencies = [Priority.LOW, Priority.HIGH, Priority.NORMAL]
    await added(unit, *(NewJob(kind="test", payload={"n": int(one)}, priority=one) for one in urgencies))
    assert [claim.payload["n"] for claim in [(await claimed(leases, 1))[0] for _ in urgencies]] == [1, 0, -1]


async def test_a_job_is_leased_to_one_of_many(unit: SqlUnitOfWork, leases: SqlJobLeases) -> None:
    await added(unit, *(NewJob(kind="test") for _ in range(20)))
    shares = await asyncio.gather(*(claimed(leases, 5) for _ in range(8)))
    ids = [claim.id for share in shares for claim in share]
    assert len(ids) == len(set(ids)) == 20


async def test_a_job_that_is_not_due_or_of_another_kind_stays(unit: SqlUnitOfWork, leases: SqlJobLeases) -> None:
    later = datetime.now(UTC) + timedelta(hours=1)
    await added(unit, NewJob(kind="test", run_at=later), NewJob(kind="other"))
    assert await claimed(leases) == []


async def test_equal_dedup_keys_are_one_job(unit: SqlUnitOfWork, leases: SqlJobLeases) -> None:
    await added(unit, NewJob(kind="test", dedup_key="once"), NewJob(kind="test", dedup_key="once"))
    assert len(await claimed(leases)) == 1


async def test_what_rolls_back_leaves_no_job_and_announces_none(
    unit: SqlUnitOfWork, leases: SqlJobLeases, announcements: KeptAnnouncements
) -> None:
    with pytest.raises(RuntimeError, match="the cause failed"):
        async with unit() as tx:
            await tx.jobs.add(NewJob(kind="test"))
            raise RuntimeError("the cause failed")
    assert await claimed(leases) == []
    assert announcements.ids == []


async def test_an_end_by_one_who_lost_the_lease_changes_nothing(
    unit: SqlUnitOfWork, leases: SqlJobLeases, database: Database
) -> None:
    await added(unit, NewJob(kind="test"))
    (slow,) = await leases.claim({"test"}, 1, -1.0)  # a lease that is over when it begins
    (quick,) = await claimed(leases)
    assert (slow.attempt, quick.attempt) == (1, 2)
    with pytest.raises(LeaseLost):
        async with unit() as tx:
            await tx.jobs.finish(slow, {"by": "slow"})
    async with unit() as tx:
        await tx.jobs.finish(quick, {"by": "quick"})
    job = await SqlJobViews(database.read).one(quick.id)
    assert job is not None
    assert job.state is JobState.SUCCEEDED


async def test_a_failed_attempt_is_tried_again_when_its_delay_is_over(
    unit: SqlUnitOfWork, leases: SqlJobLeases
) -> None:
    await added(unit, NewJob(kind="test"))
    (first,) = await claimed(leases)
    assert await leases.fail(first, JobState.QUEUED, 3600.0, "the engine failed")
    assert await claimed(leases) == []


async def test_a_job_that_kills_its_workers_is_given_up(
    unit: SqlUnitOfWork, leases: SqlJobLeases, database: Database
) -> None:
    await added(unit, NewJob(kind="test", attempts_max=2))
    (claim,) = await leases.claim({"test"}, 1, -1.0)
    await leases.claim({"test"}, 1, -1.0)
    assert await claimed(leases) == []
    job = await SqlJobViews(database.read).one(claim.id)
    assert job is not None
    assert job.state is JobState.DEAD
