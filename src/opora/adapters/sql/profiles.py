"""Kept profiles in a relational store. Their JSON is text that is written once and never read here."""

from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

import msgspec

from opora.adapters.sql.connection import Connection, Database, Row
from opora.adapters.sql.filters import Filter
from opora.adapters.sql.mapping import insertion, to_json
from opora.adapters.sql.pages import COUNTED_MAX
from opora.adapters.sql.seals import Seal
from opora.core.kernel.errors import Invalid
from opora.core.kernel.model import Page, PageRequest
from opora.core.profiles.model.exports import Reach
from opora.core.profiles.model.kept import KeptProfile, ProfileFilter
from opora.core.profiles.ports.exports import ProfilePayloads
from opora.core.profiles.ports.profiles import ProfileRepository, ProfileViews

COLUMNS = (
    "id", "source_key", "locale", "seed", "position", "as_of", "data_version", "recipe", "payload", "search",
    "created_at", "expires_at",
)  # fmt: skip
ADD = insertion("profiles", COLUMNS)
ALIVE = "deleted_at IS NULL AND (expires_at IS NULL OR expires_at > now())"
ONE = f"SELECT id, payload FROM profiles WHERE id = :id AND {ALIVE}"
OWNED = " AND source_key = :owner"
DELETE = f"UPDATE profiles SET deleted_at = :at WHERE id = :id AND {ALIVE}"
EXPIRE = """
UPDATE profiles SET deleted_at = :now WHERE deleted_at IS NULL AND id IN (
    SELECT id FROM profiles WHERE deleted_at IS NULL AND expires_at <= :now ORDER BY expires_at, id LIMIT :limit
) RETURNING id
"""
SEALED = "sealed:"
"""How a sealed document begins; a plain one begins with a brace."""
UNMADE = {"seed": 0, "position": 0, "recipe": "{}"}
"""What stands in a sealed profile's row in place of its recipe."""
STREAMED_AT_ONCE = 500


def row(kept: KeptProfile, seal: Seal | None = None) -> dict[str, Any]:
    """Give a profile's columns; the document is what callers get, its id in front.

    Where it is sealed, what would make the same person again is left out too.
    """
    document = msgspec.json.encode(kept.profile)
    recipe = kept.recipe
    options = {"sex": recipe.sex, "age_min": recipe.age_min, "age_max": recipe.age_max, "region": recipe.region}
    text = f'{{"id":{kept.id},{document[1:].decode()}'
    values: dict[str, Any] = {
        "id": kept.id,
        "source_key": kept.source_key,
        "locale": recipe.locale,
        "seed": recipe.seed,
        "position": kept.index,
        "as_of": recipe.as_of.isoformat(),
        "data_version": kept.data_version,
        "recipe": to_json(options),
        "payload": text if seal is None else sealed(seal, kept.id, text),
        "search": kept.search,
        "created_at": kept.created_at,
        "expires_at": kept.expires_at,
    }
    return values if seal is None else values | UNMADE


def sealed(seal: Seal, id: int, text: str) -> str:
    """Return a profile's document as it stands sealed in its row."""
    return SEALED + b64encode(seal.seal(text.encode(), place(id))).decode()


def opened(seal: Seal | None, id: int, text: str) -> bytes:
    """Return a profile's document, sealed or not."""
    if not text.startswith(SEALED):
        return text.encode()
    if seal is None:
        raise RuntimeError("this reader was given nothing to open profiles with")
    return seal.open(unwrapped(text), place(id))


def unwrapped(text: str) -> bytes:
    """Return the sealed bytes of a document's text."""
    return b64decode(text.removeprefix(SEALED))


def place(id: int) -> str:
    """Name the place that a profile is sealed for."""
    return f"profile:{id}"


class SqlProfileRepository(ProfileRepository):
    """Profiles inside one transaction."""

    def __init__(self, connection: Connection, seal: Seal | None = None) -> None:
        """With `seal` what is added is sealed."""
        self._connection = connection
        self._seal = seal

    async def next_ids(self, count: int) -> Sequence[int]:
        return sorted(await self._connection.next_ids("profiles", count))

    async def add(self, profiles: Sequence[KeptProfile]) -> None:
        await self._connection.execute_many(ADD, [row(one, self._seal) for one in profiles])

    async def delete(self, id: int, reach: Reach, at: datetime) -> bool:
        if reach.owner is None:
            return await self._connection.execute(DELETE, id=id, at=at) == 1
        return await self._connection.execute(DELETE + OWNED, id=id, at=at, owner=reach.owner) == 1

    async def expire(self, now: datetime, limit: int) -> Sequence[int]:
        return sorted(found["id"] for found in await self._connection.fetch(EXPIRE, now=now, limit=limit))


def narrowed(reach: Reach, wanted: ProfileFilter) -> Filter:
    """Return the conditions of a reach and of what is wanted."""
    found = Filter(ALIVE)
    found.narrow("source_key = :owner", owner=reach.owner)
    found.narrow("source_key = :source_key", source_key=wanted.source_key)
    found.narrow("locale = :locale", locale=wanted.locale)
    found.narrow("created_at >= :created_after", created_after=wanted.created_after)
    found.narrow("created_at < :created_before", created_before=wanted.created_before)
    found.containing("search", wanted.q)
    return found


