"""What a file says, told part by part, whatever it is written in."""

import base64
import io
import tracemalloc
import zlib
from collections.abc import Sequence
from contextlib import closing
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.tables.made_workbooks import archive, many_entries, of_cells, with_declared_size, workbook
from opora.adapters.tables import digest, runs, texts, workbooks
from opora.adapters.tables.runs import Runs
from opora.core.numbers.errors.tables import (
    ColumnMissing,
    LineTooLong,
    NotATable,
    QuoteUnclosed,
    TableTooCostly,
    TooManyRows,
    WorkbookUnreadable,
)
from opora.core.numbers.model.tables import (
    Part,
    Reading,
    ReadThrough,
    Refusal,
    RefusedRow,
    SortedRange,
    TableHead,
)

XLS = zlib.decompress(
    base64.b64decode(
        "eNrtWE1oE0EU/mZ3Nn82bVJTsRVKKFi1rZKmYCuSrha0p7axF0UETW1AaU1L8KIXqzVHQfCkeCn04qXqxR8U0ZsHoaIHQRASPXpSFDy0"
        "Wd+8bDStOTSgRWW+zbx5+35m3u7Mm83My8Vwfu5uSwGr0A8TRccPT4VMUPGXb0IgveMotlz7qDga/xT8PhpIj4VHwRdeNYZqvAswcEc+"
        "Iwq8p3IM0xieyqSj64gBjiElVAwJogI3SVKPZo6qkelJphuZ3mbLx0z3seQK0wTZ5sVRLNrDHX3uLD5itLGuHqrd++zzliXdaMJzNYsv"
        "XBUlWwv7s6dTk3+nolXWYR40boPpTDqbmswjQgM4j69OFPhSztSnUS1fX7kAyb+tlHuryK8ZEpiBc4IneA4b8NlUGhMjmfQSkpyNqljA"
        "9CnKQDLPpM5QJXbJvbJPjsggEIv17uneHWPESbVZxmVMJiQldmdvlFRRUuxUv56AWsE540MrMj7ImVBHdBwNzIc5H0K0pi/d+vRqaCxp"
        "H2fJDK/ypW/BVhU+HFxUHuRczxrJVNl2MO1keolb3cJ8C9MIPRXV7ckmlzk4yzaXWdtO/fQwXtvbKvjtxOc+HnrQmvtg7yB+YbBwPrLw"
        "xp5DG32bxslfXbPoEl3ixnWFh3a5Fu668Y5p8y9riM8IubE77gevAcsIMBtmWrpTb0e49mKVvUlvQbj24slQJj6gfMSPN6p8jCp9GOxj"
        "un2URkC69mYVe5PtLSUwPHSn7PuNRtxTDdEK+BMBaGhoaGhoaGhoaFSe6Ri85Sj9c7fcHYHXPddZplLUxyT/LUYxRddZ2pgeQIbqLM7V"
        "NH82wRLltsQafcrnhQqHqfcsJjDGcUzUPH9pRycqn2fNjqHfl0K19l+sJc4/3P93FzrNWg=="
    )
)
READING = Reading(rows_max=100_000, range_rows=1000)
PHONE = 79160000000
ROWS = "телефон;имя\n+79160000002;Юлия\n8 (916) 000-00-01;Иван\nнет;Пётр\n"


def parts(content: bytes, reading: Reading = READING) -> list[Part]:
    """Return all that a file says."""
    with closing(digest.parts(io.BytesIO(content), reading)) as found:
        return list(found)


def numbers(found: Sequence[Part]) -> list[int]:
    """Return the numbers of the ranges, in their order."""
    return [number for part in found if isinstance(part, SortedRange) for number in part.numbers]


def refused(found: Sequence[Part]) -> list[tuple[int, Refusal]]:
    """Return the lines that were refused as they were read."""
    return [(row.line, row.reason) for part in found if isinstance(part, list) for row in part]


def head(found: Sequence[Part]) -> TableHead:
    """Return what the beginning said."""
    assert isinstance(found[0], TableHead)
    return found[0]


@pytest.mark.parametrize(
    "content",
    [
        ROWS.encode(),
        ROWS.encode("utf-8-sig"),
        ROWS.encode("cp1251"),
        ROWS.encode("utf-16"),
        b"\xfe\xff" + ROWS.encode("utf-16-be"),
        ROWS.replace("\n", "\r\n").encode(),
        ROWS.replace("\n", "\r").encode(),
        ROWS.replace(";", ",").encode(),
        ROWS.replace(";", "\t").encode(),
        ROWS.replace(";", "|").encode(),
        ("sep=;\n" + ROWS).encode(),
        ROWS.rstrip("\n").encode(),
        ("\n\n" + ROWS).encode(),
    ],
)
def test_the_same_table_is_read_however_it_is_written(content: bytes) -> None:
    found = parts(content)
    assert numbers(found) == [79160000001, 79160000002]
    assert head(found).headings == ["телефон", "имя"]
    assert len(refused(found)) == 1


