"""What one question to a rate gate costs: each adapter, for 64 callers at once and for one, with redis-py beside.

CPU is this process's own; what Redis spent is read from its own statistics. Ways are measured in turn, in many short
rounds, and each is told by its least disturbed one: what these cost is a few microseconds, and any neighbour adds more.
"""

import asyncio
import os
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis.asyncio

from bench.figures import Figure, duration
from opora.adapters.memory.rates import MemoryRateGate
from opora.adapters.redis.connection import RedisConnection
from opora.adapters.redis.rates import RedisRateGate
from opora.adapters.sql.limits import SqlRateGate
from opora.adapters.sql.limits_sqlite import SqliteLimits
from opora.core.access.model.rates import Admission, RatePolicy
from opora.core.access.ports.rates import RateGate

REDIS_URL = os.environ.get("OPORA_TEST_REDIS_URL", "redis://127.0.0.1:6379/12")
POLICY = RatePolicy("minute", quota=50_000_000, window_s=60)
SUBJECTS = 1_000
ADMISSIONS = [Admission(f"key:{number}", (POLICY,), revocation=(f"key:{number}",)) for number in range(SUBJECTS)]
ROUNDS = 25
CALLS = 1_920

type Ask = Callable[[Admission], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds a call: on the clock, and of this process's processor."""

    wall_s: float
    cpu_s: float


class RedisPyConnection(RedisConnection):
    """The same gate over redis-py, as one would write it."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._client = redis.asyncio.from_url(url, protocol=2)

    def call(self, *parts: str | bytes | int) -> Awaitable[Any]:
        return self._client.execute_command(*parts)

    async def close(self) -> None:
        await self._client.aclose()


async def cost(ask: Ask, callers: int, calls: int) -> Cost:
    """Ask `calls` times in all, `callers` at once."""

    async def caller(first: int) -> None:
        for number in range(first, calls, callers):
            await ask(ADMISSIONS[number % SUBJECTS])

    wall_s, cpu_s = time.perf_counter(), time.process_time()
    await asyncio.gather(*(caller(first) for first in range(callers)))
    return Cost((time.perf_counter() - wall_s) / calls, (time.process_time() - cpu_s) / calls)


async def least_costs(ways: Mapping[str, Ask], callers: int, calls: int = CALLS) -> dict[str, Cost]:
    """Measure every way in turn and return the least of its rounds."""
    rounds: dict[str, list[Cost]] = {name: [] for name in ways}
    for ask in ways.values():
        await cost(ask, callers, SUBJECTS)
    for _ in range(ROUNDS):
        for name, ask in ways.items():
            rounds[name].append(await cost(ask, callers, calls))
    return {
        name: Cost(min(one.wall_s for one in some), min(one.cpu_s for one in some)) for name, some in rounds.items()
    }


async def redis_cpu_s(connection: RedisConnection, gate: RateGate) -> float:
    """Return the processor seconds that Redis says one script took it, at 64 callers."""
    found = []
    for _ in range(ROUNDS):
        before = await script_usage(connection)
        await cost(gate.admit, 64, CALLS)
        after = await script_usage(connection)
        found.append((after[1] - before[1]) / (after[0] - before[0]) / 1_000_000)
    return min(found)


async def script_usage(connection: RedisConnection) -> tuple[int, int]:
    """Return how many EVALSHA the server ran and the microseconds they took."""
    for line in (await connection.call("INFO", "commandstats")).decode().splitlines():
        name, _, stats = line.partition(":")
        if name == "cmdstat_evalsha":
            found = dict(pair.split("=") for pair in stats.split(","))
            return int(found["calls"]), int(found["usec"])
    return 0, 0


async def measured(folder: Path) -> list[Figure]:
    """Measure all ways over one Redis and one file."""
    own, peer, store = (
        RedisConnection(REDIS_URL, timeout_s=2),
        RedisPyConnection(REDIS_URL),
        SqliteLimits(folder / "l.db"),
    )
    gate = RedisRateGate(own)
    local: dict[str, Ask] = {"memory": MemoryRateGate().admit, "SQLite": SqlRateGate(store).admit}
    remote: dict[str, Ask] = {"own": gate.admit, "redis-py": RedisRateGate(peer).admit}
    found: list[Figure] = []
    for callers in (64, 1):
        costs = await least_costs(remote | local, callers, CALLS if callers > 1 else CALLS // 4)
        found += rows(costs, callers)
    script_s = await redis_cpu_s(own, gate)
    found.append(Figure("limit: Redis's own CPU a call", duration(script_s), goal="≤ 12 µs", met=script_s <= 12e-6))
    await own.close()
    await peer.close()
    store.close()
    return found


def rows(costs: Mapping[str, Cost], callers: int) -> list[Figure]:
    """Return the figures at so many callers."""
    own, peer, memory, sqlite = (costs[name] for name in ("own", "redis-py", "memory", "SQLite"))
    many = callers > 1
    at = f", {callers} at once" if many else ", one at a time"
    return [
        Figure(
            f"limit: Redis, client CPU{at}",
            duration(own.cpu_s),
            f"redis-py: {duration(peer.cpu_s)}",
            peer.cpu_s / own.cpu_s,
            "≤ 10 µs" if many else "–",
            own.cpu_s <= 10e-6 if many else None,
        ),
        Figure(
            f"limit: Redis, time{at}",
            duration(own.wall_s),
            f"redis-py: {duration(peer.wall_s)}",
            peer.wall_s / own.wall_s,
        ),
        Figure(f"limit: SQLite{at}", duration(sqlite.cpu_s), goal="≤ 20 µs", met=sqlite.cpu_s <= 20e-6),
        Figure(f"limit: memory{at}", duration(memory.cpu_s)),
    ]


def figures() -> list[Figure]:
    """Measure what a limit costs on every store."""
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(measured(Path(folder)))


if __name__ == "__main__":
    for figure in figures():
        print(figure)
