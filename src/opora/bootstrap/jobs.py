"""Which use case serves which kind of job, what runs when, and who hears of which event."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from opora.adapters.sql.outbox import Subscription, Subscriptions
from opora.bootstrap.settings import Settings
from opora.core.jobs.model import CronSlot
from opora.core.jobs.usecases import TidyUp
from opora.core.profiles.usecases.exports import ExpireExports, GiveUpExport, RenderExport
from opora.core.profiles.usecases.profiles import ExpireProfiles

HANDLERS: Mapping[str, type[Any]] = {
    "jobs.tidy": TidyUp,
    "profiles.expire": ExpireProfiles,
    "exports.render": RenderExport,
    "exports.give_up": GiveUpExport,
    "exports.expire": ExpireExports,
}
"""The use case of each kind; it is called with the claim."""

SUBSCRIPTIONS: Subscriptions = {"job.dead": [Subscription("exports", "exports.give_up")]}
"""The subscribers of each topic."""


def slots(settings: Settings) -> list[CronSlot]:
    """What runs by the clock."""
    return [
        CronSlot("tidy", "jobs.tidy", timedelta(seconds=settings.sweep_idempotency_s)),
        CronSlot("expire-profiles", "profiles.expire", timedelta(seconds=settings.sweep_profiles_s)),
        CronSlot("expire-exports", "exports.expire", timedelta(seconds=settings.sweep_exports_s)),
    ]
