"""One-time tokens, second factors and known devices in a relational store."""

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime

from opora.adapters.sql.connection import Connection, Database, Row
from opora.adapters.sql.mapping import columns, insertion, load
from opora.adapters.sql.people import USER, user_sql
from opora.core.access.model.people import User
from opora.core.access.model.proofs import Arrival, OneTimeToken, Purpose, SecondFactor
from opora.core.access.ports.proofs import (
    Arrivals,
    DeviceRepository,
    OneTimeTokenRepository,
    SecondFactorRepository,
)

TOKEN = tuple(field.name for field in fields(OneTimeToken))
FACTOR = tuple(field.name for field in fields(SecondFactor))
ADD_TOKEN = insertion("one_time_tokens", TOKEN)
SPEND = """
DELETE FROM one_time_tokens WHERE digest = :digest AND purpose = :purpose AND expires_at > :now RETURNING user_id
"""
DROP = "DELETE FROM one_time_tokens WHERE user_id = :user_id AND purpose = :purpose"
PRUNE_TOKENS = """
DELETE FROM one_time_tokens WHERE digest IN (
  SELECT digest FROM one_time_tokens WHERE expires_at < later(:age_s) ORDER BY expires_at LIMIT :limit)
"""
GET_FACTOR = f"SELECT {', '.join(FACTOR)} FROM second_factors WHERE user_id = :user_id"
PUT_FACTOR = insertion(
    "second_factors",
    FACTOR,
    """ON CONFLICT (user_id) DO UPDATE SET sealed = excluded.sealed, created_at = excluded.created_at,
  last_step = excluded.last_step WHERE second_factors.confirmed_at IS NULL""",
)
CONFIRM = """
UPDATE second_factors SET sealed = :sealed, confirmed_at = :confirmed_at, last_step = :last_step
WHERE user_id = :user_id AND confirmed_at IS NULL
"""
TAKE_STEP = "UPDATE second_factors SET last_step = :step WHERE user_id = :user_id AND last_step < :step"
REMOVE_FACTOR = "DELETE FROM second_factors WHERE user_id = :user_id RETURNING confirmed_at"
ADD_CODE = insertion("recovery_codes", ("user_id", "digest"))
DROP_CODES = "DELETE FROM recovery_codes WHERE user_id = :user_id"
TAKE_CODE = f"{DROP_CODES} AND digest = :digest"
SEEN_AGAIN = "UPDATE known_devices SET last_seen_at = :at WHERE user_id = :user_id AND mark = :mark"
SEEN_FIRST = insertion(
    "known_devices",
    ("user_id", "mark", "first_seen_at", "last_seen_at"),
    "ON CONFLICT (user_id, mark) DO UPDATE SET last_seen_at = excluded.last_seen_at",
)
FORGET_OLD = """
DELETE FROM known_devices WHERE user_id = :user_id AND mark IN (
  SELECT mark FROM known_devices WHERE user_id = :user_id ORDER BY last_seen_at DESC, mark LIMIT 1000 OFFSET :keep)
"""
FORGET = "DELETE FROM known_devices WHERE user_id = :user_id"
ARRIVAL = """,
  (SELECT mark FROM known_devices WHERE user_id = users.id AND mark IN (:mark, :other)
   ORDER BY CASE WHEN mark = :mark THEN 0 ELSE 1 END LIMIT 1) AS known_mark,
  EXISTS (SELECT 1 FROM known_devices WHERE user_id = users.id) AS has_devices,
  EXISTS (SELECT 1 FROM second_factors WHERE user_id = users.id AND confirmed_at IS NOT NULL) AS has_second_factor
"""
OWNER = """
WHERE id = (SELECT user_id FROM one_time_tokens WHERE digest = :digest AND purpose = :purpose AND expires_at > :now)
"""


