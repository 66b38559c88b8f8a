"""A release rolls out over the one before, on one database and under load, and nobody who calls notices.

The next release is this program with one migration more; so this program plays the release before it.
"""

import itertools
import json
import shutil
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from docs.pages import REPOSITORY
from e2e.running import SECRET, Installation
from opora.adapters.sql import revisions

DOWN_WITHIN_S = 60
MIGRATION = '''"""What the next release does. Revision {revision}."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "{revision}", "{before}"
branch_labels = depends_on = None
PHASE = "{phase}"


def upgrade() -> None:
    op.{change}


def downgrade() -> None:
    pass
'''


@dataclass(slots=True)
class Callers:
    """Somebody who calls all the time, and what they were answered."""

    addresses: list[str]
    key: str
    answers: list[int | str] = field(default_factory=list)
    _ended: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Have people made and kept, by one process after another."""
        with httpx.Client(headers={"X-API-Key": self.key}, timeout=60) as client:
            for number in itertools.count():
                if self._ended.wait(0.02):
                    return
                address = self.addresses[number % len(self.addresses)]
                try:
                    made = client.post(f"{address}/api/v1/profiles/generate", json={"count": 2, "persist": True})
                    read = client.get(f"{address}/api/v1/profiles?limit=2")
                    self.answers += [made.status_code, read.status_code]
                except httpx.TransportError as fault:
                    self.answers.append(type(fault).__name__)

    @contextmanager
    def calling(self) -> Iterator[None]:
        """Call until the block has ended."""
        thread = threading.Thread(target=self.run, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._ended.set()
            thread.join(120)


@pytest.fixture
def old(tmp_path: Path, app_postgres_url: str) -> Iterator[Installation]:
    """The release before, under the role that may not migrate."""
    installation = Installation(tmp_path / "home")
    installation.environment = {
        "OPORA_DATABASE_URL": app_postgres_url,
        "OPORA_SECRET_KEY": SECRET,
        "OPORA_RATE_LIMIT_PER_MIN": "1000000",
    }
    yield installation
    installation.end()


class Next:
    """The next release: a copy of this one with migrations of its own."""

    def __init__(self, folder: Path, old: Installation) -> None:
        self._folder = folder
        self._head = revisions.newest()
        without = shutil.ignore_patterns("__pycache__")
        shutil.copytree(REPOSITORY / "src", folder / "src", ignore=without)
        shutil.copytree(REPOSITORY / "migrations", folder / "migrations", ignore=without)
        (folder / "home").mkdir()
        variables = {**old.environment, "PYTHONPATH": str(folder / "src")}
        self.installation = Installation(folder / "home" / "next", variables)

    def migrate(self, owner_url: str, phase: str, change: str) -> list[dict[str, str]]:
        """Add a migration and apply it as the owner; returns what was applied."""
        revision = f"{max(int(self._head), 9000) + 1}"
        text = MIGRATION.format(revision=revision, before=self._head, phase=phase, change=change)
        (self._folder / "migrations" / "versions" / f"{revision}_next.py").write_text(text)
        self._head = revision
        owner = Installation(self._folder, {**self.installation.environment, "OPORA_DATABASE_URL": owner_url})
        return list(json.loads(owner.command("db", "upgrade", "--json").stdout)["applied"])


def test_a_release_rolls_out_under_load_and_back_while_it_only_expands(
    old: Installation, tmp_path: Path, postgres_url: str
) -> None:
    following = Next(tmp_path / "next", old)
    key = old.command("keys", "create", "--label", "QA", "--rate-limit-per-min", "1000000").stdout.strip()
    first = old.serve("--no-worker")
    callers = Callers([first], key)
    try:
        with callers.calling():
            column = "add_column('profiles', sa.Column('colour', sa.String(20)))"
            (applied,) = following.migrate(postgres_url, "expand", column)
            assert applied["phase"] == "expand"
            second = following.installation.serve("--no-worker")
            callers.addresses[:] = [first, second]
            both = len(callers.answers) + 20
            wait_for(lambda: len(callers.answers) >= both)
            callers.addresses[:] = [second]
            between = len(callers.answers) + 4
            wait_for(lambda: len(callers.answers) >= between)
            (process,) = old.processes
            process.send_signal(signal.SIGTERM)
            assert process.wait(DOWN_WITHIN_S) == 0
            callers.addresses[:] = [old.serve("--no-worker"), second]
            again = len(callers.answers) + 20
            wait_for(lambda: len(callers.answers) >= again)
        assert set(callers.answers) == {200, 201}, callers.answers
        following.migrate(postgres_url, "contract", "drop_column('profiles', 'colour')")
        refused = old.start("serve", "--no-worker", "--port", "0")
        assert refused.wait(DOWN_WITHIN_S) != 0
        assert "schema is newer than this program" in old.logs()
    finally:
        following.installation.end()


def wait_for(ready: object) -> None:
    """Wait until a condition holds, generously."""
    deadline = threading.Event()
    for _ in range(2400):
        if ready():  # type: ignore[operator]
            return
        deadline.wait(0.05)
    raise AssertionError("nothing more was answered")
