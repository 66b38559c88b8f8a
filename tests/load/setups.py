"""The two set-ups that load is put on: embedded, one process with no server; production, several over PostgreSQL."""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from journeys import Cast
from stage import stage

from bench.staging import Stores, servers
from e2e.running import Installation
from load.driving import Pool, driven

EMBEDDED, PRODUCTION = "embedded", "production"
SETTINGS = {
    "OPORA_RATE_LIMIT_PER_MIN": "10000000",
    "OPORA_ADDRESS_LIMIT_PER_MIN": "10000000",
    "OPORA_TOKEN_TTL_MINUTES": "1440",
    "OPORA_SIGNING_ALGORITHM": "ES256",
    "OPORA_LOG_LEVEL": "error",
}
PRODUCTION_PROCESSES = 2


@dataclass(slots=True)
class Running:
    """A set-up that serves: its addresses, its connections, who calls."""

    name: str
    installation: Installation
    addresses: list[str]
    pool: Pool
    cast: Cast
    processes: list[psutil.Process] = field(default_factory=list)

    def resident_bytes(self) -> int:
        """Return the memory of all its processes."""
        return sum(int(process.memory_info().rss) for process in self.processes)

    def descriptors(self) -> int:
        """Count the open files of all its processes."""
        return sum(int(process.num_fds()) for process in self.processes)


@contextmanager
def installed(stores: Stores) -> Iterator[Installation]:
    """Set Opora up in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="opora-load-") as folder:
        one = Installation(Path(folder) / "home", {**stores.variables(), **SETTINGS})
        try:
            if stores.database_url:
                one.command("db", "upgrade")
            yield one
        finally:
            one.end()


@contextmanager
def served(name: str) -> Iterator[tuple[Installation, list[str]]]:
    """Start a set-up."""
    if name == EMBEDDED:
        with installed(Stores()) as one:
            yield one, [one.serve()]
        return
    with servers() as stores, installed(stores) as one:
        one.start("worker")
        yield one, [one.serve("--no-worker") for _ in range(PRODUCTION_PROCESSES)]


@asynccontextmanager
async def running(name: str) -> AsyncIterator[Running]:
    """Start a set-up and set its stage."""
    with served(name) as (one, addresses):
        arguments = ("keys", "create", "--label", "load", "--scope", "admin", "--rate-limit-per-min", "1000000")
        key = (await asyncio.to_thread(one.command, *arguments)).stdout.strip()
        pool = Pool(addresses)
        cast = await driven(pool, stage(key, f"{name}-{os.getpid()}"))
        processes = [psutil.Process(process.pid) for process in one.processes]
        try:
            yield Running(name, one, addresses, pool, cast, processes)
        finally:
            pool.close()
