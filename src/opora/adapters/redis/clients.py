"""Clients of redis-py by an address of any kind, for what takes a connection of its own: waiting and subscribing."""

import asyncio
import random
from typing import Any

from redis.asyncio import Redis, RedisCluster, Sentinel
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.sentinel import SentinelConnectionPool

from opora.adapters.redis.addresses import Address, Whereabouts


class WatchedPool(SentinelConnectionPool):
    """Connections to a master, which takes the connections to its sentinels along when it ends."""

    async def disconnect(self, inuse_connections: bool = True) -> None:
        await super().disconnect(inuse_connections)
        await asyncio.gather(*(one.aclose() for one in self.sentinel_manager.sentinels))


def client_of(url: str, **options: Any) -> Any:
    """Return a client of a server, of a cluster, or of whichever server sentinels call the master."""
    found = Whereabouts.parse(url)
    if found.kind == "server":
        return Redis.from_url(url, **options)
    options |= credentials(found.servers[0])
    if found.kind == "cluster":
        return RedisCluster(startup_nodes=[ClusterNode(one.host, one.port) for one in found.servers], **options)
    secure = {"ssl": True} if found.servers[0].secure else {}
    sentinels = [(one.host, one.port) for one in found.servers]
    known = Sentinel(sentinels, sentinel_kwargs=secure)  # type: ignore[no-untyped-call]  # redis-py says nothing of it
    database = found.servers[0].database
    return known.master_for(found.master, connection_pool_class=WatchedPool, db=database, **options)


def listener_of(url: str) -> Any:
    """Return a client to subscribe with: in a cluster any server hears every message."""
    found = Whereabouts.parse(url)
    if found.kind != "cluster":
        return client_of(url)
    one = random.choice(found.servers)  # noqa: S311  # the next try is of another
    return Redis(host=one.host, port=one.port, **credentials(one))


def credentials(address: Address) -> dict[str, Any]:
    """Return who we are to the servers, in redis-py's words."""
    secure: dict[str, Any] = {"ssl": True} if address.secure else {}
    return {**secure, "username": address.username or None, "password": address.password or None}
