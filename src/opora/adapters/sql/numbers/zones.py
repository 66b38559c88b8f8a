"""Sets of time zones, kept once and named by a small number."""

from collections.abc import Mapping, Sequence

import msgspec

from opora.adapters.sql.connection import Connection
from opora.adapters.sql.mapping import to_json
from opora.core.numbers.ports.numbers import ZoneBook

ADD = """
INSERT INTO zone_sets (id, zones) SELECT (SELECT CAST(COALESCE(max(id), 0) + 1 AS smallint) FROM zone_sets), :zones
ON CONFLICT (zones) DO NOTHING
"""
LOCK = "SELECT id FROM zone_sets WHERE id = 0 FOR UPDATE"


class SqlZoneBook(ZoneBook):
    """Sets inside one transaction. There are some hundreds of them at most; a new one is rare and waits its turn."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def ids(self, sets: Sequence[tuple[str, ...]]) -> Mapping[tuple[str, ...], int]:
        known = {zones: id for id, zones in (await self.all()).items()}
        new = sorted({zones for zones in sets if zones not in known})
        if new:
            if self._connection.dialect == "postgresql":
                await self._connection.fetch(LOCK)
            for zones in new:
                await self._connection.execute(ADD, zones=to_json(list(zones)))
            known = {zones: id for id, zones in (await self.all()).items()}
        return {zones: known[zones] for zones in sets}

    async def all(self) -> Mapping[int, tuple[str, ...]]:
        rows = await self._connection.fetch("SELECT id, zones FROM zone_sets")
        return {row["id"]: tuple(msgspec.json.decode(row["zones"])) for row in rows}
