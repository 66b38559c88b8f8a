"""The zones of many numbers at once, ascending: stretch by stretch instead of number by number."""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

from phonenumbers.phonemetadata import PhoneMetadata

from opora.core.numbers.model.registry import NumberingPlan
from opora.core.numbers.rules.cells import DECIDING, Unread, alternatives
from opora.core.numbers.rules.phones import KINDS, NATIONAL, REGIONS_OF_7
from opora.core.numbers.rules.zones import BLOCK, NATIONAL_SPAN, PLAN_CODE, zones_by_metadata, zones_of_block

PREFIX_SPAN = 10 ** (NATIONAL - DECIDING)
GEOGRAPHICAL = frozenset({"fixed_line"})
"""Kinds whose numbers lie in different zones by their digits."""

type Zones = tuple[str, ...]


@lru_cache(maxsize=1)
def uniform_prefixes() -> frozenset[int]:
    """Return the first three national digits under +7 whose valid numbers are all of one kind that has no place."""
    kinds: dict[str, set[tuple[str, str]]] = {}
    try:
        for region in REGIONS_OF_7:
            for kind in KINDS:
                told = getattr(PhoneMetadata.metadata_for_region(region), kind)
                pattern = told.national_number_pattern if told is not None else None
                for sets in alternatives(pattern) if pattern and pattern != "NA" else ():
                    for prefix in _prefixes(sets):
                        kinds.setdefault(prefix, set()).add((region, kind))
    except Unread:
        return frozenset()
    return frozenset(
        int(prefix) for prefix, of in kinds.items() if len(of) == 1 and next(iter(of))[1] not in GEOGRAPHICAL
    )


def _prefixes(sets: Sequence[frozenset[str]]) -> Iterator[str]:
    first, second, third = sets[:DECIDING]
    return (a + b + c for a in first for b in second for c in third)


def stretch(phone: int) -> tuple[int, Zones]:
    """Return the last of the numbers from this one on that surely share its zones, and those, without a registry."""
    if phone // NATIONAL_SPAN != PLAN_CODE:
        return phone, zones_by_metadata(phone)
    prefix = phone % NATIONAL_SPAN // PREFIX_SPAN
    span = PREFIX_SPAN if prefix in uniform_prefixes() else BLOCK
    return (phone // span + 1) * span - 1, zones_of_block(phone // BLOCK)


def zone_runs(numbers: Sequence[int]) -> list[tuple[int, Zones]]:
    """Return how many of ascending numbers, one after another, share which zones, without a registry."""
    runs: list[tuple[int, Zones]] = []
    place = 0
    while place < len(numbers):
        last, zones = stretch(numbers[place])
        end = bisect_right(numbers, last, place)
        if runs and runs[-1][1] == zones:
            runs[-1] = (runs[-1][0] + end - place, zones)
        else:
            runs.append((end - place, zones))
        place = end
    return runs


class ZonesOfMany:
    """The zones of each of many ascending numbers: a place in `sets` for each."""

    def __init__(self, numbers: Sequence[int], runs: Sequence[tuple[int, Zones]]) -> None:
        self._numbers = numbers
        self.sets: list[Zones] = []
        self.places = array("q")
        for count, zones in runs:
            self.places.extend(array("q", [self._set(zones)]) * count)

    def _set(self, zones: Zones) -> int:
        if zones not in self.sets:
            self.sets.append(zones)
        return self.sets.index(zones)

    def by_plan(self, plan: NumberingPlan) -> None:
        """Take the registry's word where it has one."""
        place = bisect_left(self._numbers, PLAN_CODE * NATIONAL_SPAN)
        end = bisect_left(self._numbers, (PLAN_CODE + 1) * NATIONAL_SPAN)
        while plan.version and place < end:
            nth = bisect_right(plan.firsts, self._numbers[place]) - 1
            if nth >= 0 and self._numbers[place] <= plan.lasts[nth]:
                stop = bisect_right(self._numbers, plan.lasts[nth], place, end)
                zones = plan.told[plan.kinds[nth]][2]
                if zones:
                    self.places[place:stop] = array("q", [self._set(zones)]) * (stop - place)
            elif nth + 1 < len(plan.firsts):
                stop = bisect_left(self._numbers, plan.firsts[nth + 1], place, end)
            else:
                stop = end
            place = stop

    def by_area(self, geo: Sequence[int], zones: Mapping[int, str | None]) -> None:
        """Take the word of whoever gave a number its area: its zone, where it has one."""
        for place, id in enumerate(geo):
            zone = zones.get(id)
            if zone is not None:
                self.places[place] = self._set((zone,))