def test_lines_are_numbered_as_an_editor_shows_them() -> None:
    found = parts(("sep=;\n\n" + ROWS).encode())
    (one,) = [part for part in found if isinstance(part, SortedRange)]
    assert list(one.lines) == [5, 4]
    assert refused(found) == [(6, Refusal.NOT_A_PHONE)]


def test_letters_of_windows_that_come_late_are_read_as_such() -> None:
    rows = [f"7916{nth:07};plain" for nth in range(30_000)]
    found = parts(("phone;name\n" + "\n".join(rows) + "\n79170000001;Юлия\n").encode("cp1251"))
    assert len(numbers(found)) == 30_001
    assert refused(found) == []


def test_a_quoted_cell_may_hold_delimiters_marks_and_lines() -> None:
    text = 'name,phone\n"a, ""b""\nc",+79160000001\nplain,"+7 916\n000-00-02"\n"x",none\n'
    found = parts(text.encode())
    assert numbers(found) == [79160000001, 79160000002]
    assert refused(found) == [(6, Refusal.NOT_A_PHONE)]


def test_marks_inside_a_cell_are_part_of_it() -> None:
    text = 'phone;name\n79160000001;ООО "Ромашка"\n79160000002;15" monitor\n79160000003;x\n'
    assert numbers(parts(text.encode())) == [79160000001, 79160000002, 79160000003]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.text('ab",;\n ', max_size=8), st.integers(0, 99)), max_size=12), st.booleans())
def test_every_row_of_a_table_that_a_program_wrote_is_read(rows: list[tuple[str, int]], at_end: bool) -> None:
    import csv

    text = io.StringIO()
    written = [("name", "phone"), *((name, f"791600000{nth:02}") for name, nth in rows)]
    csv.writer(text).writerows([pair[::-1] for pair in written] if at_end else written)
    found = parts(text.getvalue().encode(), Reading(100, 10, {"phone_number": "phone"}))
    assert numbers(found) == sorted({79160000000 + nth for _, nth in rows})


def test_a_record_may_go_over_any_line_of_the_file() -> None:
    rows = "".join(f"{79160000000 + nth};a\n" for nth in range(98))
    found = parts(f'phone;name\n{rows}79170000000;"one\ntwo\nthree"\n79170000001;b\n'.encode())
    assert len(numbers(found)) == 100


def test_a_table_of_too_many_columns_is_refused() -> None:
    with pytest.raises(NotATable):
        parts((";".join(map(str, range(1100))) + "\n").encode())


def test_a_heading_that_is_never_closed_is_refused() -> None:
    for content in (b'"phone\n79160000001\n', b'"' + b"x" * 200_000 + b"\n", b'"' + b"x\n" * 150):
        with pytest.raises(QuoteUnclosed):
            parts(content)


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b'phone;name\n79160000001;a\n79160000002;"open\n79160000003;b\n', 3),
        (b'phone;name\n79160000002;"' + b"x\n" * 200 + b'"\n', 2),
        (b'phone;name\n79160000002;"' + b"x" * 200_000 + b'"\n', 2),
    ],
)
def test_a_mark_that_is_never_closed_names_its_line(content: bytes, line: int) -> None:
    with pytest.raises(QuoteUnclosed) as found:
        parts(content)
    assert found.value.facts["line"] == line


GIGABYTE = 1 << 30


