"""Contracts of the job engine's store: subclass one and give it the adapter."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from opora.core.jobs.errors import JobCancelled, LeaseLost
from opora.core.jobs.model import MOVES, Claim, Job, JobFilter, JobState, NewJob, Priority
from opora.core.jobs.ports import JobLeases, JobProgress, JobTx, JobViews
from opora.core.kernel.errors import IllegalMove, Stale
from opora.core.kernel.model import PageRequest
from opora.core.kernel.ports import UnitOfWork

KIND = "contract.work"
DEATHS = "contract.deaths"
"""The kind of job that the event `job.dead` becomes: the adapter under test has this one subscriber."""
LEASE_S = 60.0
LAPSED_S = -1.0
"""A lease that has ended when it is given: what a dead worker leaves behind, without waiting for it."""
LONG_AGO = timedelta(days=1)


def a_job(**changes: Any) -> NewJob:
    """Build a job of the contract's kind."""
    return NewJob(**{"kind": KIND, **changes})


class JobStoreContract:
    """What the suites share: the ports under test, and the steps that bring a job to a state."""

    unit: UnitOfWork[JobTx]
    leases: JobLeases
    progress: JobProgress
    views: JobViews
    relay: Callable[[], Awaitable[int]]
    announced: Sequence[UUID]

    async def add(self, **changes: Any) -> UUID:
        """Keep one job."""
        async with self.unit() as tx:
            return await tx.jobs.add(a_job(**changes))

    async def claim(self, limit: int = 1, lease_s: float = LEASE_S) -> Sequence[Claim]:
        """Claim jobs of the contract's kind."""
        return await self.leases.claim([KIND], limit, lease_s)

    async def running(self, lease_s: float = LEASE_S, **changes: Any) -> Claim:
        """Add a job and claim it."""
        await self.add(**changes)
        (claim,) = await self.claim(lease_s=lease_s)
        return claim

    async def finish(self, claim: Claim, result: Mapping[str, object] | None = None) -> None:
        """End a job well."""
        async with self.unit() as tx:
            await tx.jobs.finish(claim, result)

    async def move(self, id: UUID, state: JobState) -> None:
        """Move a job by hand."""
        async with self.unit() as tx:
            await tx.jobs.move(await self.got(tx, id), state)

    async def got(self, tx: JobTx, id: UUID) -> Job:
        """Read a job inside a transaction."""
        job = await tx.jobs.get(id)
        assert job is not None
        return job

    async def job(self, id: UUID) -> Job:
        """Read a job as an operator does."""
        job = await self.views.one(id)
        assert job is not None
        return job

    async def state(self, id: UUID) -> JobState:
        """Tell where a job stands."""
        return (await self.job(id)).state

    async def in_state(self, state: JobState) -> UUID:
        """Make a job that stands there."""
        if state is JobState.QUEUED:
            return await self.add()
        claim = await self.running()
        if state is JobState.SUCCEEDED:
            await self.finish(claim)
        elif state is not JobState.RUNNING:
            assert await self.leases.fail(claim, state, 0.0, "so it ended")
        return claim.id


