"""From cells to numbers in order: what one file holds, told part by part."""

import io
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from itertools import chain, compress
from typing import BinaryIO

from opora.adapters.tables import texts, workbooks
from opora.adapters.tables.runs import Runs
from opora.core.numbers.errors.numbers import InvalidPhone
from opora.core.numbers.errors.tables import NotATable, TooManyRows
from opora.core.numbers.model.tables import (
    Field,
    Part,
    Reading,
    ReadSoFar,
    ReadThrough,
    Refusal,
    RefusedRow,
    TableFormat,
    TableHead,
)
from opora.core.numbers.rules import tables as rules
from opora.core.numbers.rules.cells import quickly_all
from opora.core.numbers.rules.phones import normalised

HEAD_BYTES = 64 * 1024
RUN_ROWS = 64 * 1024
VALUE_CHARS = 64
REFUSED_AT_ONCE = 500
UNKNOWN = -1

type Batch = tuple[Sequence[int], list[list[str]]]
"""Line numbers, and the cells of each wanted column."""


class Table:
    """A file opened: what its head tells, and its rows still to be read."""

    def __init__(self, source: BinaryIO, reading: Reading) -> None:
        """Raise what is wrong with the file as far as its beginning shows it."""
        self._counted = Counted(source)
        head = self._counted.read(HEAD_BYTES)
        format = rules.format_of(head)
        self._spool: BinaryIO | None = None
        if format is TableFormat.CSV:
            self.head, self._batches = open_text(head, self._counted, reading)
            return
        self._spool = workbooks.spooled(head, self._counted)
        try:
            self.head, self._batches = open_workbook(self._spool, format, reading)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let go what was kept aside."""
        if self._spool is not None:
            self._spool.close()

    @property
    def size(self) -> int:
        """How many bytes were read so far."""
        return self._counted.size

    def batches(self) -> Iterator[Batch]:
        """Yield the rows in bounded batches; a column that the table does not have gives none."""
        return self._batches(tuple(self.head.columns.values()))


class Counted(io.RawIOBase):
    """A stream that counts what is read from it and fills every read that it can."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self.size = 0

    def read(self, size: int = -1) -> bytes:
        """Return that many bytes, less only at the end."""
        some = self._source.read(size)
        self.size += len(some)
        return some


class Prefixed:
    """A stream with bytes put back before it."""

    def __init__(self, head: bytes, rest: Counted) -> None:
        self._head = head
        self._rest = rest

    def read(self, size: int) -> bytes:
        """Return the bytes put back, then those of the stream."""
        if self._head:
            head, self._head = self._head, b""
            return head
        return self._rest.read(size)


type Opened = tuple[TableHead, Callable[[Sequence[int]], Iterator[Batch]]]


def open_text(head: bytes, rest: Counted, reading: Reading) -> Opened:
    """Open a text with columns."""
    texts.limit_cells()
    decoder = texts.Decoder(head)
    found = texts.blocks(Prefixed(head, rest), decoder)  # type: ignore[arg-type]  # only `read` is called
    first = next(found, "")
    lines = first.split("\n", rules.SAMPLE_LINES + 1)
    delimiter = rules.delimiter_of(lines)
    skipped = 1 if lines[0].lower().startswith("sep=") else 0
    while skipped < len(lines) - 1 and not lines[skipped].strip():
        skipped += 1
    body = first.split("\n", skipped)[skipped]
    if not body.strip():
        raise NotATable("The file has no rows.")
    heading = trimmed(texts.first_record(body, delimiter))
    columns, has_heading = rules.columns_of(heading, reading.mapping)
    told = TableHead(TableFormat.CSV, columns, heading if has_heading else (), has_heading, decoder.encoding, delimiter)
    return told, lambda wanted: without_heading(
        texts.Records(chain([body], found), delimiter, line=skipped + 1).columns(wanted), told
    )


def open_workbook(file: BinaryIO, format: TableFormat, reading: Reading) -> Opened:
    """Open the first sheet of a workbook."""
    rows = workbooks.sheet(file, format)
    line, first = next((line, row) for line, row in enumerate(rows, start=1) if any(cell != "" for cell in row))
    heading = trimmed([rules.workbook_text(cell) for cell in first])
    columns, has_heading = rules.columns_of(heading, reading.mapping)
    told = TableHead(format, columns, heading if has_heading else (), has_heading)
    return told, lambda wanted: without_heading(workbooks.columns(chain([first], rows), line, wanted), told)


