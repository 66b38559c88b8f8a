"""The store of profiles keeps its contract on both relational stores."""

import pytest

from opora.adapters.sql.connection import Database
from opora.adapters.sql.profiles import SqlProfilePayloads, SqlProfileViews
from opora.adapters.sql.unit import SqlUnitOfWork
from opora.testing.profiles import ProfileRepositoryContract

pytestmark = pytest.mark.anyio


class TestSqlProfiles(ProfileRepositoryContract):
    """Profiles on each relational store in turn."""

    @pytest.fixture(autouse=True)
    def _store(self, unit: SqlUnitOfWork, database: Database) -> None:
        self.unit = unit
        self.views = SqlProfileViews(database)
        self.payloads = SqlProfilePayloads(database)