class JobQueueContract(JobStoreContract):
    """What jobs inside a transaction promise."""

    async def test_gives_back_what_was_added(self) -> None:
        due = datetime.now(UTC).replace(microsecond=123456) + timedelta(hours=1)
        id = await self.add(
            payload={"имя": ["я", 1, None]},
            dedup_key="once",
            priority=Priority.HIGH,
            run_at=due,
            attempts_max=3,
            request_id="r1",
        )
        job = await self.job(id)
        assert (job.kind, job.state, job.payload, job.priority) == (KIND, JobState.QUEUED, {"имя": ["я", 1, None]}, 1)
        assert (job.run_at, job.attempt, job.attempts_max, job.dedup_key) == (due, 0, 3, "once")
        assert (job.request_id, job.lease_until, job.finished_at, job.result) == ("r1", None, None, None)

    async def test_a_job_without_a_time_is_due_at_once_by_the_stores_clock(self) -> None:
        await self.add()
        assert await self.leases.next_due_s([KIND]) == 0.0

    async def test_j11_a_rollback_leaves_no_job_and_announces_none(self) -> None:
        with pytest.raises(ZeroDivisionError):
            async with self.unit() as tx:
                id = await tx.jobs.add(a_job())
                raise ZeroDivisionError
        assert await self.views.one(id) is None
        assert list(self.announced) == []

    async def test_j11_a_commit_leaves_exactly_the_jobs_added_and_announces_them_after_it(self) -> None:
        async with self.unit() as tx:
            ids = [await tx.jobs.add(a_job()) for _ in range(3)]
            assert list(self.announced) == []
        assert list(self.announced) == ids
        assert (await self.views.counts())[JobState.QUEUED] == 3

    async def test_j7_equal_dedup_keys_make_one_job_whatever_its_state(self) -> None:
        first = await self.add(dedup_key="one")
        (claim,) = await self.claim()
        await self.finish(claim)
        assert await self.add(dedup_key="one") == first
        assert await self.claim() == []

    async def test_j7_simultaneous_adds_of_a_dedup_key_make_one_job(self) -> None:
        ids = await asyncio.gather(*(self.add(dedup_key="one") for _ in range(12)))
        assert len(set(ids)) == 1
        assert len(await self.claim(limit=50)) == 1

    async def test_a_job_taken_as_it_is_added_is_its_adders_until_the_lease_ends(self) -> None:
        async with self.unit() as tx:
            claim = await tx.jobs.take(a_job(payload={"n": 1}, request_id="r"), LAPSED_S)
        assert (claim.attempt, claim.payload, claim.request_id) == (1, {"n": 1}, "r")
        assert await self.state(claim.id) is JobState.RUNNING
        (again,) = await self.claim()
        assert (again.id, again.attempt, again.payload) == (claim.id, 2, {"n": 1})
        with pytest.raises(LeaseLost):
            await self.finish(claim)
        async with self.unit() as tx:
            own = await tx.jobs.take(a_job(), LEASE_S)
        assert await self.claim() == []
        await self.finish(own)

    async def test_a_job_is_buried_with_the_rest_of_the_transaction_by_its_holder_alone(self) -> None:
        claim = await self.running()
        async with self.unit() as tx:
            await tx.jobs.bury(claim, "no engine")
        job = await self.job(claim.id)
        assert (job.state, job.error) == (JobState.DEAD, "no engine")
        with pytest.raises(LeaseLost):
            async with self.unit() as tx:
                await tx.jobs.bury(claim, "again")

    async def test_a_finished_job_keeps_its_result_and_is_done_whole(self) -> None:
        claim = await self.running()
        await self.progress.report(claim, 1, 3)
        await self.finish(claim, {"made": 3})
        job = await self.job(claim.id)
        assert (job.state, job.result, job.progress_done, job.lease_until) == (JobState.SUCCEEDED, {"made": 3}, 3, None)
        assert job.finished_at is not None

    async def test_j2_the_effects_of_an_attempt_that_lost_its_lease_are_rolled_back(self) -> None:
        lost = await self.running(lease_s=LAPSED_S)
        (held,) = await self.claim()
        with pytest.raises(LeaseLost):
            async with self.unit() as tx:
                await tx.jobs.add(a_job(kind="contract.effect"))
                await tx.jobs.finish(lost)
        assert (await self.views.page(JobFilter(kind="contract.effect"), PageRequest())).count == 0
        assert await self.state(held.id) is JobState.RUNNING

    async def test_j3_only_the_holder_of_the_lease_finishes(self) -> None:
        lost = await self.running(lease_s=LAPSED_S)
        (held,) = await self.claim()
        ends = await asyncio.gather(*(self.finish(one) for one in (lost, held, lost)), return_exceptions=True)
        assert [type(end) for end in ends] == [LeaseLost, type(None), LeaseLost]

    async def test_j2_of_simultaneous_finishes_of_one_attempt_one_counts(self) -> None:
        claim = await self.running()
        ends = await asyncio.gather(*(self.finish(claim) for _ in range(8)), return_exceptions=True)
        assert sum(end is None for end in ends) == 1
        assert {type(end) for end in ends} == {type(None), LeaseLost}

    async def test_a_zombie_of_the_first_life_cannot_finish_a_job_retried_by_hand(self) -> None:
        zombie = await self.running(attempts_max=1)
        await self.leases.fail(zombie, JobState.DEAD, 0.0, "given up")
        await self.move(zombie.id, JobState.QUEUED)
        (held,) = await self.claim()
        assert held.attempt == zombie.attempt
        with pytest.raises(LeaseLost):
            await self.finish(zombie)
        await self.finish(held)

    @pytest.mark.parametrize("state", sorted(MOVES.final()))
    async def test_j4_an_ended_job_never_moves_again(self, state: JobState) -> None:
        id = await self.in_state(state)
        for target in JobState:
            with pytest.raises(IllegalMove):
                await self.move(id, target)
        async with self.unit() as tx:
            await tx.jobs.request_cancel(id)
        ended = await self.job(id)
        assert (ended.state, ended.cancel_requested) == (state, False)
        assert await self.claim() == []

    async def test_j10_a_job_cancelled_before_its_claim_never_runs(self) -> None:
        id = await self.add()
        await self.move(id, JobState.CANCELLED)
        assert await self.claim(limit=10) == []
        assert await self.state(id) is JobState.CANCELLED

    async def test_j10_of_a_cancel_and_a_claim_at_once_one_wins(self) -> None:
        for _ in range(10):
            id = await self.add()
            claims, moved = await asyncio.gather(
                self.claim(limit=10), self.move(id, JobState.CANCELLED), return_exceptions=True
            )
            assert not isinstance(claims, BaseException)
            ran = id in {claim.id for claim in claims}
            # a claim that came first makes it a running job, which an operator may cancel as well
            assert (ran or moved is None) and (moved is None or isinstance(moved, Stale))
            if moved is None:
                assert await self.state(id) is JobState.CANCELLED

    async def test_a_move_from_what_was_read_earlier_is_stale(self) -> None:
        read = await self.job(await self.add())
        await self.claim()
        with pytest.raises(Stale):
            async with self.unit() as tx:
                await tx.jobs.move(read, JobState.CANCELLED)

    async def test_a_dead_job_retried_by_hand_has_all_its_attempts_again(self) -> None:
        id = await self.in_state(JobState.DEAD)
        await self.move(id, JobState.QUEUED)
        (claim,) = await self.claim()
        assert (claim.id, claim.attempt) == (id, 1)


