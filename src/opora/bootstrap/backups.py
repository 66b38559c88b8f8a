"""Backups of the embedded set-up: rows, files and secrets of one moment in one verified archive, and the way back."""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import IO, Any

import opora
from opora.adapters.archives.tar import CHUNK, ArchiveBroken, ArchiveWriter, opened, verified
from opora.adapters.sql.kept_files import KeptFile, kept_files
from opora.adapters.sql.revisions import current, newest
from opora.adapters.sql.snapshot import check_file, take_snapshot
from opora.adapters.sql.sqlite import SqliteConnection, SqliteDatabase
from opora.bootstrap.secrets import FILE_NAME, fingerprint, given_beside_root
from opora.bootstrap.settings import Settings
from opora.bootstrap.storage import blobs_of
from opora.core.kernel.errors import NoSuchBlob
from opora.core.kernel.model import BlobName
from opora.core.kernel.ports import BlobStore

DATABASE = "opora.db"
FILES = "files/"
SNAPSHOTS_MAX = 3
"""A file that the snapshot names and that is gone was removed meanwhile: then a newer snapshot does not name it."""

type Progress = Callable[[int, int], None]


class BackupRefused(Exception):
    """No backup is made, or none restored; nothing was changed. `following` is the step that comes next."""

    def __init__(self, message: str, following: str) -> None:
        super().__init__(message)
        self.following = following


@dataclass(frozen=True, slots=True)
class BackedUp:
    """What an archive holds; `missing` names records whose files were not there, or not as the rows say."""

    revision: str
    files: int
    bytes: int
    with_secrets: bool
    missing: Sequence[str]


def back_up(settings: Settings, path: Path, *, with_secrets: bool, progress: Progress) -> BackedUp:
    """Write an archive of the installation as it stands, while it serves, and read it back before it counts.

    Rows first, then the files that those rows name: a file is never changed under its name, so that both are of the
    snapshot's moment. Raises BackupRefused, FileExistsError.
    """
    if not settings.embedded:
        raise BackupRefused("this is for SQLite", "docs/operations.md, Backing up, has PostgreSQL's way")
    if not Path(settings.sqlite_path).is_file():
        raise BackupRefused(f"there is no database at {settings.sqlite_path}", "Check OPORA_HOME")
    place, kept = path.absolute(), Path(settings.home) / FILE_NAME
    is_kept = with_secrets and kept.is_file()
    with (
        tempfile.TemporaryDirectory(dir=place.parent, prefix=".opora-backup-") as folder,
        ArchiveWriter(place) as archive,
    ):
        taken = asyncio.run(_taken(settings, Path(folder), archive, progress))
        if is_kept:
            archive.add(FILE_NAME, kept)
        archive.finish(
            {
                "opora": opora.__version__,
                "revision": taken.revision,
                "made_at": datetime.now(UTC).isoformat(),
                "root": fingerprint(settings) if settings.secret_key else "",
                "given": given_beside_root(settings),
                "missing": list(taken.missing),
            }
        )
    try:
        verified(place)
    except ArchiveBroken:
        place.unlink()
        raise
    return replace(taken, bytes=place.stat().st_size, with_secrets=is_kept)


async def _taken(settings: Settings, folder: Path, archive: ArchiveWriter, progress: Progress) -> BackedUp:
    """Put a snapshot and all its files into the archive; a newer snapshot where files went meanwhile."""
    blobs = blobs_of(settings)
    fetched: set[BlobName] = set()
    for turn in range(1, SNAPSHOTS_MAX + 1):
        snapshot = folder / f"{turn}.db"
        take_snapshot(Path(settings.sqlite_path), snapshot, progress)
        revision, wanted = await _read(snapshot)
        missing = []
        for done, one in enumerate(wanted, start=1):
            if one.name not in fetched:
                if await _fetched(blobs, one, folder / "file", archive):
                    fetched.add(one.name)
                else:
                    missing.append(one.record)
            progress(done, len(wanted))
        if not missing or turn == SNAPSHOTS_MAX:
            archive.add(DATABASE, snapshot)
            return BackedUp(revision, len(fetched), 0, with_secrets=False, missing=missing)
        snapshot.unlink()
    raise AssertionError("the last turn returns")


async def _read(snapshot: Path) -> tuple[str, list[KeptFile]]:
    """Return a snapshot's revision, and the files that it names."""
    driver = SqliteDatabase(snapshot).connect(read_only=True)
    try:
        connection = SqliteConnection(driver)
        revision = await current(connection)
        if revision is None:
            raise BackupRefused("the database was never migrated", "`opora db upgrade`")
        return revision, [one async for page in kept_files(connection) for one in page]
    finally:
        driver.close()


