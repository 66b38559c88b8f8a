"""Who may subscribe to what, what a change costs, and what becomes of a subscription when its period ends."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from opora.core.billing.errors.plans import (
    AlreadyOnPlan,
    NoSubscription,
    PlanUnknown,
    SubscriberUnknown,
    SubscriptionPastDue,
)
from opora.core.billing.model.plans import FREE, Period, Plan
from opora.core.billing.model.quotas import Usage
from opora.core.billing.model.subscriptions import RENEW, Span, Subscription, SubscriptionStatus
from opora.core.billing.rules.periods import DAY, month, month_number
from opora.core.jobs.model import NewJob
from opora.core.kernel.model import Actor, Money

MICROSECOND = timedelta(microseconds=1)


def subscriber(actor: Actor) -> int:
    """Return whose subscription the caller speaks of; raises SubscriberUnknown for a key that belongs to nobody."""
    if actor.user_id is None:
        raise SubscriberUnknown
    return actor.user_id


def offered(plans: Sequence[Plan], code: str) -> Plan:
    """Return the plan of this code; raises PlanUnknown, naming those there are."""
    for plan in plans:
        if plan.code == code:
            return plan
    raise PlanUnknown(errors={"plan": [f"is one of {', '.join(plan.code for plan in plans)}"]})


def refuse_free(plan: Plan) -> None:
    """Raise AlreadyOnPlan for the plan that everybody is on who has no subscription."""
    if plan.code == FREE:
        raise AlreadyOnPlan(plan=FREE)


def started(id: int, user_id: int, plan: Plan, now: datetime) -> Subscription:
    """Return the subscription that begins now, its first period paid for."""
    start, end = month(now, 0)
    return Subscription(
        id=id,
        user_id=user_id,
        plan=plan.code,
        plan_version=plan.version,
        rank=plan.rank,
        price_minor=plan.price_minor,
        paid_minor=plan.price_minor,
        currency=plan.currency,
        anchor_at=start,
        period_start=start,
        period_end=end,
        created_at=now,
        changed_at=now,
    )


def changeable(subscription: Subscription | None) -> Subscription:
    """Return it where there is one to be changed; raises NoSubscription, SubscriptionPastDue."""
    if subscription is None:
        raise NoSubscription
    if subscription.status is SubscriptionStatus.PAST_DUE:
        raise SubscriptionPastDue
    return subscription


def is_upgrade(subscription: Subscription, plan: Plan) -> bool:
    """Tell whether a change is made at once: to a higher plan in the same currency, while the period lasts."""
    return plan.rank > subscription.rank and plan.currency == subscription.currency


def plan_to_follow(subscription: Subscription, plan: Plan) -> str | None:
    """Return what is to follow when the period ends, None where the plan just goes on.

    Raises AlreadyOnPlan where that is so already.
    """
    following = None if plan.code == subscription.plan else plan.code
    if following == subscription.next_plan:
        raise AlreadyOnPlan(plan=plan.code)
    return following


def part_minor(price_minor: int, subscription: Subscription, now: datetime) -> int:
    """Return what of a month's price falls on the rest of the period, in whole minor units, rounded down."""
    whole = subscription.period_end - subscription.period_start
    left = min(max(subscription.period_end - now, 0 * whole), whole)
    # Counted in whole microseconds: a span of time multiplied by a price would pass what one can be.
    return price_minor * (left // MICROSECOND) // (whole // MICROSECOND)


def upgrade_charge(subscription: Subscription, plan: Plan, now: datetime) -> Money:
    """Return what going over to a higher plan now costs: the new price of the rest, less the old price of the rest.

    Each part is rounded down, so that two steps up at one instant cost what one does. It is never below zero nor above
    the difference of the prices.
    """
    new, old = part_minor(plan.price_minor, subscription, now), part_minor(subscription.price_minor, subscription, now)
    return Money(max(new - old, 0), plan.currency)


def refund(subscription: Subscription, usage: Sequence[Usage], now: datetime) -> Money:
    """Return what goes back where a subscription is cancelled at once: the part of the price nobody has used.

    That is the least of the whole days left and of what is left of each monthly limit, and never more than was paid.
    A day that has begun is used: else daily limits could be had anew by cancelling and subscribing again.
    """
    days = (subscription.period_end - subscription.period_start) // DAY
    shares = [(max((subscription.period_end - now) // DAY, 0), days)]
    for one in usage:
        if one.period is Period.MONTH and one.units and one.remaining is not None:
            shares.append((one.remaining, one.units))
    parts = [subscription.price_minor * left // whole for left, whole in shares]
    paid_minor = 0 if subscription.status is SubscriptionStatus.PAST_DUE else subscription.paid_minor
    return Money(min(*parts, paid_minor), subscription.currency)


def next_span(subscription: Subscription, now: datetime) -> Span:
    """Return the period to be paid for after this one: the one `now` lies in.

    Periods that passed whole while nothing ran are not asked for.
    """
    number = max(subscription.period_number + 1, month_number(subscription.anchor_at, now))
    return Span(number, *month(subscription.anchor_at, number))


def next_code(subscription: Subscription) -> str:
    """Return the plan that is to be paid for when the period ends."""
    return subscription.next_plan or subscription.plan


def charge_name(subscription: Subscription, number: int, what: str = "") -> str:
    """Return the name of a payment, which is made once: of a period, or of something that happened in it."""
    return f"subscription:{subscription.id}:{number}{':' if what else ''}{what}"


def look_again(subscription: Subscription, at: datetime) -> NewJob:
    """Return the job that looks at a subscription at an instant, once however often it is asked for."""
    return NewJob(
        kind=RENEW,
        payload={"subscription_id": subscription.id},
        dedup_key=f"{RENEW}:{subscription.id}:{subscription.version}:{at.isoformat()}",
        run_at=at,
    )


def end_of(subscription: Subscription) -> SubscriptionStatus:
    """Return how a subscription ends whose time is over: cancelled where that was asked for, else expired."""
    cancelled = subscription.status is SubscriptionStatus.ACTIVE
    return SubscriptionStatus.CANCELLED if cancelled else SubscriptionStatus.EXPIRED
