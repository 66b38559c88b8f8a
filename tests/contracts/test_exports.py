"""The stores of exports keep their contract."""

import pytest

from opora.adapters.sql.connection import Database
from opora.adapters.sql.exports import SqlExportViews
from opora.adapters.sql.profiles import SqlProfilePayloads
from opora.adapters.sql.unit import SqlUnitOfWork
from opora.testing.exports import ExportRepositoryContract, ProfilePayloadsContract

pytestmark = pytest.mark.anyio


class TestSql(ExportRepositoryContract):
    """Exports on each relational store in turn."""

    @pytest.fixture(autouse=True)
    def _store(self, unit: SqlUnitOfWork, database: Database) -> None:
        self.unit = unit
        self.views = SqlExportViews(database.read)


class TestSqlPayloads(ProfilePayloadsContract):
    """Profiles to export on each relational store in turn."""

    @pytest.fixture(autouse=True)
    def _store(self, unit: SqlUnitOfWork, database: Database) -> None:
        self.unit = unit
        self.payloads = SqlProfilePayloads(database)
