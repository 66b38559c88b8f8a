"""DOCX files: an archive whose main part is a Word document without macros and without leads to elsewhere."""

import io
import mmap
import re
import zipfile
import zlib
from html import unescape
from xml.etree import ElementTree

from opora.adapters.sandbox.papers.archives import refuse_unsafe, unpacked
from opora.adapters.sandbox.papers.faults import Faulty
from opora.adapters.sandbox.papers.pdf import Window, sober

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
MAIN = MEDIA_TYPE + ".main+xml"
TYPES = "[Content_Types].xml"
PROPERTIES = "docProps/app.xml"
PART_MAX = 64 * 1024 * 1024
ACTIVE_TYPES = ("macroenabled", "vbaproject", "activex")
ACTIVE_NAMES = re.compile(r"(^|/)(vba(project|data)[^/]*|activex/.*)$", re.IGNORECASE)
DOCTYPE = re.compile(rb"<!\s*(DOCTYPE|ENTITY)", re.IGNORECASE)
RELATIONSHIP = re.compile(rb"<[^<>]*\bTargetMode\s*=\s*[\"']External[\"'][^<>]*>", re.IGNORECASE)
LOADED = re.compile(
    rb"/(attachedTemplate|oleObject|frame|subDocument|externalLink|mailMergeSource)[\"']", re.IGNORECASE
)
TEXT = re.compile(r"<w:t(?: [^<>]*)?>([^<]*)</w:t>|(</w:p>)")
PAGES = re.compile(rb"<(?:\w+:)?Pages>(\d{1,6})</")


def read(content: mmap.mmap, text_max: int) -> dict[str, object]:
    """Return what a DOCX holds; raises Faulty."""
    try:
        with zipfile.ZipFile(io.BufferedReader(Window(content))) as archive:
            refuse_unsafe(content, archive)
            main = main_part(archive)
            for name in archive.namelist():
                if ACTIVE_NAMES.search(name):
                    raise Faulty("macros", "The document carries active content.")
            parts = gathered(archive, main)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, ValueError, KeyError) as error:
        raise Faulty("damaged", "The archive cannot be read.") from error
    found = PAGES.search(parts.get(PROPERTIES, b""))
    text = text_of(parts[main], text_max)
    return {"media_type": MEDIA_TYPE, "pages": int(found[1]) if found else None, "text": text}


def main_part(archive: zipfile.ZipFile) -> str:
    """Return the name of the main part; raises Faulty for an archive that is no Word document, or has macros."""
    names = set(archive.namelist())
    if TYPES not in names or archive.getinfo(TYPES).file_size > PART_MAX:
        raise Faulty("unsupported", "The archive is no Word document.")
    listed = archive.read(TYPES)
    if DOCTYPE.search(listed):
        raise Faulty("damaged", "The document declares entities.")
    try:
        rows = list(ElementTree.fromstring(listed))  # noqa: S314  # entities are refused above
    except ElementTree.ParseError as error:
        raise Faulty("damaged", "The list of the document's parts cannot be read.") from error
    types = [row.get("ContentType", "").casefold() for row in rows]
    if any(word in one for one in types for word in ACTIVE_TYPES):
        raise Faulty("macros", "The document carries macros.")
    for row in rows:
        part = row.get("PartName", "").removeprefix("/")
        if row.get("ContentType") == MAIN and part in names:
            return part
    raise Faulty("unsupported", "The archive is no Word document.")


def gathered(archive: zipfile.ZipFile, main: str) -> dict[str, bytes]:
    """Unpack everything once, keep the parts that are looked into; raises Faulty for what leads elsewhere."""
    kept: dict[str, bytearray] = {}
    for name, some in unpacked(archive):
        if name in {main, PROPERTIES} or name.endswith(".rels"):
            kept.setdefault(name, bytearray()).extend(some)
            if len(kept[name]) > PART_MAX:
                raise Faulty("bomb", "A part of the document is too large.")
    parts = {name: bytes(part) for name, part in kept.items()}
    for name, part in parts.items():
        if DOCTYPE.search(part):
            raise Faulty("damaged", "The document declares entities.")
        if name.endswith(".rels") and any(LOADED.search(one) for one in RELATIONSHIP.findall(part)):
            raise Faulty("macros", "The document loads content from elsewhere.")
    if main not in parts:
        raise Faulty("damaged", "The document's main part is empty.")
    return parts


def text_of(part: bytes, text_max: int) -> str:
    """Return the beginning of the document's text."""
    words: list[str] = []
    size = 0
    for found in TEXT.finditer(part.decode("utf-8", "replace")):
        words.append("\n" if found[2] else unescape(found[1]))
        size += len(words[-1])
        if size >= text_max:
            break
    return sober("".join(words)[:text_max])
