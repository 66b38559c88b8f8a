"""The two set-ups of the stories: with no server, and on PostgreSQL and Redis with several processes."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from e2e.running import SECRET, Installation


@dataclass(frozen=True, slots=True)
class Setup:
    """A running installation: the addresses of its API processes, which must not matter."""

    installation: Installation
    addresses: tuple[str, ...]


@pytest.fixture(params=["embedded", "servers"])
def setup(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Setup]:
    """An installation of each set-up in turn: one process with its worker, or two API processes beside one worker."""
    installation = Installation(tmp_path / "home")
    try:
        if request.param == "embedded":
            yield Setup(installation, (installation.serve(),))
        else:
            installation.environment = {
                "OPORA_DATABASE_URL": request.getfixturevalue("empty_postgres_url"),
                "OPORA_REDIS_URL": request.getfixturevalue("redis_url"),
                "OPORA_SECRET_KEY": SECRET,
            }
            installation.command("db", "upgrade")
            installation.start("worker")
            yield Setup(installation, (installation.serve("--no-worker"), installation.serve("--no-worker")))
    finally:
        installation.end()
