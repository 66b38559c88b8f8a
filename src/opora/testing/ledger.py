"""The contract of a ledger: it adds up, whoever writes and however many at a time."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from opora.core.billing.errors.ledger import BalanceTooLow, HoldExceeded, HoldResolved, NoSuchHold, TransferReused
from opora.core.billing.model.ledger import (
    ADJUSTMENTS,
    LOSSES,
    REVENUE,
    Hold,
    HoldState,
    Posting,
    Transfer,
    between,
    of_person,
    of_provider,
)
from opora.core.billing.ports.ledger import LedgerTx, LedgerViews
from opora.core.billing.usecases.posting import capture, charge, credit, hold, reverse, void
from opora.core.kernel.errors import Stale
from opora.core.kernel.model import Money, PageRequest

NOON = datetime(2030, 1, 7, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
ANNA, BORIS = 7, 8
BANK = of_provider("bank")

type Unit = Callable[[], AbstractAsyncContextManager[LedgerTx]]


def rub(amount_minor: int) -> Money:
    """Return roubles in kopecks."""
    return Money(amount_minor, "RUB")


def a_top_up(key: str = "payment:1", user_id: int = ANNA, amount: Money | None = None) -> Transfer:
    """Return what a payment brings to a person."""
    postings = between(BANK, of_person(user_id), amount or rub(1000))
    return Transfer(key=key, kind="top_up", cause=key, postings=postings, at=NOON)


class LedgerContract:
    """What every ledger holds: give it `unit`, and `views` on the same store."""

    unit: Unit
    views: LedgerViews

    async def posted(self, transfer: Transfer) -> bool:
        """Post in a transaction of its own."""
        async with self.unit() as tx:
            return await tx.ledger.post(transfer)

    async def available(self, user_id: int = ANNA, currency: str = "RUB") -> int:
        """Return what a person can spend."""
        return (await self.views.balance(user_id, currency)).available_minor

    async def whole(self) -> None:
        """Recount and find nothing amiss."""
        found = await self.views.recount()
        assert found.discrepancies == ()
        assert not any(found.totals.values())
        assert found.is_whole

    async def test_what_is_posted_is_in_the_balance_and_in_the_history(self) -> None:
        assert await self.posted(a_top_up())
        async with self.unit() as tx:
            assert await charge(tx, ANNA, rub(300), "subscription:1:2030-01", NOON)
            assert await credit(tx, ANNA, rub(50), "subscription:1:change", NOON)
        balance = await self.views.balance(ANNA, "RUB")
        assert (balance.balance_minor, balance.held_minor, balance.available_minor) == (750, 0, 750)
        page = await self.views.history(ANNA, None, PageRequest(2))
        assert [(one.kind, one.amount_minor) for one in page.items] == [("credit", 50), ("charge", -300)]
        assert (page.count, page.count_exact, page.more) == (3, True, True)
        rest = await self.views.history(ANNA, "RUB", PageRequest(2, cursor=page.cursor))
        assert [(one.kind, one.cause, one.currency, one.at) for one in rest.items] == [
            ("top_up", "payment:1", "RUB", NOON)
        ]
        assert not rest.more
        await self.whole()

    async def test_nothing_posted_is_a_balance_of_zeros(self) -> None:
        assert await self.available() == 0
        assert (await self.views.history(ANNA, None, PageRequest())).items == []
        async with self.unit() as tx:
            assert (await tx.ledger.balance(of_person(ANNA), "RUB")).balance_minor == 0

    async def test_each_currency_has_a_balance_of_its_own(self) -> None:
        both = (*between(BANK, of_person(ANNA), rub(5)), *between(BANK, of_person(ANNA), Money(7, "USD")))
        assert await self.posted(replace(a_top_up(), postings=both))
        assert await self.available() == 5
        assert await self.available(currency="USD") == 7
        await self.whole()

    async def test_a_key_is_posted_once_and_never_with_other_postings(self) -> None:
        assert await self.posted(a_top_up())
        assert not await self.posted(a_top_up())
        with pytest.raises(TransferReused):
            await self.posted(a_top_up(amount=rub(1001)))
        assert await self.available() == 1000

    async def test_a_charge_repeated_when_nothing_is_left_is_still_the_first_one(self) -> None:
        await self.posted(a_top_up())
        for wanted in (True, False, False):
            async with self.unit() as tx:
                assert await charge(tx, ANNA, rub(1000), "subscription:1", NOON) is wanted
        assert await self.available() == 0

    async def test_too_low_a_balance_is_told_and_leaves_the_transaction_usable(self) -> None:
        await self.posted(a_top_up())
        async with self.unit() as tx:
            with pytest.raises(BalanceTooLow) as refused:
                await charge(tx, ANNA, rub(1001), "subscription:1", NOON)
            assert refused.value.facts == {"available_minor": 1000, "needed_minor": 1001, "currency": "RUB"}
            assert await charge(tx, ANNA, rub(1000), "subscription:2", NOON)
        with pytest.raises(BalanceTooLow):
            async with self.unit() as tx:
                await charge(tx, BORIS, rub(1), "subscription:3", NOON)
        await self.whole()

    async def test_a_failed_block_moves_nothing(self) -> None:
        with pytest.raises(ZeroDivisionError):
            async with self.unit() as tx:
                await tx.ledger.post(a_top_up())
                _ = 1 / 0
        assert await self.available() == 0
        assert await self.posted(a_top_up())

    async def test_a_reversal_is_the_opposite_once(self) -> None:
        await self.posted(a_top_up())
        async with self.unit() as tx:
            assert await charge(tx, ANNA, rub(300), "subscription:1", NOON)
            assert await reverse(tx, "charge:subscription:1", NOON)
            assert not await reverse(tx, "charge:subscription:1", NOON)
            assert not await reverse(tx, "charge:subscription:2", NOON)
            posted = await tx.ledger.posted("payment:1")
            assert posted is not None
            assert (posted.kind, posted.cause, posted.at) == ("top_up", "payment:1", NOON)
            assert set(posted.postings) == set(a_top_up().postings)
        assert await self.available() == 1000
        await self.whole()

    async def test_a_transfer_may_have_many_postings(self) -> None:
        split = (
            Posting(BANK, rub(-1000)),
            Posting(of_person(ANNA), rub(600)),
            Posting(of_person(BORIS), rub(300)),
            Posting(REVENUE, rub(60)),
            Posting(ADJUSTMENTS, rub(30)),
            Posting(LOSSES, rub(10)),
        )
        assert await self.posted(replace(a_top_up(), postings=split))
        assert [await self.available(one) for one in (ANNA, BORIS)] == [600, 300]
        await self.whole()


class LedgerHoldsContract(LedgerContract):
    """What holds on balances keep to, beside the ledger itself."""

    async def held(self, amount_minor: int = 400, key: str = "refund:1", expires_at: datetime | None = None) -> Hold:
        """Set an amount aside in a transaction of its own."""
        async with self.unit() as tx:
            return await hold(tx, ANNA, rub(amount_minor), key, NOON, expires_at)

    async def test_what_is_held_cannot_be_spent_and_is_free_again_when_voided(self) -> None:
        await self.posted(a_top_up())
        await self.held()
        assert await self.available() == 600
        with pytest.raises(BalanceTooLow):
            async with self.unit() as tx:
                await charge(tx, ANNA, rub(601), "subscription:1", NOON)
        with pytest.raises(BalanceTooLow):
            await self.held(601, "refund:2")
        async with self.unit() as tx:
            assert await void(tx, "refund:1", NOON)
        async with self.unit() as tx:
            assert not await void(tx, "refund:1", NOON)
        assert await self.available() == 1000
        await self.whole()

    async def test_a_hold_is_captured_in_part_and_the_rest_is_free(self) -> None:
        await self.posted(a_top_up())
        await self.held()
        async with self.unit() as tx:
            await capture(tx, "refund:1", rub(150), NOON + HOUR)
        balance = await self.views.balance(ANNA, "RUB")
        assert (balance.balance_minor, balance.held_minor) == (850, 0)
        async with self.unit() as tx:
            found = await tx.ledger.hold("refund:1")
        assert found is not None
        assert (found.state, found.captured_minor, found.resolved_at) == (HoldState.CAPTURED, 150, NOON + HOUR)
        await self.whole()

    async def test_a_hold_is_resolved_once_and_never_for_more(self) -> None:
        await self.posted(a_top_up())
        made = await self.held()
        for amount in (rub(401), rub(0), Money(1, "USD")):
            async with self.unit() as tx:
                with pytest.raises(HoldExceeded):
                    await capture(tx, made.key, amount, NOON)
        async with self.unit() as tx:
            await capture(tx, made.key, rub(400), NOON)
            with pytest.raises(HoldResolved):
                await capture(tx, made.key, rub(1), NOON)
            with pytest.raises(Stale):
                await tx.ledger.resolve_hold(made.resolve(HoldState.VOIDED, NOON))
            with pytest.raises(NoSuchHold):
                await void(tx, "another", NOON)

    async def test_a_hold_is_made_once_a_key(self) -> None:
        await self.posted(a_top_up())
        first = await self.held(900)
        assert await self.held(900) == first
        assert await self.available() == 100

    async def test_holds_whose_time_is_over_are_found_the_oldest_first(self) -> None:
        await self.posted(a_top_up())
        await self.held(1, "late", NOON + HOUR)
        await self.held(1, "early", NOON)
        await self.held(1, "never")
        async with self.unit() as tx:
            assert await tx.ledger.expired_holds(NOON + HOUR, 10) == ["early", "late"]
            assert await tx.ledger.expired_holds(NOON + HOUR, 1) == ["early"]
            assert await void(tx, "early", NOON, HoldState.EXPIRED)
            assert await tx.ledger.expired_holds(NOON, 10) == []

    async def test_of_many_at_once_as_many_are_paid_as_the_balance_bears(self) -> None:
        await self.posted(a_top_up())

        async def pay(number: int) -> bool:
            try:
                async with self.unit() as tx:
                    if number % 2:
                        return await charge(tx, ANNA, rub(100), f"subscription:{number}", NOON)
                    await hold(tx, ANNA, rub(100), f"hold:{number}", NOON)
                    return True
            except BalanceTooLow:
                return False

        paid = await asyncio.gather(*[pay(number) for number in range(40)])
        assert sum(paid) == 10
        assert await self.available() == 0
        await self.whole()

    async def test_the_same_transfer_many_times_at_once_is_posted_once(self) -> None:
        posted = await asyncio.gather(*[self.posted(a_top_up()) for _ in range(20)])
        assert sum(posted) == 1
        assert await self.available() == 1000

    async def test_transfers_between_the_same_people_never_wait_in_a_circle(self) -> None:
        await self.posted(a_top_up("payment:1", ANNA))
        await self.posted(a_top_up("payment:2", BORIS))

        async def give(number: int) -> None:
            one, other = (ANNA, BORIS) if number % 2 else (BORIS, ANNA)
            postings = between(of_person(one), of_person(other), rub(10))
            await self.posted(Transfer(key=f"gift:{number}", kind="gift", cause="gift", postings=postings, at=NOON))

        await asyncio.gather(*[give(number) for number in range(40)])
        assert [await self.available(one) for one in (ANNA, BORIS)] == [1000, 1000]
        await self.whole()
