"""Where a person lives: a city with everything that depends on it, made ready to draw from."""

from bisect import bisect
from collections.abc import Callable
from dataclasses import dataclass

from opora.core.profiles.model.people import Address
from opora.core.profiles.model.tables import Bank, City, LocaleTable, Region
from opora.core.profiles.rules.draws import (
    APARTMENT,
    BIRTH_PLACE,
    CITY,
    HOUSE,
    MOVED,
    NARROW,
    POSTAL_CODE,
    STREET,
    WIDE,
    Block,
    Weighted,
)

_HOUSES = tuple(str(number) for number in range(1, 151))
_APARTMENTS = tuple(str(number) for number in range(1, 241))
_AT_HOME = 3 << NARROW - 2
"""Three of four live in the region where they were born."""
ISSUERS_FROM = 1990
"""The first year that `Place.issuers` names a body of."""
_ISSUERS_TO = 2110


@dataclass(slots=True, eq=False)
class Place:
    """A city of one region, with its documents' and numbers' prefixes."""

    region: str
    region_name: str
    city_name: str
    document_series: str
    issuers: tuple[str, ...]
    tax_offices: tuple[str, ...]
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


def _issuers(region: Region) -> tuple[str, ...]:
    """Return the issuing body of each year from `ISSUERS_FROM` on; empty where the table names none."""
    if not region.issuers:
        return ()
    years = range(ISSUERS_FROM, _ISSUERS_TO)
    return tuple(next((name for first, name in reversed(region.issuers) if first <= year), "") for year in years)


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
        issuers = _issuers(part)
        urban = sum(city.weight for city in part.cities)
        for city in part.cities:
            phones = tuple(phone_line(pattern) for pattern in city.phones)
            found.append(
                Place(
                    part.code,
                    part.name,
                    city.name,
                    part.document_series,
                    issuers,
                    city.tax_offices,
                    _postal_codes(city),
                    phones,
                    banks,
                    births,
                )
            )
            weights.append(max(1, part.weight * city.weight // urban))
    return Weighted(found, weights)


def settle(table: LocaleTable, wanted: Weighted[Place]) -> Callable[[Block], tuple[Place, Address, str]]:
    """Return the function from a block to a place, an address there, and a birth place."""
    streets = table.streets
    street_count = len(streets)
    items, bounds, total = wanted.items, wanted.bounds, wanted.total
    everywhere = tuple(city.birth_place for region in table.regions for city in region.cities)

    def home(block: Block) -> tuple[Place, Address, str]:
        place = items[bisect(bounds, block[CITY] * total >> WIDE)]
        codes = place.postal_codes
        births = place.births if block[MOVED] < _AT_HOME else everywhere
        return (
            place,
            Address(
                codes[block[POSTAL_CODE] * len(codes) >> NARROW],
                place.region_name,
                place.city_name,
                streets[block[STREET] * street_count >> NARROW],
                _HOUSES[block[HOUSE] * 150 >> NARROW],
                _APARTMENTS[block[APARTMENT] * 240 >> NARROW],
            ),
            births[block[BIRTH_PLACE] * len(births) >> NARROW],
        )

    return home
