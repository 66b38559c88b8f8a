"""Wires the event bus: RabbitMQ, a stream in Redis, or none."""

from collections.abc import AsyncIterator, Iterator
from importlib import import_module
from inspect import getmembers, isclass
from pkgutil import walk_packages

from dishka import Provider, Scope, provide

import opora.core
from opora.adapters.memory.bus import NoBus
from opora.adapters.redis.bus import RedisBus
from opora.adapters.redis.opening import connection_to
from opora.adapters.sql.bus.queue import SqlBusQueue
from opora.adapters.sql.connection import Database
from opora.adapters.sql.unit import SqlUnitOfWork
from opora.bootstrap.context import Context
from opora.bootstrap.settings import Settings
from opora.core.bus import usecases
from opora.core.bus.model import EventCatalogue
from opora.core.bus.ports import BusQueue, BusTx, EventBus
from opora.core.kernel.events import Event
from opora.core.kernel.ports import UnitOfWork

REDIS_TIMEOUT_S = 5.0
"""Publishing is nobody's request: it may wait longer than a limit may."""


class BusLacking(Exception):
    """The bus that the settings name cannot be used; the message says what to do."""


class Bus(Provider):
    """The bus, the queue before it, and the types of events."""

    scope = Scope.APP

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._settings = settings

    @provide
    async def bus(self) -> AsyncIterator[EventBus]:
        bus = bus_of(self._settings)
        yield bus
        await bus.close()

    @provide
    def queue(self, database: Database) -> BusQueue:
        return SqlBusQueue(database)

    @provide
    def unit(self, unit: SqlUnitOfWork) -> UnitOfWork[BusTx]:
        return unit

    @provide
    def catalogue(self) -> EventCatalogue:
        return catalogue(self._settings.base_url)


def bus_of(settings: Settings) -> EventBus:
    """Build the bus that the settings choose; nothing is connected yet. Raises BusLacking, which stops the start."""
    if settings.bus_chosen == "none":
        return NoBus()
    if settings.bus_chosen == "redis":
        redis = connection_to(settings.redis_url, timeout_s=REDIS_TIMEOUT_S)
        return RedisBus(redis, stream_of(settings), settings.bus_stream_max)
    try:
        from opora.adapters.amqp.bus import RabbitBus  # noqa: PLC0415  # an extra: without RabbitMQ none of it is needed
    except ImportError as fault:
        raise BusLacking(f"OPORA_AMQP_URL: {fault.name} is not installed; install opora[rabbitmq]") from fault
    return RabbitBus(settings.amqp_url, settings.bus_exchange)


def stream_of(settings: Settings) -> str:
    """Name the stream of events in Redis."""
    return f"{settings.redis_prefix}:events"


def catalogue(source: str) -> EventCatalogue:
    """Gather every type of event that a context defines; two of one topic stop the program."""
    found: dict[str, type[Event]] = {}
    for event in event_types():
        if event.topic in found:
            raise ValueError(f"two events are named {event.topic}")
        found[event.topic] = event
    return EventCatalogue(source, dict(sorted(found.items())))


def event_types() -> Iterator[type[Event]]:
    """Yield every class with a topic in the modules of events of the core."""
    for module in walk_packages(opora.core.__path__, "opora.core."):
        if ".events" in module.name:
            for _, one in getmembers(import_module(module.name), isclass):
                if one.__module__ == module.name and issubclass(one, Event) and "topic" in vars(one):
                    yield one


def providers(settings: Settings) -> list[Provider]:
    """Every provider of the bus."""
    return [Bus(settings)]


CONTEXT = Context(use_cases=usecases.USE_CASES, providers=providers)
