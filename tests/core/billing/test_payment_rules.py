"""Rules of payments: every order of a provider's answers has one end, and amounts are written without a float."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.billing.till import Till
from opora.core.billing.errors.payments import PaymentContradicted
from opora.core.billing.model.currencies import EXPONENTS
from opora.core.billing.model.ledger import AMOUNT_MINOR_MAX
from opora.core.billing.model.payments import (
    PAYMENT_MOVES,
    REFUND_MOVES,
    Payment,
    PaymentStatus,
    Refund,
    RefundOrigin,
    RefundSnapshot,
    RefundStatus,
    Snapshot,
)
from opora.core.billing.rules import payments as rules
from opora.core.billing.rules.amounts import read, written
from opora.core.kernel.errors import IllegalMove
from opora.testing.ledger import NOON
from opora.testing.payments import a_payment, a_refund

PERMUTATIONS = 10_000


def told(status: PaymentStatus, *refunds: RefundSnapshot) -> Snapshot:
    """Return what the provider tells of the payment of the tests."""
    return Snapshot(ref="p-1", key="k-1", status=status, amount_minor=1000, currency="RUB", refunds=refunds)


def back(number: int, amount_minor: int, status: RefundStatus) -> RefundSnapshot:
    """Return what the provider tells of a refund."""
    return RefundSnapshot(ref=f"r-{number}", amount_minor=amount_minor, status=status)


PAID = PaymentStatus.SUCCEEDED
STORY = [
    told(PaymentStatus.PENDING),
    told(PaymentStatus.CANCELLED),
    told(PAID),
    told(PAID, back(1, 300, RefundStatus.PENDING)),
    told(PAID, back(1, 300, RefundStatus.SUCCEEDED)),
    told(PAID, back(1, 300, RefundStatus.SUCCEEDED), back(2, 200, RefundStatus.PENDING)),
    told(PAID, back(1, 300, RefundStatus.SUCCEEDED), back(2, 200, RefundStatus.SUCCEEDED)),
    told(PAID, back(1, 300, RefundStatus.SUCCEEDED), back(2, 200, RefundStatus.FAILED)),
]
"""A payment that was given up, paid late, and given back twice, once in vain."""


def folded(story: Sequence[Snapshot]) -> tuple[Payment, dict[str, RefundStatus]]:
    """Let a payment and its refunds advance by every answer in turn."""
    payment, refunds = a_payment(status=PaymentStatus.CREATED, provider_ref=None), list[Refund]()
    for number, one in enumerate(story):
        payment = rules.advanced(payment, one, NOON)
        for found in one.refunds:
            known = rules.matched(refunds, found)
            if known is not None:
                refunds[refunds.index(known)] = rules.refund_advanced(known, found, NOON)
        for found in rules.foreign(refunds, one.refunds):
            made = a_refund(id=number, key=found.ref, origin=RefundOrigin.PROVIDER, amount_minor=found.amount_minor)
            refunds.append(replace(made, provider_ref=found.ref, status=found.status))
    return payment, {one.provider_ref or "": one.status for one in refunds}


def test_ten_thousand_orders_of_a_payments_answers_have_one_end() -> None:
    chance = Random(7)  # noqa: S311  # orders, no secrets
    payment, refunds = folded(STORY)
    assert (payment.status, refunds) == (PAID, {"r-1": RefundStatus.SUCCEEDED, "r-2": RefundStatus.FAILED})
    for _ in range(PERMUTATIONS):
        story = [*STORY, *chance.choices(STORY, k=chance.randrange(6))]
        chance.shuffle(story)
        assert folded(story) == (payment, refunds)


def test_an_end_does_not_need_its_beginning() -> None:
    assert folded(STORY[-1:]) == folded(STORY)


@pytest.mark.anyio
@pytest.mark.parametrize("seed", range(12))
async def test_every_order_and_repetition_of_notices_books_the_same(till: Till, seed: int) -> None:
    chance = Random(seed)  # noqa: S311  # orders, no secrets
    payment = await till.begun()
    ref = f"p-{payment.key}"
    story = [replace(one, ref=ref, key=payment.key) for one in STORY]
    story += chance.choices(story, k=4)
    chance.shuffle(story)
    for number, one in enumerate([*story, replace(STORY[-1], ref=ref, key=payment.key)]):
        till.provider.payments[ref] = one  # an answer that was under way while the world went on
        await till.notice(payment, id=f"e{number % 9}")
        await till.settled(payment)
    stands = await till.of(payment)
    assert (stands.status, stands.refunded_minor, stands.refunding_minor) == (PAID, 300, 0)
    assert await till.balance() == (700, 0)
    assert sorted(one.status for one in await till.refunds(payment)) == [RefundStatus.FAILED, RefundStatus.SUCCEEDED]
    assert await till.is_whole()


def test_the_tables_of_moves_lead_forward_and_the_rules_follow_them() -> None:
    for moves, order in ((PAYMENT_MOVES, rules.PAYMENT_ORDER), (REFUND_MOVES, rules.REFUND_ORDER)):
        for state, following in moves.table.items():
            assert all(order.index(one) > order.index(state) for one in following)  # type: ignore[arg-type]
    with pytest.raises(IllegalMove):
        a_payment(status=PAID).move(PaymentStatus.PENDING, NOON)
    with pytest.raises(IllegalMove):
        a_refund(status=RefundStatus.FAILED).move(RefundStatus.SUCCEEDED, NOON)


@pytest.mark.parametrize("wrong", [{"amount_minor": 999}, {"currency": "USD"}, {"ref": "p-2"}, {"key": "another"}])
def test_a_snapshot_of_something_else_is_a_contradiction(wrong: dict[str, object]) -> None:
    with pytest.raises(PaymentContradicted):
        rules.advanced(a_payment(provider_ref="p-1"), replace(STORY[0], **wrong), NOON)  # type: ignore[arg-type]
    with pytest.raises(PaymentContradicted):
        rules.refund_advanced(a_refund(amount_minor=5), back(1, 6, RefundStatus.PENDING), NOON)


def test_what_ended_is_not_refused_any_more() -> None:
    assert rules.refused(a_payment(status=PAID), "no", NOON).status is PAID
    ended = a_refund(status=RefundStatus.SUCCEEDED)
    assert rules.refund_refused(ended, "no", NOON) is ended


def test_a_provider_that_names_one_of_ours_by_its_key_is_understood() -> None:
    ours = a_refund(key="r-key", status=RefundStatus.UNKNOWN)
    found = replace(back(1, 300, RefundStatus.PENDING), key="r-key")
    assert rules.matched([ours], found) is ours
    assert rules.matched([replace(ours, provider_ref="r-9")], found) is None
    assert rules.matched([replace(ours, status=RefundStatus.FAILED)], found) is None
    assert rules.foreign([ours], [found]) == []
    assert rules.foreign([replace(ours, provider_ref="r-9")], [found]) == [found]


def test_a_refund_keeps_a_settled_payment_open() -> None:
    paid = a_payment(status=PAID)
    assert rules.next_check(paid, [a_refund(status=RefundStatus.SUCCEEDED)], NOON) is None
    assert rules.next_check(paid, [a_refund(status=RefundStatus.PENDING)], NOON) == NOON + timedelta(seconds=30)


def test_a_providers_word_is_kept_short_and_printable() -> None:
    assert rules.shortened("x\x00\n" * 300) == "x" * 200
    assert rules.shortened("") is None


@given(st.sampled_from(sorted(EXPONENTS)), st.integers(0, AMOUNT_MINOR_MAX))
def test_an_amount_is_read_as_it_was_written(currency: str, amount_minor: int) -> None:
    assert read(written(amount_minor, currency), currency) == amount_minor


@pytest.mark.parametrize(
    ("text", "currency", "amount_minor"),
    [("100.00", "RUB", 10000), ("100.5", "RUB", 10050), ("100", "RUB", 10000), ("0.010", "RUB", 1), ("7", "JPY", 7)],
)
def test_amounts_in_several_spellings(text: str, currency: str, amount_minor: int) -> None:
    assert read(text, currency) == amount_minor


@pytest.mark.parametrize(
    ("text", "currency"),
    [
        (100.0, "RUB"),
        (100, "RUB"),
        (None, "RUB"),
        ("1e3", "RUB"),
        ("-1.00", "RUB"),
        ("1.001", "RUB"),
        ("1.5", "JPY"),
        ("١٠", "RUB"),
        ("01.00", "RUB"),
        ("", "RUB"),
        ("9999999999999999", "RUB"),
        ("1.00", "XXX"),
    ],
)
def test_what_is_no_amount_is_refused(text: object, currency: str) -> None:
    with pytest.raises(ValueError, match=r"amount|places"):
        read(text, currency)
