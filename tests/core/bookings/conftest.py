"""A salon on SQLite, for what no store can change the outcome of."""

import pytest

from core.bookings.salon import Salon
from opora.adapters.sql.connection import Database
from opora.adapters.sql.unit import SqlUnitOfWork


@pytest.fixture
def salon(sqlite_unit: SqlUnitOfWork, sqlite_database: Database) -> Salon:
    """The salon; `open` it first."""
    return Salon(sqlite_unit, sqlite_database)
