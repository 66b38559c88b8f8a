"""Texts in a relational store: one row each, and rows of words while they are written."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from functools import partial
from hashlib import sha256
from typing import Any
from uuid import UUID

from opora.adapters.sql.connection import Connection
from opora.adapters.sql.mapping import columns, insertion, load
from opora.adapters.sql.pages import page_of
from opora.core.generation.model.texts import ENDED, Attempt, Place, Reach, Text, Words
from opora.core.generation.ports.texts import TextRepository, TextViews, WordLog
from opora.core.kernel.errors import Stale
from opora.core.kernel.model import Page, PageRequest

NAMES = tuple(field.name for field in fields(Text))
FIELDS = ", ".join(f"g.{name}" for name in NAMES)
ADD = insertion("generations", NAMES, "ON CONFLICT DO NOTHING")
CHANGED = (
    "status", "job_id", "leader_id", "is_cached", "attempts", "content", "finish", "usage", "engine", "model", "error",
    "error_detail", "started_at", "ended_at", "version",
)  # fmt: skip
SAVE = f"""
UPDATE generations SET {", ".join(f"{name} = :{name}" for name in CHANGED)}
WHERE id = :id AND version = :version - 1
"""
GOING = "g.status IN ('queued', 'running')"
LEADER = f"g.owner = :owner AND g.cache_key = :cache_key AND g.leader_id IS NULL AND {GOING}"
ANSWERED = f"""
SELECT {FIELDS} FROM generations g
WHERE g.owner = :owner AND g.cache_key = :cache_key AND g.status = 'completed' AND NOT g.is_cached
 AND g.finish = 'stop' AND g.ended_at >= :since
ORDER BY g.ended_at DESC LIMIT 1
"""
ORPHANS = f"""
SELECT {FIELDS} FROM generations g LEFT JOIN jobs j ON j.id = g.job_id LEFT JOIN generations l ON l.id = g.leader_id
WHERE {GOING} AND ((g.leader_id IS NULL AND COALESCE(j.state, 'dead') NOT IN ('queued', 'running'))
 OR (g.leader_id IS NOT NULL AND COALESCE(l.status, 'failed') NOT IN ('queued', 'running')))
ORDER BY g.id LIMIT :limit
"""
ATTEMPT_NAMES = tuple(field.name for field in fields(Attempt))
BEGAN = insertion("generation_attempts", ATTEMPT_NAMES)
OVER = """
UPDATE generation_attempts SET outcome = :outcome, reference = :reference, ended_at = :now
WHERE text_id = :id AND number = :number AND ended_at IS NULL
"""
SAID = "SELECT words FROM generation_words WHERE text_id = :id AND attempt = :attempt ORDER BY place"
KEEP = """
INSERT INTO generation_words (text_id, attempt, place, words) VALUES (:id, :attempt, :place, :words)
ON CONFLICT DO NOTHING
"""
STANDS = "SELECT attempts, status, content FROM generations WHERE id = :id"


class SqlTextRepository(TextRepository):
    """Texts inside one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lock = " FOR UPDATE OF g" if connection.dialect == "postgresql" else ""

    async def add(self, text: Text) -> None:
        if not await self._connection.execute(ADD, **columns(text)):
            raise Stale(task_id=str(text.id))

    async def get(self, id: UUID) -> Text | None:
        return await self._one("g.id = :id", id=id)

    async def of_job(self, job_id: UUID) -> Text | None:
        return await self._one("g.job_id = :job_id", job_id=job_id)

    async def _one(self, where: str, **parameters: object) -> Text | None:
        sql = f"SELECT {FIELDS} FROM generations g WHERE {where}{self._lock}"
        row = await self._connection.fetch_one(sql, **parameters)
        return load(Text, row) if row else None

    async def save(self, text: Text) -> None:
        values = columns(text)
        changed = {name: values[name] for name in CHANGED}
        if not await self._connection.execute(SAVE, id=text.id, **changed):
            raise Stale(task_id=str(text.id))

    async def leader(self, owner: str, cache_key: str) -> Text | None:
        if self._connection.dialect == "postgresql":
            # Nobody else finds that there is none until this one is there: equal ones take turns.
            digest = sha256(f"{owner} {cache_key}".encode()).digest()
            number = int.from_bytes(digest[:8], signed=True)
            await self._connection.execute("SELECT pg_advisory_xact_lock(CAST(:number AS bigint))", number=number)
        return await self._one(LEADER, owner=owner, cache_key=cache_key)

    async def answered(self, owner: str, cache_key: str, since: datetime) -> Text | None:
        row = await self._connection.fetch_one(ANSWERED, owner=owner, cache_key=cache_key, since=since)
        return load(Text, row) if row else None

    async def followers(self, id: UUID) -> Sequence[Text]:
        sql = f"SELECT {FIELDS} FROM generations g WHERE g.leader_id = :id AND {GOING} ORDER BY g.id{self._lock}"
        return [load(Text, row) for row in await self._connection.fetch(sql, id=id)]

    async def orphans(self, limit: int) -> Sequence[Text]:
        rows = await self._connection.fetch(ORPHANS + self._lock, limit=limit)
        return [load(Text, row) for row in rows]

    async def try_began(self, attempt: Attempt) -> None:
        await self._connection.execute(BEGAN, **columns(attempt))

    async def try_ended(self, id: UUID, number: int, outcome: str, reference: str | None, now: datetime) -> None:
        await self._connection.execute(OVER, id=id, number=number, outcome=outcome, reference=reference, now=now)

    async def said(self, id: UUID, attempt: int) -> str:
        return await said(self._connection, id, attempt)

    async def forget_words(self, id: UUID) -> None:
        await self._connection.execute("DELETE FROM generation_words WHERE text_id = :id", id=id)


class SqlTextViews(TextViews):
    """Texts as their owners see them; single statements."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def one(self, id: UUID, reach: Reach) -> Text | None:
        where, parameters = within(reach)
        sql = f"SELECT {FIELDS} FROM generations g WHERE {where} AND g.id = :id"
        row = await self._connection.fetch_one(sql, **parameters, id=id)
        return load(Text, row) if row else None

    async def page(self, reach: Reach, request: PageRequest) -> Page[Text]:
        where, parameters = within(reach)
        return await page_of(
            self._connection,
            partial(load, Text),
            f"generations g WHERE {where}",
            f"SELECT {FIELDS} FROM generations g WHERE {where} ORDER BY g.id DESC",
            request,
            parameters,
        )

    async def words(self, id: UUID, place: Place) -> Words:  # noqa: ARG002  # all of it: a text is small
        row = await self._connection.fetch_one(STANDS, id=id)
        if row is None:
            return Words(0, 0, "")
        if row["status"] in ENDED:
            return Words(row["attempts"], 0, row["content"] or "")
        return Words(row["attempts"], 0, await said(self._connection, id, row["attempts"]))


class SqlWordLog(WordLog):
    """Words kept by single statements."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def keep(self, id: UUID, words: Words) -> None:
        await self._connection.execute(KEEP, id=id, attempt=words.attempt, place=words.offset, words=words.text)


async def said(connection: Connection, id: UUID, attempt: int) -> str:
    """Return the words kept of a call."""
    rows = await connection.fetch(SAID, id=id, attempt=attempt)
    return "".join(row["words"] for row in rows)


def within(reach: Reach) -> tuple[str, Mapping[str, Any]]:
    """Return the condition that a row is within reach, and its parameters."""
    return ("true", {}) if reach.owner is None else ("g.owner = :owner", {"owner": reach.owner})
