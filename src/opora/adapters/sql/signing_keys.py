"""Signing keys in a relational store, their private parts sealed."""

from collections.abc import Sequence
from dataclasses import fields

from opora.adapters.sql.connection import Connection
from opora.adapters.sql.mapping import columns, insertion, load
from opora.core.access.model.tokens import SigningKey
from opora.core.access.ports.tokens import SigningKeyRepository
from opora.core.kernel.errors import Stale

KEY = tuple(field.name for field in fields(SigningKey))
ALL = f"SELECT {', '.join(KEY)} FROM signing_keys ORDER BY created_at, id"
ADD = insertion("signing_keys", KEY, "ON CONFLICT DO NOTHING")
SAVED = ("id", "state", "activates_at", "retires_at", "version")
SAVE = """
UPDATE signing_keys SET state = :state, activates_at = :activates_at, retires_at = :retires_at, version = :version
WHERE id = :id AND version = :version - 1
"""


class SqlSigningKeyRepository(SigningKeyRepository):
    """Signing key rows inside one transaction; a partial unique index keeps one active."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def all(self) -> Sequence[SigningKey]:
        return [load(SigningKey, row) for row in await self._connection.fetch(ALL)]

    async def add(self, key: SigningKey) -> bool:
        return await self._connection.execute(ADD, **columns(key)) == 1

    async def save(self, key: SigningKey) -> None:
        values = columns(key)
        if not await self._connection.execute(SAVE, **{name: values[name] for name in SAVED}):
            raise Stale(key_id=key.id)
