"""A press on SQLite, for what no store can change the outcome of."""

import pytest

from core.generation.press import Press
from opora.adapters.sql.connection import Database
from opora.adapters.sql.unit import SqlUnitOfWork


@pytest.fixture
def press(sqlite_unit: SqlUnitOfWork, sqlite_database: Database) -> Press:
    """The press, with the prompts that are seeded."""
    return Press(sqlite_unit, sqlite_database)
