"""The store of jobs keeps its contracts."""

import pytest

from opora.adapters.sql.connection import Database
from opora.adapters.sql.jobs import SqlJobViews
from opora.adapters.sql.leases import SqlJobLeases, SqlJobProgress
from opora.adapters.sql.outbox import Subscription, Subscriptions
from opora.adapters.sql.unit import SqlUnitOfWork
from opora.adapters.system.clock import SystemClock
from opora.adapters.system.identifiers import TimeOrderedIdentifiers
from opora.adapters.system.randomness import SystemRandomness
from opora.testing.jobs import DEATHS, JobProgressContract, JobQueueContract, JobStoreContract, JobViewsContract
from opora.testing.leases import JobLeasesContract
from servers.stores import KeptAnnouncements

pytestmark = pytest.mark.anyio


@pytest.fixture
def subscriptions() -> Subscriptions:
    return {"job.dead": [Subscription("watch", DEATHS)]}


class OnSql(JobStoreContract):
    """Jobs on each relational store in turn."""

    @pytest.fixture(autouse=True)
    def _store(self, unit: SqlUnitOfWork, database: Database, announcements: KeptAnnouncements) -> None:
        self.unit = unit
        self.relay = unit.relay
        self.leases = SqlJobLeases(database, TimeOrderedIdentifiers(), SystemRandomness(), SystemClock())
        self.progress = SqlJobProgress(database)
        self.views = SqlJobViews(database.read)
        self.announced = announcements.ids


class TestQueue(OnSql, JobQueueContract):
    """Jobs inside a transaction."""


class TestLeases(OnSql, JobLeasesContract):
    """Claims."""


class TestProgress(OnSql, JobProgressContract):
    """Progress."""


class TestViews(OnSql, JobViewsContract):
    """What operators see."""
