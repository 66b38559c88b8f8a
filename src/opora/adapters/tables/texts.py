"""A text with columns, read block by block in bounded memory: decoded, cut into records, records into cells."""

import codecs
import csv
from collections.abc import Iterator, Sequence
from operator import methodcaller
from typing import BinaryIO

from opora.core.numbers.errors.tables import LineTooLong, NotATable, QuoteUnclosed
from opora.core.numbers.model.tables import COLUMNS_MAX, FIELD_CHARS_MAX, LINE_CHARS_MAX, RECORD_LINES_MAX
from opora.core.numbers.rules.tables import encoding_of

BLOCK_BYTES = 256 * 1024


class Decoder:
    """Bytes to text. The encoding is settled by the first bytes that are not ASCII; what it cannot hold becomes `�`."""

    def __init__(self, head: bytes) -> None:
        self.encoding = encoding_of(head)
        self._decoder = self._of("utf-8" if self.encoding == "ascii" else self.encoding)

    @staticmethod
    def _of(encoding: str) -> codecs.IncrementalDecoder:
        return codecs.getincrementaldecoder(encoding)("replace")

    def decode(self, some: bytes, *, is_last: bool = False) -> str:
        """Return the text of the next bytes; a letter cut off at the end waits for the rest."""
        if self.encoding == "ascii" and not some.isascii():
            self.encoding = encoding_of(some)
            self._decoder = self._of(self.encoding)
        return self._decoder.decode(some, is_last)


def blocks(source: BinaryIO, decoder: Decoder) -> Iterator[str]:
    """Yield the text in pieces that end with a line's end, all written `\\n`; raises LineTooLong."""
    rest, line, is_start = "", 1, True
    while True:
        raw = source.read(BLOCK_BYTES)
        text = decoder.decode(raw, is_last=not raw)
        if is_start and text:
            text, is_start = text.removeprefix("\ufeff"), False
        text = rest + text
        if "\r" in text:
            held = "\r" if text.endswith("\r") and raw else ""
            text = text.removesuffix("\r") if held else text
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        else:
            held = ""
        if not raw:
            if text:
                yield text if text.endswith("\n") else text + "\n"
            return
        end = text.rfind("\n") + 1
        rest = text[end:] + held
        if end:
            line += text.count("\n", 0, end)
            yield text[:end]
        if len(rest) > LINE_CHARS_MAX:
            raise LineTooLong(line=line)


class Records:
    """The cells of wanted columns, block by block.

    A block without quotes is split as a whole; one with quotes, and what a quoted cell drags along, goes through the
    csv module line by line.
    """

    def __init__(self, texts: Iterator[str], delimiter: str, *, line: int = 1) -> None:
        self._texts = texts
        self._delimiter = delimiter
        self._line = line

    def columns(self, wanted: Sequence[int]) -> Iterator[tuple[Sequence[int], list[list[str]]]]:
        """Yield the lines at which records begin, and of each wanted column the cells; empty lines are left out."""
        for text in self._texts:
            if '"' in text:
                yield from self._quoted(text, wanted)
            else:
                yield self._plain(text, wanted)

    def _plain(self, text: str, wanted: Sequence[int]) -> tuple[Sequence[int], list[list[str]]]:
        lines = text.split("\n")
        lines.pop()
        numbers: Sequence[int] = range(self._line, self._line + len(lines))
        self._line += len(lines)
        if "" in lines:
            kept = [place for place, line in enumerate(lines) if line]
            numbers, lines = [numbers[place] for place in kept], [lines[place] for place in kept]
        if len(text) > LINE_CHARS_MAX and max(map(len, lines)) > LINE_CHARS_MAX:
            long = next(place for place, line in enumerate(lines) if len(line) > LINE_CHARS_MAX)
            raise LineTooLong(line=numbers[long])
        return numbers, cells(lines, self._delimiter, wanted)

    def _quoted(self, text: str, wanted: Sequence[int]) -> Iterator[tuple[Sequence[int], list[list[str]]]]:
        feed = Feed(text, self._texts)
        reader = csv.reader(feed, delimiter=self._delimiter)
        numbers: list[int] = []
        found: list[list[str]] = [[] for _ in wanted]
        while feed.left:
            begins = self._line + feed.given
            feed.record_ends_by = feed.given + RECORD_LINES_MAX
            try:
                row = next(reader)
            except csv.Error as error:  # a cell past its bound: what follows an opening mark that none closes
                raise QuoteUnclosed(line=begins) from error
            if feed.is_overrun:
                raise QuoteUnclosed(line=begins)
            if row:
                numbers.append(begins)
                for place, column in zip(wanted, found, strict=True):
                    column.append(row[place] if place < len(row) else "")
        self._line += feed.given
        yield numbers, found


def first_record(text: str, delimiter: str) -> list[str]:
    """Return the cells of the first record that is not empty; raises QuoteUnclosed, NotATable past the columns."""
    feed = Feed(text, iter(()))
    feed.record_ends_by = RECORD_LINES_MAX
    try:
        row = next(filter(None, csv.reader(feed, delimiter=delimiter)), [])
    except csv.Error as error:
        raise QuoteUnclosed(line=1) from error
    if feed.is_overrun:
        raise QuoteUnclosed(line=1)
    if len(row) > COLUMNS_MAX:
        raise NotATable(f"A table has at most {COLUMNS_MAX} columns.")
    return row


class Feed:
    """Gives the csv module a block's lines, and of the next blocks those that a record in quotes reaches into."""

    def __init__(self, text: str, further: Iterator[str]) -> None:
        self._begin(text)
        self._further = further
        self.given = 0
        self.record_ends_by = 0
        self.is_overrun = False

    def _begin(self, text: str) -> None:
        self.left = text.count("\n")
        self._lines = iter(text.split("\n"))

    def __iter__(self) -> "Feed":
        return self

    def __next__(self) -> str:
        if not self.left:
            self._begin(next(self._further, ""))
        if not self.left or self.given == self.record_ends_by:
            self.is_overrun = True  # a record that the file's end cuts off, or that has too many lines
            raise StopIteration
        self.left -= 1
        self.given += 1
        return next(self._lines)


def cells(lines: list[str], delimiter: str, wanted: Sequence[int]) -> list[list[str]]:
    """Return the cells of the wanted columns of lines without quotes; "" where a line is too short."""
    counts = set(map(methodcaller("count", delimiter), lines))
    if counts == {0}:
        return [lines if place == 0 else [""] * len(lines) for place in wanted]
    if len(counts) == 1:
        width = counts.pop() + 1
        flat = delimiter.join(lines).split(delimiter)
        return [flat[place::width] if place < width else [""] * len(lines) for place in wanted]
    rows = [line.split(delimiter) for line in lines]
    return [[row[place] if place < len(row) else "" for row in rows] for place in wanted]


def limit_cells() -> None:
    """Bound the cells that the csv module takes, for this process."""
    csv.field_size_limit(FIELD_CHARS_MAX)
