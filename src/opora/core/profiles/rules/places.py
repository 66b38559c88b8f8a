"""Where a person lives: a city with everything that depends on it, made ready to draw from."""

from bisect import bisect
from collections.abc import Callable
from dataclasses import dataclass

from opora.core.profiles.model.people import Address
from opora.core.profiles.model.tables import Bank, City, LocaleTable, Region
from opora.core.profiles.rules.draws import Weighted, spread

HOUSES = tuple(str(number) for number in range(1, 151))
APARTMENTS = tuple(str(number) for number in range(1, 241))
_AT_HOME_OF_8 = 6
"""Six of eight live in the region where they were born."""


@dataclass(slots=True, eq=False)
class Place:
    """A city of one region, with its documents' and numbers' prefixes."""

    region: Region
    city: City
    postal_codes: tuple[str, ...]
    phones: tuple["PhoneLine", ...]
    banks: Weighted[Bank]
    births: tuple[str, ...]


@dataclass(slots=True, eq=False)
class PhoneLine:
    """A run of phone numbers; `pattern` takes `(n * factor + offset) % size`.

    A run of a million and more is filled by the permuted index. The short runs kept for fiction are filled by the
    index itself: any `size` people in a row have numbers of their own.
    """

    pattern: str
    factor: int
    offset: int
    size: int
    by_index: bool


def phone_line(pattern: str, key: bytes, people: int) -> PhoneLine:
    """Read a pattern such as `+74950######`."""
    digits = pattern.count("#")
    size = 10**digits
    factor, offset = spread(key, f"phone/{digits}", size)
    return PhoneLine(f"{pattern.rstrip('#')}%0{digits}d", factor, offset, size, by_index=size < people)


def _postal_codes(city: City) -> tuple[str, ...]:
    codes: list[str] = []
    for first, count in city.postal_codes:
        codes += [first] if count == 1 else [f"{int(first) + step:0{len(first)}d}" for step in range(count)]
    return tuple(codes)


def banks_of(region: Region, table: LocaleTable) -> Weighted[Bank]:
    """Return the banks met in a region, weighted."""
    met = [bank for bank in table.banks if not bank.regions or region.code in bank.regions]
    return Weighted(met, [bank.weight for bank in met])


def places(table: LocaleTable, region: str | None, key: bytes, people: int) -> Weighted[Place]:
    """Return the cities of one region (by code), or of all, each weighted by its share of its region's people."""
    found: list[Place] = []
    weights: list[int] = []
    lines = {pattern: phone_line(pattern, key, people) for r in table.regions for c in r.cities for pattern in c.phones}
    for part in table.regions:
        if region not in (None, part.code):
            continue
        banks = banks_of(part, table)
        births = tuple(city.birth_place for city in part.cities)
        urban = sum(city.weight for city in part.cities)
        for city in part.cities:
            phones = tuple(lines[pattern] for pattern in city.phones)
            found.append(Place(part, city, _postal_codes(city), phones, banks, births))
            weights.append(max(1, part.weight * city.weight // urban))
    return Weighted(found, weights)


def settle(table: LocaleTable, wanted: Weighted[Place]) -> Callable[[int], tuple[Place, Address, str]]:
    """Return the function from a word of the stream to a place, an address there, and a birth place."""
    streets = table.streets
    street_count = len(streets)
    items, bounds, total = wanted.items, wanted.bounds, wanted.total
    everywhere = tuple(city.birth_place for region in table.regions for city in region.cities)

    def home(word: int) -> tuple[Place, Address, str]:
        word, drawn = divmod(word, total)
        place = items[bisect(bounds, drawn)]
        word, street = divmod(word, street_count)
        word, house = divmod(word, 150)
        word, apartment = divmod(word, 240)
        codes = place.postal_codes
        word, code = divmod(word, len(codes))
        word, moved = divmod(word, 8)
        births = place.births if moved < _AT_HOME_OF_8 else everywhere
        return (
            place,
            Address(
                codes[code], place.region.name, place.city.name, streets[street], HOUSES[house], APARTMENTS[apartment]
            ),
            births[word % len(births)],
        )

    return home
