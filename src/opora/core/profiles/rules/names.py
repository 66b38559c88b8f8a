"""What a person is called, and how that is written in an e-mail address."""

from bisect import bisect
from collections.abc import Callable, Sequence
from unicodedata import combining, normalize

from opora.core.profiles.model.tables import LocaleTable
from opora.core.profiles.rules.draws import FIRST_NAME, LAST_NAME, MIDDLE_NAME, WIDE, Block, Weighted

type Named = tuple[str, str, str | None, str, str]
"""Last, first and middle name, the full name, and `first.last` in Latin letters."""

_CYRILLIC = dict(
    zip(
        "абвгдеёжзийклмнопрстуфхцчшщъыьэюяәғқңөұүһі",
        (
            "a",
            "b",
            "v",
            "g",
            "d",
            "e",
            "e",
            "zh",
            "z",
            "i",
            "i",
            "k",
            "l",
            "m",
            "n",
            "o",
            "p",
            "r",
            "s",
            "t",
            "u",
            "f",
            "kh",
            "ts",
            "ch",
            "sh",
            "shch",
            "ie",
            "y",
            "_",
            "e",
            "iu",
            "ia",
            "a",
            "g",
            "q",
            "n",
            "o",
            "u",
            "u",
            "h",
            "i",
        ),
        strict=True,
    )
)
_OTHER = {"ß": "ss", "ı": "i", "ä": "ae", "ö": "oe", "ü": "ue", "_": ""}


def latin(name: str) -> str:
    """Write a name in a-z: Cyrillic as passports do (ICAO Doc 9303), umlauts as `ae`, other marks dropped."""
    written = "".join(_OTHER.get(part, part) for part in (_CYRILLIC.get(c, c) for c in normalize("NFC", name.lower())))
    return "".join(c for c in normalize("NFKD", written) if not combining(c) and c.isascii() and c.isalpha())


def _forms(forms: Sequence[tuple[str, int]]) -> Weighted[tuple[str, str]]:
    return Weighted([(name, latin(name)) for name, _ in forms], [weight for _, weight in forms])


def _sided(table: LocaleTable, female: bool) -> tuple[Weighted[tuple[str, str]], ...]:
    given = table.female_names if female else table.male_names
    return (
        _forms([(one.name, one.weight) for one in given]),
        _forms([(one.female if female else one.male, one.weight) for one in table.last_names]),
        _forms([(one.female if female else one.male, one.weight) for one in table.middle_names]),
    )


def surname_first(table: LocaleTable) -> Callable[[Block, bool], Named]:
    """Return the function from a block and a sex to a name written surname, first name, patronymic."""
    sides = (_sided(table, female=False), _sided(table, female=True))

    def name(block: Block, female: bool) -> Named:
        given, family, middle = sides[female]
        first, first_latin = given.items[bisect(given.bounds, block[FIRST_NAME] * given.total >> WIDE)]
        last, last_latin = family.items[bisect(family.bounds, block[LAST_NAME] * family.total >> WIDE)]
        patronymic, _ = middle.items[bisect(middle.bounds, block[MIDDLE_NAME] * middle.total >> WIDE)]
        return last, first, patronymic, f"{last} {first} {patronymic}", f"{first_latin}.{last_latin}"

    return name


def surname_last(table: LocaleTable) -> Callable[[Block, bool], Named]:
    """Return the function from a block and a sex to a name written first name, surname; there is no middle name."""
    sides = (_sided(table, female=False), _sided(table, female=True))

    def name(block: Block, female: bool) -> Named:
        given, family, _ = sides[female]
        first, first_latin = given.items[bisect(given.bounds, block[FIRST_NAME] * given.total >> WIDE)]
        last, last_latin = family.items[bisect(family.bounds, block[LAST_NAME] * family.total >> WIDE)]
        return last, first, None, f"{first} {last}", f"{first_latin}.{last_latin}"

    return name
