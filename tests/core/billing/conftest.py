"""A till and a kiosk on SQLite, for what no store can change the outcome of."""

import pytest

from core.billing.kiosk import Kiosk
from core.billing.till import Till
from opora.adapters.sql.connection import Database
from opora.adapters.sql.unit import SqlUnitOfWork


@pytest.fixture
async def till(sqlite_unit: SqlUnitOfWork, sqlite_database: Database) -> Till:
    """The till, its people let in."""
    made = Till(sqlite_unit, sqlite_database)
    await made.open()
    return made


@pytest.fixture
def kiosk(sqlite_unit: SqlUnitOfWork, sqlite_database: Database) -> Kiosk:
    """The kiosk, its plans as they are seeded."""
    return Kiosk(sqlite_unit, sqlite_database)
