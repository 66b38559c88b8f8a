"""The contract of a store of quotas."""

import asyncio
from abc import abstractmethod
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from opora.core.billing.errors.quotas import QuotaExhausted, UpgradeRequired
from opora.core.billing.model.plans import EPOCH, Period
from opora.core.billing.model.quotas import QuotaHold, QuotaPolicy, Usage, Window
from opora.core.billing.ports.plans import QuotaTx, UsageViews
from opora.core.billing.usecases.quotas import Quotas

NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
NOVEMBER = Window(Period.MONTH, datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC))
FEATURE = "generate.requests"


def a_hold(**changes: Any) -> QuotaHold:
    """Return one request of person 7, held in November."""
    plain: dict[str, Any] = {
        "hold_id": "a",
        "person_id": 7,
        "feature": FEATURE,
        "period": Period.MONTH,
        "starts_at": NOVEMBER.starts_at,
        "units": 1,
        "created_at": NOW,
    }
    return QuotaHold(**(plain | changes))


def a_usage(**changes: Any) -> Usage:
    """Return person 7's November, of 100 requests."""
    plain: dict[str, Any] = {
        "feature": FEATURE,
        "period": Period.MONTH,
        "starts_at": NOVEMBER.starts_at,
        "ends_at": NOVEMBER.ends_at,
        "units": 100,
    }
    return Usage(**(plain | changes))


