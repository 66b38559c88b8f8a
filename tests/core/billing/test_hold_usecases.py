"""Holds whose time is over are let go by a job."""

from datetime import datetime

import pytest

from opora.adapters.sql.billing.ledger_views import SqlLedgerViews
from opora.adapters.sql.connection import Database
from opora.adapters.sql.unit import SqlUnitOfWork
from opora.core.billing.usecases.holds import EXPIRE, ExpireHolds
from opora.core.billing.usecases.posting import hold
from opora.core.jobs.model import Claim, NewJob
from opora.core.kernel.ports import Clock
from opora.testing.ledger import ANNA, HOUR, NOON, a_top_up, rub

pytestmark = pytest.mark.anyio


class StoppedClock(Clock):
    """A clock that stands still."""

    def now(self) -> datetime:
        return NOON + HOUR


async def leased(unit: SqlUnitOfWork, kind: str) -> Claim:
    """Add a job and lease it."""
    async with unit() as tx:
        id = await tx.jobs.add(NewJob(kind=kind))
        await tx._connection.execute(
            "UPDATE jobs SET state = 'running', attempt = 1, lease_id = 'l' WHERE id = :id", id=id
        )
    return Claim(id=id, kind=kind, payload={}, attempt=1, attempts_max=5, lease_id="l")


async def test_holds_past_their_time_are_let_go(sqlite_unit: SqlUnitOfWork, sqlite_database: Database) -> None:
    async with sqlite_unit() as tx:
        await tx.ledger.post(a_top_up())
        await hold(tx, ANNA, rub(300), "past", NOON, NOON + HOUR)
        await hold(tx, ANNA, rub(200), "open", NOON, NOON + 2 * HOUR)
        await hold(tx, ANNA, rub(100), "endless", NOON)
    await ExpireHolds(sqlite_unit, StoppedClock())(await leased(sqlite_unit, EXPIRE))
    balance = await SqlLedgerViews(sqlite_database).balance(ANNA, "RUB")
    assert (balance.balance_minor, balance.held_minor) == (1000, 300)
    assert await sqlite_database.read.fetch_value("SELECT state FROM jobs") == "succeeded"
