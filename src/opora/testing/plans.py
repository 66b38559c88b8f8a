"""The contract of a store of plans and subscriptions."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from opora.core.billing.errors.plans import AlreadySubscribed
from opora.core.billing.model.subscriptions import Subscription, SubscriptionStatus
from opora.core.billing.ports.plans import PlanTx, PlanViews, SubscriptionViews
from opora.core.kernel.errors import DatabaseUnavailable, Stale

NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def a_subscription(**changes: Any) -> Subscription:
    """Return person 7's first month of the seeded plan `standard`."""
    plain: dict[str, Any] = {
        "id": 1,
        "user_id": 7,
        "plan": "standard",
        "plan_version": 1,
        "rank": 10,
        "price_minor": 49_000,
        "paid_minor": 49_000,
        "currency": "RUB",
        "anchor_at": NOW,
        "period_start": NOW,
        "period_end": NOW.replace(month=12),
        "created_at": NOW,
        "changed_at": NOW,
    }
    return Subscription(**(plain | changes))


class SubscriptionRepositoryContract:
    """What every store of subscriptions holds: give it `unit`, the plans seeded, and views on the same store."""

    unit: Callable[[], AbstractAsyncContextManager[PlanTx]]
    views: SubscriptionViews
    plans: PlanViews

    async def kept(self, *subscriptions: Subscription) -> None:
        """Keep subscriptions."""
        async with self.unit() as tx:
            for one in subscriptions:
                await tx.plan_subscriptions.add(one)

    async def test_gives_back_what_was_added_and_what_was_saved(self) -> None:
        await self.kept(a_subscription(), a_subscription(id=2, user_id=8))
        due = a_subscription().fallen_due(3 * DAY, NOW + DAY)
        async with self.unit() as tx:
            assert await tx.plan_subscriptions.next_id() != await tx.plan_subscriptions.next_id()
            assert await tx.plan_subscriptions.get(1) == a_subscription()
            assert await tx.plan_subscriptions.live(7) == a_subscription()
            assert await tx.plan_subscriptions.get(3) is None
            await tx.plan_subscriptions.save(due)
            assert await tx.plan_subscriptions.locked(7) == due
        assert await self.views.live(7) == due
        assert await self.views.live(9) is None

    async def test_a_save_over_a_newer_version_is_refused(self) -> None:
        await self.kept(a_subscription())
        async with self.unit() as tx:
            await tx.plan_subscriptions.save(a_subscription().planned("free", NOW))
        with pytest.raises(Stale):
            async with self.unit() as tx:
                await tx.plan_subscriptions.save(a_subscription().planned(None, NOW))

    async def test_a_person_has_one_live_subscription_and_any_number_that_are_over(self) -> None:
        await self.kept(a_subscription())
        with pytest.raises(AlreadySubscribed):
            await self.kept(a_subscription(id=2))
        over = a_subscription().ended(SubscriptionStatus.CANCELLED, NOW)
        async with self.unit() as tx:
            await tx.plan_subscriptions.save(over)
            assert await tx.plan_subscriptions.live(7) is None
            await tx.plan_subscriptions.add(a_subscription(id=2))
            assert await tx.plan_subscriptions.get(1) == over
        live = await self.views.live(7)
        assert live is not None
        assert live.id == 2

    async def test_of_many_who_subscribe_at_once_one_does(self) -> None:
        async def attempt(id: int) -> bool:
            try:
                await self.kept(a_subscription(id=id))
            except AlreadySubscribed:
                return False
            return True

        assert sum(await asyncio.gather(*(attempt(id) for id in range(1, 17)))) == 1

    async def test_of_many_changes_at_once_each_sees_the_one_before(self) -> None:
        await self.kept(a_subscription())

        async def change(number: int) -> None:
            async with self.unit() as tx:
                found = await tx.plan_subscriptions.locked(7)
                assert found is not None
                await tx.plan_subscriptions.save(found.planned(f"plan-{number}", NOW))

        async def read() -> None:
            async with self.unit() as tx:
                assert await tx.plan_subscriptions.live(7) is not None

        await asyncio.gather(*(change(one) for one in range(12)), *(read() for _ in range(12)))
        found = await self.views.live(7)
        assert found is not None
        assert found.version == 13

    async def test_a_transaction_that_is_undone_keeps_nothing(self) -> None:
        with pytest.raises(DatabaseUnavailable):
            async with self.unit() as tx:
                await tx.plan_subscriptions.add(a_subscription())
                raise DatabaseUnavailable
        assert await self.views.live(7) is None

    async def test_a_new_version_of_a_plan_is_offered_beside_the_old_terms(self) -> None:
        async with self.unit() as tx:
            free, standard, premium = await tx.plans.newest()
            dearer = replace(standard, version=2, price_minor=60_000, created_at=NOW)
            await tx.plans.publish(dearer)
            assert await tx.plans.offer("premium", is_offered=False)
            assert not await tx.plans.offer("premium", is_offered=False)
            assert not await tx.plans.offer("gold", is_offered=True)
        assert await self.plans.offered() == [free, dearer]
        assert await self.plans.terms("standard") == dearer
        assert await self.plans.terms("standard", 1) == standard
        assert await self.plans.terms("premium") == premium
