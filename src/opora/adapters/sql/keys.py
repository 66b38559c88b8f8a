"""API keys in a relational store."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from functools import lru_cache

from opora.adapters.sql.connection import Connection, Database, Row
from opora.adapters.sql.filters import Filter
from opora.adapters.sql.mapping import columns, insertion, load, to_json
from opora.adapters.sql.pages import page_of
from opora.adapters.sql.people import ROLES_OF
from opora.core.access.errors import KeyTaken, NoSuchKey
from opora.core.access.model.keys import (
    BCRYPT_SCHEME,
    ApiKey,
    ImportedKey,
    KeyDigest,
    KeyFilter,
    KeyOwner,
    KeyReach,
    KeyRecord,
    KeyView,
    view_of,
)
from opora.core.access.ports.keys import KeyLookup, KeyRepository, KeyUsageStore, KeyViews
from opora.core.kernel.errors import Stale
from opora.core.kernel.model import Page, PageRequest
from opora.core.kernel.rules import folded, words

KEY = tuple(field.name for field in fields(ApiKey))
KEPT = tuple(name for name in KEY if name not in {"id", "version", "last_used_at"})
ADD = insertion(
    "api_keys", (*KEY, "digest", "digest_scheme", "lookup_prefix", "search"), "ON CONFLICT (digest) DO NOTHING"
)
SAVE = f"""
UPDATE api_keys SET {", ".join(f"{name} = :{name}" for name in KEPT)}, version = :version, search = :search
WHERE id = :id AND version = :version - 1
"""
GET = f"SELECT {', '.join(KEY)} FROM api_keys WHERE id = :id"
OWNED_BY = f"SELECT {', '.join(KEY)} FROM api_keys WHERE owner_id = :owner_id ORDER BY id"
REPLACE_DIGEST = """
UPDATE api_keys SET digest = :new_value, digest_scheme = :new_scheme, lookup_prefix = NULL
WHERE id = :id AND digest = :old_value AND digest_scheme = :old_scheme
"""
OWN = "(owner_id = :reach_owner OR created_by = :reach_maker)"
IMPORTS_MAX = 4
USES = {
    "postgresql": """
WITH used AS (
  SELECT CAST(value->>0 AS bigint) AS id, CAST(value->>1 AS timestamptz) AS at
  FROM json_array_elements(CAST(:uses AS json))
), locked AS (
  SELECT api_keys.id FROM api_keys JOIN used ON used.id = api_keys.id
  WHERE api_keys.last_used_at IS NULL OR api_keys.last_used_at < used.at
  ORDER BY api_keys.id FOR UPDATE OF api_keys
)
UPDATE api_keys SET last_used_at = used.at FROM used JOIN locked ON locked.id = used.id
WHERE api_keys.id = used.id AND (api_keys.last_used_at IS NULL OR api_keys.last_used_at < used.at)
""",
    "sqlite": """
UPDATE api_keys SET last_used_at = used.at
FROM (SELECT json_extract(value, '$[0]') AS id, json_extract(value, '$[1]') AS at FROM json_each(:uses)) AS used
WHERE api_keys.id = used.id AND (api_keys.last_used_at IS NULL OR api_keys.last_used_at < used.at)
""",
}
"""The rows are locked in the order of their ids, so that two processes that write at once cannot deadlock."""


class SqlKeyRepository(KeyRepository):
    """Key rows inside one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def next_id(self) -> int:
        return await self._connection.next_id("api_keys")

    async def get(self, key_id: int) -> ApiKey | None:
        row = await self._connection.fetch_one(GET, id=key_id)
        return load(ApiKey, row) if row else None

    async def add(self, key: ApiKey, digest: KeyDigest, lookup_prefix: str | None = None) -> None:
        added = await self._connection.execute(
            ADD,
            **columns(key),
            digest=digest.value,
            digest_scheme=digest.scheme,
            lookup_prefix=lookup_prefix,
            search=folded(key.label),
        )
        if not added:
            raise KeyTaken

    async def save(self, key: ApiKey) -> None:
        values = columns(key)
        del values["last_used_at"]
        if not await self._connection.execute(SAVE, **values, search=folded(key.label)):
            raise Stale(key_id=key.id)

    async def owned_by(self, owner_id: int) -> Sequence[ApiKey]:
        return [load(ApiKey, row) for row in await self._connection.fetch(OWNED_BY, owner_id=owner_id)]

    async def replace_digest(self, key_id: int, old: KeyDigest, new: KeyDigest) -> bool:
        changed = await self._connection.execute(
            REPLACE_DIGEST,
            id=key_id,
            old_value=old.value,
            old_scheme=old.scheme,
            new_value=new.value,
            new_scheme=new.scheme,
        )
        return changed == 1


