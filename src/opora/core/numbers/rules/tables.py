"""How a table is understood: its encoding, its delimiter, and which column holds what."""

import codecs
import re
from collections import Counter
from collections.abc import Mapping, Sequence

from opora.core.numbers.errors.tables import ColumnMissing, NotATable
from opora.core.numbers.model.tables import Field, TableFormat

DELIMITERS = (";", ",", "\t", "|")
BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
ZIP, COMPOUND = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
FOREIGN = (
    b"%pdf-",
    b"{\\rtf",
    b"<?xml",
    b"<!doctype",
    b"<html",
    b"\x89png\r\n\x1a\n",
    b"\xff\xd8\xff",
    b"gif87a",
    b"gif89a",
    b"%!ps",
    b"rar!\x1a\x07",
    b"7z\xbc\xaf\x27\x1c",
    b"\x1f\x8b",
)
"""How files begin that are no tables, in small letters: some of them would pass for text."""
UNPRINTED = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
PHONE_HEADINGS = """
    phone phone_number phonenumber phone_no number tel telephone mobile mobile_phone cell msisdn contact_phone
    телефон номер номер_телефона тел мобильный мобильный_телефон сотовый телефон_клиента контактный_телефон
"""
HEADINGS: Mapping[Field, frozenset[str]] = {
    Field.PHONE_NUMBER: frozenset(PHONE_HEADINGS.split()),
    Field.PROVIDER_ID: frozenset(["provider_id", "provider", "поставщик", "id_поставщика"]),
    Field.GEO_ID: frozenset(["geo_id", "geo", "гео", "id_гео"]),
}
_WORDS = re.compile(r"[\W_]+")
_PHONE_LIKE = re.compile(r"['\"=]*\+?[\d\s().-]{7,}(?:[.,]0)?\"?")
DIGITS_MIN = 7
SAMPLE_LINES = 20


def format_of(head: bytes) -> TableFormat:
    """Tell by its first bytes how a table is written; raises NotATable for what is none. Names are not asked."""
    if head.startswith(ZIP):
        return TableFormat.XLSX
    if head.startswith(COMPOUND):
        return TableFormat.XLS
    if not head:
        raise NotATable("The file is empty.")
    if begun(head).startswith(FOREIGN):
        raise NotATable("The file is of another kind: neither a text with columns nor a workbook.")
    if encoding_of(head).startswith("utf-16"):
        return TableFormat.CSV
    if UNPRINTED.search(head):
        raise NotATable("The file is neither a text with columns nor a workbook.")
    return TableFormat.CSV


def begun(head: bytes) -> bytes:
    """Return the beginning of a file as kinds are told by it: in small letters, without a mark or space before it."""
    return head[:64].removeprefix(codecs.BOM_UTF8).lstrip().lower()


