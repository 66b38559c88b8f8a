"""PDF files, written object by object (ISO 32000-1, 7.5): the same objects give the same bytes."""

import zlib
from collections.abc import Iterable
from hashlib import blake2b

HEADER = b"%PDF-1.7\n%\xd0\x9e\xd0\xbf\n"
COMPRESSION = 1  # a page's text is two kilobytes: a better level costs twice the time for a tenth of the size


def text_string(text: str) -> bytes:
    """Return text as a PDF string in hexadecimal UTF-16, in which no character can mean anything else."""
    return b"<FEFF" + text.encode("utf-16-be", errors="replace").hex().encode() + b">"


def stream(content: bytes) -> bytes:
    """Return the body of a stream object that holds the content, deflated."""
    packed = zlib.compress(content, COMPRESSION)
    return b"<</Filter/FlateDecode/Length %d>>stream\n%b\nendstream" % (len(packed), packed)


class PdfFile:
    """A file in the making: objects in any order, then the table of where each one is."""

    def __init__(self) -> None:
        self._parts: list[bytes] = [HEADER]
        self._size = len(HEADER)
        self._places: dict[int, int] = {}

    def put(self, number: int, body: bytes) -> None:
        """Write the object of that number."""
        written = b"%d 0 obj\n%b\nendobj\n" % (number, body)
        self._places[number] = self._size
        self._parts.append(written)
        self._size += len(written)

    def close(self, root: int, about: int) -> bytes:
        """Write the cross-reference table and return the whole file; numbers never used are marked free."""
        last = max(self._places)
        lines = [b"0000000000 65535 f \n"]
        for number in range(1, last + 1):
            place = self._places.get(number)
            lines.append(b"0000000000 65535 f \n" if place is None else b"%010d 00000 n \n" % place)
        digest = fingerprint(self._parts)
        self._parts += [
            b"xref\n0 %d\n" % (last + 1),
            *lines,
            b"trailer\n<</Size %d/Root %d 0 R/Info %d 0 R/ID[<%b><%b>]>>\n" % (last + 1, root, about, digest, digest),
            b"startxref\n%d\n%%%%EOF\n" % self._size,
        ]
        return b"".join(self._parts)


def fingerprint(parts: Iterable[bytes]) -> bytes:
    """Return 32 hexadecimal letters that name a file by its content, in place of a moment or a random number."""
    digest = blake2b(digest_size=16)
    for part in parts:
        digest.update(part)
    return digest.hexdigest().encode()
