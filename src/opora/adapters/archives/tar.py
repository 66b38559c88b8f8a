"""A compressed tar with a manifest of hashes at its end, so that an archive cut short has none."""

import io
import json
import os
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import IO, Any, Self

MANIFEST = "manifest.json"
MANIFEST_BYTES_MAX = 1 << 30
FORMAT = 1
CHUNK = 1 << 20
COMPRESSION = 1


class ArchiveBroken(Exception):
    """The archive is cut short, was altered, or is none."""


@dataclass(frozen=True, slots=True)
class Member:
    """One file of an archive."""

    size: int
    sha256: str


class ArchiveWriter:
    """Writes beside the archive's place, readable by this user alone; `finish` gives it its name."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.members: dict[str, Member] = {}
        self._part = path.with_name(path.name + ".part")

    def __enter__(self) -> Self:
        """Begin; raises FileExistsError where the archive, or one in the making, is there."""
        if self.path.exists():
            raise FileExistsError(f"{self.path} is there already")
        descriptor = os.open(self._part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        self._raw = os.fdopen(descriptor, "wb")
        self._tar = tarfile.open(fileobj=self._raw, mode="w:gz", compresslevel=COMPRESSION)
        return self

    def __exit__(self, *_: object) -> None:
        self._raw.close()
        self._part.unlink(missing_ok=True)

    def add(self, name: str, file: Path) -> Member:
        """Add a file under a name."""
        with file.open("rb") as source:
            reader = HashingReader(source)
            self._put(name, file.stat().st_size, reader)
        self.members[name] = Member(reader.size, reader.digest.hexdigest())
        return self.members[name]

    def finish(self, about: Mapping[str, Any]) -> None:
        """Write the manifest, make everything durable and give the archive its name."""
        members = {name: {"size": one.size, "sha256": one.sha256} for name, one in self.members.items()}
        told = json.dumps({"format": FORMAT, **about, "members": members}, indent=1, sort_keys=True).encode()
        self._put(MANIFEST, len(told), io.BytesIO(told))
        self._tar.close()
        self._raw.flush()
        os.fsync(self._raw.fileno())
        os.link(self._part, self.path)  # unlike a rename it fails where somebody was first
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _put(self, name: str, size: int, source: Any) -> None:
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode = size, 0o600
        self._tar.addfile(entry, source)


class HashingReader:
    """A file that is hashed and counted as it is read."""

    def __init__(self, source: IO[bytes]) -> None:
        self._source = source
        self.digest = sha256()
        self.size = 0

    def read(self, length: int = -1) -> bytes:
        """Read on."""
        some = self._source.read(length)
        self.digest.update(some)
        self.size += len(some)
        return some


@contextmanager
def opened(path: Path) -> Iterator[Iterator[tuple[str, IO[bytes]]]]:
    """Read an archive from its beginning: its members in order, each to be read before the next is asked for."""
    try:
        with tarfile.open(path, mode="r|gz") as tar:
            yield _members(tar)
    except (tarfile.TarError, EOFError, OSError) as fault:
        if isinstance(fault, FileNotFoundError | PermissionError):
            raise
        raise ArchiveBroken(f"{path} cannot be read: {fault}") from fault


def _members(tar: tarfile.TarFile) -> Iterator[tuple[str, IO[bytes]]]:
    for entry in tar:
        content = tar.extractfile(entry) if entry.isfile() else None
        if content is None:
            raise ArchiveBroken(f"{entry.name} is no file")
        yield entry.name, content


def verified(path: Path) -> dict[str, Any]:
    """Read a whole archive, compare every part with the manifest, and return that; raises ArchiveBroken."""
    found: dict[str, dict[str, object]] = {}
    manifest: dict[str, Any] | None = None
    with opened(path) as members:
        for name, content in members:
            if name == MANIFEST:
                manifest = _manifest(content.read(MANIFEST_BYTES_MAX))
                continue
            reader = HashingReader(content)
            while reader.read(CHUNK):
                continue
            if name in found:
                raise ArchiveBroken(f"{name} is in it twice")
            found[name] = {"size": reader.size, "sha256": reader.digest.hexdigest()}
    if manifest is None:
        raise ArchiveBroken(f"{path} was cut short: it has no manifest")
    if manifest["members"] != found:
        differing = sorted(
            name for name in {*manifest["members"], *found} if manifest["members"].get(name) != found.get(name)
        )
        raise ArchiveBroken(f"{differing[0]} is not what the manifest says")
    return manifest


def _manifest(text: bytes) -> dict[str, Any]:
    try:
        told = json.loads(text)
    except ValueError as fault:
        raise ArchiveBroken("its manifest cannot be read") from fault
    if not isinstance(told, dict) or told.get("format") != FORMAT or not isinstance(told.get("members"), dict):
        raise ArchiveBroken("its manifest is of another format than this release reads")
    return told
