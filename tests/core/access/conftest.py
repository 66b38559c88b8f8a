"""A stage on which the use cases of access play."""

from collections.abc import Iterator

import pytest

from core.access.stage import Stage
from opora.adapters.crypto.threads import BoundedThreads


@pytest.fixture
def threads() -> Iterator[BoundedThreads]:
    """Two threads for hashing, gone after the test."""
    threads = BoundedThreads()
    yield threads
    threads.close()


@pytest.fixture
async def stage(sqlite_database, sqlite_unit, threads) -> Stage:
    """The use cases over an empty SQLite file."""
    stage = Stage(sqlite_database, sqlite_unit, threads)
    await stage.ensure_signing_key()
    return stage
