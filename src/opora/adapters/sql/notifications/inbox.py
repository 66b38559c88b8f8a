"""Entries of people's lists in a relational store."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import partial

from opora.adapters.sql.connection import Connection
from opora.adapters.sql.mapping import columns, insertion, load, to_json
from opora.adapters.sql.pages import page_of
from opora.core.kernel.model import Page, PageRequest
from opora.core.notifications.model.inbox import Entry, EntryFilter
from opora.core.notifications.ports.people import Inbox, InboxViews

NAMES = ("user_id", "number", "notice_id", "kind", "title", "text", "data", "created_at", "read_at")
FIELDS = ", ".join(NAMES)
NEXT = """
INSERT INTO inbox_heads (user_id, last) VALUES (:user_id, 1)
ON CONFLICT (user_id) DO UPDATE SET last = inbox_heads.last + 1 RETURNING last
"""
READ = "UPDATE inbox SET read_at = COALESCE(read_at, :at) WHERE user_id = :user_id AND number = :number"
READ_ALL = "UPDATE inbox SET read_at = :at WHERE user_id = :user_id AND read_at IS NULL"
HEADS = "SELECT user_id, last FROM inbox_heads WHERE user_id IN "
AFTER = {
    "sqlite": "json_each(:numbers) c JOIN inbox ON user_id = CAST(c.key AS INTEGER) AND number > c.value",
    "postgresql": "json_each_text(CAST(:numbers AS json)) c JOIN inbox"
    " ON user_id = CAST(c.key AS bigint) AND number > CAST(c.value AS bigint)",
}


class SqlInbox(Inbox):
    """Entries inside one transaction: its owner's head row is locked by it, so that numbers commit in order."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add(self, entry: Entry) -> int:
        number = int(await self._connection.fetch_value(NEXT, user_id=entry.user_id))
        values = columns(entry) | {"number": number, "data": to_json(dict(entry.data))}
        await self._connection.execute(insertion("inbox", NAMES), **values)
        return number

    async def read(self, user_id: int, number: int, at: datetime) -> bool:
        return await self._connection.execute(READ, user_id=user_id, number=number, at=at) == 1

    async def read_all(self, user_id: int, at: datetime) -> int:
        return await self._connection.execute(READ_ALL, user_id=user_id, at=at)


class SqlInboxViews(InboxViews):
    """Entries as their owners read them; single statements."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def page(self, wanted: EntryFilter, request: PageRequest) -> Page[Entry]:
        where = "user_id = :user_id" + (" AND read_at IS NULL" if wanted.unread_only else "")
        return await page_of(
            self._connection,
            partial(load, Entry),
            f"inbox WHERE {where}",
            f"SELECT {FIELDS} FROM inbox WHERE {where} ORDER BY number DESC",
            request,
            {"user_id": wanted.user_id},
        )

    async def one(self, user_id: int, number: int) -> Entry | None:
        sql = f"SELECT {FIELDS} FROM inbox WHERE user_id = :user_id AND number = :number"
        row = await self._connection.fetch_one(sql, user_id=user_id, number=number)
        return load(Entry, row) if row else None

    async def unread(self, user_id: int) -> int:
        sql = "SELECT count(*) FROM inbox WHERE user_id = :user_id AND read_at IS NULL"
        return int(await self._connection.fetch_value(sql, user_id=user_id))

    async def heads(self, user_ids: Collection[int]) -> Mapping[int, int]:
        rows = await self._connection.fetch(HEADS + self._connection.listed("ids"), ids=to_json(sorted(user_ids)))
        return dict.fromkeys(user_ids, 0) | {row["user_id"]: row["last"] for row in rows}

    async def after(self, numbers: Mapping[int, int], limit: int) -> Sequence[Entry]:
        text = to_json({str(user_id): number for user_id, number in numbers.items()})
        sql = f"SELECT {FIELDS} FROM {AFTER[self._connection.dialect]} ORDER BY user_id, number LIMIT :limit"
        return [load(Entry, row) for row in await self._connection.fetch(sql, numbers=text, limit=limit)]
