"""A table of phone numbers as it comes from outside: a file, its columns, and what is read out of it."""

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

LINE_CHARS_MAX = 1024 * 1024
"""How long a line, or a record of several lines in quotes, may be."""
FIELD_CHARS_MAX = 128 * 1024
"""How long one cell may be."""
RECORD_LINES_MAX = 100
"""How many lines a record may go over: past that, a mark was left open and would swallow what follows."""
COLUMNS_MAX = 1000
"""How many columns a table may have."""
WORKBOOK_ROWS_MAX = 1_048_576
"""How many rows a sheet has room for."""


class TableFormat(StrEnum):
    """How a table is written in a file."""

    CSV = "csv"
    XLSX = "xlsx"
    XLS = "xls"


class Field(StrEnum):
    """What a column of a table may mean to us."""

    PHONE_NUMBER = "phone_number"
    PROVIDER_ID = "provider_id"
    GEO_ID = "geo_id"


class Refusal(StrEnum):
    """Why a row of a table did not become a number."""

    EMPTY = "empty"
    NOT_A_PHONE = "not_a_phone"
    ROUNDED = "rounded_by_spreadsheet"
    UNKNOWN_PROVIDER = "unknown_provider"
    UNKNOWN_GEO = "unknown_geo"
    DUPLICATE_IN_FILE = "duplicate_in_file"
    DUPLICATE = "duplicate"
    SUPPRESSED = "suppressed"


@dataclass(frozen=True, slots=True)
class Reading:
    """How a table is to be read.

    `mapping` says which column holds a field: by its heading, or by its number from 1. `providers` and `geo` are the
    ids that a row may name. `merged` are the spans of numbers that an earlier attempt has dealt with, both ends
    included.
    """

    rows_max: int
    range_rows: int
    mapping: Mapping[str, str | int] = field(default_factory=dict)
    region: str = "RU"
    providers: Sequence[int] = ()
    geo: Sequence[int] = ()
    merged: Sequence[tuple[int, int]] = ()


@dataclass(frozen=True, slots=True)
class TableHead:
    """What the beginning of a table tells: how it is written and where its fields stand (columns from 0)."""

    format: TableFormat
    columns: Mapping[str, int]
    headings: Sequence[str]
    has_heading: bool
    encoding: str = ""
    delimiter: str = ""


@dataclass(frozen=True, slots=True)
class ReadSoFar:
    """How much of a table was read."""

    size: int
    rows: int


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """One row that did not become a number: its line in the file, the field at fault, why, and what stood there."""

    line: int
    column: str
    reason: Refusal
    value: str = ""


@dataclass(frozen=True, slots=True)
class ReadThrough:
    """The whole table was read: how many rows it has and how many of them hold no number."""

    rows: int
    invalid: int


@dataclass(frozen=True, slots=True)
class SortedRange:
    """A part of a table's numbers: all between two bounds, ascending, each once, as they first stood in the file.

    The arrays run in parallel; `providers` and `geo` are empty where the table has no such column, and hold 0 for an
    empty cell. `zones` says how many numbers, one after another, may lie in which zones, as far as that is known
    without a registry. `repeated` are the lines that named a number of this range again, with that number.
    """

    numbers: "array[int]"
    lines: "array[int]"
    providers: "array[int]"
    geo: "array[int]"
    zones: Sequence[tuple[int, tuple[str, ...]]]
    repeated: Sequence[tuple[int, int]] = ()


type Part = TableHead | ReadSoFar | Sequence[RefusedRow] | ReadThrough | SortedRange
"""What reading a table yields: the head, progress, refused rows, the end of the file, then range after range."""
