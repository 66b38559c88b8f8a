"""Documents of the United Kingdom: passport, taxpayer reference, national insurance number, account as an IBAN."""

from datetime import date
from functools import partial

from opora.core.profiles.model.people import Tax
from opora.core.profiles.model.tables import LocaleTable
from opora.core.profiles.rules.control import weigh
from opora.core.profiles.rules.documents import Country, PassportMaker, PassportRule, TaxMaker, renewable_passports
from opora.core.profiles.rules.draws import spread
from opora.core.profiles.rules.iban import iban_finances
from opora.core.profiles.rules.places import Place

_PASSPORT = PassportRule("%09d", 1_000_000_000, None, "HM Passport Office", 16, (5, 10))
_UTR_WEIGHTS = (6, 7, 8, 9, 10, 5, 4, 3, 2)
_UTR_CHECK = "21987654321"
_UTR_SERIALS = 1_000_000_000
_NINO_LETTERS = "ABCD"
_NINO_SERIALS = 1_000_000


def passports(_table: LocaleTable, key: bytes, as_of: date) -> PassportMaker:
    """Return the maker of passports: nine digits."""
    return renewable_passports(_PASSPORT, key, as_of)


def taxes(_table: LocaleTable, key: bytes, _as_of: date) -> TaxMaker:
    """Return the maker of taxpayer references (the first digit checks the rest) and national insurance numbers.

    Those begin with QQ, which HM Revenue and Customs never issues (manual NIM39110).
    """
    utr_factor, utr_offset = spread(key, "utr", _UTR_SERIALS)
    size = _NINO_SERIALS * len(_NINO_LETTERS)
    factor, offset = spread(key, "nino", size)

    def tax(unique: int, _birth: date, _female: bool, _place: Place) -> Tax:
        serial = f"{(unique * utr_factor + utr_offset) % _UTR_SERIALS:09d}"
        letter, number = divmod((unique * factor + offset) % size, _NINO_SERIALS)
        return Tax(_UTR_CHECK[weigh(serial, _UTR_WEIGHTS) % 11] + serial, f"QQ{number:06d}{_NINO_LETTERS[letter]}")

    return tax


finances = partial(iban_finances, country="GB", serial_digits=8, code_inside=True)
"""Makes accounts: the sort code stands inside the IBAN."""

BRITAIN = Country(passports, taxes, finances)
