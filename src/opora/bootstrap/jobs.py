"""Wires the jobs themselves."""

from datetime import timedelta

from opora.bootstrap.context import Context
from opora.bootstrap.settings import Settings
from opora.core.jobs import usecases
from opora.core.jobs.model import CronSlot
from opora.core.jobs.usecases import TidyUp


def slots(settings: Settings) -> list[CronSlot]:
    """Tidy up as often as answers have to be forgotten."""
    return [CronSlot("tidy", "jobs.tidy", timedelta(seconds=settings.sweep_idempotency_s))]


CONTEXT = Context(use_cases=usecases.USE_CASES, handlers={"jobs.tidy": TidyUp}, slots=slots)
