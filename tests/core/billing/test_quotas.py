"""What is held of which limits, under which plan, and what is told of how they stand."""

from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.billing.builders import DAY, NOW, REQUESTS, TOKENS, a_plan
from opora.core.billing.errors.quotas import UpgradeRequired
from opora.core.billing.model.plans import EPOCH, Period, covers
from opora.core.billing.model.quotas import UNITS_MAX, QuotaPolicy, Usage
from opora.core.billing.model.subscriptions import SubscriptionStatus
from opora.core.billing.rules import quotas
from opora.testing.plans import a_subscription

POLICY = QuotaPolicy("https://opora.test/plans")
END = NOW.replace(month=12)


@pytest.mark.parametrize(
    ("pattern", "feature", "fits"),
    [
        ("generate.post", "generate.post", True),
        ("generate.post", "generate.posts", False),
        ("generate.*", "generate.post", True),
        ("generate.*", "generate.", True),
        ("generate.*", "generates.post", False),
        ("generate.*", "generate", False),
    ],
)
def test_a_star_stands_for_every_name_that_begins_so(pattern: str, feature: str, fits: bool) -> None:
    assert covers(pattern, feature) is fits


def test_a_feature_with_a_limit_is_included_without_being_named() -> None:
    assert a_plan().grants(REQUESTS)
    assert a_plan().grants("generate.post")
    assert not a_plan().grants("generate.article")
    assert [one.period for one in a_plan().limits_of(REQUESTS)] == [Period.DAY, Period.MONTH]


@pytest.mark.parametrize(
    ("changes", "now", "code"),
    [
        ({}, NOW, "standard"),
        ({}, END + 40 * DAY, "standard"),  # the renewal is late: that is not the person's fault
        ({"next_plan": "free"}, END - DAY, "standard"),
        ({"next_plan": "free"}, END, "free"),
        ({"next_plan": "premium"}, END, "premium"),
        ({"status": SubscriptionStatus.PAST_DUE, "grace_until": END + 3 * DAY}, END + DAY, "standard"),
        ({"status": SubscriptionStatus.PAST_DUE, "grace_until": END + 3 * DAY}, END + 3 * DAY, "free"),
        ({"status": SubscriptionStatus.CANCELLED, "ended_at": NOW}, NOW, "free"),
    ],
)
def test_the_plan_is_the_one_of_this_instant_whether_or_not_jobs_have_run(
    changes: dict[str, object], now: datetime, code: str
) -> None:
    subscription = a_subscription(**changes)
    assert quotas.plan_code(subscription, now) == code
    assert quotas.plan_version(subscription, code) == (1 if code == "standard" else None)
    assert quotas.anchor(subscription, code) == (EPOCH if code == "free" else NOW)


def test_without_a_subscription_one_is_on_free_by_the_calendar() -> None:
    assert quotas.plan_code(None, NOW) == "free"
    assert quotas.plan_version(None, "free") is None
    assert quotas.anchor(None, "free") == EPOCH


def test_each_limit_of_what_is_wanted_is_held_in_one_order() -> None:
    found = quotas.holds(a_plan(), NOW, {TOKENS: 500, REQUESTS: 1, "generate.post": 1}, "task", 7, NOW + DAY)
    assert [(hold.feature, hold.period, hold.units, bound) for hold, _, bound in found] == [
        (REQUESTS, Period.DAY, 1, 10),
        (REQUESTS, Period.MONTH, 1, 100),
        (TOKENS, Period.MONTH, 500, None),
    ]
    assert [span.starts_at for _, span, _ in found] == [NOW + DAY, NOW, NOW]


@pytest.mark.parametrize("units", [0, -1, UNITS_MAX + 1])
def test_no_program_asks_for_less_than_one_unit_or_more_than_json_keeps(units: int) -> None:
    with pytest.raises(ValueError, match="units are held"):
        quotas.holds(a_plan(), NOW, {REQUESTS: units}, "task", 7, NOW)


@pytest.mark.parametrize("hold_id", ["", "x" * 65])
def test_a_hold_has_an_id_that_its_column_takes(hold_id: str) -> None:
    with pytest.raises(ValueError, match="id of a hold"):
        quotas.holds(a_plan(), NOW, {REQUESTS: 1}, hold_id, 7, NOW)


def test_what_a_plan_lacks_is_named_with_the_way_to_have_it() -> None:
    quotas.refuse_lacking(a_plan(), {"generate.post": 1, REQUESTS: 1}, POLICY)
    with pytest.raises(UpgradeRequired) as refusal:
        quotas.refuse_lacking(a_plan(), {"generate.post": 1, "generate.article": 1}, POLICY)
    assert refusal.value.facts == {
        "feature": "generate.article",
        "plan": "standard",
        "upgrade_url": "https://opora.test/plans",
    }


def test_a_spent_limit_is_told_with_what_is_left_and_when_it_begins_anew() -> None:
    ((hold, span, _), *_) = quotas.holds(a_plan(), NOW, {REQUESTS: 4}, "task", 7, NOW)
    kept = Usage(
        feature=REQUESTS, period=Period.DAY, starts_at=span.starts_at, ends_at=span.ends_at, units=10, used=5, held=2
    )
    facts = quotas.exhausted(hold, span, 10, kept, POLICY).facts
    assert (facts["limit"], facts["remaining"], facts["requested"]) == (10, 3, 4)
    assert facts["reset_at"] == "2026-11-22T10:00:00Z"
    assert quotas.exhausted(hold, span, 10, None, POLICY).facts["remaining"] == 10
    assert quotas.exhausted(hold, span, 3, kept, POLICY).facts["remaining"] == 0


@given(st.integers(1, UNITS_MAX), st.integers(0, UNITS_MAX))
def test_what_was_used_is_counted_whole_and_never_beyond_the_hold(held: int, used: int) -> None:
    committed, overage = quotas.split(held, used)
    assert committed + overage == used
    assert 0 <= committed <= held


def test_usage_shows_every_limit_of_the_plan_and_no_period_that_is_over() -> None:
    month = Usage(
        feature=REQUESTS, period=Period.MONTH, starts_at=NOW, ends_at=END, units=50, used=7, held=1, overage=2
    )
    old = replace(month, starts_at=NOW - 30 * DAY, ends_at=NOW)
    day, this_month, tokens = quotas.usage(a_plan(), NOW, [old, month], NOW + DAY)
    assert (day.period, day.used, day.remaining) == (Period.DAY, 0, 10)
    assert this_month == replace(month, units=100)
    assert this_month.remaining == 92
    assert (tokens.units, tokens.remaining) == (None, None)


def test_a_store_without_plans_is_a_fault_and_no_free_pass() -> None:
    assert quotas.seeded("standard", a_plan()) == a_plan()
    with pytest.raises(LookupError, match="no plan free"):
        quotas.seeded("free", None)
