"""Facts about subscriptions."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from opora.core.kernel.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionEvent(Event):
    """Something happened to the subscription `subject`."""

    user_id: int
    plan: str
    status: str
    period_end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionStarted(SubscriptionEvent):
    """Somebody subscribed and paid for the first period."""

    topic: ClassVar[str] = "subscription.started"
    charged_minor: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionRenewed(SubscriptionEvent):
    """Another period began and was paid for."""

    topic: ClassVar[str] = "subscription.renewed"
    charged_minor: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionUpgraded(SubscriptionEvent):
    """Somebody went over to a higher plan, from this instant on."""

    topic: ClassVar[str] = "subscription.upgraded"
    charged_minor: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionPlanned(SubscriptionEvent):
    """Another plan, or the end, was chosen for when the period ends, or that was taken back (`next_plan` is null)."""

    topic: ClassVar[str] = "subscription.planned"
    next_plan: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionFellDue(SubscriptionEvent):
    """The balance did not cover another period; the rights stay until `grace_until`."""

    topic: ClassVar[str] = "subscription.past_due"
    grace_until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionEnded(SubscriptionEvent):
    """A subscription is over: cancelled, or expired unpaid; `refunded_minor` went back to the balance."""

    topic: ClassVar[str] = "subscription.ended"
    refunded_minor: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TierChanged(Event):
    """The user `subject` is on another plan from now on."""

    topic: ClassVar[str] = "subscription.tier_changed"
    tier: str
    was: str
