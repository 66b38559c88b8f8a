"""Pages that typst composed, taken out of its file to be put into another one."""

import io
import json
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, cast

import typst
from pypdf import PageObject, PdfReader
from pypdf.generic import ArrayObject, DictionaryObject, IndirectObject, StreamObject

from opora.adapters.pdf.forms import references, written
from opora.adapters.pdf.layout import FormPage, Graft, Sheet


def compose(compiler: typst.Compiler, sheets: Sequence[Sheet], first: int) -> Graft:
    """Lay out sheets whose values no form can take; the objects are numbered from `first` on.

    typst remembers some megabytes of each page for ten compilations, so give it few sheets at once.
    """
    data = json.dumps([{"locale": locale, "values": values} for locale, values in sheets])
    compiled = compiler.compile(format="pdf", sys_inputs={"sheets": data})
    reader = PdfReader(io.BytesIO(cast("bytes", compiled)))
    marked = json.loads(compiler.query("<opora>", field="value"))
    starts = [one["page"] for one in marked if "locale" in one]
    objects: dict[int, bytes] = {}
    pages = [graft_page(page, first, objects) for page in reader.pages]
    bounds = pairwise([*starts, len(pages) + 1])
    return Graft(tuple(tuple(pages[start - 1 : after - 1]) for start, after in bounds), objects)


def graft_page(page: PageObject, first: int, objects: dict[int, bytes]) -> FormPage:
    """Add what a page needs to the objects and return the page.

    Its structure tree stays behind; the marks that tie the drawing to it mean nothing without it, and taking them out
    would cost more than composing the page.
    """
    file = cast("PdfReader", page.pdf)
    drawing, resources = page.raw_get("/Contents"), page.raw_get("/Resources")
    for number in references(ArrayObject([drawing, resources]), set()):
        if first + number not in objects:
            objects[first + number] = written(shifted(file.get_object(number), first))
    return FormPage(first + drawing.idnum, first + resources.idnum, written(page["/MediaBox"]), ())


def shifted(thing: Any, first: int) -> Any:
    """Return a copy of an object in which every reference counts from `first`."""
    if isinstance(thing, IndirectObject):
        return IndirectObject(first + thing.idnum, 0, None)
    if isinstance(thing, ArrayObject):
        return ArrayObject(shifted(one, first) for one in list.__iter__(thing))
    if not isinstance(thing, DictionaryObject):
        return thing
    copy = StreamObject() if isinstance(thing, StreamObject) else DictionaryObject()
    for key in thing:
        copy[key] = shifted(thing.raw_get(key), first)
    if isinstance(copy, StreamObject):
        copy._data = cast("StreamObject", thing)._data  # still encoded, as its dictionary says
    return copy
