"""Where a number was given out: ranges of a national numbering plan, and the zones a number may lie in."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NumberRange:
    """Numbers `first` to `last`, both included, given to one operator for one region; `zones` are IANA names."""

    first: int
    last: int
    operator: str
    region: str
    zones: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NumberingPlan:
    """The ranges of a registry, ascending and apart; `version` grows with each load, 0 is a registry never loaded.

    Columns instead of records: 400,000 ranges take 20 MB.
    """

    version: int
    firsts: Sequence[int]
    lasts: Sequence[int]
    kinds: Sequence[int]
    """For each range its place in `told`."""
    told: Sequence[tuple[str, str, tuple[str, ...]]]
    """Each operator, region and zones that occur together."""

    def find(self, phone: int) -> NumberRange | None:
        """Return the range that holds a number; None where it was given to nobody, or nobody knows."""
        place = bisect_right(self.firsts, phone) - 1
        if place < 0 or phone > self.lasts[place]:
            return None
        operator, region, zones = self.told[self.kinds[place]]
        return NumberRange(self.firsts[place], self.lasts[place], operator, region, zones)

    def zones(self, phone: int) -> tuple[str, ...]:
        """Return the zones of a number; none where it was given to nobody, or nobody knows."""
        place = bisect_right(self.firsts, phone) - 1
        return () if place < 0 or phone > self.lasts[place] else self.told[self.kinds[place]][2]


NO_PLAN = NumberingPlan(0, (), (), (), ())
"""A registry that was never loaded."""

type ZoneSets = Mapping[int, tuple[str, ...]]
"""The zones of each set that numbers name; set 0 is empty: unknown."""
