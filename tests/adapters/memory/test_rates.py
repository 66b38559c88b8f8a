"""The gate in memory, and the guard that stands in for a shared one."""

import pytest

from opora.adapters.memory.rate_guard import GuardedRateGate
from opora.adapters.memory.rate_stats import MemoryRateStats
from opora.adapters.memory.rates import SWEEP_EVERY, MemoryRateGate
from opora.core.access.model.rates import Admission, Decision, FailureMode
from opora.core.access.ports.rates import RateGate
from opora.core.kernel.errors import Unavailable
from opora.testing.rates import RateGateContract, RateStatsContract, SpareContract, a_policy, an_admission

pytestmark = pytest.mark.anyio


class FakeTime:
    """A clock that stands still until it is told otherwise."""

    def __init__(self) -> None:
        self.us = 1_800_000_000_000_000

    def now_us(self) -> int:
        return self.us

    def now_s(self) -> float:
        return self.us / 1_000_000

    def elapse(self, seconds: float) -> None:
        self.us += round(seconds * 1_000_000)


class SwitchedStore(MemoryRateGate):
    """A store that can be cut off."""

    def __init__(self, now_us) -> None:
        super().__init__(now_us)
        self.down = self.deaf = False
        self.asked = 0

    async def admit(self, admission: Admission) -> Decision:
        self._answer()
        return await super().admit(admission)

    async def deny(self, name: str, ttl_s: int) -> None:
        if self.deaf:
            raise Unavailable
        self._answer()
        await super().deny(name, ttl_s)

    def _answer(self) -> None:
        self.asked += 1
        if self.down:
            raise Unavailable


class BrokenStore(RateGate):
    """A store that never answers."""

    async def admit(self, *_asked) -> Decision:
        raise Unavailable

    peek = deny = lift = end_before = admit


class TestMemoryRateGate(RateGateContract):
    @pytest.fixture(autouse=True)
    def _gate(self):
        self.time = FakeTime()
        self.gate = MemoryRateGate(self.time.now_us)

    async def elapse(self, seconds: float) -> None:
        self.time.elapse(seconds)


class TestGuardedRateGateWhileItsStoreAnswers(RateGateContract):
    @pytest.fixture(autouse=True)
    def _gate(self):
        self.time = FakeTime()
        self.gate = GuardedRateGate(MemoryRateGate(self.time.now_us), clock_s=self.time.now_s)

    async def elapse(self, seconds: float) -> None:
        self.time.elapse(seconds)


class TestGuardedRateGateAlone(SpareContract):
    @pytest.fixture(autouse=True)
    def _gate(self):
        self.gate = GuardedRateGate(BrokenStore(), instances=2)


class TestMemoryRateStats(RateStatsContract):
    @pytest.fixture(autouse=True)
    def _stats(self):
        self.stats = self.elsewhere = MemoryRateStats()


async def test_the_store_is_left_in_peace_after_three_failures_and_probed_once_a_second():
    clock, heard = FakeTime(), []
    store = SwitchedStore(clock.now_us)
    gate = GuardedRateGate(store, on_switch=heard.append, clock_s=clock.now_s)
    store.down = True
    for _ in range(10):
        assert (await gate.admit(an_admission())).degraded
    assert (store.asked, heard, gate.degraded) == (3, ["degraded"], True)
    clock.elapse(1)
    for _ in range(10):
        await gate.admit(an_admission())
    assert store.asked == 4
    store.down = False
    clock.elapse(1)
    assert not (await gate.admit(an_admission())).degraded
    assert (heard, gate.degraded) == (["degraded", "restored"], False)


async def test_a_denial_the_store_missed_is_handed_over_when_it_answers_again():
    clock = FakeTime()
    store = SwitchedStore(clock.now_us)
    gate = GuardedRateGate(store, clock_s=clock.now_s)
    store.down = True
    with pytest.raises(Unavailable):
        await gate.deny("key:7", 60)
    store.down = False
    await gate.admit(an_admission())
    assert (await store.admit(an_admission(revocation=("key:7",)))).revoked


async def test_a_call_goes_on_where_the_store_takes_no_denial_yet_and_none_is_forgotten():
    clock = FakeTime()
    store = SwitchedStore(clock.now_us)
    gate = GuardedRateGate(store, clock_s=clock.now_s)
    store.down = True
    for name in ("key:7", "key:8"):
        with pytest.raises(Unavailable):
            await gate.deny(name, 60)
    store.down, store.deaf = False, True
    assert (await gate.admit(an_admission())).allowed
    store.deaf = False
    clock.elapse(59.5)
    await gate.admit(an_admission())
    for name in ("key:7", "key:8"):
        assert (await store.admit(an_admission(revocation=(name,)))).revoked


async def test_verdicts_stand_in_the_order_of_the_policies_whatever_their_modes():
    gate = GuardedRateGate(BrokenStore(), instances=4)
    policies = (a_policy(8), a_policy(9, name="free", on_store_failure=FailureMode.OPEN), a_policy(40, name="day"))
    decision = await gate.admit(an_admission(*policies))
    assert [(one.policy.name, one.policy.quota, one.remaining) for one in decision.verdicts] == [
        ("minute", 8, 1),
        ("free", 9, 9),
        ("day", 40, 9),
    ]


async def test_dead_cells_are_swept_so_that_memory_is_bounded_by_the_living():
    clock = FakeTime()
    gate = MemoryRateGate(clock.now_us)
    for _ in range(SWEEP_EVERY - 1):
        await gate.admit(an_admission())
    clock.elapse(600)
    await gate.admit(an_admission())
    assert len(gate._cells) == 1


async def test_figures_forget_what_is_older_than_their_span():
    clock = FakeTime()
    stats = MemoryRateStats(clock.now_s)
    stats.count("key:7", True)
    await stats.flush()
    clock.elapse(120)
    assert [figures.allowed for figures in await stats.figures()] == [0, 1, 1]
    clock.elapse(2 * 86_400)
    assert [figures.allowed for figures in await stats.figures()] == [0, 0, 0]