class SqlOneTimeTokenRepository(OneTimeTokenRepository):
    """Token rows inside one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add(self, token: OneTimeToken) -> None:
        await self._connection.execute(ADD_TOKEN, **columns(token))

    async def spend(self, digest: bytes, purpose: Purpose, now: datetime) -> int | None:
        row = await self._connection.fetch_one(SPEND, digest=digest, purpose=purpose.value, now=now)
        return row["user_id"] if row else None

    async def drop(self, user_id: int, purpose: Purpose) -> int:
        return await self._connection.execute(DROP, user_id=user_id, purpose=purpose.value)


class SqlSecondFactorRepository(SecondFactorRepository):
    """Factor and recovery code rows inside one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def get(self, user_id: int) -> SecondFactor | None:
        row = await self._connection.fetch_one(GET_FACTOR, user_id=user_id)
        return load(SecondFactor, row) if row else None

    async def put(self, factor: SecondFactor) -> bool:
        return await self._connection.execute(PUT_FACTOR, **columns(factor)) == 1

    async def confirm(self, factor: SecondFactor, recovery_digests: Sequence[bytes]) -> bool:
        values = columns(factor)
        del values["created_at"]
        if not await self._connection.execute(CONFIRM, **values):
            return False
        await self._connection.execute(DROP_CODES, user_id=factor.user_id)
        rows = [{"user_id": factor.user_id, "digest": digest} for digest in recovery_digests]
        await self._connection.execute_many(ADD_CODE, rows)
        return True

    async def take_step(self, user_id: int, step: int) -> bool:
        return await self._connection.execute(TAKE_STEP, user_id=user_id, step=step) == 1

    async def take_recovery_code(self, user_id: int, digest: bytes) -> bool:
        return await self._connection.execute(TAKE_CODE, user_id=user_id, digest=digest) == 1

    async def remove(self, user_id: int) -> bool:
        row = await self._connection.fetch_one(REMOVE_FACTOR, user_id=user_id)
        return row is not None and row["confirmed_at"] is not None


class SqlDeviceRepository(DeviceRepository):
    """Device rows inside one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def remember(self, user_id: int, mark: bytes, at: datetime, keep: int) -> bool:
        if await self._connection.execute(SEEN_AGAIN, user_id=user_id, mark=mark, at=at):
            return False
        await self._connection.execute(SEEN_FIRST, user_id=user_id, mark=mark, first_seen_at=at, last_seen_at=at)
        await self._connection.execute(FORGET_OLD, user_id=user_id, keep=keep)
        return True

    async def forget(self, user_id: int) -> int:
        return await self._connection.execute(FORGET, user_id=user_id)


class SqlArrivals(Arrivals):
    """One statement of indexed look-ups an arrival."""

    def __init__(self, database: Database) -> None:
        self._connection = database.read
        whole = user_sql(database.dialect, "{}").replace(" FROM users {}", ARRIVAL + " FROM users {}")
        self._by_email = whole.replace("{}", "WHERE email = :email")
        self._by_token = whole.replace("{}", OWNER)

    async def at(self, email: str, marks: Sequence[bytes]) -> Arrival:
        row = await self._connection.fetch_one(self._by_email, email=email, mark=marks[0], other=marks[-1])
        return arrival_of(row)

    async def by_token(self, digest: bytes, purpose: Purpose, now: datetime, marks: Sequence[bytes]) -> Arrival:
        row = await self._connection.fetch_one(
            self._by_token, digest=digest, purpose=purpose.value, now=now, mark=marks[0], other=marks[-1]
        )
        return arrival_of(row)


def arrival_of(row: Row | None) -> Arrival:
    """Build what was found of who arrives."""
    if row is None:
        return Arrival()
    user = load(User, {name: row[name] for name in (*USER, "roles")})
    mark = row["known_mark"]
    return Arrival(
        user,
        bytes(mark) if mark is not None else None,
        bool(row["has_devices"]),
        bool(row["has_second_factor"]),
    )
