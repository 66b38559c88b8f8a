"""Russian documents: internal passport, taxpayer's number, insurance number, bank account."""

from bisect import bisect
from datetime import date
from functools import cache

from opora.core.profiles.model.people import Finance, Passport, Tax
from opora.core.profiles.model.tables import LocaleTable
from opora.core.profiles.rules.cards import cards
from opora.core.profiles.rules.control import DIGITS, THREE, TWO, contributions, weigh
from opora.core.profiles.rules.dates import russian_issue_range
from opora.core.profiles.rules.documents import Country, FinanceMaker, PassportMaker, TaxMaker
from opora.core.profiles.rules.draws import BANK, DEPARTMENT, ISSUE_DAY, NARROW, Block, spread
from opora.core.profiles.rules.places import ISSUERS_FROM, Place

_NUMBER_FIRST = 101
_NUMBERS = 999_999 - _NUMBER_FIRST + 1
_FORM_AGES = 4
"""A passport is written on a form of its own year or of one of the three years before."""

_UNITS = 60

_INN_11 = (7, 2, 4, 10, 3, 5, 9, 4, 6, 8)
_INN_12 = (3, 7, 2, 4, 10, 3, 5, 9, 4, 6)
_PACK = 4096
"""Two sums in one number: the twelfth digit's above, the eleventh's below."""

_INN_SERIALS = 1_000_000
_INN_LAST = tuple(
    tuple(DIGITS[eleventh] + DIGITS[(twelfth + 8 * eleventh) % 11 % 10] for eleventh in range(10))
    for twelfth in range(11)
)

_SNILS_FIRST = 1_001_999
"""The lowest insurance number that carries a check."""
_SNILS = 1_000_000_000 - _SNILS_FIRST
_SNILS_CHECK = tuple(TWO[total % 101 % 100] for total in range(9 * 45 + 1))
_SNILS_HIGH = contributions((9, 8, 7), 1_000)
_SNILS_MIDDLE = contributions((6, 5, 4), 1_000)
_SNILS_LOW = contributions((3, 2, 1), 1_000)

_ACCOUNT_WEIGHTS = (7, 1, 3)
_ACCOUNT_SERIALS = 1_000_000_000
_BRANCH_HEAD = "00"
_ACCOUNT_THREE = contributions((3, 7, 1), 10)
_ACCOUNT_KEY = tuple(DIGITS[total % 10 * 3 % 10] for total in range(40))


@cache
def _departments(region: str) -> tuple[str, ...]:
    return tuple(f"{region}{unit % 4}-{unit // 4 + 1:03d}" for unit in range(_UNITS))


def passports(_table: LocaleTable, key: bytes, as_of: date) -> PassportMaker:
    """Return the maker of internal passports, unique as series and number together.

    The permuted index gives a number and one of four residues; of the four years a form may bear exactly one has
    that residue. So two people with one number have forms of different years, whatever their regions and dates.
    """
    factor, offset = spread(key, "passport", _FORM_AGES * _NUMBERS)
    issue_range = russian_issue_range(as_of)

    def passport(block: Block, unique: int, birth: date, place: Place) -> Passport:
        first, days = issue_range(birth)
        issued_on = date.fromordinal(first + (block[ISSUE_DAY] * days >> NARROW))
        residue, number = divmod((unique * factor + offset) % (_FORM_AGES * _NUMBERS), _NUMBERS)
        year = issued_on.year
        form_year = year - (year - residue) % _FORM_AGES
        return Passport(
            place.document_series + TWO[form_year % 100],
            f"{number + _NUMBER_FIRST:06d}",
            issued_on,
            place.issuers[year - ISSUERS_FROM],
            _departments(place.region)[block[DEPARTMENT] * _UNITS >> NARROW],
        )

    return passport


@cache
def _inn_office(office: str) -> int:
    return weigh(office, _INN_11[:4]) + _PACK * weigh(office, _INN_12[:4])


def _inn_three(at: int) -> tuple[int, ...]:
    eleventh, twelfth = contributions(_INN_11[at : at + 3], 11), contributions(_INN_12[at : at + 3], 11)
    return tuple(low + _PACK * high for low, high in zip(eleventh, twelfth, strict=True))


_INN_HIGH = _inn_three(4)
_INN_LOW = _inn_three(7)


def taxes(_table: LocaleTable, key: bytes, _as_of: date) -> TaxMaker:
    """Return the maker of INN (order of the tax service MMV-7-6/435@) and SNILS.

    The INN begins with the tax office of the city; its six-digit serial alone is unique.
    """
    inn_factor, inn_offset = spread(key, "inn", _INN_SERIALS)
    factor, offset = spread(key, "snils", _SNILS)

    def tax(unique: int, _birth: date, _female: bool, place: Place) -> Tax:
        offices = place.tax_offices
        office = offices[unique % len(offices)]
        high, low = divmod((unique * inn_factor + inn_offset) % _INN_SERIALS, 1000)
        twelfth, eleventh = divmod(_inn_office(office) + _INN_HIGH[high] + _INN_LOW[low], _PACK)
        inn = f"{office}{THREE[high]}{THREE[low]}{_INN_LAST[twelfth % 11][eleventh % 11 % 10]}"
        high, low = divmod(_SNILS_FIRST + (unique * factor + offset) % _SNILS, 1000)
        high, middle = divmod(high, 1000)
        check = _SNILS_CHECK[_SNILS_HIGH[high] + _SNILS_MIDDLE[middle] + _SNILS_LOW[low]]
        return Tax(inn, f"{THREE[high]}-{THREE[middle]}-{THREE[low]} {check}")

    return tax


@cache
def _account_head(code: str, account_prefix: str) -> int:
    fixed = f"{code[6:]}{account_prefix}0{_BRANCH_HEAD}"
    return weigh(fixed, (_ACCOUNT_WEIGHTS * 5)[: len(fixed)]) % 10


def finances(table: LocaleTable, key: bytes, as_of: date) -> FinanceMaker:
    """Return the maker of accounts: the ninth digit is the key of Bank of Russia order 515 of 8 September 1997."""
    factor, offset = spread(key, "account", _ACCOUNT_SERIALS)
    card = cards(table, key, as_of)
    currency = table.currency

    def finance(block: Block, unique: int, place: Place) -> Finance:
        banks = place.banks
        bank = banks.items[bisect(banks.bounds, block[BANK] * banks.total >> NARROW)]
        high, low = divmod((unique * factor + offset) % _ACCOUNT_SERIALS, 1000)
        high, middle = divmod(high, 1000)
        head = bank.account_prefix
        total = _account_head(bank.code, head) + _ACCOUNT_THREE[high] + _ACCOUNT_THREE[middle] + _ACCOUNT_THREE[low]
        account = f"{head}{_ACCOUNT_KEY[total]}{_BRANCH_HEAD}{THREE[high]}{THREE[middle]}{THREE[low]}"
        return Finance(bank.name, bank.code, bank.correspondent_account, account, card(block, unique), currency)

    return finance


RUSSIA = Country(passports, taxes, finances)
