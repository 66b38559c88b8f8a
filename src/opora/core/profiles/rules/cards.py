"""Payment cards: a prefix of a real system, a serial of the person's own, the Luhn digit."""

from bisect import bisect
from collections.abc import Callable
from datetime import date
from functools import lru_cache

from opora.core.profiles.model.people import Card
from opora.core.profiles.model.tables import LocaleTable
from opora.core.profiles.rules.control import DIGITS, THREE, luhn_contributions, luhn_weigh
from opora.core.profiles.rules.draws import CARD, EXPIRY, NARROW, Block, Weighted, spread

_SERIALS = 1_000_000_000
_MONTHS_VALID = 48
_SUM_MAX = 160
_CHECK = tuple(DIGITS[-total % 10] for total in range(_SUM_MAX))
_FIRST_DOUBLED = luhn_contributions(doubled=True)
_SECOND_DOUBLED = luhn_contributions(doubled=False)


@lru_cache(maxsize=8)
def _expiries(as_of: date) -> tuple[str, ...]:
    months = range(as_of.year * 12 + as_of.month, as_of.year * 12 + as_of.month + _MONTHS_VALID)
    return tuple(f"{month % 12 + 1:02d}/{month // 12 % 100:02d}" for month in months)


def cards(table: LocaleTable, key: bytes, as_of: date) -> Callable[[Block, int], Card]:
    """Return the function from a block and a permuted index to a card; its nine serial digits are the person's own."""
    prefixes = [(prefix, system) for system in table.cards for prefix in system.prefixes]
    kinds = Weighted(
        [(prefix, luhn_weigh(prefix, doubled=True), system.name) for prefix, system in prefixes],
        [max(1, system.weight * 60 // len(system.prefixes)) for _, system in prefixes],
    )
    items, bounds, total = kinds.items, kinds.bounds, kinds.total
    expiries = _expiries(as_of)
    factor, offset = spread(key, "card", _SERIALS)

    def card(block: Block, unique: int) -> Card:
        prefix, weighed, system = items[bisect(bounds, block[CARD] * total >> NARROW)]
        high, low = divmod((unique * factor + offset) % _SERIALS, 1000)
        high, middle = divmod(high, 1000)
        check = _CHECK[weighed + _FIRST_DOUBLED[high] + _SECOND_DOUBLED[middle] + _FIRST_DOUBLED[low]]
        number = f"{prefix}{THREE[high]}{THREE[middle]}{THREE[low]}{check}"
        return Card(number, expiries[block[EXPIRY] * _MONTHS_VALID >> NARROW], system)

    return card
