"""Subscribers, renewals, payments and work at once on few people: nothing is charged twice, nobody waits for ever."""

import asyncio
import random

import pytest

from core.billing.builders import NOW, REQUESTS
from core.billing.kiosk import ANNA, BORIS, Kiosk
from opora.adapters.sql.billing.ledger_views import SqlLedgerViews
from opora.adapters.sql.connection import Database
from opora.adapters.sql.unit import SqlUnitOfWork
from opora.core.billing.model.subscriptions import RENEW
from opora.core.kernel.errors import Conflict, LimitExceeded, NotFound, PaymentRequired

pytestmark = pytest.mark.anyio

ACTORS, STEPS = 12, 6
END = NOW.replace(month=12)
UNEVEN = """
SELECT count(*) FROM quota_usage u WHERE held <> (
 SELECT COALESCE(sum(units), 0) FROM quota_holds h WHERE h.person_id = u.person_id AND h.feature = u.feature
 AND h.period = u.period AND h.starts_at = u.starts_at)
"""


async def storm(kiosk: Kiosk, seed: int) -> None:
    """Take random steps; every refusal is one that a caller can be told."""
    chance = random.Random(seed)  # noqa: S311  # a storm, not a secret
    for number in range(STEPS):
        actor = chance.choice((ANNA, BORIS))
        step = chance.choice(("subscribe", "change", "cancel", "hold", "hold", "renew", "pay"))
        try:
            if step == "subscribe":
                await kiosk.subscribe(actor, chance.choice(("standard", "premium")))
            elif step == "change":
                await kiosk.change(actor, chance.choice(("free", "standard", "premium")))
            elif step == "cancel":
                await kiosk.cancel(actor, at_once=chance.random() < 0.3)
            elif step == "renew":
                await kiosk.run(RENEW, {"subscription_id": chance.randrange(1, 6)})
            elif step == "pay":
                await kiosk.top_up(chance.randrange(1, 60_000), actor)
            else:
                await work(kiosk, actor.user_id or 0, f"{seed}-{number}", chance.randrange(1, 30))
        except (Conflict, NotFound, PaymentRequired, LimitExceeded):
            continue


async def work(kiosk: Kiosk, person_id: int, hold_id: str, units: int) -> None:
    """Hold something and settle it, as work does."""
    async with kiosk.unit() as tx:
        await kiosk.quotas.hold(tx, person_id, {REQUESTS: units, "generate.tokens": 10 * units}, hold_id, NOW)
    async with kiosk.unit() as tx:
        await kiosk.quotas.settle(tx, hold_id, {REQUESTS: units // 2})


async def test_many_at_once_leave_the_books_whole_and_one_live_subscription_each(
    unit: SqlUnitOfWork, database: Database
) -> None:
    kiosk = Kiosk(unit, database)
    for actor in (ANNA, BORIS):
        await kiosk.top_up(300_000, actor)
    await asyncio.gather(*(storm(kiosk, seed) for seed in range(ACTORS)))
    recount = await SqlLedgerViews(database).recount()
    assert recount.is_whole, recount
    assert await database.read.fetch_value(UNEVEN) == 0
    assert await database.read.fetch_value("SELECT count(*) FROM quota_holds") == 0


async def test_a_period_that_many_workers_end_at_once_is_paid_once(unit: SqlUnitOfWork, database: Database) -> None:
    kiosk = Kiosk(unit, database)
    await kiosk.top_up(500_000)
    subscription = await kiosk.subscribe(ANNA, "standard")
    kiosk.clock.at = END
    await asyncio.gather(*(kiosk.run(RENEW, {"subscription_id": subscription.id}) for _ in range(16)))
    assert await kiosk.balance() == 500_000 - 2 * 49_000
    assert len(await kiosk.events("subscription.renewed")) == 1
