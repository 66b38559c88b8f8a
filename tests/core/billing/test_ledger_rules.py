"""Rules of the ledger: what a transfer is, what a balance bears, which currencies there are."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opora.core.billing.errors.ledger import BalanceTooLow, HoldExceeded, HoldResolved, UnknownCurrency
from opora.core.billing.model.currencies import EXPONENTS
from opora.core.billing.model.ledger import (
    AMOUNT_MINOR_MAX,
    REVENUE,
    Balance,
    Hold,
    HoldState,
    Posting,
    Recount,
    Transfer,
    between,
    of_person,
    of_provider,
)
from opora.core.billing.rules.ledger import debits, refuse_capture, refuse_currency, refuse_overdraft
from opora.core.kernel.errors import IllegalMove
from opora.core.kernel.model import Money
from opora.testing.ledger import ANNA, NOON, a_top_up, rub


def a_transfer(*postings: Posting, **changes: Any) -> Transfer:
    plain = {"key": "k", "kind": "gift", "cause": "c", "postings": postings, "at": NOON}
    return Transfer(**(plain | changes))


@pytest.mark.parametrize(
    "postings",
    [
        (),
        (Posting(REVENUE, rub(1)),),
        (Posting(REVENUE, rub(1)), Posting(of_person(1), rub(-2))),
        (Posting(REVENUE, rub(1)), Posting(of_person(1), Money(-1, "USD"))),
        between(REVENUE, of_person(1), rub(0)),
        between(REVENUE, of_person(1), rub(AMOUNT_MINOR_MAX + 1)),
    ],
)
def test_a_transfer_that_does_not_balance_is_a_fault(postings: tuple[Posting, ...]) -> None:
    with pytest.raises(ValueError, match=r"transfer|posting|sum"):
        a_transfer(*postings)


@pytest.mark.parametrize("key", ["", "k" * 101])
def test_a_key_has_its_length(key: str) -> None:
    with pytest.raises(ValueError, match="key"):
        a_transfer(*between(REVENUE, of_person(1), rub(1)), key=key)


@given(st.lists(st.integers(1, AMOUNT_MINOR_MAX), min_size=1, max_size=6))
def test_what_is_taken_from_a_person_is_summed_up(amounts: list[int]) -> None:
    postings = [part for amount_minor in amounts for part in between(of_person(1), REVENUE, rub(amount_minor))]
    assert debits(a_transfer(*postings)) == {(of_person(1), "RUB"): sum(amounts)}
    assert debits(a_top_up()) == {}


def test_accounts_are_named_by_whose_they_are() -> None:
    assert str(of_person(7)) == "person:7"
    assert (of_person(7).user_id, of_provider("stripe").user_id, REVENUE.user_id) == (7, None, None)
    assert (str(of_provider("stripe")), str(REVENUE)) == ("provider:stripe", "revenue")


def test_a_balance_bears_what_is_not_held() -> None:
    balance = Balance(1000, 400, "RUB")
    refuse_overdraft(balance, 600)
    with pytest.raises(BalanceTooLow) as refused:
        refuse_overdraft(balance, 601)
    assert refused.value.facts == {"available_minor": 600, "needed_minor": 601, "currency": "RUB"}


def test_currencies_are_those_of_the_standard_that_are_taken() -> None:
    assert (EXPONENTS["RUB"], EXPONENTS["JPY"], EXPONENTS["KWD"], EXPONENTS["CLF"]) == (2, 0, 3, 4)
    assert all(len(code) == 3 and code.isupper() for code in EXPONENTS)
    refuse_currency("KZT")
    refuse_currency("RUB", ("RUB", "USD"))
    for code, taken in (("EUR", ("RUB",)), ("XXX", ("XXX",)), ("rub", tuple(EXPONENTS))):
        with pytest.raises(UnknownCurrency) as refused:
            refuse_currency(code, taken)
        assert list(refused.value.errors) == ["currency"]


def test_a_hold_is_captured_within_its_bounds_and_once() -> None:
    held = Hold(key="h", user_id=ANNA, amount_minor=5, currency="RUB", cause="c", created_at=NOON)
    refuse_capture(held, rub(5))
    for amount in (rub(6), rub(0), rub(-1), Money(5, "USD")):
        with pytest.raises(HoldExceeded):
            refuse_capture(held, amount)
    voided = held.resolve(HoldState.VOIDED, NOON)
    assert (voided.state, voided.resolved_at) == (HoldState.VOIDED, NOON)
    with pytest.raises(HoldResolved):
        refuse_capture(voided, rub(1))
    with pytest.raises(IllegalMove):
        voided.resolve(HoldState.CAPTURED, NOON, 5)


def test_a_recount_without_findings_is_whole() -> None:
    assert Recount(accounts=0, transfers=0, entries=0, holds_open=0).is_whole
