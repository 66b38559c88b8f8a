"""The guide as the package holds it: one archive of pages, read an entry at a time, packed as it lies there."""

import os
import re
import struct
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

BUILT = Path(__file__).parent / "static" / "guide.zip"
INDEX = "index"
PAGE = ".html"
MEDIA_TYPES = {
    PAGE: "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
}
ASSETS = "assets/"
"""Names below it hold a digest of the content: what lies there never changes."""
LOCAL_HEADER_BYTES = 30
_GZIP_HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff"
_GZIP = re.compile(r"(?:^|,)\s*gzip\s*(?:;\s*q\s*=\s*(?!0(?:\.0*)?\s*(?:,|$))[\d.]+\s*)?(?=,|$)", re.IGNORECASE)


class NotBuilt(Exception):
    """There is no guide in this package."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of the guide: `tag` names its content."""

    name: str
    offset: int
    packed_bytes: int
    size_bytes: int
    crc: int

    @property
    def media_type(self) -> str:
        """What it is."""
        return MEDIA_TYPES[os.path.splitext(self.name)[1]]  # noqa: PTH122  # a name in an archive, no path

    @property
    def tag(self) -> str:
        """The name of its content, for validators."""
        return f"{self.crc:08x}{self.size_bytes:x}"

    @property
    def is_lasting(self) -> bool:
        """Whether another content would have another name."""
        return self.name.startswith(ASSETS)


class Guide:
    """Finds and reads what the archive holds; one that was built anew meanwhile is seen at the next look."""

    def __init__(self, file: Path = BUILT) -> None:
        self._file = file
        self._seen: tuple[int, int, int] | None = None
        self._entries: dict[str, Entry] = {}

    def find(self, address: str) -> Entry | None:
        """Return the file at an address below /guide, None where there is none; raises NotBuilt."""
        try:
            state = self._file.stat()
        except FileNotFoundError:
            raise NotBuilt from None
        seen = (state.st_ino, state.st_mtime_ns, state.st_size)
        if seen != self._seen:
            self._entries = _entries(self._file)
            self._seen = seen
        return self._entries.get(address)

    def read(self, entry: Entry, *, packed: bool) -> bytes:
        """Return the content of a file, as gzip where that is wanted: the archive's own bytes in another frame."""
        with self._file.open("rb") as archive:
            archive.seek(entry.offset)
            name_bytes, extra_bytes = struct.unpack("<26xHH", archive.read(LOCAL_HEADER_BYTES))
            archive.seek(name_bytes + extra_bytes, os.SEEK_CUR)
            content = archive.read(entry.packed_bytes)
        if packed:
            return _GZIP_HEAD + content + struct.pack("<LL", entry.crc, entry.size_bytes)
        return zlib.decompress(content, -zlib.MAX_WBITS, entry.size_bytes)


def takes_gzip(accepted: str) -> bool:
    """Tell whether an Accept-Encoding header takes gzip."""
    return _GZIP.search(accepted) is not None


def _entries(file: Path) -> dict[str, Entry]:
    """Return the table of an archive by address: pages without their ending, the first one as nothing."""
    with zipfile.ZipFile(file) as archive:
        found = archive.infolist()
    entries = {}
    for one in found:
        entry = Entry(one.filename, one.header_offset, one.compress_size, one.file_size, one.CRC)
        address = one.filename.removesuffix(PAGE)
        entries["" if address == INDEX else address] = entry
    return entries
