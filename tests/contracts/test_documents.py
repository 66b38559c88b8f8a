"""The stores of documents keep their contract."""

import pytest

from opora.adapters.sql.connection import Database
from opora.adapters.sql.documents.reference import SqlClientViews, SqlReferenceViews
from opora.adapters.sql.documents.views import SqlDocumentViews
from opora.adapters.sql.unit import SqlUnitOfWork
from opora.testing.documents import (
    CLIENT,
    STRANGER,
    WORKER,
    DocumentStoreContract,
    ReferenceStoreContract,
    with_people,
)

pytestmark = pytest.mark.anyio


class TestSql(DocumentStoreContract):
    """Documents on each relational store in turn."""

    @pytest.fixture(autouse=True)
    async def _store(self, unit: SqlUnitOfWork, database: Database) -> None:
        self.unit = unit
        self.views = SqlDocumentViews(database.read)
        await with_people(unit, CLIENT, STRANGER, WORKER)


class TestSqlLists(ReferenceStoreContract):
    """Lists and client profiles on each relational store in turn."""

    @pytest.fixture(autouse=True)
    async def _store(self, unit: SqlUnitOfWork, database: Database) -> None:
        self.unit = unit
        self.lists = SqlReferenceViews(database.read)
        self.clients = SqlClientViews(database.read)
        await with_people(unit, CLIENT, STRANGER)
