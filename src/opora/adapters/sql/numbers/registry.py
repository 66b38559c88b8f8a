"""The numbering registry: rows replaced as a whole, held in memory by each process as columns."""

import asyncio
import time
from array import array
from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import batched

import msgspec

from opora.adapters.sql.connection import Connection, Database
from opora.adapters.sql.mapping import to_json
from opora.core.numbers.model.registry import NO_PLAN, NumberingPlan, NumberRange
from opora.core.numbers.ports.numbers import NumberingRanges, NumberingRegistry

ADDED_AT_ONCE = 10_000
FRESH_S = 30.0
"""How long a process trusts what it holds before it asks for the version."""
PLAN = 'SELECT "first", "last", operator, region, zones FROM numbering_ranges ORDER BY "first"'
VERSION = "SELECT version FROM numbering_registry WHERE id = 1"
ITEMS = {
    "postgresql": """SELECT * FROM json_to_recordset(CAST(:items AS json))
 AS x("first" bigint, "last" bigint, operator text, region text, zones text)""",
    "sqlite": """SELECT json_extract(value, '$.first') AS "first", json_extract(value, '$.last') AS "last",
 json_extract(value, '$.operator') AS operator, json_extract(value, '$.region') AS region,
 json_extract(value, '$.zones') AS zones FROM json_each(:items)""",
}
ADD = """
INSERT INTO numbering_ranges ("first", "last", operator, region, zones)
SELECT "first", "last", operator, region, zones FROM ({items}) AS added
"""
TURN = """
UPDATE numbering_registry SET version = version + 1, ranges = :ranges, loaded_at = :now WHERE id = 1 RETURNING version
"""


class SqlNumberingRanges(NumberingRanges):
    """The rows inside one transaction; the row of the version keeps loaders apart."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def replace(self, ranges: Sequence[NumberRange], now: datetime) -> int:
        version = await self._connection.fetch_value(TURN, ranges=len(ranges), now=now)
        await self._connection.execute("DELETE FROM numbering_ranges")
        sql = ADD.format(items=ITEMS[self._connection.dialect])
        for some in batched(ranges, ADDED_AT_ONCE):
            items = [
                {
                    "first": one.first,
                    "last": one.last,
                    "operator": one.operator,
                    "region": one.region,
                    "zones": to_json(list(one.zones)),
                }
                for one in some
            ]
            await self._connection.execute(sql, items=to_json(items))
        return int(version)


class SqlNumberingRegistry(NumberingRegistry):
    """The plan in memory; asked for its version now and then, and read anew when that has grown."""

    def __init__(self, database: Database, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._monotonic = monotonic
        self._plan = NO_PLAN
        self._asked_s = float("-inf")
        self._reading = asyncio.Lock()

    async def plan(self) -> NumberingPlan:
        if self._monotonic() - self._asked_s < FRESH_S:
            return self._plan
        return await self.newest()

    async def newest(self) -> NumberingPlan:
        async with self._reading:
            version = int(await self._database.read.fetch_value(VERSION))
            if version != self._plan.version:
                self._plan = await self._read(version)
            self._asked_s = self._monotonic()
        return self._plan

    async def _read(self, version: int) -> NumberingPlan:
        async with self._database.scan() as connection:
            rows = await connection.fetch(PLAN)
        firsts, lasts, kinds = array("q"), array("q"), array("l")
        told: dict[tuple[str, str, str], int] = {}
        for row in rows:
            firsts.append(row["first"])
            lasts.append(row["last"])
            kinds.append(told.setdefault((row["operator"], row["region"], row["zones"]), len(told)))
        read = [(operator, region, tuple(msgspec.json.decode(zones))) for operator, region, zones in told]
        return NumberingPlan(version, firsts, lasts, kinds, read)
