"""The service of access on a stage of its own."""

from collections.abc import Iterator

import pytest

from api.v1.service import Service
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


@pytest.fixture
async def service(stage) -> Service:
    """The service over the stage."""
    return await Service.over(stage)