@lru_cache(maxsize=32)
def record_sql(dialect: str, condition: str) -> str:
    """Write the query for keys with their owners of this moment."""
    listed = ", ".join(f"api_keys.{name}" for name in KEY)
    return f"""
SELECT {listed}, digest, digest_scheme, users.is_active AS owner_is_active, {ROLES_OF[dialect]} AS owner_roles,
  users.version AS owner_version
FROM api_keys LEFT JOIN users ON users.id = api_keys.owner_id WHERE {condition}
"""


def record_of(row: Row) -> KeyRecord:
    """Build a key with its owner from a row of `record_sql`."""
    key = load(ApiKey, row)
    if key.owner_id is None:
        return KeyRecord(key, row["digest_scheme"])
    owner = {name: row[f"owner_{name}"] for name in ("id", "roles", "is_active", "version")}
    return KeyRecord(key, row["digest_scheme"], load(KeyOwner, owner))


class SqlKeyLookup(KeyLookup):
    """One indexed statement a look-up."""

    def __init__(self, database: Database) -> None:
        self._connection = database.read

    async def find(self, digests: Sequence[KeyDigest]) -> KeyRecord | None:
        names = ", ".join(f":digest_{number}" for number in range(len(digests)))
        sql = record_sql(self._connection.dialect, f"digest IN ({names})")
        row = await self._connection.fetch_one(sql, **{f"digest_{i}": one.value for i, one in enumerate(digests)})
        return record_of(row) if row else None

    async def by_id(self, key_id: int) -> KeyRecord | None:
        sql = record_sql(self._connection.dialect, "api_keys.id = :id")
        row = await self._connection.fetch_one(sql, id=key_id)
        return record_of(row) if row else None

    async def imported(self, lookup_prefix: str) -> Sequence[ImportedKey]:
        condition = "lookup_prefix = :lookup_prefix ORDER BY api_keys.id LIMIT :limit"
        sql = record_sql(self._connection.dialect, condition)
        rows = await self._connection.fetch(sql, lookup_prefix=lookup_prefix, limit=IMPORTS_MAX)
        return [ImportedKey(record_of(row), KeyDigest(BCRYPT_SCHEME, bytes(row["digest"]))) for row in rows]


class SqlKeyUsageStore(KeyUsageStore):
    """`last_used_at` moved forward in one statement."""

    def __init__(self, database: Database) -> None:
        self._connection = database.read

    async def record(self, uses: Mapping[int, datetime]) -> None:
        pairs = [[key_id, at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")] for key_id, at in uses.items()]
        await self._connection.execute(USES[self._connection.dialect], uses=to_json(pairs))


class SqlKeyViews(KeyViews):
    """Keys as the administration lists them."""

    def __init__(self, database: Database) -> None:
        self._connection = database.read

    async def one(self, reach: KeyReach, key_id: int, now: datetime) -> KeyView:
        row = await self._connection.fetch_one(GET, id=key_id)
        key = load(ApiKey, row) if row else None
        if key is None or not reach.covers(key):
            raise NoSuchKey(key_id=key_id)
        return view_of(key, now)

    async def page(self, reach: KeyReach, wanted: KeyFilter, page: PageRequest, now: datetime) -> Page[KeyView]:
        found = wanted_keys(reach, wanted)
        return await page_of(
            self._connection,
            lambda row: view_of(load(ApiKey, row), now),
            f"api_keys WHERE {found.where}",
            f"SELECT {', '.join(KEY)} FROM api_keys WHERE {found.where} ORDER BY id DESC",
            page,
            found.parameters,
        )


def wanted_keys(reach: KeyReach, wanted: KeyFilter) -> Filter:
    """Write which keys may be seen and are wanted."""
    found = Filter() if reach.everything else Filter(OWN, reach_owner=reach.owner_id, reach_maker=reach.maker)
    found.narrow("state = :state", state=wanted.state)
    found.narrow("owner_id = :owner_id", owner_id=wanted.owner_id)
    found.containing("search", words(wanted.text))
    return found
