"""Private calendars in a relational store: who reads one shows a token whose digest is kept."""

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime

from opora.adapters.sql.connection import Connection
from opora.adapters.sql.mapping import columns, insertion, load
from opora.core.bookings.model.calendars import Feed
from opora.core.bookings.ports.calendars import FeedRepository, FeedViews

NAMES = tuple(field.name for field in fields(Feed))
ADD = insertion("calendar_feeds", NAMES)
REVOKE = "UPDATE calendar_feeds SET revoked_at = :at WHERE id = :id AND user_id = :user_id AND revoked_at IS NULL"
OWNER = """
SELECT f.user_id FROM calendar_feeds f JOIN users u ON u.id = f.user_id AND u.is_active
WHERE f.digest = :digest AND f.revoked_at IS NULL
"""


class SqlFeedRepository(FeedRepository):
    """Private calendars inside one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def next_id(self) -> int:
        return await self._connection.next_id("calendar_feeds")

    async def add(self, feed: Feed) -> None:
        await self._connection.execute(ADD, **columns(feed))

    async def count(self, user_id: int) -> int:
        if self._connection.dialect == "postgresql":
            await self._connection.fetch("SELECT id FROM users WHERE id = :id FOR NO KEY UPDATE", id=user_id)
        sql = "SELECT count(*) FROM calendar_feeds WHERE user_id = :user_id AND revoked_at IS NULL"
        return int(await self._connection.fetch_value(sql, user_id=user_id))

    async def revoke(self, id: int, user_id: int, at: datetime) -> bool:
        return await self._connection.execute(REVOKE, id=id, user_id=user_id, at=at) == 1


class SqlFeedViews(FeedViews):
    """Private calendars as they are read."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def of_person(self, user_id: int) -> Sequence[Feed]:
        sql = f"SELECT {', '.join(NAMES)} FROM calendar_feeds WHERE user_id = :id AND revoked_at IS NULL ORDER BY id"
        return [load(Feed, row) for row in await self._connection.fetch(sql, id=user_id)]

    async def owner(self, digest: bytes) -> int | None:
        found = await self._connection.fetch_value(OWNER, digest=digest)
        return None if found is None else int(found)
