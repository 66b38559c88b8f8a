"""A delivery: one notice on its way to one place by one channel, with a log of every attempt."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from opora.core.kernel.model import Moves
from opora.core.notifications.model.kinds import Channel

FIRE = "notifications.fire"
"""The kind of the job that decides, when a notice's time has come, where it goes."""
DELIVER = "notifications.deliver"
"""The kind of the job that brings a delivery one attempt further."""
DIGEST = "notifications.digest"
"""The kind of the job that gathers what waited for a letter, and of that letter."""
TIDY = "notifications.tidy"
"""The kind of the job that deletes what was kept for its time."""


class DeliveryState(StrEnum):
    """Where a delivery stands; `sending` means that it may have left: an attempt was begun and its end is not known."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    WITHDRAWN = "withdrawn"


MOVES = Moves(
    {
        DeliveryState.QUEUED: frozenset({DeliveryState.SENDING, DeliveryState.WITHDRAWN}),
        DeliveryState.SENDING: frozenset(
            {DeliveryState.SENDING, DeliveryState.SENT, DeliveryState.QUEUED, DeliveryState.FAILED}
        ),
        DeliveryState.SENT: frozenset(),
        DeliveryState.FAILED: frozenset({DeliveryState.QUEUED}),  # tried again by hand
        DeliveryState.WITHDRAWN: frozenset(),
    }
)


class Outcome(StrEnum):
    """How an attempt ended; `unsure` left, but nobody confirmed that it arrived: it is sent again under its id."""

    SENT = "sent"
    DEFERRED = "deferred"
    REFUSED = "refused"
    UNSURE = "unsure"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One notice to one `target`: an address, a phone number, or the id of a subscription or an endpoint.

    `attempt` counts those begun. `error` says what the other side answered last.
    """

    id: UUID
    notice_id: UUID
    channel: Channel
    target: str
    state: DeliveryState
    attempt: int
    created_at: datetime
    sent_at: datetime | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try of a delivery; without `ended_at` its process died under it."""

    delivery_id: UUID
    number: int
    started_at: datetime
    ended_at: datetime | None = None
    outcome: Outcome | None = None
    answer: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestItem:
    """A notice that waits to be told in a gathered letter at `due_at`: its subject and its short text."""

    notice_id: UUID
    user_id: int
    due_at: datetime
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class DeliveryFilter:
    """Which deliveries are wanted; None wants any."""

    state: DeliveryState | None = None
    channel: Channel | None = None
    user_id: int | None = None
    kind: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryReport:
    """A delivery as operators read it, with its attempts where one is read; the target is shortened."""

    delivery: Delivery
    kind: str
    user_id: int | None
    about: str
    attempts: tuple[Attempt, ...] = ()
