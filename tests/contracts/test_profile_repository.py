"""The store of profiles keeps its contract on both relational stores."""

from dataclasses import replace

import pytest

from opora.adapters.sql.connection import Database
from opora.adapters.sql.profiles import SqlProfilePayloads, SqlProfileViews
from opora.adapters.sql.repositories import SqlParts
from opora.adapters.sql.unit import SqlUnitOfWork
from opora.core.kernel.model import PageRequest
from opora.testing.profiles import EVERYTHING, MINE, YOURS, ProfileRepositoryContract

pytestmark = pytest.mark.anyio


class TestSqlProfiles(ProfileRepositoryContract):
    """Profiles on each relational store in turn."""

    @pytest.fixture(autouse=True)
    def _store(self, unit: SqlUnitOfWork, database: Database) -> None:
        self.unit = unit
        self.views = SqlProfileViews(database)
        self.payloads = SqlProfilePayloads(database)
        self.short_sighted = SqlProfileViews(database, counted_max=2)

    async def test_a_page_counts_so_far_and_says_so(self) -> None:
        await self.keep({}, {})
        page = await self.short_sighted.page(MINE, EVERYTHING, PageRequest(cursor=""))
        assert (page.count, page.count_exact) == (2, True)
        await self.keep({}, {})
        page = await self.short_sighted.page(MINE, EVERYTHING, PageRequest(limit=1, cursor=""))
        assert (page.count, page.count_exact) == (3, False)
        empty = await self.short_sighted.page(YOURS, EVERYTHING, PageRequest(cursor=""))
        assert (empty.count, empty.count_exact) == (0, True)
        numbered = await self.short_sighted.page(MINE, EVERYTHING, PageRequest())
        assert (numbered.count, numbered.count_exact, numbered.more) == (3, False, False)


class TestSealedProfiles(ProfileRepositoryContract):
    """Profiles whose documents are sealed in their rows."""

    @pytest.fixture(autouse=True)
    def _store(self, sqlite_database: Database, sql_parts: SqlParts) -> None:
        self.unit = SqlUnitOfWork(sqlite_database, replace(sql_parts, seal_profiles=True))
        self.views = SqlProfileViews(sqlite_database, sql_parts.seal)
        self.payloads = SqlProfilePayloads(sqlite_database, sql_parts.seal)

    async def test_a_reader_without_the_seal_sees_no_document(self, sqlite_database: Database) -> None:
        await self.keep({})
        with pytest.raises(RuntimeError):
            await SqlProfileViews(sqlite_database).page(MINE, EVERYTHING, PageRequest())
