"""Limits counted in this process: exact for one process, and what stands in when a shared store is down."""

import time
from collections.abc import Callable
from datetime import datetime

from opora.core.access.model.rates import SECOND_US, Admission, Cell, Decision
from opora.core.access.ports.rates import RateGate
from opora.core.access.rules import rates

SWEEP_EVERY = 4_096
"""Calls between two looks for what is dead; what is alive bounds the memory."""


def monotonic_us() -> int:
    """Return microseconds of a clock that never goes backwards."""
    return time.monotonic_ns() // 1_000


class MemoryRateGate(RateGate):
    """Cells, denials and epochs in dictionaries; nothing is awaited, so nothing races."""

    def __init__(self, now_us: Callable[[], int] = monotonic_us) -> None:
        """Read the time from `now_us`: only its progress matters."""
        self._now_us = now_us
        self._cells: dict[tuple[str, str], Cell] = {}
        self._dead_at_us: dict[tuple[str, str], int] = {}
        self._denied: dict[str, int] = {}
        self._epochs: dict[str, tuple[datetime, int]] = {}
        self._until_sweep = SWEEP_EVERY

    async def admit(self, admission: Admission) -> Decision:
        """See RateGate."""
        self._until_sweep -= 1
        if self._until_sweep <= 0:
            self._sweep()
        return self._decide(admission, charge=True)

    async def peek(self, admission: Admission) -> Decision:
        """See RateGate."""
        return self._decide(admission, charge=False)

    async def deny(self, name: str, ttl_s: int) -> None:
        """See RateGate."""
        self._denied[name] = self._now_us() + ttl_s * SECOND_US

    async def lift(self, name: str) -> None:
        """See RateGate."""
        self._denied.pop(name, None)

    async def end_before(self, subject: str, epoch: datetime, ttl_s: int) -> None:
        """See RateGate."""
        kept, _ = self._epochs.get(subject, (epoch, 0))
        self._epochs[subject] = (max(epoch, kept), self._now_us() + ttl_s * SECOND_US)

    def _decide(self, admission: Admission, *, charge: bool) -> Decision:
        now_us = self._now_us()
        if self._revoked(admission, now_us):
            return Decision((), revoked=True)
        names = [(admission.subject, policy.name) for policy in admission.policies]
        held = [self._cells.get(name) for name in names]
        verdicts, cells = rates.decide(admission.policies, held, now_us, admission.cost, charge=charge)
        for name, policy, cell in zip(names, admission.policies, cells, strict=False):
            self._cells[name] = cell
            self._dead_at_us[name] = rates.dead_at_us(policy, cell)
        return Decision(verdicts)

    def _revoked(self, admission: Admission, now_us: int) -> bool:
        if any(self._denied.get(name, 0) > now_us for name in admission.revocation):
            return True
        if admission.epoch_subject is None or admission.issued_at is None:
            return False
        epoch = self._epochs.get(admission.epoch_subject)
        return epoch is not None and epoch[1] > now_us and admission.issued_at < epoch[0]

    def _sweep(self) -> None:
        now_us = self._now_us()
        for name in [name for name, at_us in self._dead_at_us.items() if at_us <= now_us]:
            del self._cells[name], self._dead_at_us[name]
        self._denied = {name: until_us for name, until_us in self._denied.items() if until_us > now_us}
        self._epochs = {subject: epoch for subject, epoch in self._epochs.items() if epoch[1] > now_us}
        self._until_sweep = max(SWEEP_EVERY, len(self._cells))