class QuotaRepositoryContract:
    """What every store of quotas holds: give it `unit`, with the plan `free` seeded, and `views` on the same store."""

    unit: Callable[[], AbstractAsyncContextManager[QuotaTx]]
    views: UsageViews
    quotas = Quotas(QuotaPolicy("https://opora.test/plans"))

    @abstractmethod
    async def raw(self, sql: str) -> bool:
        """Run a statement past the repository and tell whether the store let it change anything."""

    async def held(self, hold: QuotaHold, bound: int | None = 100) -> bool:
        """Hold in a transaction of its own."""
        async with self.unit() as tx:
            return await tx.quotas.hold(hold, NOVEMBER, bound)

    async def kept(self) -> Usage | None:
        """Return how November stands."""
        async with self.unit() as tx:
            return await tx.quotas.of_period(a_hold())

    async def test_what_is_held_is_counted_once_when_it_ends(self) -> None:
        assert await self.kept() is None
        assert await self.held(a_hold(units=60))
        assert await self.kept() == a_usage(held=60)
        async with self.unit() as tx:
            (ended,) = await tx.quotas.end("a")
            assert ended == a_hold(units=60)
            await tx.quotas.count(ended, 50, 0)
            assert await tx.quotas.end("a") == []
        assert await self.kept() == a_usage(used=50)
        assert await self.views.since(7, NOW) == [a_usage(used=50)]
        assert await self.views.since(8, NOW) == []
        assert await self.views.since(7, NOVEMBER.ends_at) == []

    async def test_a_hold_that_would_pass_the_bound_changes_nothing(self) -> None:
        assert not await self.held(a_hold(units=101))
        assert await self.kept() is None
        assert await self.held(a_hold(units=100))
        assert not await self.held(a_hold(hold_id="b"))
        assert await self.kept() == a_usage(held=100)
        async with self.unit() as tx:
            assert await tx.quotas.end("b") == []

    async def test_a_bound_that_changed_holds_from_the_next_hold_on(self) -> None:
        assert await self.held(a_hold(units=60))
        assert not await self.held(a_hold(hold_id="b"), 50)
        assert await self.kept() == a_usage(held=60)
        assert await self.held(a_hold(hold_id="c", units=100), 200)
        assert await self.kept() == a_usage(held=160, units=200)
        assert await self.held(a_hold(hold_id="d", units=1_000), None)
        assert await self.kept() == a_usage(held=1_160, units=None)

    async def test_a_transaction_that_is_undone_holds_nothing(self) -> None:
        with pytest.raises(RuntimeError):
            async with self.unit() as tx:
                assert await tx.quotas.hold(a_hold(), NOVEMBER, 100)
                raise RuntimeError
        assert await self.kept() is None

    async def test_of_many_at_once_exactly_as_many_are_served_as_the_quota_allows(self) -> None:
        served = refused = 0

        async def ask(number: int) -> None:
            nonlocal served, refused
            try:
                async with self.unit() as tx:
                    await self.quotas.hold(tx, 7, {FEATURE: 1, "generate.tokens": 2}, f"task-{number}", NOW)
            except QuotaExhausted as refusal:
                refused += 1
                assert refusal.facts["remaining"] == 0
                return
            served += 1
            async with self.unit() as tx:
                if number % 3:
                    assert await self.quotas.settle(tx, f"task-{number}", {FEATURE: 1, "generate.tokens": 3})
                else:
                    assert await self.quotas.settle(tx, f"task-{number}", {FEATURE: 1})

        gate = asyncio.Semaphore(50)  # as many as a process lets in at once; the store sees a pool's worth of them

        async def admitted(number: int) -> None:
            async with gate:
                await ask(number)

        await asyncio.gather(*(admitted(number) for number in range(1_000)))
        assert (served, refused) == (100, 900)
        assert await self.kept() == a_usage(used=100)
        assert not await self.raw("DELETE FROM quota_holds")

    async def test_released_holds_are_given_to_others(self) -> None:
        async with self.unit() as tx:
            await self.quotas.hold(tx, 7, {FEATURE: 100}, "all", NOW)
        with pytest.raises(QuotaExhausted) as refusal:
            async with self.unit() as tx:
                await self.quotas.hold(tx, 7, {FEATURE: 1}, "more", NOW)
        assert refusal.value.facts["reset_at"] == "2026-12-01T00:00:00Z"
        async with self.unit() as tx:
            assert await self.quotas.release(tx, "all")
            assert not await self.quotas.release(tx, "all")
            assert not await self.quotas.settle(tx, "all", {})
            await self.quotas.hold(tx, 7, {FEATURE: 1}, "more", NOW)

    async def test_what_no_plan_includes_is_refused_before_anything_is_held(self) -> None:
        with pytest.raises(UpgradeRequired) as refusal:
            async with self.unit() as tx:
                await self.quotas.hold(tx, 7, {"generate.article": 1, FEATURE: 1}, "a", NOW)
        assert refusal.value.facts["upgrade_url"] == "https://opora.test/plans"
        assert await self.kept() is None

    async def test_each_period_has_a_counter_of_its_own(self) -> None:
        async with self.unit() as tx:
            await self.quotas.hold(tx, 7, {FEATURE: 100}, "november", NOW)
            await self.quotas.hold(tx, 7, {FEATURE: 100}, "december", NOVEMBER.ends_at)
            await self.quotas.hold(tx, 8, {FEATURE: 100}, "another person's", NOW)
        async with self.unit() as tx:
            # Work that outlived its period is counted to the one it was held in.
            assert await self.quotas.settle(tx, "november", {FEATURE: 120})
        assert await self.kept() == a_usage(used=100, overage=20)
        (december,) = await self.views.since(7, NOVEMBER.ends_at + timedelta(days=1))
        assert (december.held, december.used) == (100, 0)

    async def test_the_store_itself_refuses_to_oversell(self) -> None:
        assert await self.held(a_hold(units=60))
        assert not await self.raw("UPDATE quota_usage SET held = held + 41")
        assert not await self.raw("UPDATE quota_usage SET used = -1")
        assert not await self.raw("DELETE FROM quota_usage")
        assert await self.raw("UPDATE quota_usage SET held = held + 40")

    async def test_terms_of_a_plan_never_change(self) -> None:
        assert not await self.raw("UPDATE plan_versions SET price_minor = 1")
        assert not await self.raw("DELETE FROM plan_versions WHERE code = 'premium'")
        async with self.unit() as tx:
            free = await tx.plans.terms("free")
            assert free is not None
            assert (free.price_minor, free.version, free.grants(FEATURE)) == (0, 1, True)
            assert await tx.plans.terms("free", 1) == free
            assert await tx.plans.terms("free", 2) is None
            assert [plan.code for plan in await tx.plans.offered()] == ["free", "standard", "premium"]
            assert await tx.plan_subscriptions.live(7) is None
            assert free.created_at > EPOCH
