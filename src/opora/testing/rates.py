"""Contracts of the rate gate and of its figures: subclass one and give it the adapter."""

import asyncio
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from math import inf

import pytest

from opora.core.access.model.rates import Admission, Decision, FailureMode, RatePolicy
from opora.core.access.ports.rates import RateGate, RateStats
from opora.core.kernel.errors import Unavailable

TOLD_WITHIN_S = 0.3
"""Stores with a clock of their own run on while a test works: their figures are compared this closely."""

NUMBERS = count(int(time.time() * 1000))


@dataclass(frozen=True, slots=True)
class Case:
    """One row of a published table: a call at an instant and what it must be told."""

    number: int
    at_ms: int
    cost: int
    remaining: int
    reset_after_s: float
    retry_after_s: float
    allowed: bool


GCRA_POLICY = RatePolicy("table", quota=5, window_s=5, step_s=0)
GCRA_CASES = (
    Case(0, 0, 6, 5, 0, inf, False),
    Case(1, 0, 1, 4, 1, 0, True),
    Case(2, 0, 1, 3, 2, 0, True),
    Case(3, 0, 1, 2, 3, 0, True),
    Case(4, 0, 1, 1, 4, 0, True),
    Case(5, 0, 1, 0, 5, 0, True),
    Case(6, 0, 1, 0, 5, 1, False),
    Case(7, 3000, 1, 2, 3, 0, True),
    Case(8, 3100, 1, 1, 3.9, 0, True),
    Case(9, 4000, 1, 1, 4, 0, True),
    Case(10, 8000, 1, 4, 1, 0, True),
    Case(11, 9500, 1, 4, 1, 0, True),
    Case(12, 9500, 0, 4, 1, 0, True),
    Case(13, 9500, 2, 2, 3, 0, True),
    Case(14, 9500, 5, 2, 3, 3, False),
)
"""The test cases that throttled and redis-cell share: five calls, one a second coming back."""


def a_policy(quota: int = 3, window_s: int = 600, name: str = "minute", **changes: object) -> RatePolicy:
    """Return a policy whose window outlasts any test."""
    return replace(RatePolicy(name, quota, window_s), **changes)  # type: ignore[arg-type]  # builders take any field


def an_admission(*policies: RatePolicy, subject: str = "", **changes: object) -> Admission:
    """Return a call by somebody nobody saw before, unless `subject` says otherwise."""
    who = subject or f"key:{next(NUMBERS)}"
    return replace(Admission(who, policies or (a_policy(),)), **changes)  # type: ignore[arg-type]  # as above


async def admitted(gate: RateGate, admission: Admission, calls: int) -> int:
    """Return how many of `calls` simultaneous calls were let in."""
    decisions = await asyncio.gather(*(gate.admit(admission) for _ in range(calls)))
    return sum(decision.allowed for decision in decisions)


