"""PNG and JPEG files: whole, of a sober size, nothing else behind their end."""

import mmap
import struct
import zlib

from opora.adapters.sandbox.papers.archives import has_archive
from opora.adapters.sandbox.papers.faults import Faulty

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
PIXELS_MAX = 200_000_000
CHUNK_MAX = 2**31 - 1
HEADER_BYTES = 13
MARKER = 0xFF
LENGTH_BYTES = 2
JPEG_END = b"\xff\xd9"
START_OF_SCAN = 0xDA
FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
BARE = frozenset(range(0xD0, 0xD9)) | {0x01}
BLANK = b"\x00 \r\n"


def read_png(content: mmap.mmap, _text_max: int) -> dict[str, object]:
    """Return what a PNG is; raises Faulty."""
    at = len(PNG_SIGNATURE)
    kinds: list[bytes] = []
    while at + 12 <= len(content):
        length, kind = struct.unpack(">I4s", content[at : at + 8])
        end = at + 12 + length
        if length > CHUNK_MAX or end > len(content):
            break
        if zlib.crc32(memoryview(content)[at + 4 : end - 4]) != int.from_bytes(content[end - 4 : end]):
            raise Faulty("damaged", "The PNG is damaged.")
        if not kinds and kind == b"IHDR" and length == HEADER_BYTES:
            refuse_vast(*struct.unpack(">II", content[at + 8 : at + 16]))
        kinds.append(kind)
        at = end
        if kind == b"IEND":
            break
    if kinds[:1] != [b"IHDR"] or kinds[-1:] != [b"IEND"] or b"IDAT" not in kinds:
        raise Faulty("damaged", "The PNG is damaged.")
    refuse_company(content, at)
    return {"media_type": "image/png", "pages": 1, "text": ""}


def read_jpeg(content: mmap.mmap, _text_max: int) -> dict[str, object]:
    """Return what a JPEG is; raises Faulty."""
    at, has_frame = 2, False
    while at + 4 <= len(content) and content[at] == MARKER:
        marker = content[at + 1]
        if marker == MARKER:
            at += 1
            continue
        if marker in BARE:
            at += 2
            continue
        length = int.from_bytes(content[at + 2 : at + 4])
        if length < LENGTH_BYTES or at + 2 + length > len(content):
            break
        if marker in FRAMES:
            refuse_vast(*struct.unpack(">HH", content[at + 5 : at + 9]))
            has_frame = True
        at += 2 + length
        if marker == START_OF_SCAN:
            end = content.rfind(JPEG_END, at)
            if not has_frame or end < 0:
                break
            refuse_company(content, end + len(JPEG_END))
            return {"media_type": "image/jpeg", "pages": 1, "text": ""}
    raise Faulty("damaged", "The JPEG is damaged.")


def refuse_vast(width: int, height: int) -> None:
    """Raise Faulty for a picture without extent, or with far too much."""
    if not width or not height:
        raise Faulty("damaged", "The picture has no extent.")
    if width * height > PIXELS_MAX:
        raise Faulty("bomb", "The picture has too many pixels.")


def refuse_company(content: mmap.mmap, end: int) -> None:
    """Raise Faulty where another file is in the picture's file."""
    if has_archive(content):
        raise Faulty("polyglot", "The picture is an archive too.")
    if content[end:].strip(BLANK):
        raise Faulty("polyglot", "Something stands behind the end of the picture.")
