"""The engine runs what is due, keeps its leases alive, and writes down how attempts end badly."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from opora.adapters.system.randomness import SystemRandomness
from opora.core.jobs.errors import Hopeless
from opora.core.jobs.model import Claim, JobState, NewJob
from opora.core.jobs.usecases import CancelJob
from opora.core.kernel.errors import DatabaseUnavailable, NotFound
from opora.core.kernel.model import SYSTEM
from opora.worker.engine import Engine, described
from worker.conftest import KIND, POLICY, Shop

pytestmark = pytest.mark.anyio


async def for_ever(claim: Claim) -> None:
    await asyncio.get_running_loop().create_future()


def now_s() -> float:
    return asyncio.get_running_loop().time()


async def test_a_job_runs_when_it_is_announced_not_at_the_next_sweep(shop: Shop) -> None:
    shop.engine(shop.finish)
    await asyncio.sleep(1.0)
    began_s = now_s()
    await shop.until(await shop.add(), JobState.SUCCEEDED)
    assert now_s() - began_s < 0.2
    assert shop.diary.outcomes == ["succeeded"]


async def test_a_job_whose_announcement_was_lost_is_found_by_the_sweep(shop: Shop) -> None:
    shop.engine(shop.finish)
    await asyncio.sleep(1.0)
    shop.wakes.lossy = True
    await shop.until(await shop.add(), JobState.SUCCEEDED, within_s=5.1)


async def test_a_delayed_job_runs_at_its_time_without_a_sweep_between(shop: Shop) -> None:
    shop.engine(shop.finish)
    id = await shop.add(run_at=shop.clock.now() + timedelta(seconds=2.5))
    await asyncio.sleep(2.4)
    assert (await shop.job(id)).state is JobState.QUEUED
    await shop.until(id, JobState.SUCCEEDED, within_s=0.2)


async def test_a_failed_job_is_tried_again_until_it_succeeds(shop: Shop) -> None:
    async def third_time_lucky(claim: Claim) -> None:
        if claim.attempt < 3:
            raise ConnectionError("password=hunter2")
        await shop.finish(claim)

    shop.engine(third_time_lucky)
    job = await shop.until(await shop.add(), JobState.SUCCEEDED)
    assert (job.attempt, job.error) == (3, None)
    assert shop.diary.outcomes == ["retried", "retried", "succeeded"]


async def test_a_job_that_always_fails_dies_after_its_attempts_and_says_why_without_foreign_words(shop: Shop) -> None:
    async def fails(claim: Claim) -> None:
        raise ConnectionError("password=hunter2")

    shop.engine(fails)
    job = await shop.until(await shop.add(attempts_max=3), JobState.DEAD)
    assert (job.attempt, job.error) == (3, "ConnectionError")
    assert shop.diary.outcomes == ["retried", "retried", "dead"]


async def test_a_hopeless_job_dies_at_its_first_failure(shop: Shop) -> None:
    async def hopeless(claim: Claim) -> None:
        raise Hopeless("the file is no PDF")

    shop.engine(hopeless)
    job = await shop.until(await shop.add(), JobState.DEAD)
    assert (job.attempt, job.error) == (1, "Hopeless: the file is no PDF")


async def test_work_that_outlasts_its_lease_lives_by_its_heartbeat(shop: Shop) -> None:
    async def slow(claim: Claim) -> None:
        await asyncio.sleep(60.0)
        await shop.finish(claim)

    shop.engine(slow)
    job = await shop.until(await shop.add(attempts_max=1), JobState.SUCCEEDED)
    assert job.attempt == 1


async def test_a_running_job_that_is_cancelled_stops_at_the_next_heartbeat(shop: Shop) -> None:
    shop.engine(for_ever)
    id = await shop.add()
    await shop.until(id, JobState.RUNNING)
    await CancelJob(shop.unit, shop.clock)(SYSTEM, id)
    await shop.until(id, JobState.CANCELLED, within_s=3.1)
    assert shop.diary.outcomes == ["cancelled"]


async def test_a_running_job_that_is_cancelled_stops_at_its_next_word_of_progress(shop: Shop) -> None:
    async def tells(claim: Claim) -> None:
        for step in range(1000):
            await asyncio.sleep(0.6)
            await shop.progress.report(claim, step, 1000)

    shop.engine(tells)
    id = await shop.add()
    await shop.until(id, JobState.RUNNING)
    await CancelJob(shop.unit, shop.clock)(SYSTEM, id)
    await shop.until(id, JobState.CANCELLED, within_s=1.3)


async def test_an_attempt_whose_lease_was_lost_is_stopped_and_changes_nothing(shop: Shop) -> None:
    shop.engine(for_ever)
    id = await shop.add()
    await shop.until(id, JobState.RUNNING)
    await shop.database.read.execute("UPDATE jobs SET lease_id = 'anothers', attempt = attempt + 1")
    async with asyncio.timeout(3.1):
        while not shop.diary.outcomes:  # noqa: ASYNC110
            await asyncio.sleep(0.05)  # virtual time
    assert shop.diary.outcomes == ["lost"]
    assert (await shop.job(id)).attempt == 2


async def test_a_claim_that_somebody_else_made_is_run_and_kept_alive(shop: Shop) -> None:
    async def slow(claim: Claim) -> None:
        await asyncio.sleep(60.0)
        await shop.finish(claim)

    engine = Engine(shop.leases, {KIND: slow}, shop.wakes, SystemRandomness(), shop.diary, POLICY)
    tending = asyncio.create_task(engine.tend())
    async with shop.unit() as tx:
        claim = await tx.jobs.take(NewJob(kind=KIND, attempts_max=1), 9.0)
    engine.start(claim)
    assert engine.load == 1
    await shop.until(claim.id, JobState.SUCCEEDED)
    assert engine.load == 0
    engine.drop(claim.id)
    tending.cancel()


async def test_a_job_whose_lease_was_taken_away_here_is_stopped_at_once(shop: Shop) -> None:
    engine = Engine(shop.leases, {KIND: for_ever}, shop.wakes, SystemRandomness(), shop.diary, POLICY)
    async with shop.unit() as tx:
        claim = await tx.jobs.take(NewJob(kind=KIND), 9.0)
    engine.start(claim)
    await asyncio.sleep(0)
    engine.drop(claim.id)
    async with asyncio.timeout(1.0):
        while not shop.diary.outcomes:  # noqa: ASYNC110
            await asyncio.sleep(0.05)  # virtual time
    assert shop.diary.outcomes == ["lost"]


async def test_no_more_run_at_once_than_the_process_takes_on(shop: Shop) -> None:
    running, most = 0, 0

    async def counts(claim: Claim) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(1.0)
        await shop.finish(claim)
        running -= 1

    ids = [await shop.add() for _ in range(10)]
    shop.engine(counts)
    for id in ids:
        await shop.until(id, JobState.SUCCEEDED, within_s=10.0)
    assert most == 3


async def test_a_shutdown_lets_work_end_that_ends_in_time_and_keeps_its_lease_alive(shop: Shop) -> None:
    async def slow(claim: Claim) -> None:
        await asyncio.sleep(25.0)
        await shop.finish(claim)

    engine = shop.engine(slow)
    id = await shop.add(attempts_max=1)
    await shop.until(id, JobState.RUNNING)
    await engine.stop(grace_s=40.0)
    assert (await shop.job(id)).state is JobState.SUCCEEDED
    await shop.add()
    await asyncio.sleep(20.0)
    assert len(shop.diary.started_ids) == 1


async def test_a_shutdown_gives_back_what_does_not_end_and_counts_no_attempt(shop: Shop) -> None:
    engine = shop.engine(for_ever)
    id = await shop.add(attempts_max=1)
    await shop.until(id, JobState.RUNNING)
    await engine.stop(grace_s=2.0)
    job = await shop.job(id)
    assert (job.state, job.attempt) == (JobState.QUEUED, 0)
    assert shop.diary.outcomes == ["released"]


class Slowly:
    """Leases that answer a claim a second after they gave it."""

    def __init__(self, shop: Shop) -> None:
        self._leases = shop.leases

    def __getattr__(self, name: str) -> Any:
        return getattr(self._leases, name)

    async def claim(self, *arguments: Any) -> Sequence[Claim]:
        claims = await self._leases.claim(*arguments)
        await asyncio.sleep(1.0)
        return claims


async def test_what_is_claimed_while_the_shutdown_begins_is_given_back(shop: Shop) -> None:
    id = await shop.add()
    engine = shop.engine(shop.finish, leases=Slowly(shop))
    await shop.until(id, JobState.RUNNING)
    await engine.stop()
    assert (await shop.job(id)).state is JobState.QUEUED
    assert shop.diary.started_ids == []


class Away:
    """Leases over a store that can be away, or answer with a fault nobody thought of."""

    def __init__(self, shop: Shop) -> None:
        self._leases = shop.leases
        self.error: Exception | None = None

    def __getattr__(self, name: str) -> Any:
        async def call(*arguments: Any) -> Any:
            if self.error is not None:
                raise self.error
            return await getattr(self._leases, name)(*arguments)

        return call


@pytest.mark.parametrize("error", [DatabaseUnavailable(), ZeroDivisionError()])
async def test_a_store_that_was_away_is_used_again_when_it_is_back(shop: Shop, error: Exception) -> None:
    away = Away(shop)
    away.error = error
    shop.engine(shop.finish, leases=away)
    id = await shop.add()
    await asyncio.sleep(30.0)
    assert set(shop.diary.troubles) == {"claiming jobs"}
    away.error = None
    await shop.until(id, JobState.SUCCEEDED, within_s=5.1)


@pytest.mark.parametrize("error", [DatabaseUnavailable(), ZeroDivisionError()])
async def test_a_heartbeat_that_fails_is_not_the_last(shop: Shop, error: Exception) -> None:
    away = Away(shop)

    async def slow(claim: Claim) -> None:
        away.error = error
        await asyncio.sleep(4.0)
        away.error = None
        await asyncio.sleep(20.0)
        await shop.finish(claim)

    shop.engine(slow, leases=away)
    job = await shop.until(await shop.add(attempts_max=1), JobState.SUCCEEDED)
    assert job.attempt == 1
    assert "prolonging leases" in shop.diary.troubles


async def test_an_attempt_whose_end_cannot_be_written_is_left_to_its_lease(shop: Shop) -> None:
    away = Away(shop)

    async def fails_with_the_store(claim: Claim) -> None:
        if claim.attempt == 1:
            away.error = DatabaseUnavailable()
            asyncio.get_running_loop().call_later(20.0, setattr, away, "error", None)
            raise ConnectionError
        await shop.finish(claim)

    shop.engine(fails_with_the_store, leases=away)
    job = await shop.until(await shop.add(), JobState.SUCCEEDED)
    assert job.attempt == 2
    assert shop.diary.outcomes == ["lost", "succeeded"]
    assert "ending a job" in shop.diary.troubles


async def test_two_engines_share_the_work_and_run_each_job_once(shop: Shop) -> None:
    async def short(claim: Claim) -> None:
        await asyncio.sleep(0.1)
        await shop.finish(claim)

    for _ in range(2):
        shop.engine(short)
    ids = [await shop.add() for _ in range(30)]
    for id in ids:
        await shop.until(id, JobState.SUCCEEDED)
    assert sorted(shop.diary.started_ids) == sorted(ids)


async def test_j13_a_kind_without_a_handler_waits_for_a_release_that_knows_it(shop: Shop) -> None:
    shop.engine(shop.finish)
    id = await shop.add(kind=f"{KIND}.new")
    await asyncio.sleep(30.0)
    assert (await shop.job(id)).state is JobState.QUEUED


def test_only_our_own_errors_are_quoted_and_never_at_length() -> None:
    assert described(NotFound("no such thing")) == "NotFound: no such thing"
    assert described(ValueError("secret")) == "ValueError"
    assert len(described(NotFound("x" * 9000))) == 500
