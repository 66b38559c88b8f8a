"""Which use case serves which kind of job, what runs when, and who hears of which event."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from opora.adapters.sql.outbox import Subscription, Subscriptions
from opora.bootstrap.settings import Settings
from opora.core.jobs.model import CronSlot
from opora.core.jobs.usecases import TidyUp

HANDLERS: Mapping[str, type[Any]] = {
    "jobs.tidy": TidyUp,
}
"""The use case of each kind; it is called with the claim."""

SUBSCRIPTIONS: Subscriptions = dict[str, list[Subscription]]()
"""The subscribers of each topic."""


def slots(settings: Settings) -> list[CronSlot]:
    """What runs by the clock."""
    return [CronSlot("tidy", "jobs.tidy", timedelta(seconds=settings.sweep_idempotency_s))]
