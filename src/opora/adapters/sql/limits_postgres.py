"""Limits in PostgreSQL, for sites that have it and no Redis: the same statement on unlogged tables.

The time is the server's. It is read before a statement waits for a row, so it may be older than what it finds there:
the rule ignores a clock that went backwards.
"""

import asyncio
from collections.abc import Sequence
from typing import Any, cast

from opora.adapters.sql.connection import Database
from opora.adapters.sql.limits import LimitStore, Parameters, Rows
from opora.core.kernel.errors import Unavailable


class PostgresLimits(LimitStore):
    """The tables of migration 0005."""

    now_us = "CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint)"
    least = "least"
    greatest = "greatest"

    def __init__(self, database: Database, *, timeout_s: float = 0.1) -> None:
        """Give a statement, the wait for a connection included, `timeout_s`."""
        self._database = database
        self._timeout_s = timeout_s
        self._running: set[asyncio.Task[Rows]] = set()

    def clock(self) -> Parameters:
        """See LimitStore."""
        return {}

    async def fetch(self, sql: str, parameters: Parameters) -> Rows:
        """See LimitStore."""
        try:
            async with asyncio.timeout(self._timeout_s):
                return cast("Rows", await self._database.read.fetch(sql, **parameters))
        except TimeoutError as error:
            raise Unavailable("limits do not answer in time") from error

    async def all_or_none(self, statements: Sequence[tuple[str, Parameters]]) -> Rows:
        """See LimitStore."""
        # Given up, not cancelled: a transaction that is cut off in the middle would keep its connection.
        task = asyncio.create_task(self._all_or_none(statements))
        self._running.add(task)
        task.add_done_callback(self._ended)
        await asyncio.wait({task}, timeout=self._timeout_s)
        if not task.done():
            raise Unavailable("limits do not answer in time")
        return task.result()

    def _ended(self, task: asyncio.Task[Rows]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            task.exception()  # heard by whoever waits, and by nobody once they gave up

    def unfolded(self, name: str) -> str:
        """See LimitStore."""
        return f"json_array_elements(CAST(:{name} AS json))"

    async def _all_or_none(self, statements: Sequence[tuple[str, Parameters]]) -> Rows:
        transaction = await self._database.begin()
        rows: list[Sequence[Any]] = []
        try:
            for sql, parameters in statements:
                found = await transaction.connection.fetch(sql, **parameters)
                if not found:
                    await transaction.rollback()
                    return []
                rows += cast("Rows", found)
        except BaseException:
            await transaction.rollback()
            raise
        await transaction.commit()
        return rows
