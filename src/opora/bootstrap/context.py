"""What a context of the core brings to the program that is assembled here."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dishka import Provider

from opora.adapters.sql.outbox import Subscriptions
from opora.bootstrap.settings import Settings
from opora.core.access.ports.personal import PersonalRecords
from opora.core.jobs.model import CronSlot
from opora.core.notifications.ports.channels import Attachments, Relevance


def nothing(_: Settings) -> Sequence[Any]:
    """Bring nothing."""
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """One context, ready to be wired.

    `handlers` names the use case of each kind of job, which is called with the claim; `subscriptions` the jobs that
    each topic starts; `slots` what runs by the clock; `relevance` and `attachments` the classes behind the
    checks and the makers of files that its kinds of notices name; `personal` those that show and erase what the context
    holds on a person.
    """

    use_cases: Iterable[type[Any]] = ()
    providers: Callable[[Settings], Sequence[Provider]] = nothing
    handlers: Mapping[str, type[Any]] = field(default_factory=dict)
    subscriptions: Subscriptions = field(default_factory=dict)
    slots: Callable[[Settings], Sequence[CronSlot]] = nothing
    relevance: Mapping[str, type[Relevance]] = field(default_factory=dict)
    attachments: Mapping[str, type[Attachments]] = field(default_factory=dict)
    personal: Sequence[type[PersonalRecords]] = ()
