"""A column of a table read as phone numbers at once; each answer is the one that `rules.phones` gives of the cell."""

import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from itertools import product

from opora.core.numbers.errors.numbers import InvalidPhone
from opora.core.numbers.rules.phones import NATIONAL, REGIONS_OF_7, SIGNS, VALID_7, patterns_of_7, quickly, thoroughly

DECIDING = 3
"""How many of the ten digits are looked up before any pattern is asked."""
DIGITS = frozenset("0123456789")
type Sets = tuple[frozenset[str], ...]
_TOKEN = re.compile(r"(\\d|\[[0-9-]+\]|[0-9])(?:\{(\d+)\})?|(\(\?:)|(\))|(\|)")


class Unread(Exception):
    """The pattern uses more of the language of patterns than is understood here."""


def quickly_all(region: str) -> Callable[[Sequence[str]], list[int]]:
    """Return what gives the digits of each cell, 0 where it must be looked at more closely."""
    if region not in REGIONS_OF_7:
        return lambda cells: [quickly(cell, region) or 0 for cell in cells]
    verdict = verdicts()

    def read(cells: Sequence[str]) -> list[int]:
        text = "\n".join(cells)
        if not text.isascii():  # few such blocks, or few such cells in one
            text = "\n".join(cell if cell.isascii() else cell.translate(SIGNS) for cell in cells)
        spellings = text.translate(SIGNS).split("\n")
        if len(spellings) != len(cells):  # a cell of several lines
            return [quickly(cell, region) or 0 for cell in cells]
        return [valid(spelling, verdict) for spelling in spellings]

    return read


def phones_of(region: str) -> Callable[[Sequence[str]], list[int | InvalidPhone]]:
    """Return what gives for each spelling its digits or why there are none, in order: for many at once."""
    quickly_each = quickly_all(region)

    def read(spellings: Sequence[str]) -> list[int | InvalidPhone]:
        found: list[int | InvalidPhone] = list(quickly_each(spellings))
        for place, phone in enumerate(found):
            if phone == 0:
                found[place] = digits_or_reason(spellings[place], region)
        return found

    return read


def digits_or_reason(spelling: str, region: str) -> int | InvalidPhone:
    """Return the digits by the library, or why there are none."""
    try:
        return thoroughly(spelling, region)
    except InvalidPhone as refusal:
        return refusal


def valid(digits: str, verdict: dict[str, bool | None]) -> int:
    """Return the digits of a +7 number whose spelling has lost its signs, or 0."""
    length = len(digits)
    if length == 12 and digits[:2] == "+7":  # noqa: PLR2004  # +7 and ten digits
        national = digits[2:]
    elif length == 11 and digits[0] in "78":  # noqa: PLR2004  # a code or a trunk prefix, and ten digits
        national = digits[1:]
    elif length == NATIONAL:
        national = digits
    else:
        return 0
    told = verdict.get(national[:DECIDING], False)
    if told is False or not (national.isdecimal() and national.isascii()):
        return 0
    if told is None and not VALID_7(national):
        return 0
    return 70_000_000_000 + int(national)


@lru_cache(maxsize=1)
def verdicts() -> dict[str, bool | None]:
    """Return for each beginning whether every number that has it is valid, none (left out), or only some (None)."""
    beginnings = ["".join(digits) for digits in product(sorted(DIGITS), repeat=DECIDING)]
    try:
        known = [sets for sets in alternatives(patterns_of_7().pattern) if len(sets) == NATIONAL]
    except Unread:
        return dict.fromkeys(beginnings)
    found: dict[str, bool | None] = {}
    for beginning in beginnings:
        fitting = [sets for sets in known if all(map(frozenset.__contains__, sets, beginning))]
        if fitting:
            found[beginning] = any(all(rest == DIGITS for rest in sets[DECIDING:]) for sets in fitting) or None
    return found


def alternatives(pattern: str) -> list[Sets]:
    """Return every way through a pattern of digits as a row of sets, one for each digit; raises Unread."""
    body = pattern.removeprefix(f"(?=[0-9]{{{NATIONAL}}}$)")
    tokens = list(_TOKEN.finditer(body))
    if "".join(token[0] for token in tokens) != body:
        raise Unread(pattern)
    rest = iter(tokens)
    found = either(rest)
    if next(rest, None) is not None:
        raise Unread(pattern)
    return found


def either(tokens: Iterator[re.Match[str]]) -> list[Sets]:
    """Read up to the closing bracket, or the end: sequences between bars."""
    found: list[Sets] = []
    ways: list[Sets] = [()]
    for token in tokens:
        one, times, opening, _, bar = token.groups()
        if one is not None:
            ways = [way + (digits_of(one),) * int(times or 1) for way in ways]
        elif opening is not None:
            ways = [way + inner for way, inner in product(ways, either(tokens))]
        elif bar is not None:
            found, ways = found + ways, [()]
        else:  # a closing bracket
            break
    return found + ways


def digits_of(one: str) -> frozenset[str]:
    """Return which digits a class, or a digit alone, stands for."""
    return DIGITS if one == "\\d" else frozenset(filter(re.compile(one).fullmatch, DIGITS))
