"""A template laid out once by typst: its fixed pages, the places for values, the letters they are written in."""

import io
import json
import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import typst
from pypdf import PageObject, PdfReader
from pypdf.generic import ArrayObject, ContentStream, DictionaryObject, IndirectObject, NameObject, StreamObject

from opora.adapters.pdf.files import stream
from opora.adapters.pdf.layout import Face, Form, FormPage, Slot

ALPHABET = "".join(
    letter
    for first, last in (("!", "~"), ("¡", "¬"), ("®", "ÿ"), ("А", "я"), ("Ё", "Ё"), ("ё", "ё"))
    for letter in map(chr, range(ord(first), ord(last) + 1))
) + "ІіӘәҒғҚқҢңӨөҰұҮүҺһ–—‘’‚“”„…№₽₸€"  # fmt: skip
"""Every letter that a value may have for its page to be stamped: ASCII, Western European, Russian, Kazakh, signs."""

MARKS = (b"BDC", b"BMC", b"EMC", b"DP", b"MP")
_LETTER = re.compile(rb"<([0-9A-Fa-f]{4})> <([0-9A-Fa-f]{4})>")


def read_form(compiler: typst.Compiler) -> Form:
    """Lay the template out and take the result apart; takes some tens of milliseconds, so once in a process."""
    inputs = {"alphabet": ALPHABET}
    compiled = compiler.compile(format="pdf", sys_inputs=inputs)
    reader = PdfReader(io.BytesIO(cast("bytes", compiled)))
    marked = json.loads(compiler.query("<opora>", field="value"))
    faces = {
        one["alphabet"]: read_face(reader.pages[one["page"] - 1], f"V{index}")
        for index, one in enumerate(mark for mark in marked if "alphabet" in mark)
    }
    return FormReader(reader, faces, marked).read()


class FormReader:
    """Takes a compiled form apart: what is drawn, what that needs, what the template said of its places."""

    def __init__(self, reader: PdfReader, faces: Mapping[str, Face], marked: list[dict[str, Any]]) -> None:
        self._reader = reader
        self._faces = faces
        self._marked = marked
        self._objects: dict[int, bytes] = {}
        self._next = int(cast("int", reader.trailer["/Size"]))

    def read(self) -> Form:
        """Return every page of every locale with what it needs."""
        starts = [(one["page"], one.get("locale")) for one in self._marked if "locale" in one or "alphabet" in one]
        pages: dict[str, tuple[FormPage, ...]] = {}
        needs: dict[str, frozenset[int]] = {}
        for (first, locale), (after, _) in pairwise(starts):
            if locale is not None:
                needed: set[int] = set()
                pages[locale] = tuple(self._page(number, needed) for number in range(first, after))
                needs[locale] = frozenset(needed)
        return Form(pages, needs, self._objects)

    def _page(self, number: int, needed: set[int]) -> FormPage:
        page = self._reader.pages[number - 1]
        height = float(page.mediabox.height)
        slots = tuple(self._slot(one, height) for one in self._marked if "name" in one and one["page"] == number)
        content = self._add(stream(without_marks(page)), needed)
        resources = DictionaryObject(cast("DictionaryObject", page["/Resources"]))
        fonts = DictionaryObject(cast("DictionaryObject", resources.get("/Font", DictionaryObject())))
        for face in self._faces.values():
            fonts[NameObject(f"/{face.resource}")] = IndirectObject(face.number, 0, self._reader)
        resources[NameObject("/Font")] = fonts
        for needed_number in references(resources, set()):
            needed.add(needed_number)
            self._objects[needed_number] = written(self._reader.get_object(needed_number))
        box = written(page["/MediaBox"])
        return FormPage(content, self._add(written(resources), needed), box, slots)

    def _add(self, body: bytes, needed: set[int]) -> int:
        number, self._next = self._next, self._next + 1
        self._objects[number] = body
        needed.add(number)
        return number

    def _slot(self, mark: Mapping[str, Any], height: float) -> Slot:
        colour = " ".join(f"{int(mark['fill'][at : at + 2], 16) / 255:.3g}" for at in (1, 3, 5))
        face = self._faces[mark["weight"]]
        place = {name: float(mark[name]) for name in ("x", "width", "size", "least")}
        return Slot(name=mark["name"], y=height - mark["y"], face=face, colour=colour, **place)


def read_face(page: PageObject, resource: str) -> Face:
    """Read the one font that an alphabet's page is written in."""
    fonts = cast("DictionaryObject", cast("DictionaryObject", page["/Resources"])["/Font"])
    (name,) = fonts
    font = cast("DictionaryObject", fonts[name])
    letters = cast("StreamObject", font["/ToUnicode"]).get_data()
    descendant = cast("DictionaryObject", cast("ArrayObject", font["/DescendantFonts"])[0].get_object())
    by_glyph = dict(glyph_widths(cast("ArrayObject", descendant["/W"])))
    codes: dict[int, str] = {}
    widths: dict[str, int] = {}
    for code, letter in _LETTER.findall(letters):
        codes[int(letter, 16)] = code.decode()
        widths[chr(int(letter, 16))] = by_glyph[int(code, 16)]
    return Face(resource, cast("IndirectObject", fonts.raw_get(name)).idnum, codes, widths, max(widths.values()))


def glyph_widths(array: ArrayObject) -> Iterator[tuple[int, int]]:
    """Yield the width of each glyph code from a W array, in both of its forms (ISO 32000-1, 9.7.4.3)."""
    items = iter(one.get_object() for one in array)
    for first in items:
        second = next(items)
        if isinstance(second, ArrayObject):
            yield from ((int(first) + index, round(float(width))) for index, width in enumerate(second))
        else:
            width = round(float(next(items)))
            yield from ((code, width) for code in range(int(first), int(second) + 1))


def without_marks(page: PageObject) -> bytes:
    """Return what a page draws without the marks that tie it to the structure tree, which stays behind."""
    content = ContentStream(page.get_contents(), page.pdf)
    content.operations = [one for one in content.operations if one[1] not in MARKS]
    return content.get_data()


def references(thing: object, seen: set[int]) -> set[int]:
    """Return the numbers of every object that a thing refers to, however far away."""
    if isinstance(thing, IndirectObject):
        if thing.idnum not in seen:
            seen.add(thing.idnum)
            references(thing.get_object(), seen)
    elif isinstance(thing, DictionaryObject):
        for key in thing:
            references(thing.raw_get(key), seen)
    elif isinstance(thing, ArrayObject):
        for one in list.__iter__(thing):
            references(one, seen)
    return seen


def written(thing: Any) -> bytes:
    """Return an object as it stands in a file."""
    out = io.BytesIO()
    thing.write_to_stream(out)
    return out.getvalue()


def open_template(folder: Path, fonts: Path) -> typst.Compiler:
    """Return a compiler that sees the template's folder, the shipped fonts and nothing else of the machine."""
    return typst.Compiler(
        folder / "sheet.typ",
        root=folder,
        font_paths=[fonts, folder],
        ignore_system_fonts=True,
    )
