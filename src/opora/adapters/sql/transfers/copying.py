"""Rows of whole numbers in PostgreSQL's binary COPY format, written column by column."""

from array import array
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import compress

SIGNATURE = b"PGCOPY\n\xff\r\n\0" + b"\0" * 8
TRAILER = b"\xff\xff"
NULL = b"\xff\xff\xff\xff"
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
WIDTHS = {8: "q", 4: "i", 2: "h"}


def instant(at: datetime) -> int:
    """Return an instant as PostgreSQL counts it: microseconds since 2000."""
    since = at - EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


class Column:
    """One column: its width in bytes, and either a value that every row has, or one for each row; None is NULL."""

    def __init__(self, width: int, values: "int | array[int] | None") -> None:
        self.width = width
        self.values = values


def rows(count: int, columns: Sequence[Column]) -> bytearray:
    """Return `count` rows. Each row has the same bytes but for its values, so they are written a column at a time."""
    template = bytearray(len(columns).to_bytes(2))
    places: list[tuple[int, Column]] = []
    for column in columns:
        if column.values is None:
            template += NULL
            continue
        template += column.width.to_bytes(4)
        if isinstance(column.values, int):
            template += column.values.to_bytes(column.width, signed=True)
        else:
            places.append((len(template), column))
            template += bytes(column.width)
    written = template * count
    for place, column in places:
        values = array(WIDTHS[column.width], column.values)  # type: ignore[arg-type]  # whole numbers all
        values.byteswap()
        raw = values.tobytes()
        for nth in range(column.width):
            written[place + nth :: len(template)] = raw[nth :: column.width]
    return written


def grouped(flags: Sequence[Sequence[int]]) -> "list[tuple[tuple[bool, ...], list[bool]]]":
    """Part rows by which of the columns are empty (0) in them: each pattern, and which rows have it."""
    patterns = [tuple(map(bool, values)) for values in zip(*flags, strict=True)]
    return [(pattern, [one == pattern for one in patterns]) for pattern in sorted(set(patterns))]


def picked(column: "Sequence[int]", which: Sequence[bool]) -> "array[int]":
    """Return the values of the rows picked."""
    return array("q", compress(column, which))
