"""What people and jobs do with texts, over a real store."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from core.generation.press import ADMIN, ANNA, BORIS, ENDED, EVERYONES, NOBODYS_KEY, NOON, Press, an_order
from opora.core.access.model.people import User
from opora.core.billing.errors.quotas import QuotaExhausted, UpgradeRequired
from opora.core.generation.errors import (
    EngineRefused,
    EngineUnavailable,
    InvalidRequest,
    NoSuchPrompt,
    NoSuchText,
)
from opora.core.generation.model.engines import Began, Broke, Ended, Finish, Message, Said, Speaker, Wish
from opora.core.generation.model.texts import LONG, RETRY, SHORT, Mode, Place, Reach, Status, TextPolicy
from opora.core.generation.rules.reading import End, More, Reset
from opora.core.generation.usecases.asking import HEARTBEAT_S
from opora.core.jobs.errors import LeaseLost
from opora.core.jobs.model import JobState, Priority
from opora.core.kernel.errors import IllegalMove, NotFound, Stale
from opora.core.kernel.model import PageRequest

pytestmark = pytest.mark.anyio
CHAT = Wish(messages=(Message(Speaker.USER, "hi"),), max_tokens=9)


async def test_a_text_is_written_and_its_hold_settled_by_the_end_of_its_job(press: Press) -> None:
    text = await press.ask()
    assert (text.status, text.priority, await press.quota()) == (Status.QUEUED, Priority.LOW, (0, 1))
    assert press.calls.commits == 1
    (claim,) = press.performer.claims
    assert (claim.kind, claim.id, (await press.job(text.job_id)).state) == (SHORT, text.job_id, JobState.RUNNING)
    await press.write(claim)
    done = await press.text(text)
    assert (done.status, done.content, done.usage, done.model) == (Status.COMPLETED, "one two", ENDED.usage, "m-1")
    assert (done.attempts, done.engine, done.finish) == (1, "e", Finish.STOP)
    assert (await press.job(text.job_id)).state is JobState.SUCCEEDED
    assert await press.quota() == (1, 0)
    assert await press.quota("generate.tokens") == (7, 0)
    assert await press.actions() == ["generation.requested", "generation.completed"]
    assert await press.topics() == ["generation.completed"]
    assert await press.outcomes(text) == ["completed"]
    assert await press.notices() == []


async def test_who_does_not_wait_is_told_by_a_letter(press: Press) -> None:
    async with press.unit() as tx:
        await tx.users.add(User(id=7, email="anna@example.org", created_at=NOON))
    text = await press.ask(mode=Mode.ASYNC)
    assert press.performer.claims == []
    claim = await press.claim()
    assert claim.kind == LONG
    await press.write(claim)
    assert (await press.text(text)).status is Status.COMPLETED
    assert await press.notices() == ["generation.completed"]
    assert press.calls.commits == 0


async def test_what_finds_no_room_here_is_left_to_a_worker(press: Press) -> None:
    press.performer.room = False
    await press.ask()
    assert press.performer.claims == []
    assert (await press.claim()).kind == SHORT


async def test_a_key_of_nobodys_has_no_plan(press: Press) -> None:
    text = await press.written(NOBODYS_KEY)
    assert (text.status, text.user_id, text.owner) == (Status.COMPLETED, None, "key:5")
    assert await press.quota(user_id=5) == (0, 0)


async def test_what_the_plan_lacks_keeps_nothing(press: Press) -> None:
    with pytest.raises(UpgradeRequired):
        await press.ask(function="article")
    with pytest.raises(UpgradeRequired):
        await press.ask(max_tokens=32_768)
    assert await press.quota() == (0, 0)
    assert (await press.views.page(EVERYONES, PageRequest())).count == 0


async def test_a_spent_quota_is_told(press: Press) -> None:
    for number in range(100):
        await press.ask(topic=f"tea {number}", mode=Mode.ASYNC)
    with pytest.raises(QuotaExhausted):
        await press.ask(topic="one more", mode=Mode.ASYNC)


async def test_an_equal_text_serves_again_for_a_request_but_no_tokens(press: Press) -> None:
    first = await press.written()
    again = await press.ask()
    assert (again.status, again.content, again.is_cached) == (Status.COMPLETED, "one two", True)
    assert again.id != first.id
    assert await press.quota() == (2, 0)
    assert await press.quota("generate.tokens") == (7, 0)
    assert len(press.engines.wishes) == 1


async def test_an_equal_text_serves_neither_others_nor_for_ever_nor_who_wants_it_fresh(press: Press) -> None:
    await press.written()
    assert (await press.ask(BORIS)).status is Status.QUEUED
    assert (await press.ask(fresh=True)).status is Status.QUEUED
    press.clock.at += timedelta(seconds=301)
    assert (await press.ask()).status is Status.QUEUED


async def test_equal_texts_asked_for_at_once_are_written_once(press: Press) -> None:
    leader = await press.ask()
    followers = [await press.ask() for _ in range(3)]
    assert [one.leader_id for one in followers] == [leader.id] * 3
    await press.write(press.performer.claims.pop())
    for one in followers:
        done = await press.text(one)
        assert (done.status, done.content, done.is_cached) == (Status.COMPLETED, "one two", True)
    assert len(press.engines.wishes) == 1
    assert await press.quota() == (4, 0)
    assert await press.quota("generate.tokens") == (7, 0)


async def test_who_follows_a_text_that_fails_fails_with_it(press: Press) -> None:
    press.engines.scripts = [[Began("e"), Broke("engine_refused"), EngineRefused("No.")]]
    leader, follower = await press.ask(), await press.ask()
    await press.write(press.performer.claims.pop())
    assert [(await press.text(one)).error for one in (leader, follower)] == ["engine_refused"] * 2
    assert await press.quota() == (0, 0)
    assert await press.outcomes(leader) == ["engine_refused"]
    assert (await press.job(leader.job_id)).state is JobState.SUCCEEDED


async def test_who_follows_a_cancelled_text_goes_on(press: Press) -> None:
    leader, second, third = [await press.ask() for _ in range(3)]
    await press.cancel(ANNA, leader.id)
    assert await press.quota() == (0, 2)
    promoted = await press.text(second)
    assert (promoted.leader_id, (await press.text(third)).leader_id) == (None, second.id)
    await press.write(await press.claim())
    assert [(await press.text(one)).status for one in (second, third)] == [Status.COMPLETED] * 2


async def test_a_follower_may_be_cancelled_alone(press: Press) -> None:
    leader, follower = await press.ask(), await press.ask()
    stopped = await press.cancel(ANNA, follower.id)
    assert (stopped.status, stopped.content) == (Status.CANCELLED, None)
    await press.write(press.performer.claims.pop())
    assert (await press.text(leader)).status is Status.COMPLETED
    assert await press.quota() == (1, 0)


async def test_a_conversation_is_written_anew_each_time(press: Press) -> None:
    one = await press.ask_for.chat(ANNA, CHAT, Mode.SYNC)
    other = await press.ask_for.chat(ANNA, CHAT, Mode.SYNC)
    assert (one.function, one.cache_key, other.leader_id) == ("chat", None, None)
    with pytest.raises(InvalidRequest):
        await press.ask_for.chat(ANNA, replace(CHAT, max_tokens=0), Mode.SYNC)


async def test_a_prompt_is_found_by_name_or_id_and_version(press: Press) -> None:
    prompt = await press.prompt()
    by_id = await press.ask(function=None, topic=None, prompt_id=prompt.id, variables={"topic": "tea"})
    assert (by_id.function, by_id.prompt_id, by_id.prompt_version) == ("poem", prompt.id, 1)
    by_version = await press.ask(function="poem", prompt_version=1, topic="milk")
    assert by_version.prompt_version == 1
    for wrong in (
        {"function": "none"},
        {"function": "post", "prompt_id": prompt.id, "topic": None, "variables": {"topic": "tea"}},
        {"function": "poem", "prompt_version": 2},
        {"function": None, "topic": None, "prompt_id": 99},
    ):
        with pytest.raises(NoSuchPrompt):
            await press.ask(**wrong)


async def test_words_are_read_as_they_come_and_from_any_place(press: Press) -> None:
    press.engines.scripts = [[Began("e"), Said("one"), "wait", Said(" two"), ENDED]]
    text = await press.ask()
    writing = asyncio.create_task(press.write(press.performer.claims.pop()))
    reading = asyncio.create_task(press.read(text))
    await press.engines.waiting.wait()
    late = asyncio.create_task(press.read(text, Place(1, 2)))
    await asyncio.sleep(0.05)
    press.engines.gate.set()
    await writing
    found = await reading
    assert "".join(one.text for one in found if isinstance(one, More)) == "one two"
    assert isinstance(found[-1], End)
    assert "".join(one.text for one in await late if isinstance(one, More)) == "e two"
    assert await press.read(text, Place(1, 7)) == [End(await press.text(text))]


async def test_words_are_read_from_the_store_where_they_are_written_elsewhere(press: Press) -> None:
    press.engines.scripts = [[Began("e"), Said("one"), "wait", Said(" two"), ENDED]]
    text = await press.ask()
    elsewhere = replace(press, live=type(press.live)())
    writing = asyncio.create_task(press.write(press.performer.claims.pop()))
    await press.engines.waiting.wait()
    steps = elsewhere.follow.steps(text.id, EVERYONES, Place())
    while not isinstance(step := await anext(steps), More):
        assert step is None
    assert step == More("one", Place(1, 3))
    press.engines.gate.set()
    await writing
    rest = [one async for one in steps if one is not None]
    assert rest == [More(" two", Place(1, 7)), End(await press.text(text))]


async def test_another_call_resets_the_reader(press: Press) -> None:
    press.engines.scripts = [
        [Began("e"), Said("bad"), "wait", Broke("engine_unavailable"), Began("f"), Said("good"), ENDED]
    ]
    text = await press.ask()
    writing = asyncio.create_task(press.write(press.performer.claims.pop()))
    steps = press.follow.steps(text.id, EVERYONES, Place())
    await press.engines.waiting.wait()
    found = [await anext(steps)]
    press.engines.gate.set()
    await writing
    async with asyncio.timeout(HEARTBEAT_S / 2):  # who was busy when it ended is not left to the next heartbeat
        found += [one async for one in steps if one is not None]
    done = await press.text(text)
    assert found == [More("bad", Place(1, 3)), Reset(Place(2, 0)), More("good", Place(2, 4)), End(done)]
    assert (done.content, done.attempts, done.engine) == ("good", 2, "f")
    assert await press.outcomes(text) == ["engine_unavailable", "completed"]


async def test_who_waits_is_given_the_text_or_how_it_stands(press: Press) -> None:
    text = await press.ask()
    assert (await press.follow.settled(text.id, EVERYONES, 0.02)).status is Status.QUEUED
    waiting = asyncio.create_task(press.follow.settled(text.id, EVERYONES, 30))
    await press.write(press.performer.claims.pop())
    assert (await waiting).content == "one two"


async def test_anothers_text_is_not_found(press: Press) -> None:
    text = await press.ask()
    with pytest.raises(NoSuchText) as refusal:
        await press.cancel(BORIS, text.id)
    assert isinstance(refusal.value, NotFound)
    with pytest.raises(NoSuchText):
        await press.cancel(ANNA, uuid4())
    with pytest.raises(NoSuchText):
        await press.follow.one(text.id, Reach("user:8"))
    assert (await press.cancel(ADMIN, text.id)).status is Status.CANCELLED


async def test_cancelling_takes_the_lease_and_charges_what_was_written(press: Press) -> None:
    press.engines.scripts = [[Began("e"), Said("three letters"), "wait", ENDED]]
    text = await press.ask()
    claim = press.performer.claims.pop()
    writing = asyncio.create_task(press.write(claim))
    await press.engines.waiting.wait()
    while not await press.database.read.fetch("SELECT 1 FROM generation_words"):  # noqa: ASYNC110  # a row tells it
        await asyncio.sleep(0.01)
    stopped = await press.cancel(ANNA, text.id)
    assert (stopped.status, stopped.content) == (Status.CANCELLED, "three letters")
    assert press.performer.stopped == [text.job_id]
    assert (await press.job(text.job_id)).state is JobState.CANCELLED
    with pytest.raises((LeaseLost, Stale)):
        await writing
    assert press.engines.closed == 1
    assert await press.quota() == (1, 0)
    assert stopped.usage is not None
    assert await press.quota("generate.tokens") == (stopped.usage.total_tokens, 0)
    assert await press.outcomes(text) == ["cancelled"]
    assert (await press.cancel(ANNA, text.id)).status is Status.CANCELLED
    assert await press.topics() == ["generation.cancelled"]


async def test_a_text_that_ended_cannot_be_cancelled(press: Press) -> None:
    text = await press.written()
    with pytest.raises(IllegalMove):
        await press.cancel(ANNA, text.id)


async def test_what_was_cancelled_in_the_queue_costs_nothing(press: Press) -> None:
    text = await press.ask(mode=Mode.ASYNC)
    await press.cancel(ANNA, text.id)
    assert await press.quota() == (0, 0)
    assert (await press.job(text.job_id)).state is JobState.CANCELLED


async def test_a_round_without_an_engine_is_tried_later_by_a_job_of_its_own(press: Press) -> None:
    press.engines.scripts = [
        [Began("e"), Broke("engine_unavailable"), EngineUnavailable(retry_after_s=40)],
        [Began("e"), Said("late"), ENDED],
    ]
    text = await press.ask()
    await press.write(press.performer.claims.pop())
    waiting = await press.text(text)
    job = await press.job(waiting.job_id)
    assert (waiting.status, job.kind, job.payload["round"]) == (Status.QUEUED, RETRY, 2)
    assert job.run_at >= NOON + timedelta(seconds=40)
    assert await press.quota() == (0, 1)
    await press.database.read.execute("UPDATE jobs SET run_at = now() WHERE id = :id", id=job.id)
    await press.write(await press.claim())
    assert (await press.text(text)).content == "late"
    assert await press.quota() == (1, 0)


async def test_a_text_is_given_up_after_its_rounds_and_its_job_is_a_dead_letter(press: Press) -> None:
    press.engines.scripts = [[EngineUnavailable(retry_after_s=1)]]
    press.policy = TextPolicy(rounds_max=1)
    text = await press.ask(mode=Mode.ASYNC)
    await press.write(await press.claim())
    failed = await press.text(text)
    assert (failed.status, failed.error) == (Status.FAILED, "engine_unavailable")
    assert (await press.job(text.job_id)).state is JobState.DEAD
    assert await press.topics() == ["generation.failed", "job.dead"]
    assert await press.quota() == (0, 0)
    await press.died(text.job_id, LONG)
    assert await press.topics() == ["generation.failed", "job.dead"]


async def test_the_text_of_a_job_that_died_with_its_workers_is_given_up(press: Press) -> None:
    text = await press.ask(mode=Mode.ASYNC)
    await press.died(text.job_id, "exports.render")
    assert (await press.text(text)).status is Status.QUEUED
    await press.died(text.job_id, LONG)
    assert ((await press.text(text)).error, await press.quota()) == ("abandoned", (0, 0))
    await press.died(uuid4(), LONG)


async def test_a_worker_that_takes_over_begins_again_and_charges_once(press: Press) -> None:
    press.engines.scripts = [[Began("e"), Said("lost"), "wait", ENDED], [Began("e"), Said("kept"), ENDED]]
    text = await press.ask(mode=Mode.ASYNC)
    dead = asyncio.create_task(press.write(await press.claim(lease_s=-1.0)))
    await press.engines.waiting.wait()
    await press.write(await press.claim())
    done = await press.text(text)
    assert (done.content, done.attempts) == ("kept", 2)
    press.engines.gate.set()
    with pytest.raises((LeaseLost, Stale)):
        await dead
    assert await press.quota() == (1, 0)


async def test_a_text_that_has_ended_is_not_written_again(press: Press) -> None:
    text = await press.ask(mode=Mode.ASYNC)
    claim = await press.claim()
    await press.died(text.job_id, LONG)
    await press.write(claim)
    assert press.engines.wishes == []
    assert (await press.job(text.job_id)).state is JobState.SUCCEEDED


async def test_what_an_erased_person_asked_is_not_written(press: Press) -> None:
    text = await press.ask(mode=Mode.ASYNC)
    await press.database.read.execute("""UPDATE generations SET wish = '{"messages":[],"max_tokens":1}'""")
    await press.write(await press.claim())
    assert ((await press.text(text)).error, await press.quota(), press.engines.wishes) == ("erased", (0, 0), [])


async def test_a_text_without_end_is_cut_off(press: Press) -> None:
    press.policy = replace(press.policy, content_max=6)
    press.engines.scripts = [[Began("e"), Said("one"), Said(" two"), "wait"]]
    text = await press.written()
    assert (text.content, text.finish, text.model) == ("one two", Finish.LENGTH, None)
    assert text.usage is not None
    assert text.usage.is_estimated
    assert press.engines.closed == 1


async def test_the_sweep_ends_texts_whose_job_has_ended_without_them(press: Press) -> None:
    lost, going = await press.ask(mode=Mode.ASYNC), await press.ask(topic="milk", mode=Mode.ASYNC)
    async with press.unit() as tx:
        job = await tx.jobs.get(lost.job_id)
        await tx.jobs.move(job, JobState.CANCELLED)
    assert await press.sweep() == {"orphans": 1}
    assert [(await press.text(one)).status for one in (lost, going)] == [Status.FAILED, Status.QUEUED]
    assert await press.quota() == (0, 1)


async def test_an_order_out_of_bounds_is_refused_before_the_store_is_asked(press: Press) -> None:
    with pytest.raises(InvalidRequest):
        await press.ask_for(ANNA, an_order(max_tokens=0))
    assert await press.actions() == []


async def test_nothing_said_for_a_while_is_told_as_nothing(press: Press) -> None:
    text = await press.ask()
    steps = press.follow.steps(text.id, EVERYONES, Place())
    assert await anext(steps) is None
    await steps.aclose()


async def test_an_end_without_words_is_an_end(press: Press) -> None:
    press.engines.scripts = [[Began("e"), Ended()]]
    text = await press.written()
    assert (text.content, text.status) == ("", Status.COMPLETED)
