"""Assembles the worker: the engine, its loops and the messages that wake them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager

from dishka import AsyncContainer

from opora.adapters.sql import audit
from opora.adapters.sql.audit import AuditKey
from opora.adapters.sql.connection import Database
from opora.adapters.sql.standing import StandingWork
from opora.adapters.sql.unit import SqlUnitOfWork
from opora.bootstrap.contexts import HANDLERS, slots
from opora.bootstrap.messenger import Messenger
from opora.bootstrap.settings import Settings
from opora.bootstrap.watching import READ_EVERY_S
from opora.core.bus.ports import BusQueue, EventBus
from opora.core.jobs.model import LeasePolicy
from opora.core.jobs.ports import Announcer, JobLeases, JobTx
from opora.core.kernel.ports import Clock, Randomness, UnitOfWork
from opora.worker.engine import Engine, EnginePolicy, Handler, Journal
from opora.worker.journal import LoggedJournal, QuietJournal
from opora.worker.loops import Loop, Timekeeper
from opora.worker.publisher import Publisher, PublishPolicy

RELAY_CHUNK = 200
WOKEN = ("relaying events", "publishing events")
"""The loops that have something to do when something was committed."""
LAST_STEPS_S = 5.0
"""How long the job that a command has waited for gets to clear up after itself."""


async def engine_of(
    container: AsyncContainer, settings: Settings, kinds: Collection[str] = HANDLERS, journal: Journal | None = None
) -> Engine:
    """Build the engine with a handler for every kind of job, or for these alone."""
    handlers: dict[str, Handler] = {kind: await container.get(HANDLERS[kind]) for kind in kinds}
    return Engine(
        leases=await container.get(JobLeases),
        handlers=handlers,
        announcer=await container.get(Announcer),
        randomness=await container.get(Randomness),
        journal=journal or LoggedJournal(),
        policy=EnginePolicy(
            concurrency=settings.worker_concurrency,
            sweep_s=settings.job_poll_ms / 1000,
            lease=LeasePolicy(float(settings.job_lease_s)),
        ),
    )


async def loops_of(container: AsyncContainer, settings: Settings) -> list[Loop]:
    """Build what runs again and again."""
    unit = await container.get(SqlUnitOfWork)
    database = await container.get(Database)
    key = await container.get(AuditKey)
    work = await container.get(StandingWork)
    keeper = Timekeeper(await container.get(UnitOfWork[JobTx]), await container.get(Clock), slots(settings))

    async def relay() -> bool:
        return await unit.relay(RELAY_CHUNK) == RELAY_CHUNK

    async def seal() -> bool:
        return await audit.seal(database, key) == audit.CHUNK

    actions: list[tuple[str, float, Callable[[], Awaitable[bool]]]] = [
        ("relaying events", settings.job_poll_ms / 1000, relay),
        ("sealing the audit log", settings.audit_seal_ms / 1000, seal),
        ("keeping time", 1.0, keeper),
        ("reading what waits", READ_EVERY_S, work.read),
    ]
    if settings.bus_chosen != "none":
        actions.insert(1, ("publishing events", settings.job_poll_ms / 1000, await publisher_of(container, settings)))
    journal = LoggedJournal()
    return [Loop(name, every_s, action, journal) for name, every_s, action in actions]


async def publisher_of(container: AsyncContainer, settings: Settings) -> Publisher:
    """Build what takes events to the bus; its name is new in every process, so that no two are one holder."""
    return Publisher(
        queue=await container.get(BusQueue),
        bus=await container.get(EventBus),
        journal=LoggedJournal(),
        source=settings.base_url,
        holder=(await container.get(Randomness)).token_bytes(16).hex(),
        policy=PublishPolicy(refill_max=settings.bus_stream_max),
    )


@asynccontextmanager
async def working_on(container: AsyncContainer, settings: Settings, kinds: Collection[str]) -> AsyncIterator[Engine]:
    """Run jobs of these kinds beside whatever the block does, for a command that waits for one of them."""
    engine = await engine_of(container, settings, kinds, QuietJournal())
    running = asyncio.create_task(engine.run(), name="engine")
    try:
        yield engine
    finally:
        await engine.stop(grace_s=LAST_STEPS_S)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


@asynccontextmanager
async def working(container: AsyncContainer, settings: Settings) -> AsyncIterator[Engine]:
    """Run the worker beside whatever the block does; on leaving, what runs is let end and the rest given back."""
    engine = await engine_of(container, settings)
    loops = await loops_of(container, settings)
    messenger = await container.get(Messenger)
    woken = [loop.wake for loop in loops if loop.name in WOKEN]
    async with messenger.heard(engine.wake, *woken):
        tasks = [asyncio.create_task(loop.run(), name=loop.name) for loop in loops]
        running = asyncio.create_task(engine.run(), name="engine")
        try:
            yield engine
        finally:
            await engine.stop(grace_s=float(settings.drain_s))
            for task in (*tasks, running):
                task.cancel()
            await asyncio.gather(*tasks, running, return_exceptions=True)
