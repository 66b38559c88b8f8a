"""What a change of plan costs, what a cancellation gives back, and which states follow which."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from core.billing.builders import DAY, NOW, REQUESTS, a_plan
from opora.core.billing.errors.plans import (
    AlreadyOnPlan,
    NoSubscription,
    PlanUnknown,
    SubscriberUnknown,
    SubscriptionPastDue,
)
from opora.core.billing.model.plans import Period, Plan
from opora.core.billing.model.quotas import Usage
from opora.core.billing.model.subscriptions import MOVES, Subscription, SubscriptionStatus
from opora.core.billing.rules import subscriptions as rules
from opora.core.kernel.errors import IllegalMove
from opora.core.kernel.model import Actor, Money
from opora.testing.plans import a_subscription

PRICES = st.integers(0, 10**9)
LEFT = st.timedeltas(timedelta(days=-3), timedelta(days=40))
"""How much of the period may be left; more or less than there ever is, too."""
END = NOW.replace(month=12)


def paying(price_minor: int) -> Subscription:
    """Return a subscription at a price."""
    return a_subscription(price_minor=price_minor, paid_minor=price_minor)


def priced(price_minor: int, rank: int = 20) -> Plan:
    """Return a higher plan at a price."""
    return a_plan(code="premium", rank=rank, price_minor=price_minor)


@given(PRICES, PRICES, LEFT)
def test_an_upgrade_never_costs_more_than_the_difference_nor_less_than_nothing(
    old: int, new: int, left: timedelta
) -> None:
    charge = rules.upgrade_charge(paying(old), priced(new), END - left).amount_minor
    assert 0 <= charge <= max(new - old, 0)


@given(PRICES, PRICES, PRICES, LEFT)
def test_two_upgrades_at_one_instant_cost_what_one_does(low: int, middle: int, high: int, left: timedelta) -> None:
    low, middle, high = sorted((low, middle, high))
    now = END - left
    first = rules.upgrade_charge(paying(low), priced(middle), now)
    half_way = paying(low).upgraded(priced(middle), first, now)
    second = rules.upgrade_charge(half_way, priced(high, 30), now)
    assert first + second == rules.upgrade_charge(paying(low), priced(high, 30), now)
    assert half_way.upgraded(priced(high, 30), second, now).paid_minor <= high


@given(PRICES, PRICES, LEFT, LEFT)
def test_an_upgrade_that_waits_never_costs_more(old: int, new: int, one: timedelta, other: timedelta) -> None:
    assume(new >= old)
    late, early = sorted((one, other))
    exact = abs(
        rules.upgrade_charge(paying(old), priced(new), END - early).amount_minor
        - rules.upgrade_charge(paying(old), priced(new), END - late).amount_minor
    )
    cheaper = rules.upgrade_charge(paying(old), priced(new), END - late).amount_minor
    dearer = rules.upgrade_charge(paying(old), priced(new), END - early).amount_minor
    assert cheaper <= dearer + 1  # each price is rounded down by itself
    assert exact <= new


def test_half_a_period_of_the_dearer_plan_less_half_of_the_old_one() -> None:
    november = END - NOW
    charge = rules.upgrade_charge(paying(49_000), priced(199_000), NOW + november / 2)
    assert charge == Money(75_000, "RUB")
    assert rules.upgrade_charge(paying(49_000), priced(199_000), NOW) == Money(150_000, "RUB")
    assert rules.upgrade_charge(paying(49_000), priced(199_000), END) == Money(0, "RUB")


def month(used: int, units: int | None = 100, held: int = 0) -> Usage:
    """Return how a monthly limit stands."""
    return Usage(feature=REQUESTS, period=Period.MONTH, starts_at=NOW, ends_at=END, units=units, used=used, held=held)


@given(PRICES, st.lists(st.tuples(st.integers(0, 100), st.integers(0, 50)), max_size=3), LEFT)
def test_what_goes_back_is_never_more_than_was_paid_nor_than_nobody_has_used(
    price: int, counters: list[tuple[int, int]], left: timedelta
) -> None:
    usage = [month(used, used + held + 10, held) for used, held in counters]
    back = rules.refund(paying(price), usage, END - left).amount_minor
    assert 0 <= back <= price
    for one in usage:
        assert back * (one.units or 1) <= price * (one.remaining or 0)


@pytest.mark.parametrize(
    ("left", "usage", "expected"),
    [
        (30 * DAY, [], 30_000),
        (30 * DAY - timedelta(seconds=1), [], 29_000),  # the day that has begun is used
        (15 * DAY, [month(10)], 15_000),
        (30 * DAY, [month(90)], 3_000),
        (30 * DAY, [month(40, held=50)], 3_000),
        (30 * DAY, [month(90, None)], 30_000),
        (30 * DAY, [replace(month(90), period=Period.DAY)], 30_000),
        (-DAY, [], 0),
    ],
)
def test_the_part_that_nobody_has_used_goes_back(left: timedelta, usage: list[Usage], expected: int) -> None:
    assert rules.refund(paying(30_000), usage, END - left) == Money(expected, "RUB")


def test_nothing_goes_back_of_what_was_not_paid() -> None:
    due = paying(30_000).fallen_due(3 * DAY, NOW)
    assert rules.refund(due, [], NOW) == Money(0, "RUB")
    assert rules.refund(replace(paying(30_000), paid_minor=500), [], NOW) == Money(500, "RUB")


def test_a_caller_without_a_person_subscribes_to_nothing() -> None:
    assert rules.subscriber(Actor(user_id=7)) == 7
    with pytest.raises(SubscriberUnknown):
        rules.subscriber(Actor(key_id=1))


def test_plans_are_chosen_by_code_among_those_on_offer() -> None:
    assert rules.offered([a_plan()], "standard") == a_plan()
    with pytest.raises(PlanUnknown) as refusal:
        rules.offered([a_plan()], "gold")
    assert refusal.value.errors == {"plan": ["is one of standard"]}
    with pytest.raises(AlreadyOnPlan):
        rules.refuse_free(a_plan(code="free"))


def test_only_a_subscription_that_is_paid_for_is_changed() -> None:
    with pytest.raises(NoSubscription):
        rules.changeable(None)
    with pytest.raises(SubscriptionPastDue):
        rules.changeable(a_subscription().fallen_due(DAY, NOW))


def test_another_currency_waits_for_the_period_to_end() -> None:
    assert rules.is_upgrade(a_subscription(), priced(1))
    assert not rules.is_upgrade(a_subscription(), priced(1, rank=10))
    assert not rules.is_upgrade(a_subscription(), replace(priced(1), currency="EUR"))


def test_the_present_plan_takes_back_what_was_to_follow() -> None:
    leaving = a_subscription(next_plan="free")
    assert rules.plan_to_follow(leaving, a_plan()) is None
    assert rules.plan_to_follow(a_subscription(), a_plan(code="basic")) == "basic"
    for subscription, plan in ((a_subscription(), a_plan()), (leaving, a_plan(code="free"))):
        with pytest.raises(AlreadyOnPlan):
            rules.plan_to_follow(subscription, plan)


def test_months_that_passed_while_nothing_ran_are_not_asked_for() -> None:
    assert rules.next_span(a_subscription(), END).number == 1
    late = rules.next_span(a_subscription(), END.replace(year=2027, month=3))
    assert (late.number, late.start, late.end) == (
        4,
        END.replace(year=2027, month=3),
        END.replace(year=2027, month=4),
    )
    assert rules.next_span(a_subscription(), NOW).number == 1  # a clock that was set back asks for no month twice


@pytest.mark.parametrize("status", SubscriptionStatus)
@pytest.mark.parametrize("target", SubscriptionStatus)
def test_states_follow_by_the_table(status: SubscriptionStatus, target: SubscriptionStatus) -> None:
    start = a_subscription(status=status)
    steps = {
        SubscriptionStatus.ACTIVE: lambda: start.renewed(a_plan(), rules.next_span(start, END), END),
        SubscriptionStatus.PAST_DUE: lambda: start.fallen_due(DAY, END),
        SubscriptionStatus.CANCELLED: lambda: start.ended(SubscriptionStatus.CANCELLED, END),
        SubscriptionStatus.EXPIRED: lambda: start.ended(SubscriptionStatus.EXPIRED, END),
    }
    if status is target or target in MOVES.table[status]:
        assert steps[target]().status is target
    else:
        with pytest.raises(IllegalMove):
            steps[target]()


def test_how_a_subscription_ends_whose_time_is_over() -> None:
    assert rules.end_of(a_subscription(next_plan="free")) is SubscriptionStatus.CANCELLED
    assert rules.end_of(a_subscription().fallen_due(DAY, NOW)) is SubscriptionStatus.EXPIRED
    assert not a_subscription().ends_with_period
