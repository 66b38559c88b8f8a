"""Files that are sent, and files that are received a piece at a time."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import BinaryIO, Self

import httpx
from msgspec import Struct


class Upload(Struct, frozen=True):
    """A file to send."""

    name: str
    content: bytes
    media_type: str = "application/octet-stream"

    @classmethod
    def of(cls, path: str | PathLike[str], media_type: str = "application/octet-stream") -> Self:
        """Read a file of this machine."""
        return cls(Path(path).name, Path(path).read_bytes(), media_type)


@dataclass(frozen=True, slots=True)
class Download:
    """A file that was received whole."""

    path: Path
    size_bytes: int
    media_type: str
    etag: str | None


class Receiving:
    """A file on its way: kept beside its name until it is whole, and continued where a connection broke."""

    def __init__(self, to: str | PathLike[str]) -> None:
        self.path = Path(to)
        self._part = self.path.with_name(f"{self.path.name}.part")
        self._file: BinaryIO | None = None
        self._headers: Mapping[str, str] = {}
        self.had_bytes = 0

    def wanted(self) -> dict[str, str]:
        """Give the headers of the next request: the rest of the same file, if its start is here."""
        headers = {"Accept": "*/*", "Accept-Encoding": "identity"}
        if self.had_bytes and "etag" in self._headers:
            headers |= {"Range": f"bytes={self.had_bytes}-", "If-Range": self._headers["etag"]}
        return headers

    def begin(self, response: httpx.Response) -> None:
        """Take an answer: the rest is added, a whole file starts again."""
        if self._file is None:
            self._file = self._part.open("wb")
        elif response.status_code != httpx.codes.PARTIAL_CONTENT:
            self._file.seek(0)
            self._file.truncate()
            self.had_bytes = 0
        self._headers = response.headers

    def take(self, piece: bytes) -> None:
        """Keep a piece."""
        if self._file is None:
            raise RuntimeError("begin() comes first")
        self._file.write(piece)
        self.had_bytes += len(piece)

    def end(self) -> Download:
        """Put the whole file under its name."""
        self.close()
        os.replace(self._part, self.path)  # noqa: PTH105 - the whole file appears at once, over an older one as well
        return Download(self.path, self.had_bytes, self._headers.get("content-type", ""), self._headers.get("etag"))

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()

    def drop(self) -> None:
        """Leave nothing of a file that did not come whole."""
        self.close()
        self._part.unlink(missing_ok=True)