class RateGateContract(ABC):
    """What every gate promises."""

    gate: RateGate

    @abstractmethod
    async def elapse(self, seconds: float) -> None:
        """Let time pass for every cell of the store: by its clock, or by making its cells older."""

    async def test_tells_what_the_published_table_tells(self) -> None:
        admission = an_admission(GCRA_POLICY)
        at_ms = 0
        for case in GCRA_CASES:
            if case.at_ms > at_ms:
                await self.elapse((case.at_ms - at_ms) / 1000)
                at_ms = case.at_ms
            (verdict,) = (await self.gate.admit(replace(admission, cost=case.cost))).verdicts
            assert (verdict.allowed, verdict.remaining) == (case.allowed, case.remaining), case
            assert verdict.reset_after_s == pytest.approx(case.reset_after_s, abs=TOLD_WITHIN_S), case
            assert verdict.retry_after_s == pytest.approx(case.retry_after_s, abs=TOLD_WITHIN_S), case

    async def test_refuses_the_call_past_the_quota_until_the_window_of_the_first_has_passed(self) -> None:
        admission = an_admission(a_policy(quota=4))
        for _ in range(4):
            assert (await self.gate.admit(admission)).allowed
            await self.elapse(140)
        assert not (await self.gate.admit(admission)).allowed
        await self.elapse(40)
        assert (await self.gate.admit(admission)).verdicts[0].remaining == 3

    async def test_admits_exactly_the_quota_of_many_simultaneous_calls(self) -> None:
        assert await admitted(self.gate, an_admission(a_policy(quota=50)), 200) == 50

    async def test_admits_exactly_the_smallest_quota_of_many_simultaneous_calls(self) -> None:
        admission = an_admission(a_policy(20), a_policy(50, name="day"))
        assert await admitted(self.gate, admission, 100) == 20
        assert (await self.gate.peek(admission)).verdicts[1].remaining == 30

    async def test_charges_all_policies_or_none(self) -> None:
        admission = an_admission(a_policy(5), a_policy(2, name="day"))
        for _ in range(4):
            decision = await self.gate.admit(admission)
        assert [verdict.allowed for verdict in decision.verdicts] == [True, False]
        assert [verdict.remaining for verdict in decision.verdicts] == [3, 0]

    async def test_a_refusal_costs_nothing(self) -> None:
        admission = an_admission(a_policy(1))
        await self.gate.admit(admission)
        first = (await self.gate.admit(admission)).verdicts[0]
        for _ in range(5):
            last = (await self.gate.admit(admission)).verdicts[0]
        assert last.retry_after_s == pytest.approx(first.retry_after_s, abs=TOLD_WITHIN_S)

    async def test_a_call_of_a_price_takes_it(self) -> None:
        admission = an_admission(a_policy(10), cost=4)
        assert [(await self.gate.admit(admission)).verdicts[0].remaining for _ in range(3)] == [6, 2, 2]

    async def test_counts_every_subject_apart(self) -> None:
        first, second = an_admission(a_policy(1)), an_admission(a_policy(1))
        assert (await self.gate.admit(first)).allowed
        assert (await self.gate.admit(second)).allowed

    async def test_a_call_without_policies_passes_uncounted(self) -> None:
        assert await self.gate.admit(replace(an_admission(), policies=())) == Decision(())

    async def test_peeking_tells_and_charges_nothing(self) -> None:
        admission = an_admission(a_policy(2))
        await self.gate.admit(admission)
        peeked = [(await self.gate.peek(admission)).verdicts[0] for _ in range(3)]
        assert [(verdict.allowed, verdict.remaining) for verdict in peeked] == [(True, 1)] * 3
        assert (await self.gate.admit(admission)).verdicts[0].remaining == 0
        assert not (await self.gate.peek(admission)).allowed

    async def test_a_denied_name_is_refused_from_the_next_call_on_and_never_charged(self) -> None:
        admission = an_admission(a_policy(2))
        revocable = replace(admission, revocation=(f"{admission.subject}/jti:1", admission.subject))
        assert (await self.gate.admit(revocable)).allowed
        await self.gate.deny(f"{admission.subject}/jti:1", 60)
        assert await self.gate.admit(revocable) == Decision((), revoked=True)
        assert (await self.gate.peek(revocable)).revoked
        assert (await self.gate.admit(admission)).verdicts[0].remaining == 0

    async def test_a_denied_name_that_is_not_the_subjects_is_refused_too(self) -> None:
        admission = an_admission()
        rotated = f"key:{next(NUMBERS)}"
        await self.gate.deny(rotated, 60)
        assert (await self.gate.admit(replace(admission, revocation=(rotated,)))).revoked

    async def test_a_denial_ends_by_itself_and_can_be_taken_back(self) -> None:
        admission = an_admission()
        revocable = replace(admission, revocation=(admission.subject,))
        await self.gate.deny(admission.subject, 60)
        await self.gate.lift(admission.subject)
        assert (await self.gate.admit(revocable)).allowed
        await self.gate.deny(admission.subject, 60)
        await self.elapse(61)
        assert (await self.gate.admit(revocable)).allowed

    async def test_tokens_older_than_their_subjects_epoch_are_revoked(self) -> None:
        epoch = datetime(2030, 1, 1, 12, 0, 0, 5, tzinfo=UTC)
        admission = an_admission(a_policy(9))
        token = replace(admission, epoch_subject=admission.subject, issued_at=epoch)
        older = replace(token, issued_at=epoch - timedelta(microseconds=1))
        assert (await self.gate.admit(older)).allowed
        await self.gate.end_before(admission.subject, epoch, 600)
        await self.gate.end_before(admission.subject, epoch - timedelta(days=1), 600)
        assert (await self.gate.admit(older)).revoked
        assert (await self.gate.admit(token)).allowed
        assert (await self.gate.admit(replace(token, epoch_subject=None, issued_at=None))).allowed

    async def test_a_changed_quota_counts_from_the_next_call_and_forgets_none(self) -> None:
        admission = an_admission(a_policy(2))
        assert await admitted(self.gate, admission, 3) == 2
        assert await admitted(self.gate, replace(admission, policies=(a_policy(5),)), 9) == 3
        cut = await self.gate.admit(replace(admission, policies=(a_policy(1),)))
        assert not cut.allowed
        assert cut.verdicts[0].reset_after_s == pytest.approx(600, abs=TOLD_WITHIN_S)


