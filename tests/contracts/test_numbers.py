"""Both stores hold what a store of numbers promises."""

import pytest

from opora.adapters.sql.connection import Database
from opora.adapters.sql.numbers.views import SqlNumberViews
from opora.adapters.sql.unit import SqlUnitOfWork
from opora.core.access.model.people import User
from opora.testing.number_lists import NumberListContract
from opora.testing.numbers import NOON

pytestmark = pytest.mark.anyio


class TestSqlNumbers(NumberListContract):
    """Numbers on SQLite and on PostgreSQL."""

    @pytest.fixture(autouse=True)
    def store(self, unit: SqlUnitOfWork, database: Database) -> None:
        self.unit = unit
        self.views = SqlNumberViews(database.read)

    @pytest.fixture
    async def user_id(self, unit: SqlUnitOfWork) -> int:
        async with unit() as tx:
            id = await tx.users.next_id()
            await tx.users.add(User(id=id, email="manager@example.com", password_hash=None, created_at=NOON))
        return id
