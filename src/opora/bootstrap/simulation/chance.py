"""Everything that is random in a run, drawn from one seed."""

import random
from dataclasses import dataclass
from uuid import UUID

from opora.core.kernel.ports import Identifiers, Randomness


@dataclass(frozen=True, slots=True)
class Storm:
    """How bad the weather of a seed is: probabilities at each contact with the store, and how long things take."""

    crash: float
    lost_answer: float
    refusal: float
    freeze: float
    wake_lost: float
    wake_doubled: float
    failure: float
    hopeless: float
    clock_jump_s: float

    @classmethod
    def drawn(cls, chance: random.Random) -> "Storm":
        """Draw a storm: from calm to one where little gets through at the first try."""
        force = chance.choice((0.0, 0.5, 1.0, 1.0, 1.5))
        return cls(
            crash=0.004 * force,
            lost_answer=0.02 * force,
            refusal=0.02 * force,
            freeze=0.015 * force,
            wake_lost=0.3 * force,
            wake_doubled=0.2 * force,
            failure=0.15 * force,
            hopeless=0.03 * force,
            clock_jump_s=chance.choice((0.0, 0.0, 4.0, 30.0)) * force,
        )


CALM = Storm(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


class SeededRandomness(Randomness):
    """Bytes and fractions from the seed."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance

    def token_bytes(self, count: int) -> bytes:
        return self._chance.randbytes(count)

    def fraction(self) -> float:
        return self._chance.random()


class SeededIdentifiers(Identifiers):
    """Names that sort by their making, the same in every run of a seed."""

    def __init__(self, last: int = 0) -> None:
        self._last = last

    def task_id(self) -> UUID:
        self._last += 1
        return UUID(int=self._last << 80 | 0x7 << 76 | 0b10 << 62 | self._last)
