"""Every context there is, and what they bring together."""

from collections.abc import Mapping
from typing import Any

from opora.adapters.sql.outbox import Subscription
from opora.bootstrap import (
    access,
    banking,
    billing,
    bookings,
    bus,
    documents,
    generation,
    jobs,
    kernel,
    notifications,
    numbers,
    plans,
    profiles,
    transfers,
)
from opora.bootstrap.context import Context
from opora.bootstrap.settings import Settings
from opora.core.jobs.model import CronSlot

ALL: tuple[Context, ...] = (
    kernel.CONTEXT,
    bus.CONTEXT,
    jobs.CONTEXT,
    notifications.CONTEXT,
    access.CONTEXT,
    billing.CONTEXT,
    plans.CONTEXT,
    profiles.CONTEXT,
    documents.CONTEXT,
    banking.CONTEXT,
    numbers.CONTEXT,
    transfers.CONTEXT,
    bookings.CONTEXT,
    generation.CONTEXT,
)


def _handlers() -> dict[str, type[Any]]:
    """Join the handlers; a kind of job that two contexts claim stops the program."""
    joined: dict[str, type[Any]] = {}
    for context in ALL:
        for kind, use_case in context.handlers.items():
            if kind in joined:
                raise ValueError(f"two use cases serve {kind}")
            joined[kind] = use_case
    return joined


def _subscriptions() -> dict[str, list[Subscription]]:
    """Join the subscribers of each topic."""
    joined: dict[str, list[Subscription]] = {}
    for context in ALL:
        for topic, subscribers in context.subscriptions.items():
            joined.setdefault(topic, []).extend(subscribers)
    return joined


HANDLERS: Mapping[str, type[Any]] = _handlers()
"""The use case of each kind of job."""

SUBSCRIPTIONS = _subscriptions()
"""The subscribers of each topic."""


def slots(settings: Settings) -> list[CronSlot]:
    """Return everything that runs by the clock."""
    return [slot for context in ALL for slot in context.slots(settings)]
