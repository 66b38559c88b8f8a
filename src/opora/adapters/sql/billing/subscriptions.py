"""Who is subscribed to what, in a relational store, which itself holds that a person has one live subscription."""

from collections.abc import Callable
from dataclasses import fields
from datetime import datetime

from opora.adapters.sql.connection import Connection
from opora.adapters.sql.mapping import columns, insertion, load
from opora.core.access.ports.identities import SubscriptionTiers
from opora.core.billing.errors.plans import AlreadySubscribed
from opora.core.billing.model.subscriptions import Subscription
from opora.core.billing.ports.plans import SubscriptionRepository, SubscriptionViews
from opora.core.billing.rules.quotas import plan_code
from opora.core.kernel.errors import Stale

NAMES = tuple(field.name for field in fields(Subscription))
KEPT = tuple(name for name in NAMES if name not in {"id", "user_id", "anchor_at", "created_at", "version"})
ADD = insertion("subscriptions", NAMES, "ON CONFLICT DO NOTHING")
SAVE = f"""
UPDATE subscriptions SET {", ".join(f"{name} = :{name}" for name in KEPT)}, version = :version
WHERE id = :id AND version = :version - 1
"""
FIND = f"SELECT {', '.join(NAMES)} FROM subscriptions"
LIVE = f"{FIND} WHERE user_id = :user_id AND status IN ('active', 'past_due')"


class SqlSubscriptionViews(SubscriptionViews):
    """Subscriptions as they are read; single statements."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def live(self, user_id: int) -> Subscription | None:
        row = await self._connection.fetch_one(LIVE, user_id=user_id)
        return load(Subscription, row) if row else None


class SqlSubscriptionRepository(SubscriptionRepository):
    """Subscription rows inside one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        locks = connection.dialect == "postgresql"
        self._shared, self._alone = (" FOR SHARE", " FOR UPDATE") if locks else ("", "")

    async def live(self, user_id: int) -> Subscription | None:
        return await self._one(LIVE + self._shared, user_id=user_id)

    async def locked(self, user_id: int) -> Subscription | None:
        return await self._one(LIVE + self._alone, user_id=user_id)

    async def get(self, id: int) -> Subscription | None:
        return await self._one(f"{FIND} WHERE id = :id{self._alone}", id=id)

    async def _one(self, sql: str, **values: object) -> Subscription | None:
        row = await self._connection.fetch_one(sql, **values)
        return load(Subscription, row) if row else None

    async def is_blocked(self, user_id: int) -> bool:
        sql = "SELECT 1 FROM users WHERE id = :id AND NOT is_active"
        return await self._connection.fetch_value(sql, id=user_id) is not None

    async def next_id(self) -> int:
        return await self._connection.next_id("subscriptions")

    async def add(self, subscription: Subscription) -> None:
        if not await self._connection.execute(ADD, **columns(subscription)):
            raise AlreadySubscribed

    async def save(self, subscription: Subscription) -> None:
        values = columns(subscription)
        for name in ("user_id", "anchor_at", "created_at"):
            del values[name]
        if not await self._connection.execute(SAVE, **values):
            raise Stale(subscription_id=subscription.id)


class SqlSubscriptionTiers(SubscriptionTiers):
    """One statement a look-up, judged by the clock: nothing is remembered, so no process tells an old tier."""

    def __init__(self, views: SubscriptionViews, now: Callable[[], datetime]) -> None:
        self._views = views
        self._now = now

    async def tier_of(self, user_id: int) -> str:
        return plan_code(await self._views.live(user_id), self._now())
