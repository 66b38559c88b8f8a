"""What may be asked of the generator. Each fault is told as `code: sentence` under the field it is in."""

from collections.abc import Callable
from datetime import date

from opora.core.profiles.errors import InvalidGeneration
from opora.core.profiles.model.people import Sex
from opora.core.profiles.model.requests import AGE_MAX_DEFAULT, AGE_MIN_DEFAULT, GenerationRequest, Recipe
from opora.core.profiles.model.tables import LocaleTable, Tables
from opora.core.profiles.rules.draws import PEOPLE_MAX

COUNT_MAX = 100
AGE_LEAST, AGE_MOST = 14, 100
"""A passport is issued from 14 on."""
SEED_MAX = 2**63 - 1
RANDOM_SEED_BITS = 53
"""A seed of Opora's own choice survives a reader that keeps numbers as doubles (RFC 8259, section 6)."""
AS_OF_FIRST, AS_OF_LAST = date(2005, 1, 1), date(2099, 12, 31)
TTL_MIN_S, TTL_MAX_S = 60, 10 * 366 * 86_400


def region_code(table: LocaleTable, wanted: str) -> str | None:
    """Return the code of the region named by its code, its name or its ISO 3166-2 code in any case, or None."""
    key = wanted.strip().casefold()
    for region in table.regions:
        if key in {name.casefold() for name in (region.code, region.name, *region.aliases)}:
            return region.code
    return None


def _ages(request: GenerationRequest) -> tuple[int, int]:
    """Return both bounds; a missing one takes its default, unless the other has passed that."""
    low, high = request.age_min, request.age_max
    if low is None:
        low = min(AGE_MIN_DEFAULT, AGE_MIN_DEFAULT if high is None else high)
    return low, max(AGE_MAX_DEFAULT, low) if high is None else high


class _Faults(dict[str, list[str]]):
    """Messages by field."""

    def unless(self, right: bool, field: str, message: str) -> None:
        """Note `message` when something is not right."""
        if not right:
            self.setdefault(field, []).append(message)


def _refuse_bounds(request: GenerationRequest, faults: _Faults) -> None:
    faults.unless(1 <= request.count <= COUNT_MAX, "count", f"count_out_of_range: from 1 to {COUNT_MAX}")
    last = PEOPLE_MAX - max(request.count, 1)
    faults.unless(0 <= request.index <= last, "index", f"index_out_of_range: a seed has {PEOPLE_MAX} people")
    faults.unless(
        request.seed is None or 0 <= request.seed <= SEED_MAX, "seed", f"seed_out_of_range: from 0 to {SEED_MAX}"
    )
    faults.unless(
        request.as_of is None or AS_OF_FIRST <= request.as_of <= AS_OF_LAST,
        "as_of",
        f"as_of_out_of_range: from {AS_OF_FIRST} to {AS_OF_LAST}",
    )
    faults.unless(request.sex in (None, *Sex), "sex", "unknown_sex: male or female")
    ttl = request.ttl_seconds
    faults.unless(
        ttl is None or TTL_MIN_S <= ttl <= TTL_MAX_S,
        "ttl_seconds",
        f"ttl_out_of_range: from {TTL_MIN_S} to {TTL_MAX_S}",
    )


def _refuse_ages(low: int, high: int, faults: _Faults) -> None:
    for field, age in (("age_min", low), ("age_max", high)):
        faults.unless(AGE_LEAST <= age <= AGE_MOST, field, f"age_out_of_range: from {AGE_LEAST} to {AGE_MOST}")
    faults.unless(low <= high, "age_max", "age_max_below_age_min: ages run from age_min to age_max")


def _known_region(request: GenerationRequest, tables: Tables, faults: _Faults) -> str | None:
    table = tables.locales.get(request.locale)
    if table is None:
        faults.unless(False, "locale", f"unknown_locale: known are {', '.join(tables.locales)}")
        return None
    if request.region is None:
        return None
    code = region_code(table, request.region)
    faults.unless(code is not None, "region", "unknown_region: give a region's code or its name")
    return code


def recipe(request: GenerationRequest, tables: Tables, today: date, any_seed: Callable[[], int]) -> Recipe:
    """Return what the people follow from; raise InvalidGeneration naming every field at fault."""
    faults = _Faults()
    low, high = _ages(request)
    _refuse_bounds(request, faults)
    _refuse_ages(low, high, faults)
    region = _known_region(request, tables, faults)
    if faults:
        raise InvalidGeneration(errors=dict(faults))
    seed = any_seed() if request.seed is None else request.seed
    sex = None if request.sex is None else Sex(request.sex)
    return Recipe(request.locale, seed, request.as_of or today, sex, low, high, region)
