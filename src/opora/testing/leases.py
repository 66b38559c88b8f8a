"""The contract of claims on jobs: subclass it and give it the adapter."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta

from opora.core.jobs.model import Claim, JobFilter, JobState, Priority
from opora.core.kernel.model import PageRequest
from opora.testing.jobs import DEATHS, KIND, LAPSED_S, LEASE_S, LONG_AGO, JobStoreContract

JOBS = 60
CLAIMERS = 12


class JobLeasesContract(JobStoreContract):
    """What claiming, beating, failing and giving back promise."""

    async def deaths(self) -> int:
        """Count the jobs that the events of dead jobs became."""
        await self.relay()
        return (await self.views.page(JobFilter(kind=DEATHS), PageRequest())).count

    async def test_a_claim_carries_what_the_job_was_given(self) -> None:
        id = await self.add(payload={"a": 1}, attempts_max=3, request_id="r1")
        (claim,) = await self.claim()
        assert (claim.id, claim.kind, claim.payload, claim.attempt) == (id, KIND, {"a": 1}, 1)
        assert (claim.attempts_max, claim.request_id) == (3, "r1")
        job = await self.job(id)
        assert job.state is JobState.RUNNING
        assert job.lease_until is not None

    async def test_j3_no_two_claimers_get_the_same_attempt(self) -> None:
        for _ in range(JOBS):
            await self.add()

        async def claimer() -> list[Claim]:
            mine: list[Claim] = []
            while claims := await self.claim(limit=7):
                mine += claims
            return mine

        claims = [claim for some in await asyncio.gather(*(claimer() for _ in range(CLAIMERS))) for claim in some]
        assert Counter(claim.attempt for claim in claims) == {1: JOBS}
        assert len({claim.id for claim in claims}) == JOBS

    async def test_j3_a_leased_job_is_not_claimed_until_its_lease_ends(self) -> None:
        await self.running()
        assert await self.claim() == []

    async def test_j1_a_job_whose_worker_died_is_claimed_again_with_the_next_attempt(self) -> None:
        lost = await self.running(lease_s=LAPSED_S)
        (again,) = await self.claim()
        assert (again.id, again.attempt) == (lost.id, 2)
        assert again.lease_id != lost.lease_id

    async def test_j1_of_many_that_look_one_takes_a_dead_workers_job_over(self) -> None:
        await self.running(lease_s=LAPSED_S)
        claims = [one for some in await asyncio.gather(*(self.claim() for _ in range(CLAIMERS))) for one in some]
        assert [claim.attempt for claim in claims] == [2]

    async def test_j5_a_job_that_kills_every_worker_is_given_up_after_its_attempts(self) -> None:
        id = await self.add(attempts_max=3)
        attempts = [claim.attempt for _ in range(6) for claim in await self.claim(lease_s=LAPSED_S)]
        assert attempts == [1, 2, 3]
        assert await self.state(id) is JobState.DEAD
        assert await self.deaths() == 1

    async def test_j8_the_more_urgent_go_first_and_equals_by_their_time(self) -> None:
        now = datetime.now(UTC)
        order = [
            await self.add(priority=priority, run_at=now - timedelta(minutes=minutes))
            for priority in (Priority.HIGH, Priority.NORMAL, Priority.LOW)
            for minutes in (9, 5, 1)
        ]
        assert [claim.id for _ in range(3) for claim in await self.claim(limit=3)] == order

    async def test_j8_no_less_urgent_job_is_claimed_while_a_more_urgent_one_is_due(self) -> None:
        for _ in range(3):
            await self.add(priority=Priority.LOW)
        high = [await self.add(priority=Priority.HIGH) for _ in range(3)]
        assert [claim.id for claim in await self.claim(limit=3)] == high

    async def test_a_job_is_not_claimed_before_its_time(self) -> None:
        await self.add(run_at=datetime.now(UTC) + LONG_AGO, priority=Priority.HIGH)
        due = await self.add(priority=Priority.LOW)
        assert [claim.id for claim in await self.claim(limit=5)] == [due]

    async def test_j13_a_kind_nobody_here_knows_is_never_consumed(self) -> None:
        unknown = await self.add(kind="contract.of_a_newer_release")
        assert await self.claim(limit=5) == []
        job = await self.job(unknown)
        assert (job.state, job.attempt) == (JobState.QUEUED, 0)

    async def test_a_beat_prolongs_what_is_held_and_is_silent_of_what_is_lost(self) -> None:
        held, lost = await self.running(lease_s=5.0), await self.running(lease_s=LAPSED_S)
        await self.claim(limit=5)
        before = (await self.job(held.id)).lease_until
        assert await self.leases.beat([held, lost], LEASE_S) == {held.id: False}
        after = (await self.job(held.id)).lease_until
        assert before is not None and after is not None and after > before

    async def test_a_beat_tells_of_a_cancel(self) -> None:
        claim = await self.running()
        async with self.unit() as tx:
            await tx.jobs.request_cancel(claim.id)
        assert await self.leases.beat([claim], LEASE_S) == {claim.id: True}
        assert await self.leases.beat([], LEASE_S) == {}

    async def test_j6_a_failed_attempt_waits_no_longer_than_it_was_told(self) -> None:
        claim = await self.running()
        assert await self.leases.fail(claim, JobState.QUEUED, 40.0, "it rained")
        job = await self.job(claim.id)
        assert (job.state, job.error, job.finished_at) == (JobState.QUEUED, "it rained", None)
        due_s = await self.leases.next_due_s([KIND])
        assert due_s is not None and 0 < due_s <= 40.0
        assert await self.claim() == []

    async def test_a_job_given_up_is_told_of_once(self) -> None:
        claim = await self.running()
        ends = [await self.leases.fail(claim, JobState.DEAD, 0.0, "hopeless") for _ in range(2)]
        assert ends == [True, False]
        assert await self.state(claim.id) is JobState.DEAD
        assert await self.deaths() == 1

    async def test_the_failure_of_an_attempt_that_lost_its_lease_changes_nothing(self) -> None:
        lost = await self.running(lease_s=LAPSED_S)
        (held,) = await self.claim()
        for state in (JobState.DEAD, JobState.QUEUED, JobState.CANCELLED):
            assert not await self.leases.fail(lost, state, 0.0, "late")
        assert await self.state(held.id) is JobState.RUNNING
        assert await self.deaths() == 0

    async def test_an_attempt_that_fails_after_a_cancel_was_asked_for_is_not_tried_again(self) -> None:
        claim = await self.running()
        async with self.unit() as tx:
            await tx.jobs.request_cancel(claim.id)
        assert await self.leases.fail(claim, JobState.QUEUED, 0.0, "it rained")
        job = await self.job(claim.id)
        assert job.state is JobState.CANCELLED
        assert job.finished_at is not None

    async def test_a_claim_given_back_is_due_at_once_and_its_attempt_is_not_counted(self) -> None:
        claim = await self.running(attempts_max=1)
        await self.leases.release([claim])
        (again,) = await self.claim()
        assert (again.id, again.attempt) == (claim.id, 1)

    async def test_a_claim_given_back_after_a_cancel_was_asked_for_never_runs_again(self) -> None:
        claim = await self.running()
        async with self.unit() as tx:
            await tx.jobs.request_cancel(claim.id)
        await self.leases.release([claim])
        assert await self.state(claim.id) is JobState.CANCELLED
        assert await self.claim() == []

    async def test_giving_back_what_another_holds_by_now_changes_nothing(self) -> None:
        lost = await self.running(lease_s=LAPSED_S)
        (held,) = await self.claim()
        await self.leases.release([lost])
        assert (await self.job(held.id)).attempt == 2
        assert await self.state(held.id) is JobState.RUNNING

    async def test_a_dead_workers_job_that_was_to_be_cancelled_is_cancelled(self) -> None:
        claim = await self.running(lease_s=LAPSED_S)
        async with self.unit() as tx:
            await tx.jobs.request_cancel(claim.id)
        assert await self.claim() == []
        assert await self.state(claim.id) is JobState.CANCELLED

    async def test_it_is_told_how_long_to_sleep(self) -> None:
        assert await self.leases.next_due_s([KIND]) is None
        await self.add(run_at=datetime.now(UTC) + timedelta(seconds=100))
        await self.add(kind="contract.other")
        later_s = await self.leases.next_due_s([KIND])
        assert later_s is not None and 90 < later_s <= 100
        await self.running(lease_s=30.0)
        lease_ends_s = await self.leases.next_due_s([KIND])
        assert lease_ends_s is not None and 20 < lease_ends_s <= 30

    async def test_only_what_ended_well_long_ago_is_pruned(self) -> None:
        for state in JobState:
            await self.in_state(state)
        assert await self.leases.prune(keep_s=3600.0, limit=10) == 0
        assert await self.leases.prune(keep_s=-1.0, limit=1) == 1
        assert await self.leases.prune(keep_s=-1.0, limit=10) == 1
        counts = await self.views.counts()
        assert {state: counts[state] for state in (JobState.SUCCEEDED, JobState.CANCELLED, JobState.DEAD)} == {
            JobState.SUCCEEDED: 0,
            JobState.CANCELLED: 0,
            JobState.DEAD: 1,
        }
