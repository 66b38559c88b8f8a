"""Uploads wait on this machine: hashed, bounded, and leaving nothing behind."""

import errno
import os
import shutil
import time
from collections.abc import AsyncIterator, Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from opora.adapters.files.intake import FolderIntake
from opora.adapters.sandbox.signatures import EICAR, SignatureScanner
from opora.core.kernel.errors import BlobTooLarge, StorageUnavailable

pytestmark = pytest.mark.anyio


@pytest.fixture
def intake(tmp_path: Path) -> Iterator[FolderIntake]:
    made = FolderIntake(tmp_path / "intake")
    yield made
    made.close()


async def chunks(content: bytes, size: int = 100_000) -> AsyncIterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]


def files(tmp_path: Path) -> list[Path]:
    """Return every file that waits."""
    return [file for file in (tmp_path / "intake").rglob("*") if file.is_file()]


async def test_gives_back_what_came_in(intake: FolderIntake, tmp_path: Path) -> None:
    content = bytes(range(256)) * 4_000
    received = await intake.receive(chunks(content), len(content))
    assert (received.size, received.sha256) == (len(content), sha256(content).hexdigest())
    assert b"".join([some async for some in intake.content(received)]) == content
    (waiting,) = files(tmp_path)
    assert waiting.stat().st_mode & 0o077 == waiting.parent.stat().st_mode & 0o077 == 0
    await intake.discard(received)
    await intake.discard(received)
    assert files(tmp_path) == []


async def test_an_upload_that_outgrows_its_bound_leaves_nothing(intake: FolderIntake, tmp_path: Path) -> None:
    with pytest.raises(BlobTooLarge):
        await intake.receive(chunks(bytes(1_000_001)), 1_000_000)
    assert files(tmp_path) == []


async def test_an_upload_that_is_cut_off_leaves_nothing(intake: FolderIntake, tmp_path: Path) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield bytes(600_000)
        raise ConnectionError

    with pytest.raises(ConnectionError):
        await intake.receive(broken(), 1_000_000)
    assert files(tmp_path) == []


async def test_a_place_that_takes_no_file_is_storage_unavailable(tmp_path: Path) -> None:
    (tmp_path / "intake").write_text("no folder")
    intake = FolderIntake(tmp_path / "intake")
    with pytest.raises(StorageUnavailable):
        await intake.receive(chunks(b"x"), 10)
    intake.close()


async def test_what_a_crash_left_is_swept_and_what_the_living_wait_on_is_spared_whatever_its_age(
    intake: FolderIntake, tmp_path: Path
) -> None:
    crashed = FolderIntake(tmp_path / "intake")
    left, young, waiting = [await one.receive(chunks(b"x"), 10) for one in (crashed, crashed, intake)]
    crashed.close()
    day_ago = time.time() - 86_400
    for old in (left, waiting):
        os.utime(old.place, (day_ago, day_ago))
    assert await intake.sweep(3_600) == 1
    assert sorted(map(str, files(tmp_path))) == sorted([young.place, waiting.place])
    os.utime(young.place, (day_ago, day_ago))
    os.utime(Path(young.place).parent, (day_ago, day_ago))
    assert await intake.sweep(3_600) == 1
    assert [str(folder) for folder in (tmp_path / "intake").iterdir()] == [str(Path(waiting.place).parent)]


async def test_a_folder_that_somebody_removed_is_made_anew(intake: FolderIntake, tmp_path: Path) -> None:
    await intake.receive(chunks(b"x"), 10)
    shutil.rmtree(tmp_path / "intake")
    await intake.receive(chunks(b"x"), 10)
    assert len(files(tmp_path)) == 1


async def test_where_no_lock_is_to_be_had_age_alone_tells(
    intake: FolderIntake, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def unknown(descriptor: int, operation: int) -> None:
        raise OSError(errno.ENOLCK, "no locks")

    monkeypatch.setattr("opora.adapters.files.owners.fcntl.flock", unknown)
    old, _ = [await intake.receive(chunks(b"x"), 10) for _ in range(2)]
    os.utime(old.place, (1, 1))
    assert await intake.sweep(3_600) == 1
    assert len(files(tmp_path)) == 1


@pytest.mark.parametrize("size", [1, 7, 100, 10_000])
async def test_the_test_virus_is_found_wherever_it_is_cut(size: int) -> None:
    scanner = SignatureScanner()
    found = await scanner.scan(chunks(bytes(333) + EICAR + bytes(50), size))
    assert (found.is_clean, found.signature) == (False, "Eicar-Test-Signature")
    assert (await scanner.scan(chunks(bytes(333) + EICAR[:-1], size))).is_clean
