"""A branch of a bank, with people in it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from core.documents.branch import Branch
from opora.adapters.files.blobs import FolderBlobs
from opora.adapters.sql.connection import Database
from opora.adapters.sql.outbox import Subscription, Subscriptions
from opora.adapters.sql.unit import SqlUnitOfWork
from opora.testing.documents import CLIENT, STRANGER, WORKER, with_people


@pytest.fixture
def subscriptions() -> Subscriptions:
    """Who hears of which event between documents and the bank."""
    return {
        "document.status_changed": [Subscription("abs", "abs.register")],
        "job.dead": [
            Subscription("abs-packets", "abs.give_up"),
            Subscription("abs-reconciliations", "abs.give_up_reconciliation"),
        ],
    }


@pytest.fixture
async def branch(sqlite_unit: SqlUnitOfWork, sqlite_database: Database, tmp_path: Path) -> AsyncIterator[Branch]:
    """A branch over SQLite."""
    await with_people(sqlite_unit, CLIENT, STRANGER, WORKER)
    blobs = FolderBlobs(tmp_path / "blobs")
    yield Branch(sqlite_unit, sqlite_database, blobs, tmp_path / "abs")
    blobs.close()
