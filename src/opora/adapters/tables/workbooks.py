"""Workbooks, XLSX and XLS: the first sheet as rows of text."""

from collections.abc import Iterator, Sequence
from itertools import batched
from tempfile import TemporaryFile
from typing import BinaryIO, Protocol
from zipfile import BadZipFile, ZipFile

import python_calamine

from opora.core.numbers.errors.tables import NotATable, TableTooCostly, TooManyRows, WorkbookUnreadable
from opora.core.numbers.model.tables import COLUMNS_MAX, WORKBOOK_ROWS_MAX, TableFormat
from opora.core.numbers.rules.tables import workbook_text

UNPACKED_BYTES_MAX = 1024 * 1024 * 1024
ENTRIES_MAX = 10_000
ROWS_AT_ONCE = 20_000
SPOOL_BYTES = 1024 * 1024


class Source(Protocol):
    """A stream that is read once."""

    def read(self, size: int, /) -> bytes:
        """Return up to that many bytes; none at the end."""
        ...


def spooled(head: bytes, source: Source) -> BinaryIO:
    """Copy a stream into a file without a name: workbooks are read from their end."""
    file: BinaryIO = TemporaryFile()  # noqa: SIM115  # ends with the process
    file.write(head)
    while some := source.read(SPOOL_BYTES):
        file.write(some)
    file.seek(0)
    return file


def refuse_bomb(file: BinaryIO) -> None:
    """Raise, before anything is unpacked, TableTooCostly for what grows too large, NotATable for another archive."""
    try:
        with ZipFile(file) as archive:
            entries = archive.infolist()
    except (BadZipFile, ValueError, OSError, EOFError) as error:
        raise WorkbookUnreadable from error
    if len(entries) > ENTRIES_MAX or sum(entry.file_size for entry in entries) > UNPACKED_BYTES_MAX:
        raise TableTooCostly(unpacked_bytes_max=UNPACKED_BYTES_MAX)
    if not any(entry.filename == "xl/workbook.xml" for entry in entries):
        raise NotATable("The file is an archive but no XLSX workbook.")
    file.seek(0)


def sheet(file: BinaryIO, format: TableFormat) -> Iterator[Sequence[object]]:
    """Open the first sheet: its rows from the very first, empty or not; raises WorkbookUnreadable, TooManyRows."""
    if format is TableFormat.XLSX:
        refuse_bomb(file)
    try:
        book = python_calamine.CalamineWorkbook.from_path(f"/dev/fd/{file.fileno()}")
        names = [one.name for one in book.sheets_metadata if one.typ == python_calamine.SheetTypeEnum.WorkSheet]
        if not names:
            raise WorkbookUnreadable("The workbook has no sheet.")
        found = book.get_sheet_by_name(names[0])
    except python_calamine.CalamineError as error:
        raise WorkbookUnreadable from error
    if found.start is None or found.end is None:
        raise NotATable("The first sheet is empty.")
    if found.end[0] >= WORKBOOK_ROWS_MAX:
        raise TooManyRows(rows_max=WORKBOOK_ROWS_MAX)
    if found.width > COLUMNS_MAX:
        raise TableTooCostly(columns_max=COLUMNS_MAX)
    return found.iter_rows()


def columns(
    rows: Iterator[Sequence[object]], line: int, wanted: Sequence[int]
) -> Iterator[tuple[Sequence[int], list[list[str]]]]:
    """Yield line numbers and the cells of the wanted columns as text; rows without any cell are left out."""
    for some in batched(rows, ROWS_AT_ONCE):
        numbers = [line + place for place, row in enumerate(some) if any(cell != "" for cell in row)]
        kept = [row for row in some if any(cell != "" for cell in row)]
        line += len(some)
        yield numbers, [[workbook_text(row[place]) if place < len(row) else "" for row in kept] for place in wanted]
