"""German documents: passport, tax identification number, account as an IBAN."""

from datetime import date
from functools import partial

from opora.core.profiles.model.people import Tax
from opora.core.profiles.model.tables import LocaleTable
from opora.core.profiles.rules.documents import Country, PassportMaker, PassportRule, TaxMaker, renewable_passports
from opora.core.profiles.rules.draws import spread
from opora.core.profiles.rules.iban import iban_finances
from opora.core.profiles.rules.places import Place

_PASSPORT = PassportRule("C%08d", 100_000_000, None, "Passbehörde der Stadt", 24, (6, 10))
_ARRANGEMENTS = 9 * 9 * 8 * 7 * 6 * 5 * 4 * 3 * 2
"""Orders of ten different digits of which the first is not 0, and the last of which follows from the others."""
_TWIN_PLACES = 8


def passports(_table: LocaleTable, key: bytes, as_of: date) -> PassportMaker:
    """Return the maker of passports: a letter of the issuing office and eight digits."""
    return renewable_passports(_PASSPORT, key, as_of)


def _ten_digits(number: int) -> list[int]:
    """Return the first ten digits of a tax number: nine different ones, the last of which stands twice.

    `number` (below `_ARRANGEMENTS`) is read in the factorial system, so different numbers give different digits.
    """
    number, first = divmod(number, 9)
    left = list(range(10))
    digits = [left.pop(first + 1)]
    for choices in range(9, 1, -1):
        number, chosen = divmod(number, choices)
        digits.append(left.pop(chosen))
    return [*digits, digits[_TWIN_PLACES - 1]]


def mod_11_10(digits: list[int]) -> int:
    """Return the check digit of ISO 7064 MOD 11,10."""
    product = 10
    for digit in digits:
        total = (digit + product) % 10 or 10
        product = total * 2 % 11
    return (11 - product) % 10


def taxes(_table: LocaleTable, key: bytes, _as_of: date) -> TaxMaker:
    """Return the maker of tax identification numbers: exactly one of the first ten digits is repeated (§ 139b AO).

    There is no insurance number: made of birth date, initial and a serial of fifty, it could not be kept unique.
    """
    factor, offset = spread(key, "tax", _ARRANGEMENTS)

    def tax(unique: int, _birth: date, _female: bool, _place: Place) -> Tax:
        digits = _ten_digits((unique * factor + offset) % _ARRANGEMENTS)
        return Tax("".join(map(str, digits)) + str(mod_11_10(digits)), None)

    return tax


finances = partial(iban_finances, country="DE", serial_digits=10, code_inside=False)
"""Makes accounts: the Bankleitzahl is the account prefix."""

GERMANY = Country(passports, taxes, finances)
