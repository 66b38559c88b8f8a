"""What waits for gathered letters, in a relational store."""

from collections.abc import Sequence
from datetime import datetime

from opora.adapters.sql.connection import Connection
from opora.adapters.sql.mapping import columns, insertion, load
from opora.core.notifications.model.deliveries import DigestItem
from opora.core.notifications.ports.people import DigestItems

NAMES = ("notice_id", "user_id", "due_at", "title", "text")
ADD = insertion("digest_items", NAMES, "ON CONFLICT (notice_id) DO NOTHING")
DROP_WITHDRAWN = """
DELETE FROM digest_items WHERE user_id = :user_id AND due_at <= :due_by AND notice_id IN (
 SELECT id FROM notices WHERE state = 'withdrawn')
"""
TAKE = f"""
DELETE FROM digest_items WHERE notice_id IN (
 SELECT notice_id FROM digest_items WHERE user_id = :user_id AND due_at <= :due_by
 ORDER BY notice_id LIMIT :limit)
RETURNING {", ".join(NAMES)}
"""


class SqlDigestItems(DigestItems):
    """Items inside one transaction; ids of notices are in the order of their making."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add(self, item: DigestItem) -> None:
        await self._connection.execute(ADD, **columns(item))

    async def take(self, user_id: int, due_by: datetime, limit: int) -> Sequence[DigestItem]:
        await self._connection.execute(DROP_WITHDRAWN, user_id=user_id, due_by=due_by)
        rows = await self._connection.fetch(TAKE, user_id=user_id, due_by=due_by, limit=limit)
        return sorted((load(DigestItem, row) for row in rows), key=lambda item: item.notice_id)
