"""The stores of keys, people and sessions, held to their contracts on SQLite and PostgreSQL."""

import pytest

from opora.adapters.sql.keys import SqlKeyLookup, SqlKeyUsageStore, SqlKeyViews
from opora.adapters.sql.people import SqlUserViews
from opora.adapters.sql.proofs import SqlArrivals
from opora.adapters.sql.sessions import SqlSessionViews, SqlTokenStandings
from opora.testing.keys import KeyRepositoryContract
from opora.testing.people import UserRepositoryContract
from opora.testing.proofs import ProofsContract
from opora.testing.sessions import SessionRepositoryContract

pytestmark = pytest.mark.anyio


class TestSqlKeys(KeyRepositoryContract):
    """Keys on each relational store in turn."""

    @pytest.fixture(autouse=True)
    def _store(self, unit, database):
        self.unit = unit
        self.lookup = SqlKeyLookup(database)
        self.usage = SqlKeyUsageStore(database)
        self.views = SqlKeyViews(database)


class TestSqlPeople(UserRepositoryContract):
    """People on each relational store in turn."""

    @pytest.fixture(autouse=True)
    def _store(self, unit, database):
        self.unit = unit
        self.views = SqlUserViews(database)


class TestSqlSessions(SessionRepositoryContract):
    """Sessions on each relational store in turn."""

    @pytest.fixture(autouse=True)
    def _store(self, unit, database):
        self.unit = unit
        self.standings = SqlTokenStandings(database)
        self.views = SqlSessionViews(database)


class TestSqlProofs(ProofsContract):
    """Tokens, factors and devices on each relational store in turn."""

    @pytest.fixture(autouse=True)
    def _store(self, unit, database):
        self.unit = unit
        self.arrivals = SqlArrivals(database)
