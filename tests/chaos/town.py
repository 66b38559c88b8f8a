"""The production set-up of a run: servers of its own behind proxies that can be cut, API processes and workers, and
nginx before them where the machine has it.

Nothing here touches a server that the run did not start, but RabbitMQ: no package brings one, so the one that tests are
lent is used under names of the run's own, and only the way to it is cut.
"""

import asyncio
import os
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import aio_pika
import asyncpg

from e2e.running import SECRET, Installation, free_port
from opora.adapters.sql import migrations
from servers import nginx
from servers.fleet import ABSENT, AMQP, POSTGRES, REDIS, Fleet
from servers.maintenance import Maintenance
from servers.processes import Guarded
from servers.proxy import Proxy

LEASE_S = 2
PAYMENTS_SECRET = "whsec_Y2hhb3MgY2hhb3MgY2hhb3MgY2hhb3MgY2hhb3M="
MANY = {
    **dict.fromkeys(("RATE_LIMIT_PER_MIN", "ADDRESS_LIMIT_PER_MIN"), "1000000"),
    **dict.fromkeys(("LOGIN_LIMIT_PER_MIN", "LOGIN_LIMIT_PER_ADDRESS"), "10000"),
}


@dataclass(slots=True)
class Town:
    """What runs, by what may be done to it."""

    fleet: Fleet
    installation: Installation
    database_url: str
    """Past the proxy: for looking at what is there."""
    postgres: Guarded
    redis: Guarded
    redis_url: str
    proxies: dict[str, Proxy] = field(default_factory=dict)
    serving: dict[int, subprocess.Popen[bytes]] = field(default_factory=dict)
    working: list[subprocess.Popen[bytes]] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)
    trusted: ssl.SSLContext | None = None

    @property
    def by_gateway(self) -> bool:
        """Whether nginx stands before the processes."""
        return self.trusted is not None

    @property
    def home(self) -> Path:
        """Where the processes keep their files."""
        return self.installation.home

    def serve(self, port: int = 0) -> str:
        """Start an API process, in the place of the one that had the port if it is named."""
        address = self.installation.serve("--no-worker", port=port)
        self.serving[int(address.rpartition(":")[2])] = self.installation.processes[-1]
        return address

    def work(self) -> None:
        """Start a worker."""
        self.working.append(self.installation.start("worker"))

    def forget(self, process: subprocess.Popen[bytes]) -> None:
        """Let go of a process that was killed."""
        process.wait()
        self.installation.processes.remove(process)

    def told(self) -> str:
        """Say what the run has."""
        servers = [POSTGRES, REDIS, *([AMQP] if "amqp" in self.proxies else [])]
        before = "nginx before them" if self.by_gateway else "no nginx on this machine: called straight"
        return f"{len(self.serving)} API processes, {len(self.working)} workers, {', '.join(servers)}; {before}"


@asynccontextmanager
async def town(folder: Path, serving: int, workers: int) -> AsyncIterator[Town]:
    """Start everything, and end it."""
    async with AsyncExitStack() as stack:
        fleet = Fleet.of_this_run()
        stack.callback(fleet.end)
        url, postgres = fleet.launch(POSTGRES, fleet.folder / "chaos-postgres")
        redis_url, redis = fleet.launch(REDIS, fleet.folder / "chaos-redis")
        database_url = await asyncio.to_thread(prepared, url)
        one = Town(fleet, Installation(folder / "home"), database_url, postgres, redis, redis_url)
        for name, address in (("postgres", database_url), ("redis", redis_url), *lent_amqp(fleet)):
            one.proxies[name] = Proxy(address)
            await one.proxies[name].start()
            stack.push_async_callback(one.proxies[name].cut)
        name = f"opora-chaos-{uuid4().hex[:8]}"
        if "amqp" in one.proxies:
            stack.push_async_callback(swept, fleet.url(AMQP), name)
        one.installation.environment = variables(one, name)
        stack.callback(one.installation.end)
        await started(one, serving, workers)
        if nginx.program():
            stack.callback((await asyncio.to_thread(gateway, one)).stop)
        yield one


def lent_amqp(fleet: Fleet) -> list[tuple[str, str]]:
    """Return RabbitMQ's address where the run has one."""
    return [] if fleet.choices[AMQP] == ABSENT else [("amqp", fleet.url(AMQP))]


def prepared(url: str) -> str:
    """Make the database, whose commits are written before they are told, and bring it to the newest schema."""
    server = Maintenance(url)
    try:
        made = server.create("opora_chaos")
        server.run("ALTER DATABASE opora_chaos SET synchronous_commit = on")
    finally:
        server.close()
    migrations.upgrade(made)
    return made


def variables(town: Town, name: str) -> dict[str, str]:
    """Return what the processes are told."""
    port = free_port() if nginx.program() else 0
    told = {
        "DATABASE_URL": town.proxies["postgres"].url,
        "REDIS_URL": town.proxies["redis"].url,
        "REDIS_PREFIX": name,
        "SECRET_KEY": SECRET,
        "SIGNING_ALGORITHM": "ES256",
        "TOKEN_TTL_MINUTES": "1440",
        "JOB_LEASE_S": str(LEASE_S),
        "JOB_POLL_MS": "200",
        "TEXT_ENGINE_PAUSE_MS": "5",
        "PAYMENTS_SECRET": PAYMENTS_SECRET,
        "TRUSTED_PROXIES": "127.0.0.1/32",
        "LOG_LEVEL": "warning",
        **MANY,
    }
    if port:
        told["BASE_URL"] = f"https://127.0.0.1:{port}"
    if "amqp" in town.proxies:
        # Queues of wake-ups have names that an installation does not choose; its exchange of events is its own.
        told |= {"AMQP_URL": town.proxies["amqp"].url, "BUS_EXCHANGE": name, "BROKER": "redis"}
    return {f"OPORA_{key}": value for key, value in told.items()}


async def started(town: Town, serving: int, workers: int) -> None:
    """Start the processes."""
    town.addresses = [await asyncio.to_thread(town.serve) for _ in range(serving)]
    for _ in range(workers):
        town.work()


def gateway(town: Town) -> Guarded:
    """Put nginx, as it is shipped, before the processes."""
    base = town.installation.environment["OPORA_BASE_URL"]
    port = int(base.rpartition(":")[2])
    behind = " ".join(f"server {address.removeprefix('http://')};" for address in town.addresses)
    yours = {
        "server 127.0.0.1:8000;": behind,
        "listen 80;": f"listen 127.0.0.1:{free_port()};",
        "listen 443 ssl;": f"listen 127.0.0.1:{port} ssl;",
    }
    server, certificate = nginx.start(town.fleet.folder / "chaos-nginx", os.getpid(), yours, port)
    town.trusted = ssl.create_default_context(cafile=str(certificate))
    town.addresses = [base]
    return server


async def swept(url: str, name: str) -> None:
    """Take away what the run left on a RabbitMQ that others use too."""
    connection = await aio_pika.connect(url)
    async with connection:
        await (await connection.channel()).exchange_delete(name)


async def rows(url: str, sql: str, *arguments: object) -> list[asyncpg.Record]:
    """Ask the database past every proxy."""
    connection = await asyncpg.connect(url)
    try:
        return list(await connection.fetch(sql, *arguments))
    finally:
        await connection.close()
