"""Sessions, refresh tokens and what was taken back, in a relational store."""

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime

from opora.adapters.sql.connection import Connection, Database
from opora.adapters.sql.mapping import columns, insertion, load, to_json
from opora.adapters.sql.people import ROLES_OF
from opora.core.access.model.people import RefreshToken, Session, SessionView
from opora.core.access.model.tokens import TokenStanding
from opora.core.access.ports.people import SessionRepository, SessionViews
from opora.core.access.ports.tokens import TokenStandings
from opora.core.kernel.model import Page, PageRequest

SESSION = tuple(field.name for field in fields(Session))
TOKEN = tuple(field.name for field in fields(RefreshToken))
ADD = insertion("sessions", SESSION)
GET = f"SELECT {', '.join(SESSION)} FROM sessions WHERE id = :id"
END = "UPDATE sessions SET ended_at = :at WHERE id = :id AND ended_at IS NULL"
END_ALL = "UPDATE sessions SET ended_at = :at WHERE user_id = :user_id AND ended_at IS NULL"
ERASE_ALL = "DELETE FROM sessions WHERE user_id = :user_id"
END_OTHERS = """
UPDATE sessions SET ended_at = :at
WHERE user_id = :user_id AND ended_at IS NULL AND id <> CAST(:kept_id AS bigint) RETURNING id
"""
NONE_KEPT = 0
"""No session has this id."""
SHOWN = """
SELECT id, address, user_agent, created_at, expires_at,
  COALESCE((SELECT max(issued_at) FROM refresh_tokens WHERE session_id = sessions.id), created_at) AS last_used_at
FROM sessions WHERE user_id = :user_id AND ended_at IS NULL AND expires_at > :now
ORDER BY id DESC LIMIT :limit OFFSET :offset
"""
COUNT_SHOWN = "SELECT count(*) FROM sessions WHERE user_id = :user_id AND ended_at IS NULL AND expires_at > :now"
ADD_TOKEN = insertion("refresh_tokens", TOKEN)
SPEND = f"""
UPDATE refresh_tokens SET used_at = :at WHERE digest = :digest AND used_at IS NULL RETURNING {", ".join(TOKEN)}
"""
GET_TOKEN = f"SELECT {', '.join(TOKEN)} FROM refresh_tokens WHERE digest = :digest"
REFUSE = "INSERT INTO revoked_tokens (token_id, expires_at) VALUES (:token_id, :until) ON CONFLICT DO NOTHING"
REFUSED = "SELECT count(*) FROM revoked_tokens WHERE token_id = :token_id"
NARROW = "UPDATE sessions SET scopes = :scopes WHERE id = :id"
STANDING = """
SELECT users.id AS user_id, {roles} AS roles, users.is_active, users.epoch_at, users.version,
  (EXISTS (SELECT 1 FROM revoked_tokens WHERE token_id = :token_id)
   OR (CAST(:session_id AS bigint) IS NOT NULL AND NOT EXISTS (
     SELECT 1 FROM sessions
     WHERE sessions.id = CAST(:session_id AS bigint) AND user_id = users.id AND ended_at IS NULL))) AS revoked,
  EXISTS (SELECT 1 FROM second_factors WHERE user_id = users.id AND confirmed_at IS NOT NULL) AS has_second_factor
FROM users WHERE users.id = :user_id
"""
PRUNE_REFUSED = """
DELETE FROM revoked_tokens WHERE token_id IN (
  SELECT token_id FROM revoked_tokens WHERE expires_at < later(:age_s) ORDER BY expires_at LIMIT :limit)
"""
PRUNE_SESSIONS = """
DELETE FROM sessions WHERE id IN (
  SELECT id FROM sessions WHERE expires_at < later(:age_s) ORDER BY expires_at LIMIT :limit)
"""


class SqlSessionRepository(SessionRepository):
    """Session and token rows inside one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def next_id(self) -> int:
        return await self._connection.next_id("sessions")

    async def add(self, session: Session) -> None:
        await self._connection.execute(ADD, **columns(session))

    async def get(self, session_id: int) -> Session | None:
        row = await self._connection.fetch_one(GET, id=session_id)
        return load(Session, row) if row else None

    async def end(self, session_id: int, at: datetime) -> bool:
        return await self._connection.execute(END, id=session_id, at=at) == 1

    async def end_all(self, user_id: int, at: datetime) -> int:
        return await self._connection.execute(END_ALL, user_id=user_id, at=at)

    async def end_others(self, user_id: int, kept_id: int | None, at: datetime) -> Sequence[int]:
        rows = await self._connection.fetch(END_OTHERS, user_id=user_id, kept_id=kept_id or NONE_KEPT, at=at)
        return sorted(row["id"] for row in rows)

    async def erase_all(self, user_id: int) -> int:
        return await self._connection.execute(ERASE_ALL, user_id=user_id)

    async def narrow(self, session_id: int, scopes: frozenset[str]) -> None:
        await self._connection.execute(NARROW, id=session_id, scopes=to_json(scopes))

    async def add_token(self, token: RefreshToken) -> None:
        await self._connection.execute(ADD_TOKEN, **columns(token))

    async def spend(self, digest: bytes, at: datetime) -> RefreshToken | None:
        row = await self._connection.fetch_one(SPEND, digest=digest, at=at)
        return load(RefreshToken, row) if row else None

    async def token(self, digest: bytes) -> RefreshToken | None:
        row = await self._connection.fetch_one(GET_TOKEN, digest=digest)
        return load(RefreshToken, row) if row else None

    async def refuse_token_id(self, token_id: str, until: datetime) -> None:
        await self._connection.execute(REFUSE, token_id=token_id, until=until)


class SqlSessionViews(SessionViews):
    """Sessions as their user lists them."""

    def __init__(self, database: Database) -> None:
        self._connection = database.read

    async def page(self, user_id: int, now: datetime, page: PageRequest) -> Page[SessionView]:
        wanted = {"user_id": user_id, "now": now}
        count = await self._connection.fetch_value(COUNT_SHOWN, **wanted)
        rows = await self._connection.fetch(SHOWN, **wanted, limit=page.limit, offset=page.offset)
        items = [load(SessionView, row) for row in rows]
        return Page(items, count, more=page.offset + len(items) < count)


class SqlTokenStandings(TokenStandings):
    """One statement of indexed look-ups a token."""

    def __init__(self, database: Database) -> None:
        self._connection = database.read
        self._sql = STANDING.format(roles=ROLES_OF[self._connection.dialect])

    async def find(self, user_id: int, session_id: int | None, token_id: str) -> TokenStanding | None:
        row = await self._connection.fetch_one(self._sql, user_id=user_id, session_id=session_id, token_id=token_id)
        return load(TokenStanding, row) if row else None

    async def refused(self, token_id: str) -> bool:
        return bool(await self._connection.fetch_value(REFUSED, token_id=token_id))