class Gigabyte(io.RawIOBase):
    """A beginning, and after it a line of a gigabyte, made as it is read; tells how much of the line was asked for."""

    def __init__(self, beginning: bytes, filling: bytes) -> None:
        self._beginning = io.BytesIO(beginning)
        self._filling = filling
        self.given = 0

    def read(self, size: int = -1) -> bytes:
        """Give that many bytes, less only at the end."""
        some = self._beginning.read(size)
        more = min(size - len(some), GIGABYTE - self.given)
        self.given += more
        return some + (self._filling * (more // len(self._filling) + 1))[:more]


@pytest.mark.parametrize(
    ("beginning", "filling"),
    [
        pytest.param(b"", b"7", id="the first line"),
        pytest.param(b"phone\n", b"7", id="after a heading"),
        pytest.param(b"phone;x\n" + b"79160000001;a\n" * 50_000 + b"79160000002;", b"x", id="after many rows"),
        pytest.param(b"phone\n", b";", id="columns without end"),
        pytest.param("phone\n".encode("utf-16"), "7".encode("utf-16-le"), id="in UTF-16"),
        pytest.param(b"phone\n", "ё".encode(), id="letters of two bytes"),
        pytest.param(b'phone\n"', b"7", id="in quotes"),
    ],
)
def test_a_line_of_a_gigabyte_is_refused_after_its_first_megabytes_in_little_memory(
    beginning: bytes, filling: bytes
) -> None:
    source = Gigabyte(beginning, filling)
    tracemalloc.start()
    try:
        with pytest.raises(LineTooLong), closing(digest.parts(source, READING)) as found:  # type: ignore[arg-type]
            list(found)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert source.given < 4 * 1024 * 1024
    assert peak < 24 * 1024 * 1024


def test_a_long_line_among_others_is_refused_by_its_number() -> None:
    with pytest.raises(LineTooLong) as found:
        parts(b"phone;x\n79160000001;a\n79160000002;" + b"x" * 1_100_000 + b"\n")
    assert found.value.facts["line"] == 3


def test_rows_of_unlike_length_are_read_as_far_as_they_go() -> None:
    found = parts(b"name;phone\na;79160000001;more\nb\nc;79160000002\n")
    assert numbers(found) == [79160000001, 79160000002]
    assert refused(found) == [(3, Refusal.EMPTY)]


def test_a_column_past_the_end_of_every_row_is_empty() -> None:
    found = parts(b"phone;geo_id\n" + b"79160000001\n" * 3)
    assert numbers(found) == [79160000001]
    only = parts(b"a;b;phone\n1;2;79160000001\n" + b"".join(b"1\n" for _ in range(3)))
    assert refused(only) == [(line, Refusal.EMPTY) for line in (3, 4, 5)]


def test_more_rows_than_allowed_are_refused_before_anything_is_brought_in() -> None:
    with pytest.raises(TooManyRows):
        parts(b"phone\n" + b"79160000001\n" * 11, Reading(rows_max=10, range_rows=5))


@pytest.mark.parametrize("content", [b"", b"\n\n\n", b"   \n", b"%PDF-1.7\x00\x01", bytes(range(256))])
def test_what_is_no_table_is_refused(content: bytes) -> None:
    with pytest.raises(NotATable):
        parts(content)


def test_a_mapping_to_a_column_that_is_not_there_is_refused() -> None:
    with pytest.raises(ColumnMissing):
        parts(ROWS.encode(), Reading(100, 10, {"phone_number": "мобильный"}))


def test_rows_name_providers_and_areas_that_there_are() -> None:
    text = "phone,provider_id,geo_id\n79160000001,7,3\n79160000002,,\n79160000003,8,3\n79160000004,7.0,9\nx,7,\n"
    found = parts(text.encode(), Reading(100, 10, providers=[7], geo=[3]))
    (one,) = [part for part in found if isinstance(part, SortedRange)]
    assert (list(one.numbers), list(one.providers), list(one.geo)) == ([79160000001, 79160000002], [7, 0], [3, 0])
    reasons = [(2 + 2, Refusal.UNKNOWN_PROVIDER), (5, Refusal.UNKNOWN_GEO), (6, Refusal.NOT_A_PHONE)]
    assert sorted(refused(found)) == reasons


def test_ranges_are_ascending_apart_and_hold_every_number_once() -> None:
    random = Random(3)  # noqa: S311  # a fixed file, not a secret
    phones = [79160000000 + random.randrange(150_000) for _ in range(200_000)]
    found = parts(("phone\n" + "\n".join(map(str, phones)) + "\n").encode(), Reading(300_000, 10_000))
    assert numbers(found) == sorted(set(phones))
    ranges = [part for part in found if isinstance(part, SortedRange)]
    first_lines = {phone: line for line, phone in reversed(list(enumerate(phones, start=2)))}
    assert all(
        first_lines[number] == line for part in ranges for number, line in zip(part.numbers, part.lines, strict=True)
    )
    assert sum(len(part.repeated) for part in ranges) == len(phones) - len(set(phones))
    assert all(5_000 < len(part.numbers) + len(part.repeated) < 20_000 for part in ranges[1:-1])


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.lists(st.integers(1, 60), max_size=40), max_size=6),
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 8)), max_size=3),
    st.integers(1, 400),
)
def test_sorted_runs_give_back_all_but_what_was_merged(
    lists: list[list[int]], spans: list[tuple[int, int]], target: int
) -> None:
    merged = [(first, first + more) for first, more in spans]
    with closing(Runs(0)) as kept:
        line = 0
        for one in lists:
            kept.add([PHONE + nth for nth in one], range(line, line + len(one)))
            line += len(one)
        ranges = list(kept.ranges(target, [(PHONE + first, PHONE + last) for first, last in merged]))
    wanted = {one for some in lists for one in some if not any(first <= one <= last for first, last in merged)}
    assert [number - PHONE for part in ranges for number in part.numbers] == sorted(wanted)