class JobProgressContract(JobStoreContract):
    """What telling how far a job is promises."""

    async def test_progress_is_seen_and_its_last_word_is_always_written(self) -> None:
        claim = await self.running()
        for done in range(11):
            await self.progress.report(claim, done, 10)
        job = await self.job(claim.id)
        assert (job.progress_done, job.progress_total) == (10, 10)

    async def test_progress_is_written_at_most_twice_a_second(self) -> None:
        claim = await self.running()
        for done in range(1, 6):
            await self.progress.report(claim, done, 10)
        assert (await self.job(claim.id)).progress_done == 1

    async def test_a_total_that_nobody_knows_is_throttled_too(self) -> None:
        claim = await self.running()
        for done in range(1, 6):
            await self.progress.report(claim, done, 0)
        assert (await self.job(claim.id)).progress_done == 1

    async def test_progress_tells_of_a_cancel(self) -> None:
        claim = await self.running()
        async with self.unit() as tx:
            await tx.jobs.request_cancel(claim.id)
        with pytest.raises(JobCancelled):
            await self.progress.report(claim, 1, 2)

    async def test_progress_tells_of_a_lost_lease(self) -> None:
        lost = await self.running(lease_s=LAPSED_S)
        await self.claim()
        with pytest.raises(LeaseLost):
            await self.progress.report(lost, 1, 2)


class JobViewsContract(JobStoreContract):
    """What operators see."""

    async def test_jobs_are_listed_newest_first_in_pages(self) -> None:
        ids = [await self.add(kind=f"contract.{number % 2}") for number in range(5)]
        page = await self.views.page(JobFilter(), PageRequest(limit=2, number=2))
        assert [job.id for job in page.items] == [ids[2], ids[1]]
        assert (page.count, page.more) == (5, True)
        assert not (await self.views.page(JobFilter(), PageRequest(limit=2, number=3))).more

    async def test_jobs_are_filtered_by_state_and_kind(self) -> None:
        claim = await self.running()
        await self.add(kind="contract.other")
        await self.add()
        page = await self.views.page(JobFilter(state=JobState.RUNNING, kind=KIND), PageRequest())
        assert [job.id for job in page.items] == [claim.id]
        assert (await self.views.page(JobFilter(kind="contract.other"), PageRequest())).count == 1

    async def test_every_state_is_counted_even_at_none(self) -> None:
        for state in JobState:
            await self.in_state(state)
        counts = await self.views.counts()
        assert set(counts) == {str(state) for state in JobState}
        assert counts[JobState.SUCCEEDED] == 1
        assert counts[JobState.CANCELLED] == 1

    async def test_there_is_no_job_of_another_id(self) -> None:
        await self.add()
        assert await self.views.one(uuid4()) is None
        async with self.unit() as tx:
            assert await tx.jobs.get(uuid4()) is None
