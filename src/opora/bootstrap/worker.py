"""Assembles the worker: the engine, its loops and the messages that wake them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from dishka import AsyncContainer

from opora.adapters.sql import audit
from opora.adapters.sql.audit import AuditKey
from opora.adapters.sql.connection import Database
from opora.adapters.sql.unit import SqlUnitOfWork
from opora.bootstrap.jobs import HANDLERS, slots
from opora.bootstrap.messenger import Messenger
from opora.bootstrap.settings import Settings
from opora.core.jobs.model import LeasePolicy
from opora.core.jobs.ports import Announcer, JobLeases, JobTx
from opora.core.kernel.ports import Clock, Randomness, UnitOfWork
from opora.worker.engine import Engine, EnginePolicy, Handler
from opora.worker.journal import LoggedJournal
from opora.worker.loops import Loop, Timekeeper

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
    messenger = await container.get(Messenger)
    async with messenger.heard(engine.wake, loops[0].wake):
        tasks = [asyncio.create_task(loop.run(), name=loop.name) for loop in loops]
        running = asyncio.create_task(engine.run(), name="engine")
        try:
            yield engine
        finally:
            await engine.stop(grace_s=float(settings.drain_s))
            for task in (*tasks, running):
                task.cancel()
            await asyncio.gather(*tasks, running, return_exceptions=True)
