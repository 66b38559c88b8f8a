"""Assembles the worker: the engine, its loops and the messages that wake them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from dishka import AsyncContainer
from taskiq import AsyncBroker, InMemoryBroker
from taskiq.api import run_receiver_task

from opora.adapters.sql import audit
from opora.adapters.sql.audit import AuditKey
from opora.adapters.sql.connection import Database
from opora.adapters.sql.unit import SqlUnitOfWork
from opora.bootstrap.jobs import HANDLERS, slots
from opora.bootstrap.settings import Settings
from opora.core.jobs.model import LeasePolicy
from opora.core.jobs.ports import Announcer, JobLeases, JobTx
from opora.core.kernel.ports import Clock, Randomness, UnitOfWork
from opora.worker.engine import Engine, EnginePolicy, Handler
from opora.worker.journal import LoggedJournal
from opora.worker.loops import Loop, Timekeeper
from opora.worker.tasks import listen

RELAY_CHUNK = 200


async def engine_of(container: AsyncContainer, settings: Settings) -> Engine:
    """Build the engine with a handler for every kind of job."""
    handlers: dict[str, Handler] = {kind: await container.get(use_case) for kind, use_case in HANDLERS.items()}
    return Engine(
        leases=await container.get(JobLeases),
        handlers=handlers,
        announcer=await container.get(Announcer),
        randomness=await container.get(Randomness),
        journal=LoggedJournal(),
        policy=EnginePolicy(
            concurrency=settings.worker_concurrency,
            sweep_s=settings.job_poll_ms / 1000,
            lease=LeasePolicy(float(settings.job_lease_s)),
        ),
    )


async def loops_of(container: AsyncContainer, settings: Settings) -> list[Loop]:
    """Build what runs again and again: the relay first, since wake-ups are for it too."""
    unit = await container.get(SqlUnitOfWork)
    database = await container.get(Database)
    key = await container.get(AuditKey)
    keeper = Timekeeper(await container.get(UnitOfWork[JobTx]), await container.get(Clock), slots(settings))

    async def relay() -> bool:
        return await unit.relay(RELAY_CHUNK) == RELAY_CHUNK

    async def seal() -> bool:
        return await audit.seal(database, key) == audit.CHUNK

    actions: list[tuple[str, float, Callable[[], Awaitable[bool]]]] = [
        ("relaying events", settings.job_poll_ms / 1000, relay),
        ("sealing the audit log", settings.audit_seal_ms / 1000, seal),
        ("keeping time", 1.0, keeper),
    ]
    journal = LoggedJournal()
    return [Loop(name, every_s, action, journal) for name, every_s, action in actions]


@asynccontextmanager
async def working(container: AsyncContainer, settings: Settings) -> AsyncIterator[Engine]:
    """Run the worker beside whatever the block does; on leaving, what runs is let end and the rest given back."""
    engine = await engine_of(container, settings)
    loops = await loops_of(container, settings)
    broker = await container.get(AsyncBroker)
    listen(broker, engine.wake, loops[0].wake)
    tasks = [asyncio.create_task(loop.run(), name=loop.name) for loop in loops]
    running = asyncio.create_task(engine.run(), name="engine")
    receiving = asyncio.create_task(receive(broker), name="receiver")
    try:
        yield engine
    finally:
        await engine.stop(grace_s=float(settings.drain_s))
        for task in (*tasks, running, receiving):
            task.cancel()
        await asyncio.gather(*tasks, running, receiving, return_exceptions=True)


async def receive(broker: AsyncBroker) -> None:
    """Listen for wake-ups for ever; a messenger that is away costs latency, not work."""
    if isinstance(broker, InMemoryBroker):  # its messages are run where they are sent
        await broker.startup()
        return
    journal = LoggedJournal()
    while True:
        try:
            broker.is_worker_process = True
            await run_receiver_task(broker, run_startup=True)
        except asyncio.CancelledError:
            with contextlib.suppress(Exception):
                await broker.shutdown()
            raise
        except BaseException as error:  # taskiq wraps a lost Redis in an ExceptionGroup
            journal.troubled("listening for wake-ups", error)
            await asyncio.sleep(1.0)
