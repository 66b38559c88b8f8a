"""Payments from their first call to their end, whatever the provider does in between."""

from dataclasses import replace

import pytest

from core.billing.till import CLIENT, MANAGER, NOBODYS_KEY, STRANGER, Till
from opora.core.billing.errors.ledger import BalanceTooLow, UnknownCurrency
from opora.core.billing.errors.payments import (
    AnotherProvider,
    InvalidPayment,
    NoBalanceOfOnesOwn,
    NoSuchPayment,
    PaymentContradicted,
    PaymentNotTaken,
    RefundExceedsPayment,
    UnsignedNotice,
)
from opora.core.billing.model.payments import (
    APPLY,
    TIDY,
    PaymentStatus,
    RefundOrigin,
    RefundSnapshot,
    RefundStatus,
)
from opora.core.billing.usecases.posting import charge
from opora.core.kernel.model import Money
from opora.testing.ledger import ANNA, NOON, rub

pytestmark = pytest.mark.anyio


async def spend(till: Till, amount_minor: int) -> None:
    """Let Anna spend a part of her balance."""
    async with till.unit() as tx:
        await charge(tx, ANNA, rub(amount_minor), f"spent:{amount_minor}", NOON)


async def test_a_payment_begins_pending_with_an_address_and_ends_in_the_balance(till: Till) -> None:
    payment = await till.begun()
    assert (payment.status, payment.confirmation_url) == (PaymentStatus.PENDING, "https://pay.example/1")
    assert payment.return_url == "https://opora.example/"
    assert till.checkpoint.passed == 1
    assert await till.balance() == (0, 0)
    till.provider.becomes(payment, PaymentStatus.SUCCEEDED)
    settled = await till.settled(payment)
    assert (settled.status, settled.settled_at, settled.next_check_at) == (PaymentStatus.SUCCEEDED, NOON, None)
    assert await till.balance() == (1000, 0)
    assert await till.topics() == ["payment.created", "payment.succeeded"]
    assert await till.letters() == ["payment_succeeded"]
    assert await till.audited() == ["payment.created", "payment.pending", "payment.succeeded"]
    assert await till.is_whole()


async def test_settling_once_more_changes_nothing(till: Till) -> None:
    payment = await till.paid()
    for _ in range(3):
        await till.settled(payment)
    assert await till.balance() == (1000, 0)
    assert await till.letters() == ["payment_succeeded"]
    assert await till.settle(10**6) is None


async def test_a_refused_payment_is_cancelled_with_the_providers_word(till: Till) -> None:
    till.provider.faults = ["refuse"]
    payment = await till.begun()
    assert (payment.status, payment.reason) == (PaymentStatus.CANCELLED, "card_declined")
    assert await till.letters() == ["payment_cancelled"]
    assert await till.topics() == ["payment.created", "payment.cancelled"]


@pytest.mark.parametrize("fault", ["down", "lost"])
async def test_a_payment_without_an_answer_is_unknown_until_a_job_finds_out(till: Till, fault: str) -> None:
    till.provider.faults = [fault]
    payment = await till.begun()
    assert (payment.status, payment.confirmation_url) == (PaymentStatus.UNKNOWN, None)
    assert await till.work() == {"checked": 0, "contradicted": 0}
    till.later(minutes=2)
    assert await till.work() == {"checked": 1, "contradicted": 0}
    found = await till.of(payment)
    assert (found.status, found.confirmation_url) == (PaymentStatus.PENDING, "https://pay.example/1")
    assert len(till.provider.payments) == 1


async def test_a_provider_that_repeats_its_first_answer_is_asked_how_it_stands_now(till: Till) -> None:
    till.provider.faults = ["lost"]
    payment = await till.begun()
    till.provider.becomes(payment, PaymentStatus.SUCCEEDED)
    assert (await till.settled(payment)).status is PaymentStatus.SUCCEEDED
    assert till.provider.calls == ["place", "place", "fetch"]


async def test_the_pauses_between_questions_grow(till: Till) -> None:
    payment = await till.begun()
    asked = []
    for _ in range(9):
        found = await till.of(payment)
        assert found.next_check_at is not None
        asked.append(round((found.next_check_at - till.clock.at).total_seconds()))
        till.clock.at = found.next_check_at
        await till.work()
    assert asked == [30, 60, 300, 1800, 7200, 21600, 86400, 86400, 86400]


