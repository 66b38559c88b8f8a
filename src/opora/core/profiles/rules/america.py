"""Documents of the United States: passport, social security number, routing number."""

from bisect import bisect
from datetime import date

from opora.core.profiles.model.people import Finance, Tax
from opora.core.profiles.model.tables import LocaleTable
from opora.core.profiles.rules.cards import cards
from opora.core.profiles.rules.documents import (
    Country,
    FinanceMaker,
    PassportMaker,
    PassportRule,
    TaxMaker,
    renewable_passports,
)
from opora.core.profiles.rules.draws import BANK, NARROW, Block, spread
from opora.core.profiles.rules.places import Place

_PASSPORT = PassportRule("A%08d", 100_000_000, None, "United States Department of State", 16, (5, 10))
_AREAS = ("666", "000")
"""Areas that the Social Security Administration never assigned; 9xx is left alone, for ITIN uses it."""
_SERIALS = 9_999
_NUMBERS = len(_AREAS) * 99 * _SERIALS
_ACCOUNTS = 10_000_000_000


def passports(_table: LocaleTable, key: bytes, as_of: date) -> PassportMaker:
    """Return the maker of passport books: a letter and eight digits."""
    return renewable_passports(_PASSPORT, key, as_of)


def taxes(_table: LocaleTable, key: bytes, _as_of: date) -> TaxMaker:
    """Return the maker of social security numbers, which serve as the taxpayer's number too; none was ever issued."""
    factor, offset = spread(key, "ssn", _NUMBERS)

    def tax(unique: int, _birth: date, _female: bool, _place: Place) -> Tax:
        rest, serial = divmod((unique * factor + offset) % _NUMBERS, _SERIALS)
        area, group = divmod(rest, 99)
        number = f"{_AREAS[area]}-{group + 1:02d}-{serial + 1:04d}"
        return Tax(number, number)

    return tax


def finances(table: LocaleTable, key: bytes, as_of: date) -> FinanceMaker:
    """Return the maker of accounts: a routing number and ten digits, which carry no check of their own."""
    factor, offset = spread(key, "account", _ACCOUNTS)
    card = cards(table, key, as_of)

    def finance(block: Block, unique: int, place: Place) -> Finance:
        banks = place.banks
        bank = banks.items[bisect(banks.bounds, block[BANK] * banks.total >> NARROW)]
        account = f"{(unique * factor + offset) % _ACCOUNTS:010d}"
        return Finance(bank.name, bank.code, None, account, card(block, unique), table.currency)

    return finance


AMERICA = Country(passports, taxes, finances)