async def _fetched(blobs: BlobStore, wanted: KeptFile, place: Path, archive: ArchiveWriter) -> bool:
    """Put one file into the archive; False where it is not there, or not what its row says."""
    digest, size = sha256(), 0
    try:
        with place.open("wb") as target:
            async for some in await blobs.open(wanted.name):
                digest.update(some)
                size += len(some)
                target.write(some)
    except NoSuchBlob:
        return False
    if wanted.size not in (None, size) or wanted.sha256 not in (None, digest.hexdigest()):
        return False
    archive.add(f"{FILES}{wanted.name}", place)
    return True


@dataclass(frozen=True, slots=True)
class Restored:
    """What was restored: `needs` are the steps before it may serve."""

    revision: str
    made_at: str
    files: int
    needs: Sequence[str]


def restore(settings: Settings, path: Path, progress: Progress) -> Restored:
    """Put an archive's installation into an empty home, the database last, so that a restore cut off may be repeated.

    Raises ArchiveBroken, BackupRefused.
    """
    manifest = verified(path)
    database = Path(settings.sqlite_path)
    _refuse(settings, manifest, database)
    blobs, members = blobs_of(settings), manifest["members"]
    database.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = database.with_name(f".{database.name}.restoring")
    with opened(path) as parts, asyncio.Runner() as runner:
        for done, (name, content) in enumerate(parts, start=1):
            if name.startswith(FILES):
                known = members[name]
                blob_name = BlobName.parse(name.removeprefix(FILES))
                blob = runner.run(blobs.put(blob_name, _chunks(content), known["size"]))
                if blob.sha256 != known["sha256"]:
                    raise ArchiveBroken(f"{name} arrived altered")
            elif name == FILE_NAME:
                _write(Path(settings.home) / FILE_NAME, content)
            elif name == DATABASE:
                _write(draft, content)
            progress(done, len(members) + 1)
    check_file(draft)
    draft.rename(database)
    files = sum(name.startswith(FILES) for name in members)
    return Restored(manifest["revision"], manifest["made_at"], files, _needs(settings, manifest))


def _refuse(settings: Settings, manifest: dict[str, Any], database: Path) -> None:
    """Raise BackupRefused where an installation stands already, or the archive does not fit this one."""
    if not settings.embedded:
        raise BackupRefused("this is for SQLite", "docs/operations.md, Backing up, has PostgreSQL's way")
    for there in (database, database.with_name(database.name + "-wal")):
        if there.exists():
            raise BackupRefused(f"{there} is there already", "Name an empty folder in OPORA_HOME, or move it away")
    if manifest["revision"] > newest():
        raise BackupRefused(
            f"the archive's schema is at {manifest['revision']}, later than this release's",
            f"Install opora {manifest['opora']} or newer",
        )
    if DATABASE not in manifest["members"]:
        raise BackupRefused("the archive holds no database", "Is it one of `opora backup`?")
    if settings.secret_key and manifest["root"] and fingerprint(settings) != manifest["root"]:
        raise BackupRefused(
            "the root secret here is another than the archive's: no key, token or sealed column would open",
            f"Take OPORA_SECRET_KEY, or {FILE_NAME} under OPORA_HOME, away, or give the archive's",
        )


def _needs(settings: Settings, manifest: dict[str, Any]) -> list[str]:
    """Say what is to be done before the restored installation serves."""
    needs = []
    if manifest["root"] and not settings.secret_key and FILE_NAME not in manifest["members"]:
        needs.append("Give the secret it was made with, in OPORA_SECRET_KEY: the archive holds none")
    lacking = sorted(set(manifest.get("given", ())) - set(given_beside_root(settings)))
    if lacking:
        needs.append(f"Give {', '.join(lacking)} as where it was made: what they lock does not open without them")
    if manifest["revision"] < newest():
        needs.append("`opora db upgrade`")
    needs.append("`opora check`")
    return needs


def _write(place: Path, content: IO[bytes]) -> None:
    """Write a file for this user's eyes alone, durably; what a restore that was cut off left goes first."""
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    place.unlink(missing_ok=True)
    with os.fdopen(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as target:
        while some := content.read(CHUNK):
            target.write(some)
        target.flush()
        os.fsync(target.fileno())


async def _chunks(content: IO[bytes]) -> AsyncIterator[bytes]:
    while some := content.read(CHUNK):
        yield some
