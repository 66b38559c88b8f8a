"""Places that notices go to, in a relational store."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from opora.adapters.sql.connection import Connection, Row
from opora.adapters.sql.mapping import columns, insertion, to_json
from opora.adapters.sql.seals import Seal
from opora.core.notifications.model.places import PushSubscription, WebhookEndpoint
from opora.core.notifications.ports.people import PushSubscriptions, WebhookEndpoints

SUBSCRIPTION = ("id", "user_id", "endpoint", "p256dh", "auth", "created_at")
PUT = insertion(
    "push_subscriptions",
    SUBSCRIPTION,
    "ON CONFLICT (endpoint) DO UPDATE SET user_id = excluded.user_id, p256dh = excluded.p256dh, auth = excluded.auth,"
    " created_at = excluded.created_at RETURNING id",
)
SUBSCRIPTIONS = f"SELECT {', '.join(SUBSCRIPTION)} FROM push_subscriptions"
ENDPOINT_NAMES = ("id", "user_id", "url", "kinds", "secret_sealed", "is_active", "created_at")
ENDPOINT = ", ".join(ENDPOINT_NAMES)
ENDPOINTS = f"SELECT {ENDPOINT} FROM webhook_endpoints"
SAVE = "UPDATE webhook_endpoints SET url = :url, kinds = :kinds, is_active = :is_active WHERE id = :id"
LOCK_SPACE = 0x0B0BA_EE
"""A number of PostgreSQL's advisory locks: one user's endpoints are counted by one transaction at a time."""


class SqlPushSubscriptions(PushSubscriptions):
    """Browsers inside one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def next_id(self) -> int:
        return await self._connection.next_id("push_subscriptions")

    async def put(self, subscription: PushSubscription) -> int:
        return int(await self._connection.fetch_value(PUT, **columns(subscription)))

    async def of(self, user_id: int) -> Sequence[PushSubscription]:
        await locked(self._connection, user_id)
        rows = await self._connection.fetch(f"{SUBSCRIPTIONS} WHERE user_id = :id ORDER BY id", id=user_id)
        return [subscription_of(row) for row in rows]

    async def get(self, id: int) -> PushSubscription | None:
        row = await self._connection.fetch_one(f"{SUBSCRIPTIONS} WHERE id = :id", id=id)
        return subscription_of(row) if row else None

    async def remove(self, id: int, user_id: int | None = None) -> bool:
        sql = "DELETE FROM push_subscriptions WHERE id = :id"
        if user_id is None:
            return await self._connection.execute(sql, id=id) == 1
        return await self._connection.execute(f"{sql} AND user_id = :user_id", id=id, user_id=user_id) == 1


class SqlWebhookEndpoints(WebhookEndpoints):
    """Endpoints inside one transaction; their secrets are sealed for the row they stand in."""

    def __init__(self, connection: Connection, seal: Seal | None) -> None:
        self._connection = connection
        self._seal = seal

    async def next_id(self) -> int:
        return await self._connection.next_id("webhook_endpoints")

    async def add(self, endpoint: WebhookEndpoint) -> None:
        sealed = self._sealing().seal(endpoint.secret.encode(), place(endpoint.id))
        values = columns(endpoint) | {"secret_sealed": sealed}
        del values["secret"]
        await self._connection.execute(insertion("webhook_endpoints", ENDPOINT_NAMES), **values)

    def _sealing(self) -> Seal:
        if self._seal is None:
            raise RuntimeError("this transaction was given nothing to seal secrets with")
        return self._seal

    async def of(self, user_id: int) -> Sequence[WebhookEndpoint]:
        await locked(self._connection, user_id)
        rows = await self._connection.fetch(f"{ENDPOINTS} WHERE user_id = :id ORDER BY id", id=user_id)
        return [endpoint_of(row, self._secret(row)) for row in rows]

    def _secret(self, row: Row) -> str:
        return self._sealing().open(bytes(row["secret_sealed"]), place(row["id"])).decode()

    async def get(self, id: int) -> WebhookEndpoint | None:
        row = await self._connection.fetch_one(f"{ENDPOINTS} WHERE id = :id", id=id)
        return endpoint_of(row, self._secret(row)) if row else None

    async def save(self, endpoint: WebhookEndpoint) -> None:
        kinds = to_json(endpoint.kinds)
        await self._connection.execute(
            SAVE, id=endpoint.id, url=endpoint.url, kinds=kinds, is_active=endpoint.is_active
        )

    async def remove(self, id: int, user_id: int) -> bool:
        sql = "DELETE FROM webhook_endpoints WHERE id = :id AND user_id = :user_id"
        return await self._connection.execute(sql, id=id, user_id=user_id) == 1


async def locked(connection: Connection, user_id: int) -> None:
    """Let one transaction at a time count the places of a user."""
    if connection.dialect == "postgresql":
        await connection.fetch("SELECT pg_advisory_xact_lock(:space, :key)", space=LOCK_SPACE, key=user_id % 2**31)


def place(id: int) -> str:
    """Name the place that an endpoint's secret is sealed for."""
    return f"webhook_endpoint:{id}"


def subscription_of(row: Row) -> PushSubscription:
    """Read a subscription from its row."""
    return PushSubscription(
        id=row["id"],
        user_id=row["user_id"],
        endpoint=row["endpoint"],
        p256dh=bytes(row["p256dh"]),
        auth=bytes(row["auth"]),
        created_at=msgspec.convert(row["created_at"], datetime),
    )


def endpoint_of(row: Row, secret: str) -> WebhookEndpoint:
    """Read an endpoint from its row."""
    return WebhookEndpoint(
        id=row["id"],
        user_id=row["user_id"],
        url=row["url"],
        kinds=tuple(msgspec.json.decode(row["kinds"])),
        secret=secret,
        is_active=bool(row["is_active"]),
        created_at=msgspec.convert(row["created_at"], datetime),
    )
