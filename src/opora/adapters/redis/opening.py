"""The connection that an address asks for."""

from opora.adapters.redis.addresses import Whereabouts
from opora.adapters.redis.cluster import ClusterConnection
from opora.adapters.redis.connection import RedisConnection
from opora.adapters.redis.sentinel import SentinelConnection


def connection_to(url: str, *, timeout_s: float = 0.075) -> RedisConnection:
    """Return a connection to a server, a cluster or the master that sentinels name; nothing is connected yet."""
    found = Whereabouts.parse(url)
    if found.kind == "cluster":
        return ClusterConnection(found.servers, timeout_s=timeout_s)
    if found.kind == "sentinel":
        return SentinelConnection(found.servers, found.master, timeout_s=timeout_s)
    return RedisConnection(found.servers[0], timeout_s=timeout_s)
