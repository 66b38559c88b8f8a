"""A person's subscription to a plan, from the first payment to its end."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self

from opora.core.billing.model.plans import FREE, Plan
from opora.core.kernel.model import Money, Moves

RENEW = "billing.renew"
"""The job that ends a period, and asks again for what was not paid."""
PAY_DUE = "billing.pay_due"
"""The job that a payment starts: it pays for what is due."""


class SubscriptionStatus(StrEnum):
    """Where a subscription stands; `past_due` has its rights until the days of grace are over."""

    ACTIVE = "active"
    PAST_DUE = "past_due"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


MOVES = Moves(
    {
        SubscriptionStatus.ACTIVE: frozenset({SubscriptionStatus.PAST_DUE, SubscriptionStatus.CANCELLED}),
        SubscriptionStatus.PAST_DUE: frozenset(
            {SubscriptionStatus.ACTIVE, SubscriptionStatus.CANCELLED, SubscriptionStatus.EXPIRED}
        ),
        SubscriptionStatus.CANCELLED: frozenset(),
        SubscriptionStatus.EXPIRED: frozenset(),
    }
)


@dataclass(frozen=True, slots=True)
class Span:
    """A period of a subscription, as a half-open span; the first has the number 0."""

    number: int
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """What a person pays for: a plan in one version of its terms, for the period `[period_start, period_end)`.

    Periods are months counted from `anchor_at`; `period_number` is which of them this is, from 0. `price_minor` is what
    a whole period costs by these terms, `paid_minor` what was paid for this one. With `next_plan` the plan is another
    one after the period, `free` where it ends. `version` guards every change.
    """

    id: int
    user_id: int
    plan: str
    plan_version: int
    rank: int
    price_minor: int
    paid_minor: int
    currency: str
    status: SubscriptionStatus = SubscriptionStatus.ACTIVE
    anchor_at: datetime
    period_number: int = 0
    period_start: datetime
    period_end: datetime
    next_plan: str | None = None
    grace_until: datetime | None = None
    created_at: datetime
    changed_at: datetime
    ended_at: datetime | None = None
    version: int = 1

    @property
    def ends_with_period(self) -> bool:
        """Whether it was cancelled for the end of the period."""
        return self.next_plan == FREE

    @property
    def is_live(self) -> bool:
        """Whether it gives rights; a person has one such at most."""
        return bool(MOVES.table[self.status])

    def planned(self, next_plan: str | None, now: datetime) -> Self:
        """Return it with another plan, or none, to follow when the period ends."""
        return replace(self, next_plan=next_plan, changed_at=now, version=self.version + 1)

    def upgraded(self, plan: Plan, charge: Money, now: datetime) -> Self:
        """Return it on a higher plan within the same period, for which `charge` was paid on top."""
        return replace(self.planned(None, now)._under(plan), paid_minor=self.paid_minor + charge.amount_minor)

    def renewed(self, plan: Plan, span: Span, now: datetime) -> Self:
        """Return it in another period, paid for by the terms of this plan."""
        return replace(
            self._moved(SubscriptionStatus.ACTIVE, now)._under(plan),
            paid_minor=plan.price_minor,
            period_number=span.number,
            period_start=span.start,
            period_end=span.end,
            next_plan=None,
            grace_until=None,
        )

    def fallen_due(self, grace: timedelta, now: datetime) -> Self:
        """Return it unpaid, with its rights for the days of grace."""
        return replace(self._moved(SubscriptionStatus.PAST_DUE, now), grace_until=now + grace)

    def ended(self, status: SubscriptionStatus, now: datetime) -> Self:
        """Return it over: cancelled, or expired unpaid."""
        return replace(self._moved(status, now), ended_at=now, grace_until=None, next_plan=None)

    def _moved(self, status: SubscriptionStatus, now: datetime) -> Self:
        if status is not self.status:
            MOVES.check(self.status, status)
        return replace(self, status=status, changed_at=now, version=self.version + 1)

    def _under(self, plan: Plan) -> Self:
        return replace(
            self,
            plan=plan.code,
            plan_version=plan.version,
            rank=plan.rank,
            price_minor=plan.price_minor,
            currency=plan.currency,
        )


@dataclass(frozen=True, slots=True)
class RenewalPolicy:
    """How long somebody who has not paid keeps their rights, and how often their balance is asked meanwhile."""

    grace: timedelta = timedelta(days=3)
    ask_every: timedelta = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What somebody is on now: the plan's terms, and the subscription that gives them, where there is one."""

    plan: Plan
    subscription: Subscription | None
