"""A gate in front of a shared one, that decides alone while the store is down."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime
from math import ceil

from opora.adapters.memory.rates import MemoryRateGate
from opora.core.access.model.rates import Admission, Decision, FailureMode, RatePolicy, Verdict
from opora.core.access.ports.rates import RateGate
from opora.core.access.rules import rates
from opora.core.kernel.errors import Unavailable

FAILURES_TO_OPEN = 3
OPEN_S = 1.0


class Breaker:
    """Whether it is worth asking: after three failures in a row, once a second by one caller only."""

    def __init__(self, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._clock_s = clock_s
        self._failures = 0
        self._open_until_s = 0.0

    @property
    def open(self) -> bool:
        """Tell whether the last three answers failed."""
        return self._failures >= FAILURES_TO_OPEN

    def may_ask(self) -> bool:
        """Tell whether to ask now; while open, the caller who is told yes is the probe of this second."""
        if not self.open:
            return True
        now_s = self._clock_s()
        if now_s < self._open_until_s:
            return False
        self._open_until_s = now_s + OPEN_S
        return True

    def failed(self) -> bool:
        """Note a failure; tell whether it was the one that opened the breaker."""
        self._failures += 1
        if self._failures != FAILURES_TO_OPEN:
            return False
        self._open_until_s = self._clock_s() + OPEN_S
        return True

    def succeeded(self) -> bool:
        """Note an answer; tell whether it closed an open breaker."""
        closes = self.open
        self._failures = 0
        return closes


def unheard(_mode: str) -> None:
    """Ignore a switch of modes."""


class GuardedRateGate(RateGate):
    """The gate that callers use: the shared one, or each policy's mode while the shared one is Unavailable.

    What is counted locally begins from nothing when the store goes down, and is forgotten by nobody when it returns.
    A denial that the store did not take is known here at once and handed over when it answers again.
    """

    def __init__(
        self,
        store: RateGate,
        *,
        instances: int = 1,
        on_switch: Callable[[str], None] = unheard,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """`instances` processes share a quota when each is alone; `on_switch` hears "degraded" and "restored"."""
        self._store = store
        self._instances = instances
        self._on_switch = on_switch
        self._breaker = Breaker(clock_s)
        self._clock_s = clock_s
        self._alone = MemoryRateGate(lambda: int(clock_s() * 1_000_000))
        self._owed: dict[str, float] = {}

    @property
    def degraded(self) -> bool:
        """Tell whether the store is taken for down: for the readiness check."""
        return self._breaker.open

    async def admit(self, admission: Admission) -> Decision:
        """See RateGate."""
        return await self._ask(self._store.admit, admission, charge=True)

    async def peek(self, admission: Admission) -> Decision:
        """See RateGate."""
        return await self._ask(self._store.peek, admission, charge=False)

    async def deny(self, name: str, ttl_s: int) -> None:
        """See RateGate."""
        await self._alone.deny(name, ttl_s)
        self._owed[name] = self._clock_s() + ttl_s
        await self._store.deny(name, ttl_s)
        self._owed.pop(name, None)

    async def lift(self, name: str) -> None:
        """See RateGate."""
        self._owed.pop(name, None)
        await self._alone.lift(name)
        await self._store.lift(name)

    async def end_before(self, subject: str, epoch: datetime, ttl_s: int) -> None:
        """See RateGate."""
        await self._alone.end_before(subject, epoch, ttl_s)
        await self._store.end_before(subject, epoch, ttl_s)

    async def _ask(
        self, question: Callable[[Admission], Awaitable[Decision]], admission: Admission, *, charge: bool
    ) -> Decision:
        breaker = self._breaker
        if breaker.may_ask():
            try:
                decision = await question(admission)
            except Unavailable:
                if breaker.failed():
                    self._on_switch("degraded")
            else:
                if breaker.succeeded():
                    self._on_switch("restored")
                if self._owed:
                    await self._hand_over()
                return decision
        return await self._decide_alone(admission, charge=charge)

    async def _decide_alone(self, admission: Admission, *, charge: bool) -> Decision:
        modes = [policy.on_store_failure for policy in admission.policies]
        if FailureMode.CLOSED in modes:
            raise Unavailable("calls cannot be counted just now")
        local = tuple(policy for policy in admission.policies if policy.on_store_failure is FailureMode.LOCAL)
        shared = replace(admission, policies=tuple(rates.share(policy, self._instances) for policy in local))
        decision = await (self._alone.admit(shared) if charge else self._alone.peek(shared))
        if decision.revoked:
            return replace(decision, degraded=True)
        found = dict(zip(local, decision.verdicts, strict=True))
        verdicts = (
            replace(found[policy], policy=policy) if policy in found else uncounted(policy)
            for policy in admission.policies
        )
        return Decision(tuple(verdicts), degraded=True)

    async def _hand_over(self) -> None:
        """Give the store the denials that it missed; what it does not take now stays owed, and the call goes on."""
        for name, until_s in list(self._owed.items()):
            left_s = ceil(until_s - self._clock_s())
            if left_s > 0:
                try:
                    await self._store.deny(name, left_s)
                except Unavailable:
                    return
            if self._owed.get(name) == until_s:  # else it was denied for longer meanwhile
                del self._owed[name]


def uncounted(policy: RatePolicy) -> Verdict:
    """Return what an open policy says of a call that nobody counts."""
    return Verdict(policy, True, policy.quota, 0.0, 0.0)
