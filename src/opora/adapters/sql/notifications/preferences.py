"""What people prefer, in a relational store."""

from typing import Any

import msgspec

from opora.adapters.sql.connection import Connection
from opora.adapters.sql.mapping import column, insertion
from opora.core.notifications.model.preferences import Preferences
from opora.core.notifications.ports.people import PreferenceStore

NAMES = ("channels", "quiet_hours", "timezone", "language", "digest", "phone")
PUT = insertion(
    "notification_preferences",
    ("user_id", *NAMES),
    "ON CONFLICT (user_id) DO UPDATE SET " + ", ".join(f"{name} = excluded.{name}" for name in NAMES),
)
GET = f"SELECT {', '.join(NAMES)} FROM notification_preferences WHERE user_id = :user_id"
NESTED = ("channels", "quiet_hours")
UNSAID = insertion("notification_preferences", ("user_id", *NAMES), "ON CONFLICT (user_id) DO NOTHING")


class SqlPreferences(PreferenceStore):
    """Rows of preferences inside one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lock = " FOR UPDATE" if connection.dialect == "postgresql" else ""

    async def get(self, user_id: int) -> Preferences:
        row = await self._connection.fetch_one(GET, user_id=user_id)
        return preferences_of({name: row[name] for name in NAMES}) if row else Preferences()

    async def hold(self, user_id: int) -> Preferences:
        # There must be a row to be locked: the defaults say what no row says.
        await self._connection.execute(UNSAID, user_id=user_id, **stored(Preferences()))
        row = await self._connection.fetch_one(GET + self._lock, user_id=user_id)
        return preferences_of({name: row[name] for name in NAMES}) if row else Preferences()

    async def put(self, user_id: int, wanted: Preferences) -> None:
        await self._connection.execute(PUT, user_id=user_id, **stored(wanted))


def stored(preferences: Preferences) -> dict[str, object]:
    """Return preferences as their columns."""
    return {name: column(getattr(preferences, name)) for name in NAMES}


def preferences_of(values: dict[str, Any]) -> Preferences:
    """Read preferences from their columns."""
    told = {name: value for name, value in values.items() if value is not None}
    told |= {name: msgspec.json.decode(told[name]) for name in NESTED if name in told}
    return msgspec.convert(told, Preferences)
