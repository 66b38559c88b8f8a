"""The contracts hold on PostgreSQL under the role that the program works under, which owns nothing.

Tests that play who got in as the owner, and change what must never change, are named in their module's `AS_OWNER`.
"""

from collections.abc import AsyncIterator

import pytest

from opora.adapters.sql.connection import Database
from opora.adapters.sql.postgres import PostgresDatabase
from servers.stores import BUSY_S


@pytest.fixture
async def postgres_database(
    request: pytest.FixtureRequest, anyio_backend: str, postgres_url: str, app_postgres_url: str
) -> AsyncIterator[Database]:
    """A PostgreSQL database of this test alone, at the newest schema, opened as the program opens it."""
    as_owner = request.function.__name__ in getattr(request.module, "AS_OWNER", ())
    database = PostgresDatabase(postgres_url if as_owner else app_postgres_url, wait_s=BUSY_S)
    await database.open()
    yield database
    await database.close()
