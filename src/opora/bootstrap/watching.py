"""Wires what watches the program: health checks, figures of the store, and the worker's own port."""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager

import msgspec
from dishka import AsyncContainer
from prometheus_client import REGISTRY, CollectorRegistry, generate_latest

from opora.adapters.memory.event_counts import EventCounts
from opora.adapters.sql import revisions
from opora.adapters.sql.connection import Database
from opora.adapters.sql.standing import StandingWork
from opora.api.health import FAILING, OK, Check, HealthChecks
from opora.api.metrics import MEDIA_TYPE
from opora.bootstrap.limits import SharedStore
from opora.bootstrap.settings import Settings
from opora.core.bus.ports import BusQueue
from opora.core.jobs.ports import JobViews
from opora.core.kernel.events import Event
from opora.worker.figures import EventFigures, WaitingFigures
from opora.worker.watch import Page, watched

READ_EVERY_S = 10.0
"""How often a worker reads what waits in the store."""


def health_of(database: Database, jobs: JobViews, shared: SharedStore, events: BusQueue | None) -> HealthChecks:
    """Gather the checks of what a process depends on; `events` where there is a bus."""

    async def answers() -> Mapping[str, object]:
        return {"schema": await revisions.current(database.read)}

    async def waiting() -> Mapping[str, object]:
        return {"dead": (await jobs.counts())["dead"]}

    checks: dict[str, Check] = {"database": answers, "jobs": waiting}
    if events is not None:
        queue = events

        async def leaving() -> Mapping[str, object]:
            backlog = await queue.backlog()
            return {"waiting": backlog.waiting, "oldest_s": round(backlog.oldest_s, 1)}

        checks["bus"] = leaving  # what waits, not whether the bus answers: requests are served without it
    if shared.redis is not None:
        redis = shared.redis

        async def pings() -> None:
            await redis.call("PING")

        checks["redis"] = pings
    return HealthChecks(checks, frozenset({"redis"}), spared=frozenset({"redis"}))


def topics(kind: type[Event]) -> Iterator[str]:
    """Give the topic of every event that the program knows of."""
    for one in kind.__subclasses__():
        if topic := getattr(one, "topic", None):
            yield topic
        yield from topics(one)


def register(registry: CollectorRegistry, events: EventCounts, work: StandingWork) -> None:
    """Show the process's own figures, the worker's, the events and what waits."""
    registry.register(REGISTRY)
    registry.register(EventFigures(events.by_topic, topics(Event)))
    registry.register(WaitingFigures(lambda: work.last))


@asynccontextmanager
async def watchable(container: AsyncContainer, settings: Settings) -> AsyncIterator[None]:
    """Answer on the worker's port, where one is set, while the block runs."""
    if not settings.worker_port:
        yield
        return
    health = health_of(
        await container.get(Database),
        await container.get(JobViews),
        await container.get(SharedStore),
        await container.get(BusQueue) if settings.bus_chosen != "none" else None,
    )
    registry = CollectorRegistry(auto_describe=False)
    register(registry, await container.get(EventCounts), await container.get(StandingWork))

    async def live() -> Page:
        return document(200, {"status": OK})

    async def ready() -> Page:
        is_ready, checks = await health.all()
        return document(200 if is_ready else 503, {"status": OK if is_ready else FAILING, "checks": checks})

    async def metrics() -> Page:
        return Page(200, MEDIA_TYPE, generate_latest(registry))

    pages = {"/health": live, "/health/live": live, "/health/ready": ready, "/metrics": metrics}
    async with watched(settings.http_host.strip("[]"), settings.worker_port, pages):
        yield


def document(status: int, told: object) -> Page:
    """Write a page of JSON."""
    return Page(status, "application/json", msgspec.json.encode(told))
