"""The master of a name, wherever sentinels have put it; asked for again at every connection."""

import asyncio
import contextlib
from collections.abc import Coroutine, Iterable, Sequence
from dataclasses import replace
from typing import Any

from opora.adapters.redis.addresses import Address
from opora.adapters.redis.connection import Link, RedisConnection, Refused
from opora.core.kernel.errors import Unavailable


class SentinelConnection(RedisConnection):
    """A connection to whichever server the sentinels call the master."""

    def __init__(self, sentinels: Sequence[Address], master: str, *, timeout_s: float = 0.075) -> None:
        """`sentinels` carry the name, password and database that the master is greeted with."""
        super().__init__(sentinels[0], timeout_s=timeout_s)
        self._sentinels = [replace(one, database=0, username="", password="") for one in sentinels]
        self._master = master

    async def _find(self) -> Address:
        host, port = await first(self._ask(one) for one in self._sentinels)
        return replace(self._address, host=host, port=port)

    async def _meet(self, link: Link) -> None:
        role = await link.send(("ROLE",))
        if role[0] != b"master":
            raise Refused("this server is a master no more")

    async def _ask(self, sentinel: Address) -> tuple[str, int]:
        connection = RedisConnection(sentinel, timeout_s=self._timeout_s)
        try:
            found = await connection.call("SENTINEL", "get-master-addr-by-name", self._master)
        except Refused as refusal:
            raise Unavailable("a sentinel refuses") from refusal
        finally:
            await connection.close()
        if found is None:
            raise Unavailable("the sentinels know no such master")
        return found[0].decode(), int(found[1])


async def first[T](asked: Iterable[Coroutine[Any, Any, T]]) -> T:
    """Return the first answer; raise Unavailable when nobody gives one."""
    tasks = [asyncio.ensure_future(one) for one in asked]
    try:
        for task in asyncio.as_completed(tasks):
            with contextlib.suppress(Unavailable):
                return await task
    finally:
        for one in tasks:
            one.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    raise Unavailable("Redis does not answer")
