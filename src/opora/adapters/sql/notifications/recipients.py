"""The people that notices are for, read from their accounts and wishes."""

from collections.abc import Mapping
from datetime import datetime

import msgspec

from opora.adapters.sql.connection import Connection
from opora.adapters.sql.mapping import to_json
from opora.adapters.sql.notifications.places import ENDPOINT, endpoint_of
from opora.adapters.sql.notifications.preferences import NAMES, preferences_of
from opora.core.notifications.model.letters import Recipient
from opora.core.notifications.model.preferences import Preferences
from opora.core.notifications.ports.people import Recipients

WISHES = ", ".join(f"p.{name}" for name in NAMES)
ONE = f"""
SELECT u.email, u.locale, u.is_active, {WISHES},
 EXISTS (SELECT 1 FROM push_subscriptions WHERE user_id = u.id) AS has_subscriptions,
 EXISTS (SELECT 1 FROM webhook_endpoints WHERE user_id = u.id) AS has_endpoints
FROM users u LEFT JOIN notification_preferences p ON p.user_id = u.id WHERE u.id = :id
"""
SUBSCRIPTIONS = "SELECT id FROM push_subscriptions WHERE user_id = :id ORDER BY id"
ENDPOINTS = f"SELECT {ENDPOINT} FROM webhook_endpoints WHERE user_id = :id ORDER BY id"
STANDINGS = "SELECT id, is_active, epoch_at FROM users WHERE id IN "


class SqlRecipients(Recipients):
    """Rows of users as recipients; single statements."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def one(self, user_id: int) -> Recipient | None:
        row = await self._connection.fetch_one(ONE, id=user_id)
        if row is None:
            return None
        wishes = preferences_of({name: row[name] for name in NAMES}) if row["channels"] else Preferences()
        found = await self._connection.fetch(SUBSCRIPTIONS, id=user_id) if row["has_subscriptions"] else []
        endpoints = await self._connection.fetch(ENDPOINTS, id=user_id) if row["has_endpoints"] else []
        return Recipient(
            user_id=user_id,
            email=row["email"],
            locale=row["locale"],
            is_active=bool(row["is_active"]),
            preferences=wishes,
            subscriptions=tuple(one["id"] for one in found),
            endpoints=tuple(endpoint_of(one, "") for one in endpoints),
        )

    async def lapsed(self, since: Mapping[int, datetime]) -> frozenset[int]:
        sql = STANDINGS + self._connection.listed("ids")
        rows = await self._connection.fetch(sql, ids=to_json(sorted(since)))
        standing = {
            row["id"]
            for row in rows
            if row["is_active"] and (row["epoch_at"] is None or instant(row["epoch_at"]) <= since[row["id"]])
        }
        return frozenset(since) - standing


def instant(value: object) -> datetime:
    """Read an instant as either store gives it."""
    return msgspec.convert(value, datetime)