def encoding_of(some: bytes) -> str:
    """Return the encoding of a text by its first bytes; "ascii" while every byte could be of any.

    A mark at the start decides; a NUL at every other place means UTF-16; what is UTF-8 throughout is that, but for a
    letter cut off at the end; anything else is Windows-1251.
    """
    for mark, name in BOMS:
        if some.startswith(mark):
            return name
    if b"\x00" in some:
        halves = some[: len(some) // 2 * 2]
        even, odd = halves[::2].count(0), halves[1::2].count(0)
        if max(even, odd) * 2 > len(halves) // 2 and min(even, odd) * 8 <= max(even, odd):
            return "utf-16-le" if odd > even else "utf-16-be"
    if some.isascii():
        return "ascii"
    try:
        codecs.getincrementaldecoder("utf-8")().decode(some)
    except UnicodeDecodeError:
        return "cp1251"
    return "utf-8"


def delimiter_of(lines: Sequence[str]) -> str:
    """Return what stands between the cells: the mark found most evenly in the first lines; a comma where there is none.

    Marks in quotes do not count. A first line `sep=;`, as Excel writes it, decides by itself.
    """
    if lines and lines[0].lower().startswith("sep=") and len(lines[0]) == len("sep=;"):
        return lines[0][-1]
    bare = [re.sub(r'"[^"]*"?', "", line) for line in lines[:SAMPLE_LINES] if line.strip()]
    if not bare:
        return ","

    def evenness(mark: str) -> tuple[int, int]:
        counts = [line.count(mark) for line in bare]
        first = counts[0]
        return (sum(count == first for count in counts) if first else 0, first)

    best = max(DELIMITERS, key=evenness)
    return best if evenness(best)[0] else ","


def heading_key(text: str) -> str:
    """Return a heading as it is compared: small letters and digits, words joined by `_`."""
    return _WORDS.sub("_", text.strip().casefold()).strip("_")


def looks_like_phone(cell: str) -> bool:
    """Tell whether a cell could hold a number rather than a heading."""
    return sum(map(str.isdigit, cell)) >= DIGITS_MIN and _PHONE_LIKE.fullmatch(cell.strip()) is not None


def columns_of(first: Sequence[str], mapping: Mapping[str, str | int]) -> tuple[dict[str, int], bool]:
    """Return where each field stands (from 0) and whether the first row is a heading; raises ColumnMissing.

    What `mapping` names must be there. Without it a known heading decides, and in a table without headings the first
    cell that looks like a phone number.
    """
    has_heading = not any(looks_like_phone(cell) for cell in first)
    keys = [heading_key(cell) for cell in first] if has_heading else []
    found: dict[str, int] = {}
    for name in Field:
        if name in mapping:
            found[name] = _mapped(name, mapping[name], keys, len(first))
        else:
            known = [place for place, key in enumerate(keys) if key in HEADINGS[name]]
            if known:
                found[name] = known[0]
    if Field.PHONE_NUMBER not in found and not has_heading:
        found[Field.PHONE_NUMBER] = next(place for place, cell in enumerate(first) if looks_like_phone(cell))
    if Field.PHONE_NUMBER not in found and len(first) == 1:
        found[Field.PHONE_NUMBER] = 0
    if Field.PHONE_NUMBER not in found:
        raise _missing(Field.PHONE_NUMBER, "no heading says that it holds phone numbers", first)
    return found, has_heading


def _mapped(name: Field, wanted: str | int, keys: Sequence[str], width: int) -> int:
    if isinstance(wanted, int):
        if not 1 <= wanted <= width:
            raise _missing(name, f"there is no column {wanted}, the table has {width}", keys)
        return wanted - 1
    counted = Counter(keys)
    key = heading_key(wanted)
    if not counted[key]:
        raise _missing(name, f"there is no column headed {wanted!r}", keys)
    if counted[key] > 1:
        raise _missing(name, f"several columns are headed {wanted!r}: name it by its number", keys)
    return keys.index(key)


def _missing(name: Field, why: str, headings: Sequence[str]) -> ColumnMissing:
    told = [heading[:64] for heading in headings[:50]]
    return ColumnMissing(errors={f"mapping.{name}": [why]}, columns=told)


FORMULA_STARTS = "=+-@\t\r"


def safe_cell(text: str) -> str:
    """Return a text that a spreadsheet shows as it is: what begins like a formula gets an apostrophe before it."""
    return "'" + text if text[:1] and text[0] in FORMULA_STARTS else text


def workbook_text(value: object) -> str:
    """Return a workbook's cell as text: a whole number without the fraction that it has there, text as it is."""
    if isinstance(value, bool) or value is None:
        return ""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    return str(value)


_ROUNDED = re.compile(r"\+?\d([.,]\d+)?[eE]\+?\d+")
_WHOLE = re.compile(r"(\+?\d+)[.,]0+")
_AS_TEXT = re.compile(r'=?"(.*)"|\'(.*)', re.DOTALL)


def is_rounded(text: str) -> bool:
    """Tell whether a spreadsheet has written a long number in short (`7.9161E+10`): its last digits are lost."""
    return _ROUNDED.fullmatch(text) is not None


def unwrapped(text: str) -> str:
    """Take off what spreadsheets put around numbers: `="…"`, an apostrophe, `.0` at the end."""
    text = text.strip()
    wrapped = _AS_TEXT.fullmatch(text)
    if wrapped is not None:
        text = (wrapped[1] if wrapped[1] is not None else wrapped[2]).strip()
    whole = _WHOLE.fullmatch(text)
    return whole[1] if whole else text
