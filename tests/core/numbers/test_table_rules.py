"""How a table is understood by its first bytes, its headings and its cells."""

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opora.core.numbers.errors.tables import ColumnMissing, NotATable
from opora.core.numbers.model.tables import TableFormat
from opora.core.numbers.rules.tables import (
    FORMULA_STARTS,
    columns_of,
    delimiter_of,
    encoding_of,
    format_of,
    is_rounded,
    looks_like_phone,
    safe_cell,
    unwrapped,
    workbook_text,
)

TEXT = "телефон;имя\n+79160000001;Юлия\n"


@pytest.mark.parametrize(
    ("some", "encoding"),
    [
        (b"phone\n", "ascii"),
        (TEXT.encode(), "utf-8"),
        (codecs.BOM_UTF8 + b"phone\n", "utf-8"),
        (TEXT.encode("cp1251"), "cp1251"),
        (codecs.BOM_UTF16_LE + TEXT.encode("utf-16-le"), "utf-16-le"),
        (codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"), "utf-16-be"),
        ("phone\n+79160000001\n".encode("utf-16-le"), "utf-16-le"),
        ("phone\n+79160000001\n".encode("utf-16-be"), "utf-16-be"),
        (TEXT.encode()[:-12], "utf-8"),
        ("я".encode()[:1], "utf-8"),
    ],
)
def test_the_encoding_follows_from_the_bytes(some: bytes, encoding: str) -> None:
    assert encoding_of(some) == encoding


@given(st.text(min_size=1, alphabet=st.characters(codec="utf-8", exclude_characters="\x00\ufeff")), st.integers(0, 3))
def test_whatever_is_utf8_is_never_taken_for_another(text: str, cut: int) -> None:
    some = text.encode()
    assert encoding_of(some[: len(some) - cut] if cut < len(some) else some) in {"ascii", "utf-8"}


@pytest.mark.parametrize(
    ("head", "format"),
    [
        (b"phone\n", TableFormat.CSV),
        (b"PK\x03\x04rest", TableFormat.XLSX),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rest", TableFormat.XLS),
        ("phone\n1\n".encode("utf-16"), TableFormat.CSV),
    ],
)
def test_the_format_follows_from_the_content(head: bytes, format: TableFormat) -> None:
    assert format_of(head) is format


FOREIGN = [
    b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog >>\n",
    codecs.BOM_UTF8 + b"\r\n%PDF-1.7\n",
    b"{\\rtf1\\ansi 79160000001}",
    b'<?xml version="1.0"?>\n<a/>',
    b"<!DOCTYPE html>\n<p>1;2</p>",
    b"<HTML><td>79160000001",
    b"\x89PNG\r\n\x1a\n",
    b"\xff\xd8\xff\xe0AB",
]


@pytest.mark.parametrize(
    "head", [b"", b"%PDF-1.7\x00\x01\x02", b"\x7fELF\x01\x01\x01\x00", b"GIF89a\x01\x00\x00\x01", *FOREIGN]
)
def test_what_is_no_table_is_refused(head: bytes) -> None:
    with pytest.raises(NotATable):
        format_of(head)


@pytest.mark.parametrize(
    ("lines", "delimiter"),
    [
        (["phone;name", "1;a", "2;b, c"], ";"),
        (["phone,name", "1,a"], ","),
        (["phone\tname", "1\ta"], "\t"),
        (["phone|name", "1|a"], "|"),
        (["phone", "1", "2"], ","),
        (["sep=|", "phone|name"], "|"),
        (['"a,b,c";d', "1;2"], ";"),
        (["", " ", "phone;name"], ";"),
        ([], ","),
    ],
)
def test_the_delimiter_is_the_mark_found_most_evenly(lines: list[str], delimiter: str) -> None:
    assert delimiter_of(lines) == delimiter


@pytest.mark.parametrize(
    ("first", "columns", "has_heading"),
    [
        (["Phone Number", "name"], {"phone_number": 0}, True),
        (["имя", "Телефон", "geo_id", "Provider"], {"phone_number": 1, "provider_id": 3, "geo_id": 2}, True),
        (["Ivan", "+7 (916) 000-00-01"], {"phone_number": 1}, False),
        (["89160000001"], {"phone_number": 0}, False),
        (["whatever"], {"phone_number": 0}, True),
        (["79160000001.0", "x"], {"phone_number": 0}, False),
        (['="79160000001"', "x"], {"phone_number": 0}, False),
    ],
)
def test_known_headings_and_cells_like_phones_decide(
    first: list[str], columns: dict[str, int], has_heading: bool
) -> None:
    assert columns_of(first, {}) == (columns, has_heading)


def test_a_mapping_names_a_column_by_heading_or_number() -> None:
    first = ["A", "Рабочий  телефон", "Оператор"]
    mapped = {"phone_number": "рабочий телефон", "provider_id": 3}
    assert columns_of(first, mapped) == ({"phone_number": 1, "provider_id": 2}, True)
    assert columns_of(["a", "79160000001"], {"phone_number": 2}) == ({"phone_number": 1}, False)


@pytest.mark.parametrize(
    ("first", "mapping", "why"),
    [
        (["a", "b"], {}, "no heading says"),
        (["a", "b"], {"phone_number": "c"}, "no column headed 'c'"),
        (["a", "a"], {"phone_number": "a"}, "several columns"),
        (["a", "b"], {"phone_number": 3}, "the table has 2"),
        (["phone", "b"], {"geo_id": "geo"}, "no column headed 'geo'"),
    ],
)
def test_a_column_that_is_not_there_is_named(first: list[str], mapping: dict[str, str | int], why: str) -> None:
    with pytest.raises(ColumnMissing) as refused:
        columns_of(first, mapping)
    assert why in str(refused.value.errors)


@pytest.mark.parametrize("start", FORMULA_STARTS)
def test_no_cell_begins_like_a_formula(start: str) -> None:
    assert safe_cell(start + "cmd|' /C calc'!A0").startswith("'")


@pytest.mark.parametrize("text", ["", "79160000001", "Юлия", "'=1"])
def test_other_cells_stay_as_they_are(text: str) -> None:
    assert safe_cell(text) == text


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (79161234567.0, "79161234567"),
        (0.5, "0.5"),
        ("0079161234567", "0079161234567"),
        (True, ""),
        (None, ""),
        (7, "7"),
    ],
)
def test_a_workbooks_cell_is_the_text_it_means(cell: object, text: str) -> None:
    assert workbook_text(cell) == text


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("79161234567.0", "79161234567"),
        ("79161234567,00", "79161234567"),
        ('="+79161234567"', "+79161234567"),
        ("'89161234567", "89161234567"),
        (" 8916 ", "8916"),
        ("0.5", "0.5"),
    ],
)
def test_what_spreadsheets_wrap_around_numbers_comes_off(cell: str, text: str) -> None:
    assert unwrapped(cell) == text


@pytest.mark.parametrize("text", ["7.9161E+10", "7,91612E+10", "8E10"])
def test_a_rounded_number_is_told(text: str) -> None:
    assert is_rounded(text)
    assert not looks_like_phone(text)
