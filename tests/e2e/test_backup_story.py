"""A backup taken while people write comes up elsewhere, whole, with everything that was acknowledged before it."""

import asyncio
import itertools
import json
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from e2e.bank import Person
from e2e.conftest import Setup
from e2e.running import Installation
from opora.adapters.sql.connection import Database
from opora.adapters.sql.postgres import PostgresDatabase
from opora.adapters.sql.sqlite import SqliteDatabase
from opora.testing.papers import a_pdf
from servers.maintenance import Maintenance
from servers.plugin import fresh_name

WRITTEN_BEFORE = 6


@dataclass(slots=True)
class Writing:
    """What was acknowledged so far, each thing after its answer had come."""

    papers: list[int] = field(default_factory=list)
    profiles: list[int] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    more: threading.Condition = field(default_factory=threading.Condition)

    def wait_for(self, count: int) -> None:
        """Wait until so many papers were taken since the beginning."""
        with self.more:
            assert self.more.wait_for(lambda: len(self.papers) >= count or self.faults, timeout=60), self.papers
        assert self.faults == []


@contextmanager
def writers(setup: Setup) -> Iterator[Writing]:
    """Send papers, take some back and make profiles until the block is left."""
    done, over = Writing(), threading.Event()
    client = Person(setup, "writer@example.org", "client")
    maker = setup.client(str(setup.key("profiles:read", "profiles:write")["key"]))

    def send() -> None:
        try:
            for number in itertools.count():
                if over.is_set():
                    return
                said = {"description": f"Paper {number}", "category": "Договоры"}
                sent = client.call(
                    "POST", "/v1/dbo/documents", data=said, files={"file": ("a.pdf", a_pdf(f"Paper {number}"))}
                )
                assert sent.status_code == 201, sent.text
                id = sent.json()["id"]
                if number % 4 == 3:
                    assert client.call("DELETE", f"/v1/dbo/documents/{id}").status_code == 200
                made = maker.call("POST", "/api/v1/profiles/generate", json={"count": 3, "persist": True})
                assert made.status_code == 201, made.text
                with done.more:
                    done.papers += [] if number % 4 == 3 else [id]
                    done.profiles += [one["id"] for one in made.json()["profiles"]]
                    done.more.notify_all()
        except (AssertionError, httpx.HTTPError, KeyError) as fault:
            with done.more:
                done.faults.append(repr(fault))
                done.more.notify_all()

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield done
    finally:
        over.set()
        thread.join(60)


def held(installation: Installation, before: Writing) -> None:
    """Assert that a restored installation is whole and lacks nothing of what was acknowledged."""
    found = installation.command("check", "--all-files", "--json")
    assert [one for one in json.loads(found.stdout)["findings"] if one["health"] == "fault"] == []
    url = installation.environment.get("OPORA_DATABASE_URL")
    papers, profiles = asyncio.run(
        ids(PostgresDatabase(url) if url else SqliteDatabase(installation.home / "opora.db"))
    )
    assert set(before.papers) <= papers
    assert set(before.profiles) <= profiles


async def ids(database: Database) -> tuple[set[int], set[int]]:
    """Read which papers and profiles a store holds."""
    await database.open()
    try:
        rows = [
            await database.read.fetch(f"SELECT id FROM {table} WHERE deleted_at IS NULL")
            for table in ("documents", "profiles")
        ]
        return {row["id"] for row in rows[0]}, {row["id"] for row in rows[1]}
    finally:
        await database.close()


def so_far(done: Writing) -> Writing:
    """Return what was acknowledged up to now."""
    with done.more:
        return Writing(list(done.papers), list(done.profiles))


def test_a_backup_under_load_comes_up_elsewhere_with_all_that_was_acknowledged(
    setup: Setup, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    if "OPORA_DATABASE_URL" in setup.installation.environment:
        on_servers(setup, tmp_path, request)
        return
    with writers(setup) as done:
        done.wait_for(WRITTEN_BEFORE)
        before = so_far(done)
        made = json.loads(setup.installation.command("backup", str(tmp_path / "saved.tar.gz"), "--json").stdout)
        done.wait_for(len(before.papers) + 1)
    assert made["files"] >= len(before.papers)
    restored = Installation(tmp_path / "home", setup.installation.environment)
    restored.command("restore", str(tmp_path / "saved.tar.gz"))
    held(restored, before)


def on_servers(setup: Setup, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """Do the same by the documented steps: files, rows, files; with the tools of PostgreSQL."""
    if shutil.which("pg_dump") is None:
        pytest.skip("PostgreSQL's own programs (pg_dump, pg_restore) are not on this machine")
    server: Maintenance = request.getfixturevalue("postgres_server")
    url = setup.installation.environment["OPORA_DATABASE_URL"]
    files, saved = setup.installation.home / "files", tmp_path / "home" / "files"
    with writers(setup) as done:
        done.wait_for(WRITTEN_BEFORE)
        before = so_far(done)
        laid_beside(files, saved)
        run("pg_dump", "--format=custom", f"--file={tmp_path / 'opora.dump'}", url)
        done.wait_for(len(before.papers) + 1)
        laid_beside(files, saved)
    name = fresh_name(request.getfixturevalue("fleet"))
    there = server.create(name)
    try:
        run("pg_restore", "--no-owner", f"--dbname={there}", str(tmp_path / "opora.dump"))
        held(Installation(tmp_path / "home", {**setup.installation.environment, "OPORA_DATABASE_URL": there}), before)
    finally:
        server.drop(name)


def laid_beside(files: Path, copy: Path) -> None:
    """Copy what is new and remove nothing, as `rsync -a` does; a file that goes meanwhile is passed over."""
    for file in files.rglob("*"):
        place = copy / file.relative_to(files)
        if file.is_file() and file.suffix != ".part" and not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            try:
                place.write_bytes(file.read_bytes())
            except FileNotFoundError:
                place.unlink(missing_ok=True)


def run(*command: str) -> None:
    """Run one of PostgreSQL's own programs to its end."""
    subprocess.run(command, check=True, capture_output=True, timeout=120)
