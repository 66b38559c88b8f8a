"""Listening to a stream in Redis: a group, whose entries are acknowledged by hand, with dead letters."""

import asyncio
from typing import Any

from redis.asyncio import Redis, RedisCluster
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.connection import parse_url
from redis.exceptions import ResponseError

from opora.events.handling import LOG, Reception, Verdict

COUNT = 50
BLOCK_MS = 5000
ANSWER_S = 15.0
"""Longer than a read that waits: a silence past this is a lost server."""
DEAD_MAX = 10_000
MEMBER = "opora"
"""Every process of a group is one member: what a process that died had in hand, the next one to start takes up. The
inbox keeps two that have one entry in hand from having its effect twice."""


class RedisLine:
    """One group of one stream."""

    def __init__(self, url: str, stream: str) -> None:
        self._url = url
        self._stream = stream

    async def run(self, reception: Reception, listening: asyncio.Event) -> None:
        """Deliver what this consumer left unfinished, then what is new, until Redis is lost or flushed, which raises.

        A new group begins with the oldest entry there is; so does one that a flush took away.
        """
        async with client_of(self._url) as redis:
            await self._group(redis, reception.consumer)
            listening.set()
            await self._unfinished(redis, reception)
            while True:
                streams: dict[Any, Any] = {self._stream: ">"}
                found = await redis.xreadgroup(reception.consumer, MEMBER, streams, COUNT, block=BLOCK_MS)
                for _, entries in _listed(found):
                    for id, fields in entries:
                        await self._settle(redis, reception, id, fields)

    async def _group(self, redis: Any, consumer: str) -> None:
        try:
            await redis.xgroup_create(self._stream, consumer, id="0", mkstream=True)
        except ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise

    async def _unfinished(self, redis: Any, reception: Reception) -> None:
        """Take up what was delivered and never acknowledged, one by one: only what is taken up counts as delivered.

        What was delivered too often goes to the dead letters.
        """
        group = reception.consumer
        while found := await redis.xpending_range(self._stream, group, "-", "+", COUNT):
            for told in found:
                id = told["message_id"]
                entries = await redis.xclaim(self._stream, group, MEMBER, 0, [id])
                fields = entries[0][1] if entries else None
                if told["times_delivered"] >= reception.patience.deliveries or not fields:
                    LOG.warning("entry %s was delivered too often, or is gone", id)
                    await self._bury(redis, group, id, fields)
                else:
                    await self._settle(redis, reception, id, fields)

    async def _settle(self, redis: Any, reception: Reception, id: Any, fields: Any) -> None:
        body = dict(fields or {}).get(b"event", b"")
        if await reception.take(body) is Verdict.DONE:
            await redis.xack(self._stream, reception.consumer, id)
        else:
            await self._bury(redis, reception.consumer, id, fields)

    async def _bury(self, redis: Any, consumer: str, id: Any, fields: Any) -> None:
        async with redis.pipeline(transaction=True) as pipeline:
            pipeline.xadd(dead_letters(self._stream, consumer), fields or {"id": id}, maxlen=DEAD_MAX, approximate=True)
            pipeline.xack(self._stream, consumer, id)
            await pipeline.execute()


def client_of(url: str) -> Any:
    """Return a client of a server, or of a cluster by the servers that the address lists."""
    waits: dict[str, Any] = {"socket_timeout": ANSWER_S, "socket_connect_timeout": ANSWER_S}
    scheme, cluster, rest = url.partition("+cluster")
    if not cluster:
        return Redis.from_url(url, **waits)
    who, at, hosts = rest.removeprefix("://").partition("/")[0].rpartition("@")
    servers = [parse_url(f"{scheme}://{who}{at}{host}") for host in hosts.split(",")]
    nodes = [ClusterNode(one.get("host", "127.0.0.1"), one.get("port", 6379)) for one in servers]
    secure: dict[str, Any] = {"ssl": True} if scheme == "rediss" else {}
    credentials: dict[str, Any] = {name: servers[0].get(name) for name in ("username", "password")}
    return RedisCluster(startup_nodes=nodes, **credentials, **secure, **waits)


def dead_letters(stream: str, consumer: str) -> str:
    """Return where a group's dead letters go: in the stream's slot of a cluster, for one transaction."""
    return f"{{{stream}}}:{consumer}:dead"


def _listed(found: Any) -> Any:
    """Return what was read as pairs of stream and entries, whichever protocol the answer came by."""
    pairs = found.items() if isinstance(found, dict) else found or ()
    for stream, entries in pairs:
        yield stream, entries[0] if entries and isinstance(entries[0], list) else entries