class SpareContract(ABC):
    """What a gate does whose store does not answer: each policy as it says, quickly, and saying so."""

    gate: RateGate
    answer_within_s = 0.15

    async def test_an_open_policy_lets_pass_and_says_so(self) -> None:
        policy = a_policy(1, on_store_failure=FailureMode.OPEN)
        decisions = [await self.gate.admit(an_admission(policy, subject="key:1")) for _ in range(3)]
        assert all(decision.allowed and decision.degraded for decision in decisions)

    async def test_a_closed_policy_is_unavailable_never_over_quota(self) -> None:
        with pytest.raises(Unavailable) as refusal:
            await self.gate.admit(an_admission(a_policy(9, on_store_failure=FailureMode.CLOSED)))
        assert refusal.value.retry_after_s >= 1

    async def test_a_local_policy_counts_its_share(self) -> None:
        admission = an_admission(a_policy(20))
        assert await admitted(self.gate, admission, 30) == 10
        assert (await self.gate.peek(admission)).degraded

    async def test_a_name_denied_meanwhile_is_known_to_this_process_and_the_denier_is_told(self) -> None:
        admission = an_admission()
        with pytest.raises(Unavailable):
            await self.gate.deny(admission.subject, 60)
        assert (await self.gate.admit(replace(admission, revocation=(admission.subject,)))).revoked

    async def test_answers_in_time(self) -> None:
        admission = an_admission(a_policy(500, on_store_failure=FailureMode.OPEN))
        took_s = []
        for _ in range(100):
            begun_s = time.perf_counter()
            await asyncio.gather(*(self.gate.admit(admission) for _ in range(4)))
            took_s.append(time.perf_counter() - begun_s)
        assert sorted(took_s)[98] < self.answer_within_s


class RateStatsContract:
    """What every keeper of figures promises; `stats` and `elsewhere` are two processes over one empty store."""

    stats: RateStats
    elsewhere: RateStats

    async def test_adds_up_what_every_process_counted(self) -> None:
        for allowed in (True, True, False):
            self.stats.count("key:7", allowed)
        self.elsewhere.count("key:7", True)
        self.elsewhere.count("key:8", False)
        await self.elsewhere.flush()
        for figures in await self.stats.figures():
            assert (figures.allowed, figures.refused) == (3, 2), figures.span
            assert [(one.subject, one.allowed, one.refused) for one in figures.busiest] == [
                ("key:7", 3, 1),
                ("key:8", 0, 1),
            ]

    async def test_tells_of_the_last_minute_hour_and_day(self) -> None:
        assert [figures.span for figures in await self.stats.figures()] == ["minute", "hour", "day"]

    async def test_counts_nothing_twice(self) -> None:
        self.stats.count("key:7", True)
        await self.stats.flush()
        await self.stats.flush()
        assert [figures.allowed for figures in await self.stats.figures()] == [1, 1, 1]

    async def test_names_no_more_than_the_busiest(self) -> None:
        for number in range(5):
            for _ in range(number + 1):
                self.stats.count(f"key:{number}", True)
        for figures in await self.stats.figures(top=2):
            assert [one.subject for one in figures.busiest] == ["key:4", "key:3"]
            assert figures.allowed == 15
