"""Subscribing, changing, cancelling, renewing: what is charged, told and kept."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from core.billing.builders import DAY, NOW, REQUESTS
from core.billing.kiosk import ANNA, BORIS, Kiosk
from opora.core.access.model.people import User
from opora.core.billing.errors.ledger import BalanceTooLow
from opora.core.billing.errors.plans import AlreadyOnPlan, AlreadySubscribed, NoSubscription, SubscriptionPastDue
from opora.core.billing.errors.quotas import QuotaExhausted, UpgradeRequired
from opora.core.billing.model.subscriptions import PAY_DUE, RENEW, SubscriptionStatus
from opora.core.kernel.model import Actor

pytestmark = pytest.mark.anyio

STANDARD, PREMIUM = 49_000, 199_000
END = NOW.replace(month=12)
JANUARY = NOW.replace(year=2027, month=1)
HOUR = timedelta(hours=1)


async def subscribed(kiosk: Kiosk, plan: str = "standard", purse: int = 1_000_000) -> None:
    """Give Anna money and a subscription."""
    await kiosk.top_up(purse)
    await kiosk.subscribe(ANNA, plan)


async def held(kiosk: Kiosk, hold_id: str, actor: Actor = ANNA, **wanted: int) -> Any:
    """Hold something as generation does."""
    names = {f"generate.{name}": units for name, units in wanted.items()}
    async with kiosk.unit() as tx:
        return await kiosk.quotas.hold(tx, actor.user_id or 0, names, hold_id, kiosk.clock.at)


async def test_a_subscription_is_paid_from_the_balance_and_told_of(kiosk: Kiosk) -> None:
    await kiosk.top_up(60_000)
    subscription = await kiosk.subscribe(ANNA, "standard")
    assert (subscription.plan, subscription.period_start, subscription.period_end) == ("standard", NOW, END)
    assert await kiosk.balance() == 60_000 - STANDARD
    assert await kiosk.tier() == "standard"
    assert await kiosk.subscriptions.live(7) == subscription
    assert await kiosk.letters() == ["subscribed"]
    assert await kiosk.audited() == ["subscription.started"]
    started, tier = await kiosk.events()
    assert (started["topic"], started["user_id"], started["charged_minor"]) == ("subscription.started", 7, STANDARD)
    assert (tier["topic"], tier["subject"], tier["was"], tier["tier"]) == (
        "subscription.tier_changed",
        7,
        "free",
        "standard",
    )


async def test_what_the_balance_does_not_cover_leaves_nothing_behind(kiosk: Kiosk) -> None:
    await kiosk.top_up(STANDARD - 1)
    with pytest.raises(BalanceTooLow) as refusal:
        await kiosk.subscribe(ANNA, "standard")
    assert refusal.value.facts["needed_minor"] == STANDARD
    assert await kiosk.balance() == STANDARD - 1
    assert (await kiosk.tier(), await kiosk.events(), await kiosk.letters()) == ("free", [], [])
    assert await kiosk.next_due() is None


async def test_nobody_has_two_subscriptions(kiosk: Kiosk) -> None:
    await subscribed(kiosk)
    with pytest.raises(AlreadySubscribed):
        await kiosk.subscribe(ANNA, "premium")
    assert await kiosk.balance() == 1_000_000 - STANDARD
    with pytest.raises(AlreadyOnPlan):
        await kiosk.subscribe(BORIS, "free")


async def test_without_a_subscription_one_is_on_free(kiosk: Kiosk) -> None:
    standing = await kiosk.standing(ANNA)
    assert (standing.plan.code, standing.subscription) == ("free", None)
    with pytest.raises(UpgradeRequired):
        await held(kiosk, "a", article=1)
    await held(kiosk, "a", requests=1, post=1)
    _, usage = await kiosk.usage(ANNA)
    assert [(one.feature, one.held) for one in usage] == [(REQUESTS, 1), ("generate.tokens", 0)]
    for step in (kiosk.change(ANNA, "premium"), kiosk.cancel(ANNA, at_once=False)):
        with pytest.raises(NoSubscription):
            await step


async def test_an_upgrade_holds_at_once_for_the_rest_of_the_difference_and_counts_on(kiosk: Kiosk) -> None:
    await subscribed(kiosk)
    await held(kiosk, "a", requests=200)
    with pytest.raises(QuotaExhausted):
        await held(kiosk, "b", requests=1)
    kiosk.clock.at = NOW + HOUR
    after, charged = await kiosk.change(ANNA, "premium")
    rest = (END - NOW - HOUR) / (END - NOW)
    assert abs(charged.amount_minor - (PREMIUM - STANDARD) * rest) <= 1
    assert await kiosk.balance() == 1_000_000 - STANDARD - charged.amount_minor
    assert (after.period_start, after.period_end, after.paid_minor) == (NOW, END, STANDARD + charged.amount_minor)
    assert await kiosk.tier() == "premium"
    await held(kiosk, "b", requests=1)
    with pytest.raises(QuotaExhausted) as refusal:
        await held(kiosk, "c", requests=1_800)
    assert refusal.value.facts["remaining"] == 1_799
    assert await kiosk.letters() == ["subscribed", "upgraded"]
    await kiosk.turn(END)
    assert await kiosk.balance() == 1_000_000 - STANDARD - charged.amount_minor - PREMIUM


async def test_an_upgrade_that_is_not_covered_changes_nothing(kiosk: Kiosk) -> None:
    await subscribed(kiosk, purse=STANDARD)
    with pytest.raises(BalanceTooLow):
        await kiosk.change(ANNA, "premium")
    assert await kiosk.tier() == "standard"


async def test_a_lower_plan_follows_when_the_period_ends(kiosk: Kiosk) -> None:
    await subscribed(kiosk, "premium")
    after, charged = await kiosk.change(ANNA, "standard")
    assert (after.plan, after.next_plan, charged.amount_minor) == ("premium", "standard", 0)
    await kiosk.turn(END - HOUR)
    assert await kiosk.tier() == "premium"
    kiosk.clock.at = END
    assert await kiosk.tier() == "standard"  # before any job has run
    await held(kiosk, "a", requests=200)
    with pytest.raises(QuotaExhausted):
        await held(kiosk, "b", requests=1)
    await kiosk.turn(END)
    assert await kiosk.balance() == 1_000_000 - PREMIUM - STANDARD
    live = await kiosk.subscriptions.live(7)
    assert live is not None
    assert (live.plan, live.next_plan, live.period_start) == ("standard", None, END)
    assert [one["tier"] for one in await kiosk.events("subscription.tier_changed")] == ["premium", "standard"]


async def test_a_period_is_renewed_once_however_often_its_job_runs(kiosk: Kiosk) -> None:
    await subscribed(kiosk)
    await kiosk.run(RENEW, {"subscription_id": 1})  # too early: looked at again at its time
    assert await kiosk.balance() == 1_000_000 - STANDARD
    kiosk.clock.at = END
    for _ in range(3):
        await kiosk.run(RENEW, {"subscription_id": 1})
    await kiosk.work()
    assert await kiosk.balance() == 1_000_000 - 2 * STANDARD
    assert await kiosk.letters() == ["subscribed", "renewed"]
    assert len(await kiosk.events("subscription.renewed")) == 1
    assert await kiosk.next_due() == JANUARY
    await kiosk.turn(JANUARY)
    assert await kiosk.balance() == 1_000_000 - 3 * STANDARD
    await kiosk.run(RENEW, {"subscription_id": 99})  # nobody's


async def test_a_period_that_is_not_covered_keeps_its_rights_for_the_days_of_grace_and_then_ends(kiosk: Kiosk) -> None:
    await subscribed(kiosk, purse=STANDARD)
    await kiosk.turn(END)
    live = await kiosk.subscriptions.live(7)
    assert live is not None
    assert (live.status, live.grace_until) == (SubscriptionStatus.PAST_DUE, END + 3 * DAY)
    assert await kiosk.tier() == "standard"
    with pytest.raises(SubscriptionPastDue):
        await kiosk.change(ANNA, "premium")
    await kiosk.turn(END + 3 * DAY - HOUR)
    assert await kiosk.tier() == "standard"
    assert await kiosk.letters() == ["subscribed", "payment_failed"]
    await kiosk.turn(END + 3 * DAY)
    assert (await kiosk.subscriptions.live(7), await kiosk.tier()) == (None, "free")
    assert await kiosk.letters() == ["subscribed", "payment_failed", "expired"]
    assert await kiosk.balance() == 0
    assert await kiosk.next_due() is None


async def blocked(kiosk: Kiosk, *, is_active: bool) -> None:
    """Block Anna, or let her in."""
    async with kiosk.unit() as tx:
        if await tx.users.get(7) is None:
            await tx.users.add(User(id=7, email="anna@example.org", created_at=NOW))
        await tx._connection.execute("UPDATE users SET is_active = :is_active WHERE id = 7", is_active=is_active)


async def test_a_blocked_person_is_not_charged_and_keeps_what_was_paid_for(kiosk: Kiosk) -> None:
    await subscribed(kiosk)
    await blocked(kiosk, is_active=False)
    await kiosk.turn(END - HOUR)
    assert await kiosk.tier() == "standard"
    await kiosk.turn(END + HOUR)
    assert (await kiosk.balance(), await kiosk.tier()) == (1_000_000 - STANDARD, "free")
    (ended,) = await kiosk.events("subscription.ended")
    assert (ended["status"], ended["refunded_minor"]) == ("cancelled", 0)


async def test_a_person_let_in_again_in_time_is_renewed_as_ever(kiosk: Kiosk) -> None:
    await subscribed(kiosk)
    await blocked(kiosk, is_active=False)
    await kiosk.turn(END - HOUR)
    await blocked(kiosk, is_active=True)
    await kiosk.turn(END + HOUR)
    assert (await kiosk.balance(), await kiosk.tier()) == (1_000_000 - 2 * STANDARD, "standard")


async def test_money_that_comes_in_for_a_blocked_person_pays_for_no_plan(kiosk: Kiosk) -> None:
    await subscribed(kiosk, purse=STANDARD)
    await kiosk.turn(END + HOUR)
    await blocked(kiosk, is_active=False)
    await kiosk.top_up(STANDARD, tell=True)
    await kiosk.turn(END + 2 * HOUR)
    assert (await kiosk.balance(), await kiosk.tier()) == (STANDARD, "free")


async def test_money_that_comes_in_pays_at_once_for_what_is_due(kiosk: Kiosk) -> None:
    await subscribed(kiosk, purse=STANDARD)
    await kiosk.turn(END + DAY + HOUR)
    await kiosk.top_up(10_000, tell=True)
    await kiosk.work()
    assert await kiosk.balance() == 10_000
    await kiosk.top_up(60_000, tell=True)
    await kiosk.top_up(1, BORIS, tell=True)
    await kiosk.work()
    live = await kiosk.subscriptions.live(7)
    assert live is not None
    assert (live.status, live.period_start, live.grace_until) == (SubscriptionStatus.ACTIVE, END, None)
    assert await kiosk.balance() == 70_000 - STANDARD
    await kiosk.run(PAY_DUE, {"event": {"subject": 1}})  # a payment that names nobody
    await kiosk.turn(END + 9 * DAY)
    assert await kiosk.balance() == 70_000 - STANDARD


async def test_the_balance_is_asked_daily_even_if_nothing_tells_of_money(kiosk: Kiosk) -> None:
    await subscribed(kiosk, purse=STANDARD)
    await kiosk.turn(END + HOUR)
    await kiosk.top_up(STANDARD)
    await kiosk.turn(END + DAY)
    assert (await kiosk.tier(), await kiosk.balance()) == ("standard", 0)


async def test_months_in_which_nothing_ran_are_not_charged(kiosk: Kiosk) -> None:
    await subscribed(kiosk)
    kiosk.clock.at = JANUARY + 40 * DAY
    await kiosk.work()
    await kiosk.turn(kiosk.clock.at)
    assert await kiosk.balance() == 1_000_000 - 2 * STANDARD
    live = await kiosk.subscriptions.live(7)
    assert live is not None
    assert live.period_start <= kiosk.clock.at < live.period_end


async def test_a_cancelled_subscription_runs_to_the_end_of_what_is_paid(kiosk: Kiosk) -> None:
    await subscribed(kiosk)
    after, refunded = await kiosk.cancel(ANNA, at_once=False)
    assert (after.ends_with_period, refunded.amount_minor) == (True, 0)
    again, _ = await kiosk.cancel(ANNA, at_once=False)
    assert again == after
    await kiosk.turn(END - HOUR)
    assert await kiosk.tier() == "standard"
    await kiosk.turn(END)
    assert (await kiosk.tier(), await kiosk.balance()) == ("free", 1_000_000 - STANDARD)
    assert await kiosk.letters() == ["subscribed", "cancelled"]
    assert (await kiosk.events("subscription.ended"))[0]["status"] == "cancelled"


async def test_a_cancellation_is_taken_back_by_choosing_the_plan_again(kiosk: Kiosk) -> None:
    await subscribed(kiosk)
    await kiosk.cancel(ANNA, at_once=False)
    after, _ = await kiosk.change(ANNA, "standard")
    assert not after.ends_with_period
    await kiosk.turn(END)
    assert await kiosk.tier() == "standard"


async def test_cancelled_at_once_the_unused_part_goes_back_and_the_rights_end(kiosk: Kiosk) -> None:
    await subscribed(kiosk)
    await held(kiosk, "a", requests=200)
    kiosk.clock.at = NOW + HOUR
    after, refunded = await kiosk.cancel(ANNA, at_once=True)
    assert refunded.amount_minor == STANDARD * 2_800 // 3_000
    assert (after.status, await kiosk.tier()) == (SubscriptionStatus.CANCELLED, "free")
    assert await kiosk.balance() == 1_000_000 - STANDARD + refunded.amount_minor
    await kiosk.turn(JANUARY)
    assert await kiosk.balance() == 1_000_000 - STANDARD + refunded.amount_minor
    again = await kiosk.subscribe(ANNA, "standard")
    assert again.id != after.id


async def test_what_is_past_due_is_cancelled_at_once_for_nothing(kiosk: Kiosk) -> None:
    await subscribed(kiosk, purse=STANDARD)
    await kiosk.turn(END)
    after, refunded = await kiosk.cancel(ANNA, at_once=False)
    assert (after.status, refunded.amount_minor, await kiosk.balance()) == (SubscriptionStatus.CANCELLED, 0, 0)


async def test_one_subscribes_anew_although_the_job_that_ends_the_old_one_is_late(kiosk: Kiosk) -> None:
    await subscribed(kiosk)
    await kiosk.cancel(ANNA, at_once=False)
    kiosk.clock.at = END + HOUR
    standing = await kiosk.standing(ANNA)
    assert (standing.plan.code, standing.subscription) == ("free", None)
    subscription = await kiosk.subscribe(ANNA, "premium")
    assert subscription.anchor_at == END + HOUR
    await kiosk.turn(END + 2 * HOUR)
    assert await kiosk.tier() == "premium"
    assert await kiosk.balance() == 1_000_000 - STANDARD - PREMIUM


async def test_a_plan_that_costs_nothing_is_renewed_without_a_transfer(kiosk: Kiosk) -> None:
    given = [replace(plan, price_minor=0) if plan.code == "standard" else plan for plan in await kiosk.plans.offered()]
    await kiosk.publish(ANNA, given)
    await kiosk.subscribe(ANNA, "standard")
    await kiosk.turn(END)
    assert (await kiosk.tier(), await kiosk.balance()) == ("standard", 0)
    _, refunded = await kiosk.cancel(ANNA, at_once=True)
    assert refunded.amount_minor == 0