def test_a_sample_finds_its_place_in_long_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "SAMPLE_EVERY", 4)
    with closing(Runs(0)) as kept:
        for start in (0, 3, 50):
            kept.add(list(range(PHONE + start, PHONE + start + 97, 2)), range(49))
        ranges = list(kept.ranges(16))
    everything = {one for start in (0, 3, 50) for one in range(start, start + 97, 2)}
    assert [number - PHONE for part in ranges for number in part.numbers] == sorted(everything)


def test_a_workbook_keeps_leading_zeros_and_loses_no_digit_to_fractions() -> None:
    found = parts(
        workbook([["name", "phone"], ["a", 79160000001.0], ["b", "0089160000002"], [None, None], ["c", True]])
    )
    assert numbers(found) == [79160000001]
    assert refused(found) == [(3, Refusal.NOT_A_PHONE), (5, Refusal.NOT_A_PHONE)]


def test_an_old_workbook_is_read_as_well() -> None:
    found = parts(XLS)
    assert numbers(found) == [79160000001, 79160000003]
    assert head(found).format == "xls"
    assert refused(found) == [(3, Refusal.NOT_A_PHONE)]


def test_a_workbook_may_begin_further_down() -> None:
    cells = '<row r="3"><c r="B3" t="inlineStr"><is><t>phone</t></is></c></row><row r="5"><c r="B5"><v>1</v></c></row>'
    assert refused(parts(of_cells(cells))) == [(5, Refusal.NOT_A_PHONE)]


def test_a_sheet_with_a_row_more_than_there_is_room_for_is_refused() -> None:
    cells = '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048577"><c r="A1048577"><v>1</v></c></row>'
    with pytest.raises((TooManyRows, WorkbookUnreadable)):
        parts(of_cells(cells))


@pytest.mark.parametrize(
    ("content", "refusal"),
    [
        (b"PK\x03\x04 and no archive", WorkbookUnreadable),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 and no workbook", WorkbookUnreadable),
        (workbook([["phone"]])[:-40], WorkbookUnreadable),
        (archive("<worksheet><broken"), WorkbookUnreadable),
        (of_cells(""), NotATable),
        (with_declared_size(1_200_000_000), TableTooCostly),
        (many_entries(10_001), TableTooCostly),
    ],
)
def test_a_workbook_that_is_none_or_a_bomb_is_refused(content: bytes, refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        parts(content)


def test_another_archive_is_no_workbook() -> None:
    import zipfile

    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        made.writestr("word/document.xml", "<x/>")
    with pytest.raises(NotATable):
        parts(file.getvalue())


def test_refused_rows_come_some_hundreds_at_a_time() -> None:
    found = parts(b"phone\n" + b"none\n" * 1200)
    told = [part for part in found if isinstance(part, list)]
    assert [len(part) for part in told] == [500, 500, 200]
    assert isinstance(told[0][0], RefusedRow)
    assert ReadThrough(1200, 1200) in found


def test_too_many_columns_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbooks, "COLUMNS_MAX", 2)
    with pytest.raises(TableTooCostly):
        parts(workbook([["phone", "a", "b"], [79160000001, 1, 2]]))


def test_an_entity_of_another_file_is_not_fetched() -> None:
    sheet = '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><worksheet><sheetData><row><c t="inlineStr"><is><t>'
    with pytest.raises((WorkbookUnreadable, NotATable, ColumnMissing)):
        parts(archive(f"{sheet}&e;</t></is></c><c><v>1</v></c></row></sheetData></worksheet>"))


def test_blocks_end_where_lines_do_whatever_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    for size in (7, 8, 9, 64):
        monkeypatch.setattr(texts, "BLOCK_BYTES", size)
        for written in (ROWS, ROWS.replace("\n", "\r\n"), ROWS.replace("\n", "\r")):
            found = parts(written.encode(), READING)
            assert numbers(found) == [79160000001, 79160000002]
