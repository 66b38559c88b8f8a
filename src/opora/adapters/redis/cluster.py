"""Redis Cluster: each command goes to the server that holds its key's slot, over one connection a server."""

import asyncio
from binascii import crc_hqx
from collections.abc import Awaitable, Coroutine, Sequence
from dataclasses import replace
from typing import Any

from opora.adapters.redis.addresses import Address
from opora.adapters.redis.connection import Part, RedisConnection, Refused
from opora.adapters.redis.sentinel import first
from opora.core.kernel.errors import Unavailable

SLOTS = 16_384
REDIRECTS_MAX = 4
AGAIN_S = 0.25
"""A map that proved wrong is asked for again no sooner than this after the last one."""
SCRIPTS = {"EVAL", "EVALSHA"}
OF_MANY = {"MGET", "DEL", "EXISTS", "UNLINK"}
OF_NONE = {"PING", "PUBLISH", "CLUSTER", "INFO", "SCRIPT", "CLIENT"}

type Server = tuple[str, int]


def keys_of(parts: Sequence[Any]) -> Sequence[Any]:
    """Return the keys of a command."""
    name = parts[0]
    if name in SCRIPTS:
        return parts[3 : 3 + int(parts[2])]
    if name in OF_MANY:
        return parts[1:]
    if name in OF_NONE:
        return ()
    return parts[2:3] if name == "XINFO" else parts[1:2]


def slot_of(key: Part) -> int:
    """Return a key's slot: that of what stands in its first braces, where something does."""
    text = key if isinstance(key, bytes) else str(key).encode()
    start = text.find(b"{") + 1
    end = text.find(b"}", start) if start else -1
    return crc_hqx(text[start:end] if end > start else text, 0) % SLOTS


class ClusterConnection(RedisConnection):
    """The servers of a cluster as one; a slot that moved is followed, a server that is lost is looked for anew."""

    def __init__(self, seeds: Sequence[Address], *, timeout_s: float = 0.075) -> None:
        """Learn the servers from any of the `seeds`; their name and password are those of every server."""
        super().__init__(seeds[0], timeout_s=timeout_s)
        self._servers: dict[Server, RedisConnection] = {}
        self._seeds: list[Server] = [(one.host, one.port) for one in seeds]
        self._map: list[Server] = []
        self._learning: asyncio.Task[None] | None = None
        self._learned_s = 0.0

    def call(self, *parts: Part) -> Awaitable[Any]:
        """Send a command to the server of its slot; see RedisConnection."""
        return self._everywhere(parts) if parts[0] == "PING" else self._send(parts)

    async def close(self) -> None:
        """Hang up everywhere."""
        if self._learning is not None:
            self._learning.cancel()
            await asyncio.gather(self._learning, return_exceptions=True)
        await asyncio.gather(*(one.close() for one in self._servers.values()))

    async def _send(self, parts: tuple[Part, ...]) -> Any:
        slots = {slot_of(key) for key in keys_of(parts)}
        if len(slots) > 1:
            raise Refused("CROSSSLOT Keys in request don't hash to the same slot")
        if not self._map:
            await self._learn()
        server = self._map[slots.pop() if slots else 0]
        asking = False
        for _ in range(REDIRECTS_MAX):
            try:
                return await self._say(server, parts, asking=asking)
            except Unavailable:
                self._doubt()
                raise
            except Refused as refusal:
                word, *rest = str(refusal).split()
                if word in {"CLUSTERDOWN", "TRYAGAIN"}:
                    raise Unavailable("a part of the cluster is down") from refusal
                if word not in {"MOVED", "ASK"}:
                    raise
                host, _, port = rest[1].rpartition(":")
                server, asking = (host or server[0], int(port)), word == "ASK"
                if not asking:
                    self._map[int(rest[0])] = server
                    self._doubt()
        raise Unavailable("the cluster sends us in circles")

    def _say(self, server: Server, parts: tuple[Part, ...], *, asking: bool) -> Awaitable[Any]:
        connection = self._server(server)
        return self._ask_for(connection, parts) if asking else connection.call(*parts)

    async def _ask_for(self, connection: RedisConnection, parts: tuple[Part, ...]) -> Any:
        """Say a command to the server that a slot is moving to: both leave in one write, nothing between them."""
        await connection.call("PING")
        _, answer = await asyncio.gather(connection.call("ASKING"), connection.call(*parts))
        return answer

    def _server(self, server: Server) -> RedisConnection:
        if server not in self._servers:
            address = replace(self._address, host=server[0], port=server[1])
            self._servers[server] = RedisConnection(address, timeout_s=self._timeout_s)
        return self._servers[server]

    async def _everywhere(self, parts: tuple[Part, ...]) -> Any:
        if not self._map:
            await self._learn()
        try:
            answers = await asyncio.gather(*(self._server(one).call(*parts) for one in set(self._map)))
        except Unavailable:
            self._doubt()
            raise
        return answers[0]

    def _doubt(self) -> None:
        """Have the map learned again, beside what goes on; not for every call that fails."""
        now_s = asyncio.get_running_loop().time()
        if self._learned_s + AGAIN_S < now_s and (self._learning is None or self._learning.done()):
            self._learned_s = now_s
            self._learning = asyncio.create_task(self._quietly())

    async def _quietly(self) -> None:
        try:
            self._map = await self._told()
        except Unavailable:
            return

    async def _learn(self) -> None:
        if self._learning is None or self._learning.done():
            self._learning = asyncio.create_task(self._quietly())
        await asyncio.shield(self._learning)
        if not self._map:
            raise Unavailable("no server of the cluster answers")

    async def _told(self) -> list[Server]:
        known = dict.fromkeys([*self._servers, *self._seeds])
        return await first([self._map_of(server) for server in known])

    def _map_of(self, server: Server) -> Coroutine[Any, Any, list[Server]]:
        return told_by(self._server(server), server)


async def told_by(connection: RedisConnection, server: Server) -> list[Server]:
    """Ask a server which holds what; a map with holes is none."""
    try:
        ranges = await connection.call("CLUSTER", "SLOTS")
    except Refused as refusal:
        raise Unavailable("the server is of no cluster") from refusal
    found: list[Server | None] = [None] * SLOTS
    for start, end, master, *_ in ranges:
        host = (master[0] or b"").decode() or server[0]
        found[start : end + 1] = [(host, int(master[1]))] * (end + 1 - start)
    if None in found:
        raise Unavailable("nobody holds a part of the slots")
    return [one for one in found if one is not None]
