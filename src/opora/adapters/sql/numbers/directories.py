"""Providers and areas inside one transaction."""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from opora.adapters.sql.connection import Connection
from opora.adapters.sql.errors import ConstraintBroken
from opora.adapters.sql.mapping import columns, insertion, load, to_json
from opora.core.kernel.errors import Stale
from opora.core.kernel.rules import folded
from opora.core.numbers.errors.projects import GeoInUse, ProviderInUse
from opora.core.numbers.model.projects import Geo, Provider
from opora.core.numbers.ports.projects import GeoRepository, ProviderRepository

PROVIDER = tuple(field.name for field in fields(Provider))
GEO = tuple(field.name for field in fields(Geo))


def saving(table: str, names: Sequence[str]) -> str:
    """Write the UPDATE of a row whose version must be the one before."""
    kept = [name for name in names if name not in {"id", "created_at", "version"}]
    changed = ", ".join(f"{name} = :{name}" for name in kept)
    return (
        f"UPDATE {table} SET {changed}, version = :version, search = :search WHERE id = :id AND version = :version - 1"
    )


ADD_PROVIDER, SAVE_PROVIDER = insertion("providers", (*PROVIDER, "search")), saving("providers", PROVIDER)
ADD_GEO, SAVE_GEO = insertion("geo", (*GEO, "search")), saving("geo", GEO)


class SqlProviderRepository(ProviderRepository):
    """Provider rows inside one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lock = " FOR UPDATE" if connection.dialect == "postgresql" else ""

    async def next_id(self) -> int:
        return await self._connection.next_id("providers")

    async def add(self, provider: Provider) -> None:
        await self._connection.execute(ADD_PROVIDER, **columns(provider), search=folded(provider.name))

    async def get(self, id: int) -> Provider | None:
        sql = f"SELECT {', '.join(PROVIDER)} FROM providers WHERE id = :id{self._lock}"
        row = await self._connection.fetch_one(sql, id=id)
        return load(Provider, row) if row else None

    async def save(self, provider: Provider) -> None:
        values: dict[str, Any] = columns(provider)
        del values["created_at"]
        if not await self._connection.execute(SAVE_PROVIDER, **values, search=folded(provider.name)):
            raise Stale(provider_id=provider.id)

    async def remove(self, id: int) -> bool:
        try:
            return await self._connection.execute("DELETE FROM providers WHERE id = :id", id=id) == 1
        except ConstraintBroken as broken:
            raise ProviderInUse(provider_id=id) from broken

    async def present(self, ids: Sequence[int]) -> frozenset[int]:
        sql = f"SELECT id FROM providers WHERE id IN {self._connection.listed('ids')}"
        return frozenset(row["id"] for row in await self._connection.fetch(sql, ids=to_json(list(ids))))


def described(geo: Geo) -> str:
    """Return the text that an area is searched by."""
    return folded(" ".join(filter(None, (geo.country_code, geo.region, geo.city))))


class SqlGeoRepository(GeoRepository):
    """Rows of areas inside one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lock = " FOR UPDATE" if connection.dialect == "postgresql" else ""

    async def next_id(self) -> int:
        return await self._connection.next_id("geo")

    async def add(self, geo: Geo) -> None:
        await self._connection.execute(ADD_GEO, **columns(geo), search=described(geo))

    async def get(self, id: int) -> Geo | None:
        row = await self._connection.fetch_one(f"SELECT {', '.join(GEO)} FROM geo WHERE id = :id{self._lock}", id=id)
        return load(Geo, row) if row else None

    async def save(self, geo: Geo) -> None:
        values: dict[str, Any] = columns(geo)
        del values["created_at"]
        if not await self._connection.execute(SAVE_GEO, **values, search=described(geo)):
            raise Stale(geo_id=geo.id)

    async def remove(self, id: int) -> bool:
        try:
            return await self._connection.execute("DELETE FROM geo WHERE id = :id", id=id) == 1
        except ConstraintBroken as broken:
            raise GeoInUse(geo_id=id) from broken

    async def zones(self, ids: Sequence[int]) -> dict[int, str | None]:
        sql = f"SELECT id, timezone FROM geo WHERE id IN {self._connection.listed('ids')}"
        rows = await self._connection.fetch(sql, ids=to_json(list(ids)))
        return {row["id"]: row["timezone"] for row in rows}