@cache
def count_sql(parts: tuple[str, ...]) -> str:
    """Write the statement that counts, up to `:counted`."""
    return f"SELECT count(*) FROM (SELECT 1 FROM profiles WHERE {' AND '.join(parts)} LIMIT :counted) AS counted"


@cache
def page_sql(parts: tuple[str, ...], by_cursor: bool, after: bool) -> str:
    """Write the statement of one page: documents, and the count of all in every row."""
    where = " AND ".join([*parts, "id < :after"] if after else parts)
    place = "" if by_cursor else " OFFSET :offset"
    # The ids come from an index alone, so that a far page reads no documents on its way.
    ids = f"SELECT id FROM profiles WHERE {where} ORDER BY id DESC LIMIT :limit{place}"
    return f"SELECT id, payload, ({count_sql(parts)}) AS total FROM profiles WHERE id IN ({ids}) ORDER BY id DESC"


@cache
def part_sql(parts: tuple[str, ...]) -> str:
    """Write the statement of one part of a stream."""
    return f"SELECT id, payload FROM profiles WHERE {' AND '.join(parts)} AND id < :after ORDER BY id DESC LIMIT :limit"


def documents(rows: Sequence[Row], seal: Seal | None) -> list[bytes]:
    """Give the JSON of rows."""
    return [opened(seal, one["id"], one["payload"]) for one in rows]


class SqlProfileViews(ProfileViews):
    """Profiles read by one statement a page, or in parts off the event loop."""

    def __init__(self, database: Database, seal: Seal | None = None, counted_max: int = COUNTED_MAX) -> None:
        """`counted_max` is how far a page counts."""
        self._database = database
        self._seal = seal
        self._counted_max = counted_max

    async def one(self, id: int, reach: Reach) -> bytes | None:
        read = self._database.read
        if reach.owner is None:
            found = await read.fetch_one(ONE, id=id)
        else:
            found = await read.fetch_one(ONE + OWNED, id=id, owner=reach.owner)
        return None if found is None else opened(self._seal, id, found["payload"])

    async def page(self, reach: Reach, wanted: ProfileFilter, request: PageRequest) -> Page[bytes]:
        condition = narrowed(reach, wanted)
        by_cursor = request.cursor is not None
        parameters = {**condition.parameters, "counted": self._counted_max + 1}
        if request.cursor is None:
            parameters["offset"] = request.offset
        elif request.cursor:
            parameters["after"] = position(request.cursor)
        sql = page_sql(condition.parts, by_cursor, "after" in parameters)
        rows = await self._database.read.fetch(sql, **parameters, limit=request.limit + 1)
        count = rows[0]["total"] if rows else await self._count(condition)
        is_exact = count <= self._counted_max
        shown, more = rows[: request.limit], len(rows) > request.limit
        return Page(documents(shown, self._seal), count, more, str(shown[-1]["id"]) if more else None, is_exact)

    async def _count(self, condition: Filter) -> int:
        counted = self._counted_max + 1
        return int(
            await self._database.read.fetch_value(count_sql(condition.parts), **condition.parameters, counted=counted)
        )

    async def stream(self, reach: Reach, wanted: ProfileFilter) -> AsyncIterator[Sequence[bytes]]:
        condition = narrowed(reach, wanted)
        newest = await self._database.read.fetch_value("SELECT max(id) FROM profiles")
        after = (newest or 0) + 1
        while True:
            async with self._database.report() as connection:
                sql = part_sql(condition.parts)
                rows = await connection.fetch(sql, **condition.parameters, after=after, limit=STREAMED_AT_ONCE)
            if rows:
                yield documents(rows, self._seal)
            if len(rows) < STREAMED_AT_ONCE:
                return
            after = rows[-1]["id"]


class SqlProfilePayloads(ProfilePayloads):
    """The documents of named profiles."""

    def __init__(self, database: Database, seal: Seal | None = None) -> None:
        self._database = database
        self._seal = seal

    async def visible(self, ids: Sequence[int], reach: Reach) -> frozenset[int]:
        return frozenset(found["id"] for found in await self._rows("id", ids, reach))

    async def fetch(self, ids: Sequence[int], reach: Reach) -> Mapping[int, bytes]:
        rows = await self._rows("id, payload", ids, reach)
        return {found["id"]: opened(self._seal, found["id"], found["payload"]) for found in rows}

    async def _rows(self, fields: str, ids: Sequence[int], reach: Reach) -> Sequence[Row]:
        read = self._database.read
        sql = f"SELECT {fields} FROM profiles WHERE id IN {read.listed('ids')} AND {ALIVE}"
        if reach.owner is None:
            return await read.fetch(sql, ids=to_json(list(ids)))
        return await read.fetch(sql + OWNED, ids=to_json(list(ids)), owner=reach.owner)


def position(cursor: str) -> int:
    """Read where a page starts; raises Invalid for what no page gave out."""
    if not (cursor.isascii() and cursor.isdecimal() and len(cursor) <= 19):  # noqa: PLR2004  # digits of 64 bits
        raise Invalid(errors={"cursor": ["was not given out by this list"]})
    return min(int(cursor), 2**63 - 1)
