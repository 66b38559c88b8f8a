"""What every country's rules give: the three makers a person's documents come from."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from opora.core.profiles.model.people import Finance, Passport, Tax
from opora.core.profiles.model.tables import LocaleTable
from opora.core.profiles.rules.dates import renewable_issue_range
from opora.core.profiles.rules.draws import ISSUE_DAY, NARROW, Block, spread
from opora.core.profiles.rules.places import Place

type PassportMaker = Callable[[Block, int, date, Place], Passport]
"""From a block, the permuted index, the birth date and the place."""

type TaxMaker = Callable[[int, date, bool, Place], Tax]
"""From the permuted index, the birth date, whether it is a woman, and the place."""

type FinanceMaker = Callable[[Block, int, Place], Finance]
"""From a block, the permuted index and the place."""


@dataclass(frozen=True, slots=True)
class Country:
    """How one locale's documents are made, from the table, the seed's key and the as-of date."""

    passports: Callable[[LocaleTable, bytes, date], PassportMaker]
    taxes: Callable[[LocaleTable, bytes, date], TaxMaker]
    finances: Callable[[LocaleTable, bytes, date], FinanceMaker]


@dataclass(frozen=True, slots=True)
class PassportRule:
    """A passport that is renewed by term: how its number looks and how long it is valid."""

    pattern: str
    size: int
    series: str | None
    issuer: str
    adult_age: int
    terms_years: tuple[int, int]


def renewable_passports(rule: PassportRule, key: bytes, as_of: date) -> PassportMaker:
    """Return the maker of passports under `rule`; numbers fill its pattern without repeating."""
    factor, offset = spread(key, "passport", rule.size)

    def passport(block: Block, unique: int, birth: date, _place: Place) -> Passport:
        first, days = renewable_issue_range(birth, as_of, rule.adult_age, rule.terms_years)
        number = rule.pattern % ((unique * factor + offset) % rule.size)
        return Passport(
            rule.series, number, date.fromordinal(first + (block[ISSUE_DAY] * days >> NARROW)), rule.issuer, None
        )

    return passport
