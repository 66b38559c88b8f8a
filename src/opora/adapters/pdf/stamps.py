"""Values written onto a laid-out form: each page is its fixed drawing and one short text of its own."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from opora.adapters.pdf.files import PdfFile, stream, text_string
from opora.adapters.pdf.layout import FormPage, Slot
from opora.adapters.pdf.words import MISSING

PER_MILLE = 1000
CODE_LETTERS = 4
PAGES_A_NODE = 64

type Stamped = tuple[FormPage, bytes]
"""A fixed page and what is written on it; nothing where the page is whole by itself."""


@dataclass(frozen=True, slots=True)
class About:
    """What a file says of itself: its title and the language it is written in."""

    title: str
    language: str


def stamp(pages: Sequence[FormPage], values: Mapping[str, str]) -> list[Stamped] | None:
    """Return the pages of one profile, or None when a value has a strange letter or is too long for its line."""
    stamped: list[Stamped] = []
    for page in pages:
        lines: list[str] = []
        font = colour = ""
        for slot in page.slots:
            line = stamp_line(slot, values.get(slot.name, MISSING))
            if line is None:
                return None
            if slot.colour != colour:
                colour = slot.colour
                lines.append(f"{colour} rg")
            if line[0] != font:
                font = line[0]
                lines.append(font)
            lines.append(line[1])
        stamped.append((page, "\n".join(lines).encode("ascii")))
    return stamped


def stamp_line(slot: Slot, value: str) -> tuple[str, str] | None:
    """Return the font and the operators that write a value, smaller where it is long; None where it cannot be."""
    face = slot.face
    codes = value.translate(face.codes)
    if len(codes) != CODE_LETTERS * len(value):
        return None
    size = slot.size
    if len(value) * face.widest * size > slot.width * PER_MILLE:
        length = sum(map(face.widths.__getitem__, value))
        size = min(size, slot.width * PER_MILLE / max(length, 1))
        if size < slot.least:
            return None
    return f"/{face.resource} {size:.4g} Tf", f"BT {slot.x:.2f} {slot.y:.2f} Td <{codes}> Tj ET"


def write_file(objects: Mapping[int, bytes], stamped: Sequence[Stamped], about: About) -> bytes:
    """Return the file of those pages: the objects they share, and one or two small ones for each page."""
    file = PdfFile()
    for number in sorted(objects):
        file.put(number, objects[number])
    first_free = max(objects) + 1
    root, details, tree = range(first_free, first_free + 3)
    nodes = -(-len(stamped) // PAGES_A_NODE)
    first_page = tree + 1 + nodes
    for index, (page, content) in enumerate(stamped):
        number = first_page + 2 * index
        contents = (page.content, number + 1) if content else (page.content,)
        file.put(number, page_object(page, tree + 1 + index // PAGES_A_NODE, contents))
        if content:
            file.put(number + 1, stream(content))
    for node in range(nodes):
        within = range(node * PAGES_A_NODE, min(len(stamped), (node + 1) * PAGES_A_NODE))
        kids = listed(first_page + 2 * index for index in within)
        file.put(tree + 1 + node, b"<</Type/Pages/Parent %d 0 R/Count %d/Kids[%b]>>" % (tree, len(within), kids))
    kids = listed(tree + 1 + node for node in range(nodes))
    file.put(tree, b"<</Type/Pages/Count %d/Kids[%b]>>" % (len(stamped), kids))
    file.put(details, b"<</Title%b/Producer(Opora)/Creator(Opora)>>" % text_string(about.title))
    catalog = b"<</Type/Catalog/Pages %d 0 R/Lang%b/ViewerPreferences<</DisplayDocTitle true>>>>"
    file.put(root, catalog % (tree, text_string(about.language)))
    return file.close(root, details)


def page_object(page: FormPage, parent: int, contents: Iterable[int]) -> bytes:
    """Return a page: its fixed drawing, then its own text if it has any."""
    form = b"<</Type/Page/Parent %d 0 R/MediaBox%b/Resources %d 0 R/Contents[%b]>>"
    return form % (parent, page.box, page.resources, listed(contents))


def listed(numbers: Iterable[int]) -> bytes:
    """Return references to objects, as they stand in an array."""
    return b" ".join(b"%d 0 R" % number for number in numbers)
