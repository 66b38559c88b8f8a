"""ZIP archives: whether there is one in a file, and whether one is safe to unpack."""

import mmap
import zipfile
from collections.abc import Iterator

from opora.adapters.sandbox.papers.faults import Faulty

END_OF_DIRECTORY = b"PK\x05\x06"
DIRECTORY_ENTRY = b"PK\x01\x02"
END_BYTES = 22
ZIP64 = 0xFFFFFFFF
"""What stands for a size that is told elsewhere."""
ENTRIES_MAX = 2_000
UNPACKED_MAX = 200 * 1024 * 1024
RATIO_MAX = 100
SMALL = 1024 * 1024
"""Parts up to this size may be packed as tightly as they please: empty styles are."""
CHUNK = 1024 * 1024


def has_archive(content: mmap.mmap) -> bool:
    """Tell whether an archive is in the file: a directory of parts, and what ends one right behind it."""
    at = content.find(END_OF_DIRECTORY)
    while at >= 0:
        size = int.from_bytes(content[at + 12 : at + 16], "little")
        start = at - size
        if size == ZIP64 or (size and start >= 0 and content[start : start + 4] == DIRECTORY_ENTRY):
            return True
        at = content.find(END_OF_DIRECTORY, at + 1)
    return False


def refuse_unsafe(content: mmap.mmap, archive: zipfile.ZipFile) -> None:
    """Raise Faulty unless the archive is the whole file and every name and size in it is sober."""
    entries = archive.infolist()
    if len(content) - content.rfind(END_OF_DIRECTORY) != END_BYTES or archive.comment:
        raise Faulty("polyglot", "Something stands behind the end of the archive.")
    if all(entry.header_offset for entry in entries):
        raise Faulty("polyglot", "Something stands before the archive.")
    if len(entries) > ENTRIES_MAX or sum(entry.file_size for entry in entries) > UNPACKED_MAX:
        raise Faulty("bomb", "The archive unpacks to too much.")
    names: set[str] = set()
    for entry in entries:
        if entry.flag_bits & 1:
            raise Faulty("encrypted", "The archive is encrypted.")
        if entry.file_size > SMALL and entry.file_size > RATIO_MAX * max(entry.compress_size, 1):
            raise Faulty("bomb", "The archive unpacks to too much.")
        if entry.filename.casefold() in names or is_astray(entry.filename):
            raise Faulty("damaged", "The archive has a name that leads astray.")
        names.add(entry.filename.casefold())


def is_astray(name: str) -> bool:
    """Tell whether a name leads out of the archive, or is one no program would give."""
    return name.startswith("/") or ".." in name.split("/") or "\\" in name or ":" in name or not name.isprintable()


def unpacked(archive: zipfile.ZipFile) -> Iterator[tuple[str, bytes]]:
    """Yield every part, chunk by chunk, checked against its sum; raises Faulty past the bound, whatever sizes say."""
    left = UNPACKED_MAX
    for entry in archive.infolist():
        with archive.open(entry) as part:
            while some := part.read(CHUNK):
                left -= len(some)
                if left < 0:
                    raise Faulty("bomb", "The archive unpacks to too much.")
                yield entry.filename, some
