"""Documents of Kazakhstan: passport, individual identification number (IIN), account as an IBAN."""

from datetime import date
from functools import partial

from opora.core.profiles.model.people import Tax
from opora.core.profiles.model.tables import LocaleTable
from opora.core.profiles.rules.control import weigh
from opora.core.profiles.rules.documents import Country, PassportMaker, PassportRule, TaxMaker, renewable_passports
from opora.core.profiles.rules.draws import spread
from opora.core.profiles.rules.iban import iban_finances
from opora.core.profiles.rules.places import Place

_PASSPORT = PassportRule("%08d", 100_000_000, "N", "ҚР Ішкі істер министрлігі", 16, (10, 10))
_FIRST_WEIGHTS = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)
_SECOND_WEIGHTS = (3, 4, 5, 6, 7, 8, 9, 10, 11, 1, 2)
_UNUSED = 10
_CENTURY = {18: 1, 19: 3, 20: 5}
"""The digit of a man by the century of birth; a woman's is one more."""

IIN_SERIALS = 5_000
"""Even serials; the odd one after each stands in where the check of the even one cannot be written."""


def passports(_table: LocaleTable, key: bytes, as_of: date) -> PassportMaker:
    """Return the maker of passports: the letter N and eight digits."""
    return renewable_passports(_PASSPORT, key, as_of)


def iin_check(eleven: str) -> int:
    """Return the check digit of eleven digits, or 10 where the number is not used: two weightings modulo 11."""
    first = weigh(eleven, _FIRST_WEIGHTS) % 11
    return first if first != _UNUSED else weigh(eleven, _SECOND_WEIGHTS) % 11


def taxes(_table: LocaleTable, key: bytes, _as_of: date) -> TaxMaker:
    """Return the maker of IIN: birth date, century and sex, four digits, check.

    People who share a serial are born on different days (see `people.births`), so the whole number is unique.
    The odd serial changes the second weighting by 2, so one of the pair can be written.
    """
    factor, offset = spread(key, "iin", IIN_SERIALS)

    def tax(unique: int, birth: date, female: bool, _place: Place) -> Tax:
        serial = (unique % IIN_SERIALS * factor + offset) % IIN_SERIALS * 2
        head = f"{birth:%y%m%d}{_CENTURY[birth.year // 100] + female}"
        check = iin_check(f"{head}{serial:04d}")
        if check == _UNUSED:
            serial += 1
            check = iin_check(f"{head}{serial:04d}")
        return Tax(f"{head}{serial:04d}{check}", None)

    return tax


finances = partial(iban_finances, country="KZ", serial_digits=13, code_inside=False)
"""Makes accounts: the three-digit code of the bank is the account prefix."""

KAZAKHSTAN = Country(passports, taxes, finances)
