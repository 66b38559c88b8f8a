"""Where a person lives: a city with everything that depends on it, made ready to draw from."""

from bisect import bisect
from collections.abc import Callable
from dataclasses import dataclass

from opora.core.profiles.model.people import Address
from opora.core.profiles.model.tables import Bank, City, LocaleTable, Region
from opora.core.profiles.rules.draws import Weighted

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
    phones: tuple[tuple[str, int], ...]
    banks: Weighted[Bank]
    births: tuple[str, ...]


def phone_line(pattern: str) -> tuple[str, int]:
    """Read a pattern such as `+74950######` as a format and the number of digits it takes."""
    digits = pattern.count("#")
    return f"{pattern.rstrip('#')}%0{digits}d", digits


def _postal_codes(city: City) -> tuple[str, ...]:
    codes: list[str] = []
    for first, count in city.postal_codes:
        codes += [first] if count == 1 else [f"{int(first) + step:0{len(first)}d}" for step in range(count)]
    return tuple(codes)


def banks_of(region: Region, table: LocaleTable) -> Weighted[Bank]:
    """Return the banks met in a region, weighted."""
    met = [bank for bank in table.banks if not bank.regions or region.code in bank.regions]
    return Weighted(met, [bank.weight for bank in met])


def places(table: LocaleTable, region: str | None) -> Weighted[Place]:
    """Return the cities of one region (by code), or of all, each weighted by its share of its region's people."""
    found: list[Place] = []
    weights: list[int] = []
    for part in table.regions:
        if region not in (None, part.code):
            continue
        banks = banks_of(part, table)
        births = tuple(city.birth_place for city in part.cities)
        urban = sum(city.weight for city in part.cities)
        for city in part.cities:
            phones = tuple(phone_line(pattern) for pattern in city.phones)
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