def trimmed(cells: Sequence[str]) -> list[str]:
    """Leave out empty cells at the end."""
    width = len(cells)
    while width > 1 and not cells[width - 1]:
        width -= 1
    return list(cells[:width])


def without_heading(batches: Iterator[Batch], head: TableHead) -> Iterator[Batch]:
    """Leave out the first row where it is a heading."""
    if head.has_heading:
        lines, columns = next(batches, ((), []))
        batches = chain([(lines[1:], [column[1:] for column in columns])], batches)
    return batches


class Digest:
    """Reads a table to its end, keeps what is good in order, and tells the rest row by row."""

    def __init__(self, table: Table, reading: Reading) -> None:
        self._table = table
        self._reading = reading
        self._quickly = quickly_all(reading.region)
        self._providers = {str(id): id for id in reading.providers} | {"": 0}
        self._geo = {str(id): id for id in reading.geo} | {"": 0}
        self._further = Field.PROVIDER_ID in table.head.columns or Field.GEO_ID in table.head.columns
        self._runs = Runs(2 if self._further else 0)
        self._rows = 0
        self._invalid = 0

    def close(self) -> None:
        """Let the sorted rows go."""
        self._runs.close()

    def parts(self) -> Iterator[Part]:
        """Yield what the file holds; raises TooManyRows and what is wrong with its form."""
        for lines, columns in self._table.batches():
            self._rows += len(lines)
            if self._rows > self._reading.rows_max:
                raise TooManyRows(rows_max=self._reading.rows_max)
            refused = self._take(lines, dict(zip(self._table.head.columns, columns, strict=True)))
            self._invalid += len(refused)
            for begin in range(0, len(refused), REFUSED_AT_ONCE):
                yield refused[begin : begin + REFUSED_AT_ONCE]
            yield ReadSoFar(self._table.size, self._rows)
        yield ReadThrough(self._rows, self._invalid)
        yield from self._runs.ranges(self._reading.range_rows, self._reading.merged)

    def _take(self, lines: Sequence[int], columns: dict[str, list[str]]) -> list[RefusedRow]:
        cells = columns[Field.PHONE_NUMBER]
        numbers = self._quickly(cells)
        refused: list[RefusedRow] = []
        for place in [place for place, number in enumerate(numbers) if not number]:
            numbers[place], reason = self._again(cells[place])
            if not numbers[place]:
                refused.append(RefusedRow(lines[place], Field.PHONE_NUMBER, reason, cells[place][:VALUE_CHARS]))
        further: list[list[int]] = []
        if self._further:
            further = self._references(lines, columns, numbers, refused)
        if not refused:
            self._runs.add(numbers, lines, *further)
        else:
            kept = [bool(number) for number in numbers]
            self._runs.add(*(list(compress(column, kept)) for column in (numbers, lines, *further)))
        return refused

    def _again(self, cell: str) -> tuple[int, Refusal]:
        """Look once more at a cell that was no phone number: spreadsheets wrap and shorten them."""
        text = rules.unwrapped(cell)
        if not text:
            return 0, Refusal.EMPTY
        if rules.is_rounded(text):
            return 0, Refusal.ROUNDED
        try:
            return normalised(text, self._reading.region), Refusal.NOT_A_PHONE
        except InvalidPhone:
            return 0, Refusal.NOT_A_PHONE

    def _references(
        self, lines: Sequence[int], columns: dict[str, list[str]], numbers: list[int], refused: list[RefusedRow]
    ) -> list[list[int]]:
        """Return the ids that rows name; a row that names none there is is refused and its number put to 0."""
        found: list[list[int]] = []
        for name, known, reason in (
            (Field.PROVIDER_ID, self._providers, Refusal.UNKNOWN_PROVIDER),
            (Field.GEO_ID, self._geo, Refusal.UNKNOWN_GEO),
        ):
            cells = columns.get(name)
            if cells is None:
                found.append([0] * len(numbers))
                continue
            ids = [known.get(cell, UNKNOWN) for cell in map(rules.unwrapped, cells)]
            for place in [place for place, id in enumerate(ids) if id == UNKNOWN]:
                if numbers[place]:
                    numbers[place] = 0
                    refused.append(RefusedRow(lines[place], name, reason, cells[place][:VALUE_CHARS]))
            found.append(ids)
        return found


def parts(source: BinaryIO, reading: Reading) -> Generator[Part]:
    """Yield all that a file holds, its head first; raises what is wrong with it."""
    with closing(Table(source, reading)) as table:
        yield table.head
        with closing(Digest(table, reading)) as digest:
            yield from digest.parts()