async def test_a_payment_that_nobody_pays_is_given_up_and_taken_all_the_same_when_it_comes(till: Till) -> None:
    payment = await till.begun()
    till.later(days=31)
    await till.work()
    given_up = await till.of(payment)
    assert (given_up.status, given_up.reason) == (PaymentStatus.CANCELLED, "nobody_paid")
    till.provider.becomes(payment, PaymentStatus.SUCCEEDED)
    await till.notice(payment)
    assert (await till.of(payment)).status is PaymentStatus.SUCCEEDED
    assert await till.balance() == (1000, 0)


async def test_a_payment_that_the_provider_never_got_is_not_asked_for_after_its_key_is_forgotten(till: Till) -> None:
    till.provider.faults = ["down"]
    payment = await till.begun()
    till.later(hours=24)
    assert (await till.settled(payment)).reason == "never_made"
    assert till.provider.payments == {}


async def test_a_notice_names_a_payment_of_which_the_first_answer_was_lost(till: Till) -> None:
    till.provider.faults = ["lost"]
    payment = await till.begun()
    till.later(hours=24)
    till.provider.becomes(payment, PaymentStatus.SUCCEEDED)
    assert await till.notice(payment, ref=f"p-{payment.key}")
    assert (await till.of(payment)).status is PaymentStatus.SUCCEEDED


async def test_silence_leaves_everything_as_it_is(till: Till) -> None:
    payment = await till.begun()
    till.provider.faults = ["down"]
    assert (await till.settled(payment)).status is PaymentStatus.PENDING
    till.provider.payments.clear()
    assert (await till.settled(payment)).status is PaymentStatus.PENDING


async def test_a_notice_is_kept_once_and_settles_at_once_and_by_its_job(till: Till) -> None:
    payment = await till.begun()
    till.provider.becomes(payment, PaymentStatus.SUCCEEDED)
    assert await till.notice(payment)
    assert (await till.of(payment)).status is PaymentStatus.SUCCEEDED
    assert not await till.notice(payment)
    await till.work(APPLY)
    row = await till.database.read.fetch_one("SELECT count(*) AS n, max(applied_at) AS at FROM payment_notices")
    assert row is not None
    assert (row["n"], row["at"] is not None) == (1, True)
    assert await till.balance() == (1000, 0)


@pytest.mark.parametrize("fault", ["down", "hang"])
async def test_a_notice_that_finds_the_provider_silent_is_acted_on_by_its_job(till: Till, fault: str) -> None:
    payment = await till.begun()
    till.provider.becomes(payment, PaymentStatus.SUCCEEDED)
    till.provider.faults = [fault]
    await till.notice(payment)
    assert (await till.of(payment)).status is PaymentStatus.PENDING
    await till.work(APPLY)
    assert (await till.of(payment)).status is PaymentStatus.SUCCEEDED


async def test_notices_of_strangers_payments_are_kept_and_unsigned_ones_are_not(till: Till) -> None:
    payment = await till.begun()
    assert await till.notice(payment, key="another", id="e2")
    with pytest.raises(UnsignedNotice):
        await till.notice(payment, signed=False, id="e3")
    assert await till.database.read.fetch_value("SELECT count(*) FROM payment_notices") == 1
    till.later(days=91)
    assert await till.work(TIDY) == {"forgotten": 1}


async def test_a_provider_that_tells_of_another_amount_is_not_believed(till: Till) -> None:
    payment = await till.begun()
    till.provider.becomes(payment, PaymentStatus.SUCCEEDED, amount_minor=999)
    await till.notice(payment)
    assert (await till.of(payment)).status is PaymentStatus.PENDING
    with pytest.raises(PaymentContradicted):
        await till.work(APPLY)
    other = await till.begun()
    till.later(minutes=2)
    assert await till.work() == {"checked": 2, "contradicted": 1}
    assert await till.work() == {"checked": 0, "contradicted": 0}
    assert (await till.of(other)).checks == 2
    assert await till.balance() == (0, 0)


