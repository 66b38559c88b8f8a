"""The contract of idempotent calls: one effect for any number of equal calls, kept together with its answer."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Coroutine, Sequence
from typing import Any
from uuid import UUID, uuid4

import pytest

from opora.core.jobs.model import JobState, NewJob
from opora.core.jobs.ports import JobTx, JobViews
from opora.core.kernel.errors import AnswerLost, IdempotencyKeyReused, Overtaken, StillRunning
from opora.core.kernel.model import IdempotentCall, StoredAnswer
from opora.core.kernel.ports import IdempotentCalls, Started, UnitOfWork

ANSWER = StoredAnswer(201, (("content-type", "application/json"), ("location", "/п/7")), b'{"id":7}\x00\xff')


def a_call(key: str = "", fingerprint: bytes = b"\x00asked") -> IdempotentCall:
    """Build a call; another one each time unless `key` says otherwise."""
    return IdempotentCall("key:7", key or str(uuid4()), fingerprint)


async def apart[T](work: Coroutine[Any, Any, T]) -> T:
    """Run what another request does: in a task of its own."""
    return await asyncio.create_task(work)


class IdempotentCallsContract(ABC):
    """What every store of idempotency keys promises."""

    unit: UnitOfWork[JobTx]
    calls: IdempotentCalls
    views: JobViews
    announced: Sequence[UUID]

    @abstractmethod
    async def lapse(self) -> None:
        """Let every lease of a call under way end: its process is taken for dead."""

    @abstractmethod
    async def expire(self) -> None:
        """Let every key grow older than it is kept."""

    async def begun(self, call: IdempotentCall) -> Started:
        """Claim the key."""
        started = await self.calls.open(call)
        assert isinstance(started, Started)
        return started

    async def effect(self) -> None:
        """Have one effect, in a unit of work of its own."""
        async with self.unit() as tx:
            await tx.jobs.add(NewJob(kind="contract.effect"))

    async def served(self, call: IdempotentCall) -> StoredAnswer:
        """Serve a call as the edge does: answer again, or have the effect and keep the answer."""
        started = await self.calls.open(call)
        if isinstance(started, StoredAnswer):
            return started
        await self.effect()
        await self.calls.settle(started, ANSWER)
        return ANSWER

    async def effects(self) -> int:
        """Count the effects that were kept."""
        return (await self.views.counts())[JobState.QUEUED]

    async def test_the_second_call_gets_the_first_ones_answer_to_the_byte_and_has_no_effect(self) -> None:
        call = a_call()
        assert [await apart(self.served(call)) for _ in range(3)] == [ANSWER] * 3
        assert await self.effects() == 1

    async def test_calls_under_other_keys_and_of_other_callers_have_effects_of_their_own(self) -> None:
        await apart(self.served(a_call("one")))
        await apart(self.served(a_call("two")))
        await apart(self.served(IdempotentCall("key:8", "one", b"asked")))
        assert await self.effects() == 3

    async def test_simultaneous_calls_have_one_effect_and_the_others_are_told_to_wait_or_the_answer(self) -> None:
        call = a_call()
        ends = await asyncio.gather(*(self.served(call) for _ in range(12)), return_exceptions=True)
        assert ends.count(ANSWER) >= 1
        assert {type(end) for end in ends} <= {StoredAnswer, StillRunning}
        assert await self.effects() == 1
        assert await apart(self.served(call)) == ANSWER

    async def test_a_call_while_the_first_runs_is_told_so(self) -> None:
        call = a_call()
        await apart(self.begun(call))
        with pytest.raises(StillRunning):
            await apart(self.served(call))

    async def test_a_key_used_for_another_request_is_refused_while_it_runs_and_after(self) -> None:
        call, other = a_call("one"), a_call("one", b"asked otherwise")
        started = await self.begun(call)
        with pytest.raises(IdempotencyKeyReused):
            await apart(self.served(other))
        await self.calls.settle(started, ANSWER)
        with pytest.raises(IdempotencyKeyReused):
            await apart(self.served(other))
        assert await self.effects() == 0

    async def test_a_dead_ones_key_is_not_given_to_another_request(self) -> None:
        await apart(self.begun(a_call("one")))
        await self.lapse()
        with pytest.raises(IdempotencyKeyReused):
            await apart(self.served(a_call("one", b"asked otherwise")))

    async def test_what_a_call_does_is_seen_and_announced_only_with_its_answer(self) -> None:
        started = await self.begun(a_call())
        await self.effect()
        assert await self.effects() == 0
        assert list(self.announced) == []
        await self.calls.settle(started, ANSWER)
        assert await self.effects() == 1
        assert len(self.announced) == 1

    async def test_what_a_call_commits_early_is_seen_before_its_answer_and_never_done_again(self) -> None:
        call = a_call()
        await self.calls.commit()
        started = await self.begun(call)
        await self.effect()
        await self.calls.commit()
        await self.calls.commit()
        assert await self.effects() == 1
        assert len(self.announced) == 1
        await self.calls.settle(started, ANSWER)
        assert await apart(self.served(call)) == ANSWER
        assert await self.effects() == 1

    async def test_a_dead_calls_key_is_taken_over_after_its_lease(self) -> None:
        call = a_call()
        await apart(self.begun(call))
        await self.lapse()
        assert await apart(self.served(call)) == ANSWER
        assert await self.effects() == 1

    async def test_of_many_that_take_over_at_once_one_has_the_effect(self) -> None:
        call = a_call()
        await apart(self.begun(call))
        await self.lapse()
        await asyncio.gather(*(self.served(call) for _ in range(12)), return_exceptions=True)
        assert await self.effects() == 1

    async def test_an_overtaken_call_keeps_nothing(self) -> None:
        call = a_call()
        started = await self.begun(call)
        await self.lapse()
        assert await apart(self.served(call)) == ANSWER
        await self.effect()
        with pytest.raises(Overtaken):
            await self.calls.settle(started, StoredAnswer(200, (), b"late"))
        assert await self.effects() == 1
        assert await apart(self.served(call)) == ANSWER

    async def test_an_overtaken_call_of_several_units_keeps_nothing_from_the_overtaking_on(self) -> None:
        call = a_call()
        await self.begun(call)
        await self.lapse()
        assert await apart(self.served(call)) == ANSWER
        await self.effect()
        with pytest.raises(Overtaken):
            await self.effect()
        assert await self.effects() == 1

    async def test_an_abandoned_call_keeps_nothing_and_frees_its_key_for_a_corrected_one(self) -> None:
        started = await self.begun(a_call("one"))
        await self.effect()
        await self.calls.abandon(started)
        assert await self.effects() == 0
        assert list(self.announced) == []
        assert await apart(self.served(a_call("one", b"corrected"))) == ANSWER
        assert await self.effects() == 1

    async def test_abandoning_what_another_took_over_leaves_it_alone(self) -> None:
        call = a_call()
        started = await self.begun(call)
        await self.lapse()
        await apart(self.begun(call))
        await self.calls.abandon(started)
        with pytest.raises(StillRunning):
            await apart(self.served(call))

    async def test_a_failed_unit_leaves_the_call_without_an_effect(self) -> None:
        started = await self.begun(a_call())
        with pytest.raises(ZeroDivisionError):
            async with self.unit() as tx:
                await tx.jobs.add(NewJob(kind="contract.effect"))
                raise ZeroDivisionError
        await self.calls.settle(started, StoredAnswer(409, (), b"no"))
        assert await self.effects() == 0

    async def test_a_call_without_any_unit_keeps_its_answer(self) -> None:
        call = a_call()
        await self.calls.settle(await self.begun(call), ANSWER)
        assert await apart(self.served(call)) == ANSWER
        assert await self.effects() == 0

    async def test_several_units_of_one_call_are_all_kept_and_the_last_with_the_answer(self) -> None:
        call = a_call()
        started = await self.begun(call)
        for _ in range(3):
            await self.effect()
        assert await self.effects() == 2
        await self.calls.settle(started, ANSWER)
        assert await self.effects() == 3
        assert len(self.announced) == 3
        assert await apart(self.served(call)) == ANSWER

    async def test_a_call_that_died_between_its_units_is_never_repeated(self) -> None:
        call = a_call()

        async def dies() -> None:
            started = await self.begun(call)
            await self.effect()
            await self.effect()
            await self.calls.abandon(started)  # all a crash leaves: the first unit, not the second

        await apart(dies())
        with pytest.raises(StillRunning):
            await apart(self.served(call))
        await self.lapse()
        with pytest.raises(AnswerLost):
            await apart(self.served(call))
        assert await self.effects() == 1

    async def test_units_after_the_answer_commit_by_themselves(self) -> None:
        await self.calls.settle(await self.begun(a_call()), ANSWER)
        await self.effect()
        assert await self.effects() == 1

    async def test_a_key_past_its_time_is_free_for_anything(self) -> None:
        await apart(self.served(a_call("one")))
        await self.expire()
        assert await apart(self.served(a_call("one", b"another"))) == ANSWER
        assert await self.effects() == 2
