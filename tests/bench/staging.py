"""What is measured as processes: Opora in both set-ups, its peers, and servers of our own beside them."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil

from bench.load import Generator, Order, Tally
from e2e.running import SECRET, Installation, free_port
from opora.adapters.sql.connection import Database
from opora.adapters.sql.postgres import PostgresDatabase
from opora.adapters.sql.sqlite import SqliteDatabase
from servers.fleet import POSTGRES, REDIS, Fleet
from servers.maintenance import Maintenance, database_name

UP_WITHIN_S = 60.0
ROOT = Path(__file__).parents[2]
SERVER = """
    --loop uvloop --ws none --lifespan on --no-access-log --no-proxy-headers --no-server-header
    --log-level warning --timeout-keep-alive 30 --factory --port
"""


CONNECTION = "opora.bootstrap.wire:Connection"


@dataclass(frozen=True, slots=True)
class Process:
    """A server that answers at `url`."""

    url: str
    pid: int

    def cpu_s(self) -> float:
        """Return the processor seconds it has used, its children's included."""
        processes = [psutil.Process(self.pid), *psutil.Process(self.pid).children(recursive=True)]
        return sum(sum(process.cpu_times()[:2]) for process in processes)

    def resident_bytes(self) -> int:
        """Return how much memory it holds."""
        return int(psutil.Process(self.pid).memory_info().rss)


@dataclass(frozen=True, slots=True)
class Stores:
    """Where a set-up keeps its rows and its limits; empty addresses are the embedded set-up."""

    database_url: str = ""
    redis_url: str = ""

    def variables(self) -> dict[str, str]:
        """Return what Opora is told of them."""
        if not self.database_url:
            return {}
        named = {"DATABASE_URL": self.database_url, "REDIS_URL": self.redis_url, "SECRET_KEY": SECRET}
        return {f"OPORA_{name}": value for name, value in named.items()}


@contextmanager
def servers() -> Iterator[Stores]:
    """Lend an empty database of a real PostgreSQL, and a Redis that nobody else uses."""
    with ExitStack() as stack:
        fleet = Fleet.of_this_run()
        stack.callback(fleet.end)
        maintenance = Maintenance(fleet.url(POSTGRES))
        stack.callback(maintenance.close)
        name = database_name(fleet.pid, "bench")
        url = maintenance.create(name)
        stack.callback(maintenance.drop, name)
        redis_url, redis = fleet.launch(REDIS, fleet.folder / "bench-redis")
        stack.callback(redis.stop)
        yield Stores(url, redis_url)


@contextmanager
def installation(stores: Stores) -> Iterator[Installation]:
    """Set Opora up over its stores in a folder of its own, and end its processes after."""
    with tempfile.TemporaryDirectory() as folder:
        one = Installation(Path(folder) / "home", stores.variables())
        try:
            if stores.database_url:
                one.command("db", "upgrade")
            yield one
        finally:
            one.end()


@contextmanager
def probed(one: Installation) -> Iterator[Process]:
    """Serve Opora as `opora serve --no-worker` does, with the one route more."""
    with peer("probed:app", {**one.variables(), "OPORA_RUN_JOBS": "false"}, CONNECTION) as process:
        yield process


def key_of(one: Installation, *scopes: str) -> str:
    """Issue a key whose limit is never reached."""
    wanted = [part for scope in scopes for part in ("--scope", scope)]
    made = one.command("keys", "create", "--label", "bench", "--rate-limit-per-min", "1000000", *wanted, "--json")
    return str(json.loads(made.stdout)["key"])


@contextmanager
def peer(application: str, variables: Mapping[str, str] | None = None, http: str = "httptools") -> Iterator[Process]:
    """Serve an application factory of this folder with uvicorn; `http` names the class of its connections."""
    port = free_port()
    paths = os.pathsep.join([str(ROOT / "src"), str(ROOT / "tests")])
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OPORA_")}
    environment |= {"PYTHONPATH": paths, **(variables or {})}
    with tempfile.TemporaryFile() as log:
        command = [sys.executable, "-m", "uvicorn", f"bench.peers.{application}", "--http", http, *SERVER.split()]
        command.append(str(port))
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        try:
            wait_for(f"http://127.0.0.1:{port}/", process)
            yield Process(f"http://127.0.0.1:{port}", process.pid)
        finally:
            process.terminate()
            process.wait(30)


def wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    """Wait until anything is answered."""
    deadline_s = time.monotonic() + UP_WITHIN_S
    while time.monotonic() < deadline_s:
        if process.poll() is not None:
            raise AssertionError(f"{process.args} ended with {process.returncode}")
        try:
            httpx.get(url, timeout=2)
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError(f"{process.args} did not answer")


def ordered(generator: Generator, order: Order) -> Tally:
    """Carry out an order; any answer but 2xx stops the bench."""
    tally = generator.carry_out(order)
    if tally.bad or not tally.good:
        raise AssertionError(f"{order.url}{order.requests[0][1]} answered {tally.statuses}")
    return tally


def database_of(one: Installation) -> Database:
    """Return the store of an installation."""
    url = one.environment.get("OPORA_DATABASE_URL", "")
    return PostgresDatabase(url) if url else SqliteDatabase(one.home / "opora.db")


async def rows_of(one: Installation, sql: str) -> list[Any]:
    """Ask the store."""
    database = database_of(one)
    await database.open()
    try:
        return list(await database.read.fetch(sql))
    finally:
        await database.close()
