"""Reading the regulator's tables of numbering ranges (`ABC-3xx.csv`, `DEF-9xx.csv` and their like)."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from opora.core.numbers.errors.calls import InvalidRegistry
from opora.core.numbers.model.registry import NumberRange
from opora.core.numbers.rules.regions import zones_of_region

COLUMNS = 6
"""Code, first and last number, capacity, operator, region; what follows is passed over."""
CODE_DIGITS, NUMBER_DIGITS = 3, 7
TEXT_MAX = 255
REGION_MAX = 400
RANGES_MAX = 2_000_000


remembered_zones = lru_cache(maxsize=4096)(zones_of_region)


def ranges_of(lines: Iterable[str], name: str) -> Iterator[NumberRange]:
    """Yield the ranges of one file, its heading passed over; raises InvalidRegistry that names the line."""
    rows = csv.reader(lines, delimiter=";")
    for row in rows:
        if not row or (rows.line_num == 1 and not row[0].strip("\ufeff ").isdecimal()):
            continue
        yield _range(row, f"{name}, line {rows.line_num}")


def _range(row: Sequence[str], place: str) -> NumberRange:
    if len(row) < COLUMNS:
        raise InvalidRegistry(f"{place}: {len(row)} columns in place of {COLUMNS} parted by semicolons")
    code, start, end = (cell.strip("\ufeff ") for cell in row[:3])
    if not (is_digits(code, CODE_DIGITS) and is_digits(start) and is_digits(end)):
        raise InvalidRegistry(f"{place}: the code and the numbers are digits, such as 900;0000000;0061999")
    first, last = (int(f"7{code}{cell:0>{NUMBER_DIGITS}}") for cell in (start, end))
    if last < first:
        raise InvalidRegistry(f"{place}: the range ends before it begins")
    region = row[5].strip()[:REGION_MAX]
    return NumberRange(first, last, row[4].strip()[:TEXT_MAX], region, remembered_zones(region))


def is_digits(text: str, length: int | None = None) -> bool:
    """Tell whether a cell is a number of a plan: digits, of that length or of at most seven."""
    return text.isascii() and text.isdecimal() and (len(text) == length if length else len(text) <= NUMBER_DIGITS)


def joined(ranges: Iterable[NumberRange], most: int = RANGES_MAX) -> list[NumberRange]:
    """Return ranges of any files in order, neighbours of one operator and region as one; raises InvalidRegistry.

    Ranges that overlap are refused, so that a number has one place; the same range twice is one.
    """
    found: list[NumberRange] = []
    for one in sorted(ranges, key=lambda one: (one.first, one.last)):
        last = found[-1] if found else None
        if last is not None and one == last:
            continue
        if last is not None and one.first <= last.last:
            raise InvalidRegistry(f"the ranges from +{last.first} and from +{one.first} overlap")
        same = last is not None and (last.operator, last.region) == (one.operator, one.region)
        if last is not None and same and last.last + 1 == one.first:
            found[-1] = NumberRange(last.first, one.last, one.operator, one.region, one.zones)
        else:
            found.append(one)
        if len(found) > most:
            raise InvalidRegistry(f"more than {most} ranges")
    if not found:
        raise InvalidRegistry("the files hold no range")
    return found
