"""Prompts in a relational store: the prompt, its versions, and the labels that point to them."""

from collections.abc import Sequence
from dataclasses import fields
from functools import partial
from typing import Any

from opora.adapters.sql.connection import Connection, Row
from opora.adapters.sql.mapping import columns, insertion, load, to_json
from opora.adapters.sql.pages import page_of
from opora.core.generation.errors import PromptExists
from opora.core.generation.model.prompts import Prompt, PromptVersion
from opora.core.generation.ports.prompts import PromptRepository, PromptViews
from opora.core.kernel.errors import Stale
from opora.core.kernel.model import Page, PageRequest

NAMES = ("id", "name", "description", "versions", "created_at")
FIELDS = ", ".join(f"p.{name}" for name in NAMES)
ADD = insertion("prompts", NAMES, "ON CONFLICT DO NOTHING")
VERSION_NAMES = tuple(field.name for field in fields(PromptVersion))
VERSION_FIELDS = ", ".join(f"v.{name}" for name in VERSION_NAMES)
PUBLISH = insertion("prompt_versions", VERSION_NAMES)
COUNT = "UPDATE prompts SET versions = :version WHERE id = :id AND versions = :version - 1"
POINT = """
INSERT INTO prompt_labels (prompt_id, label, version) VALUES (:id, :label, :version)
ON CONFLICT (prompt_id, label) DO UPDATE SET version = EXCLUDED.version
"""
LABELS = "SELECT prompt_id, label, version FROM prompt_labels WHERE prompt_id IN "
LABELLED = f"""
SELECT p.name, {VERSION_FIELDS} FROM prompts p
JOIN prompt_labels l ON l.prompt_id = p.id AND l.label = :label
JOIN prompt_versions v ON v.prompt_id = p.id AND v.version = l.version
"""
VERSION = f"SELECT {VERSION_FIELDS} FROM prompt_versions v WHERE v.prompt_id = :id"


class SqlPromptRepository(PromptRepository):
    """Prompts inside one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lock = " FOR UPDATE" if connection.dialect == "postgresql" else ""

    async def next_id(self) -> int:
        return await self._connection.next_id("prompts")

    async def add(self, prompt: Prompt) -> None:
        values = {name: getattr(prompt, name) for name in NAMES}
        if not await self._connection.execute(ADD, **values):
            raise PromptExists(name=prompt.name)

    async def get(self, id: int) -> Prompt | None:
        row = await self._connection.fetch_one(f"SELECT {FIELDS} FROM prompts p WHERE p.id = :id{self._lock}", id=id)
        found = await labelled(self._connection, [row] if row else [])
        return found[0] if found else None

    async def publish(self, version: PromptVersion) -> None:
        if not await self._connection.execute(COUNT, id=version.prompt_id, version=version.version):
            raise Stale(prompt_id=version.prompt_id)
        await self._connection.execute(PUBLISH, **columns(version))

    async def point(self, prompt_id: int, label: str, version: int) -> None:
        await self._connection.execute(POINT, id=prompt_id, label=label, version=version)

    async def unpoint(self, prompt_id: int, label: str) -> bool:
        sql = "DELETE FROM prompt_labels WHERE prompt_id = :id AND label = :label"
        return await self._connection.execute(sql, id=prompt_id, label=label) > 0

    async def version(self, prompt_id: int, version: int) -> PromptVersion | None:
        return await version_of(self._connection, prompt_id, version)

    async def labelled(self, name: str | None, id: int | None, label: str) -> tuple[str, PromptVersion] | None:
        where, parameters = ("p.id = :id", {"id": id}) if name is None else ("p.name = :name", {"name": name})
        row = await self._connection.fetch_one(f"{LABELLED} WHERE {where}", label=label, **parameters)
        return (row["name"], load(PromptVersion, row)) if row else None


class SqlPromptViews(PromptViews):
    """Prompts as people read them; single statements."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def page(self, request: PageRequest) -> Page[Prompt]:
        count = await self._connection.fetch_value("SELECT count(*) FROM prompts")
        sql = f"SELECT {FIELDS} FROM prompts p ORDER BY p.name LIMIT :limit OFFSET :offset"
        rows = await self._connection.fetch(sql, limit=request.limit, offset=request.offset)
        items = await labelled(self._connection, rows)
        return Page(items=items, count=count, more=request.offset + len(items) < count)

    async def one(self, id: int) -> Prompt | None:
        rows = await self._connection.fetch(f"SELECT {FIELDS} FROM prompts p WHERE p.id = :id", id=id)
        found = await labelled(self._connection, rows)
        return found[0] if found else None

    async def versions(self, id: int, request: PageRequest) -> Page[PromptVersion]:
        among = "prompt_versions v WHERE v.prompt_id = :id"
        newest = f"{VERSION} ORDER BY v.version DESC"
        return await page_of(self._connection, partial(load, PromptVersion), among, newest, request, {"id": id})

    async def version(self, id: int, version: int) -> PromptVersion | None:
        return await version_of(self._connection, id, version)


async def version_of(connection: Connection, id: int, version: int) -> PromptVersion | None:
    """Return one version of a prompt."""
    row = await connection.fetch_one(f"{VERSION} AND v.version = CAST(:version AS bigint)", id=id, version=version)
    return load(PromptVersion, row) if row else None


async def labelled(connection: Connection, rows: Sequence[Row]) -> list[Prompt]:
    """Return prompts with their labels."""
    if not rows:
        return []
    ids = to_json([row["id"] for row in rows])
    labels: dict[int, dict[str, int]] = {}
    for row in await connection.fetch(LABELS + connection.listed("ids"), ids=ids):
        labels.setdefault(row["prompt_id"], {})[row["label"]] = row["version"]
    return [prompt_of(row, labels.get(row["id"], {})) for row in rows]


def prompt_of(row: Row, labels: dict[str, int]) -> Prompt:
    """Read a prompt from its row and its labels."""
    values: dict[str, Any] = {name: row[name] for name in NAMES}
    return load(Prompt, values | {"labels": labels})
