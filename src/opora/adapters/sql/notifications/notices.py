"""Notices in a relational store: rows in the transaction of their cause, each with the job that fires it."""

from collections.abc import Collection, Mapping
from uuid import UUID

import msgspec

from opora.adapters.sql.connection import Connection
from opora.adapters.sql.jobs import SqlJobQueue, uuid_of
from opora.adapters.sql.mapping import to_json
from opora.adapters.sql.seals import Seal
from opora.core.jobs.model import NewJob
from opora.core.kernel.errors import Stale
from opora.core.kernel.ports import Identifiers
from opora.core.notifications.model.deliveries import FIRE
from opora.core.notifications.model.notices import MOVES, KeptNotice, Notice, NoticeState
from opora.core.notifications.ports.notices import NoticeStore

NAMES = ("id", "kind", "user_id", "email", "locale", "data", "secret_sealed", "dedup_key", "about")
ADD = f"""
INSERT INTO notices ({", ".join(NAMES)}, state, fire_at, created_at)
VALUES ({", ".join(f":{name}" for name in NAMES)}, 'waiting', COALESCE(:fire_at, now()), now())
ON CONFLICT (dedup_key) DO NOTHING RETURNING id
"""
GET = f"SELECT {', '.join(NAMES)}, state, fire_at, created_at FROM notices WHERE id = :id"
WITHDRAW = """
UPDATE notices SET state = 'withdrawn', secret_sealed = NULL WHERE about = :about AND about <> '' AND (
 state = 'waiting' OR state = 'fired' AND EXISTS (
  SELECT 1 FROM deliveries d WHERE d.notice_id = notices.id AND d.state = 'queued'
  UNION ALL SELECT 1 FROM digest_items i WHERE i.notice_id = notices.id))
"""
MOVE = """
UPDATE notices SET state = :state, secret_sealed = CASE WHEN :keeps THEN secret_sealed ELSE NULL END
WHERE id = :id AND state = :previous
"""
ATTEMPTS_MAX = 50
"""A store that is away for a day must not cost a reminder: the job's pauses grow to five minutes."""


class SqlNotices(NoticeStore):
    """Notices inside one transaction."""

    def __init__(self, connection: Connection, jobs: SqlJobQueue, identifiers: Identifiers, seal: Seal | None) -> None:
        """Without `seal` a notice with secrets is refused with RuntimeError."""
        self._connection = connection
        self._jobs = jobs
        self._identifiers = identifiers
        self._seal = seal

    async def add(self, notice: Notice) -> UUID:
        id = self._identifiers.task_id()
        row = await self._connection.fetch_one(
            ADD,
            id=id,
            kind=notice.kind,
            user_id=notice.user_id,
            email=notice.email,
            locale=notice.locale,
            data=to_json(dict(notice.data)),
            secret_sealed=self._sealed(id, notice.secret),
            dedup_key=notice.dedup_key,
            about=notice.about,
            fire_at=notice.fire_at,
        )
        if row is None:
            sql = "SELECT id FROM notices WHERE dedup_key = :key"
            return uuid_of(await self._connection.fetch_value(sql, key=notice.dedup_key))
        job = NewJob(kind=FIRE, payload={"notice_id": str(id)}, run_at=notice.fire_at, attempts_max=ATTEMPTS_MAX)
        await self._jobs.add(job)
        return id

    def _sealed(self, id: UUID, secret: Mapping[str, str]) -> bytes | None:
        if not secret:
            return None
        if self._seal is None:
            raise RuntimeError("this transaction was given nothing to seal secrets with")
        return self._seal.seal(to_json(dict(secret)).encode(), place(id))

    async def withdraw(self, about: str, kinds: Collection[str] | None = None) -> int:
        if kinds is None:
            return await self._connection.execute(WITHDRAW, about=about)
        only = f"{WITHDRAW} AND kind IN {self._connection.listed('kinds', 'text')}"
        return await self._connection.execute(only, about=about, kinds=to_json(sorted(kinds)))

    async def get(self, id: UUID) -> KeptNotice | None:
        lock = " FOR UPDATE" if self._connection.dialect == "postgresql" else ""
        row = await self._connection.fetch_one(GET + lock, id=id)
        if row is None:
            return None
        values = {name: row[name] for name in row.keys()}  # noqa: SIM118  # a Row is no mapping
        sealed, values["data"] = values.pop("secret_sealed"), msgspec.json.decode(values["data"])
        values["secret"] = self._opened(id, bytes(sealed)) if sealed else {}
        return msgspec.convert(values, KeptNotice, strict=False)

    def _opened(self, id: UUID, sealed: bytes) -> Mapping[str, str]:
        if self._seal is None:
            raise RuntimeError("this transaction was given nothing to open secrets with")
        return msgspec.json.decode(self._seal.open(sealed, place(id)), type=dict[str, str])

    async def move(self, notice: KeptNotice, state: NoticeState) -> None:
        MOVES.check(notice.state, state)
        keeps = state is NoticeState.FIRED
        moved = await self._connection.execute(
            MOVE, id=notice.id, state=str(state), previous=str(notice.state), keeps=keeps
        )
        if not moved:
            raise Stale(notice_id=str(notice.id))


def place(id: UUID) -> str:
    """Name the place that a notice's secrets are sealed for."""
    return f"notice:{id}"
