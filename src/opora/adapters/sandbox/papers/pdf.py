"""PDF files: whole, readable without a password, one kind only."""

import io
import mmap
import re
from contextlib import suppress
from itertools import islice

from pypdf import PdfReader
from pypdf.errors import PyPdfError

from opora.adapters.sandbox.papers.archives import has_archive
from opora.adapters.sandbox.papers.faults import Faulty

MEDIA_TYPE = "application/pdf"
TAIL = 1024
END = b"%%EOF"
PAGES_READ_MAX = 50
HEADER = re.compile(rb"%PDF-[12]\.\d")
BLANK = b" \t\r\n\x00\x0c\x1a"


def read(content: mmap.mmap, text_max: int) -> dict[str, object]:
    """Return what a PDF holds; raises Faulty."""
    if HEADER.match(content) is None:
        raise Faulty("damaged", "The PDF names no version.")
    refuse_company(content)
    try:
        reader = PdfReader(io.BufferedReader(Window(content)))
        if reader.is_encrypted:
            raise Faulty("encrypted", "The PDF is encrypted.")
        pages = len(reader.pages)
        if pages == 0:
            raise Faulty("damaged", "The PDF has no page.")
        reader.pages[0].mediabox  # noqa: B018  # a page that cannot be reached at all shows here
    except (PyPdfError, RecursionError, ValueError, KeyError, TypeError, AttributeError, IndexError, OSError) as error:
        raise Faulty("damaged", "The PDF cannot be read.") from error
    return {"media_type": MEDIA_TYPE, "pages": pages, "text": text_of(reader, text_max)}


def refuse_company(content: mmap.mmap) -> None:
    """Raise Faulty unless the file ends where the PDF does and is no archive besides."""
    if has_archive(content):
        raise Faulty("polyglot", "The PDF is an archive too.")
    end = content.rfind(END)
    if end < 0:
        raise Faulty("damaged", "The PDF was cut off.")
    if content[end + len(END) :].strip(BLANK):
        kind = "polyglot" if len(content) - end > TAIL else "damaged"
        raise Faulty(kind, "Something stands behind the end of the PDF.")


def text_of(reader: PdfReader, text_max: int) -> str:
    """Return the beginning of the text; a page whose text cannot be read has none."""
    parts: list[str] = []
    left = text_max
    for page in islice(reader.pages, PAGES_READ_MAX):
        with suppress(Exception):  # the page count stands, and text is a courtesy
            parts.append(page.extract_text()[:left])
            left -= len(parts[-1])
        if left <= 0:
            break
    return sober("\n".join(parts))


def sober(text: str) -> str:
    """Return text without what no store keeps: NUL and halves of letters."""
    return text.replace("\x00", "").encode("utf-8", "ignore").decode("utf-8")


class Window(io.RawIOBase):
    """A file over mapped memory, so that nothing is read twice into it."""

    def __init__(self, content: mmap.mmap) -> None:
        self._content = content
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move, and return the place."""
        start = (0, self._at, len(self._content))[whence]
        if start + offset < 0:
            raise OSError("before the beginning")
        self._at = start + offset
        return self._at

    def readinto(self, buffer: object) -> int:
        """Fill a buffer and return how many bytes there were."""
        view = memoryview(buffer)  # type: ignore[arg-type]  # typeshed's name of it is not importable
        some = self._content[self._at : self._at + len(view)]
        view[: len(some)] = some
        self._at += len(some)
        return len(some)