@pytest.mark.parametrize(
    ("amount", "refusal"),
    [
        (Money(99, "RUB"), InvalidPayment),
        (Money(-5, "RUB"), InvalidPayment),
        (Money(100_000_001, "RUB"), InvalidPayment),
        (Money(1000, "XXX"), UnknownCurrency),
        (Money(1000, "KZT"), UnknownCurrency),
    ],
)
async def test_what_is_not_taken_is_refused_before_anything_is_kept(
    till: Till, amount: Money, refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        await till.make(CLIENT, amount, "", "")
    with pytest.raises(NoBalanceOfOnesOwn):
        await till.make(NOBODYS_KEY, rub(1000), "", "")
    assert await till.topics() == []
    assert till.provider.calls == []


async def test_a_payment_goes_back_in_parts_and_never_more_than_was_taken(till: Till) -> None:
    payment = await till.paid()
    first = await till.give_back(CLIENT, payment.id, 300, "передумала")
    assert (first.status, first.amount_minor, first.requested_by) == (RefundStatus.SUCCEEDED, 300, "user:7")
    assert await till.balance() == (700, 0)
    with pytest.raises(RefundExceedsPayment) as refused:
        await till.give_back(CLIENT, payment.id, 701, "")
    assert refused.value.facts == {"refundable_minor": 700, "currency": "RUB"}
    rest = await till.give_back(MANAGER, payment.id, None, "")
    assert rest.amount_minor == 700
    with pytest.raises(RefundExceedsPayment):
        await till.give_back(CLIENT, payment.id, None, "")
    stands = await till.of(payment)
    assert (stands.refunded_minor, stands.refunding_minor, stands.refundable_minor) == (1000, 0, 0)
    assert await till.balance() == (0, 0)
    assert await till.letters() == ["payment_succeeded", "refunded", "refunded"]
    assert (await till.topics())[2:] == ["payment.refunded", "payment.refunded"]
    assert await till.is_whole()


async def test_what_was_spent_does_not_go_back(till: Till) -> None:
    payment = await till.paid()
    await spend(till, 600)
    with pytest.raises(BalanceTooLow):
        await till.give_back(CLIENT, payment.id, 401, "")
    assert (await till.of(payment)).refundable_minor == 1000
    assert (await till.give_back(CLIENT, payment.id, 400, "")).status is RefundStatus.SUCCEEDED


async def test_nobody_refunds_what_is_not_theirs_or_not_paid(till: Till) -> None:
    payment = await till.begun()
    with pytest.raises(NoSuchPayment):
        await till.give_back(STRANGER, payment.id, 1, "")
    with pytest.raises(PaymentNotTaken):
        await till.give_back(CLIENT, payment.id, 1, "")
    till.provider.name = "another"
    with pytest.raises(AnotherProvider):
        await till.give_back(CLIENT, payment.id, 1, "")
    assert await till.settle(payment.id) is None


async def test_a_refund_that_is_refused_gives_the_hold_back(till: Till) -> None:
    payment = await till.paid()
    till.provider.faults = ["refuse"]
    refund = await till.give_back(CLIENT, payment.id, 300, "")
    assert (refund.status, refund.reason) == (RefundStatus.FAILED, "card_declined")
    assert await till.balance() == (1000, 0)
    assert (await till.of(payment)).refundable_minor == 1000
    assert (await till.letters())[-1] == "refund_failed"


@pytest.mark.parametrize("fault", ["down", "lost"])
@pytest.mark.parametrize("says_keys", [True, False])
async def test_a_refund_without_an_answer_is_held_until_a_job_finds_out(
    till: Till, fault: str, says_keys: bool
) -> None:
    till.provider.says_keys = says_keys
    payment = await till.paid()
    till.provider.faults = [fault]
    refund = await till.give_back(CLIENT, payment.id, 300, "")
    assert refund.status is RefundStatus.UNKNOWN
    assert await till.balance() == (1000, 300)
    till.provider.faults = ["down"]
    till.later(minutes=2)
    await till.work()
    assert (await till.refunds(payment))[0].status in {RefundStatus.UNKNOWN, RefundStatus.SUCCEEDED}
    till.later(minutes=10)
    await till.work()
    (found,) = await till.refunds(payment)
    assert found.status is RefundStatus.SUCCEEDED
    assert len(till.provider.refunds) == 1
    assert await till.balance() == (700, 0)
    assert await till.is_whole()


@pytest.mark.parametrize(("fault", "status"), [("down", RefundStatus.FAILED), ("lost", RefundStatus.SUCCEEDED)])
async def test_a_refund_is_looked_up_when_its_key_is_forgotten(till: Till, fault: str, status: RefundStatus) -> None:
    payment = await till.paid()
    till.provider.faults = [fault]
    await till.give_back(CLIENT, payment.id, 300, "")
    till.later(hours=24)
    await till.work()
    (found,) = await till.refunds(payment)
    assert found.status is status
    assert await till.balance() == ((1000, 0) if status is RefundStatus.FAILED else (700, 0))
    assert till.provider.calls.count("refund") == 1


async def test_a_refund_that_the_bank_sends_back_is_in_the_balance_again(till: Till) -> None:
    payment = await till.paid()
    refund = await till.give_back(CLIENT, payment.id, 300, "")
    returned = replace(till.provider.refunds[refund.key], status=RefundStatus.FAILED, reason="account_closed")
    till.provider.given_back(f"p-{payment.key}", returned)
    await till.notice(payment)
    await till.notice(payment, id="e2")
    (found,) = await till.refunds(payment)
    assert (found.status, found.reason) == (RefundStatus.FAILED, "account_closed")
    assert await till.balance() == (1000, 0)
    assert (await till.of(payment)).refunded_minor == 0
    assert await till.is_whole()


async def test_a_refund_at_the_providers_desk_is_taken_over_and_the_spent_part_is_a_loss(till: Till) -> None:
    payment = await till.paid()
    await spend(till, 800)
    back = RefundSnapshot(ref="desk-1", amount_minor=500, status=RefundStatus.SUCCEEDED)
    till.provider.given_back(f"p-{payment.key}", back)
    await till.notice(payment)
    (found,) = await till.refunds(payment)
    assert (found.origin, found.status, found.requested_by) == (
        RefundOrigin.PROVIDER,
        RefundStatus.SUCCEEDED,
        "provider:played",
    )
    assert await till.balance() == (0, 0)
    losses = "SELECT SUM(e.amount_minor) FROM ledger_entries e JOIN ledger_accounts a ON a.id = e.account_id"
    assert await till.database.read.fetch_value(f"{losses} WHERE a.name = 'losses'") == -300
    till.provider.given_back(f"p-{payment.key}", replace(back, status=RefundStatus.FAILED))
    await till.notice(payment, id="e2")
    assert await till.balance() == (200, 0)
    assert await till.database.read.fetch_value(f"{losses} WHERE a.name = 'losses'") == 0
    assert await till.is_whole()


async def test_a_refund_that_only_ever_failed_moves_nothing(till: Till) -> None:
    payment = await till.paid()
    failed = RefundSnapshot(ref="desk-1", amount_minor=500, status=RefundStatus.FAILED)
    till.provider.given_back(f"p-{payment.key}", failed)
    await till.notice(payment)
    assert await till.balance() == (1000, 0)
    assert [one.status for one in await till.refunds(payment)] == [RefundStatus.FAILED]


async def test_a_pending_refund_is_asked_about_until_it_ends(till: Till) -> None:
    till.provider.refund_status = RefundStatus.PENDING
    payment = await till.paid()
    refund = await till.give_back(CLIENT, payment.id, None, "")
    assert refund.status is RefundStatus.PENDING
    assert await till.balance() == (1000, 1000)
    done = replace(till.provider.refunds[refund.key], status=RefundStatus.SUCCEEDED)
    till.provider.given_back(f"p-{payment.key}", done)
    till.later(minutes=2)
    await till.work()
    assert await till.balance() == (0, 0)


async def test_what_is_refused_when_it_is_asked_for_again_was_never_made(till: Till) -> None:
    till.provider.faults = ["down"]
    payment = await till.begun()
    till.provider.faults = ["refuse"]
    assert (await till.settled(payment)).status is PaymentStatus.CANCELLED
    paid = await till.paid()
    till.provider.faults = ["down"]
    await till.give_back(CLIENT, paid.id, 300, "")
    till.provider.faults = ["refuse"]
    await till.settled(paid)
    assert [one.status for one in await till.refunds(paid)] == [RefundStatus.FAILED]
    assert await till.balance() == (1000, 0)
