"""Asking a provider, while no row is held."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from opora.core.billing.errors.payments import ProviderRefused, ProviderUnavailable
from opora.core.billing.model.payments import Payment, Refund, RefundSnapshot, Snapshot
from opora.core.billing.ports.providers import PaymentProvider
from opora.core.billing.rules import payments as rules

NEVER_MADE = "never_made"
"""The reason of what the provider cannot have and nobody asks for again."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a provider told of a payment and its refunds, by their ids; `refused` are the reasons of what was not made.

    Where it told nothing, nothing is known.
    """

    snapshot: Snapshot | None = None
    refused: str | None = None
    refunds: Mapping[int, RefundSnapshot] = field(default_factory=dict)
    refunds_refused: Mapping[int, str] = field(default_factory=dict)


async def ask(provider: PaymentProvider, payment: Payment, refunds: Sequence[Refund], now: datetime) -> Answer:
    """Ask about all that is open. What may not have been made is asked for again, under its first key."""
    told: dict[int, RefundSnapshot] = {}
    refused: dict[int, str] = {}
    for one in refunds:
        if one.is_open and one.provider_ref is None and rules.is_key_known(one.created_at, now):
            found = await ask_refund(provider, payment, one)
            if isinstance(found, RefundSnapshot):
                told[one.id] = found
            elif found is not None:
                refused[one.id] = found
    answer = await _payment(provider, payment, now)
    for one in refunds:
        given_up = one.is_open and one.provider_ref is None and not rules.is_key_known(one.created_at, now)
        if given_up and answer.snapshot is not None and not _is_listed(one, answer.snapshot):
            refused[one.id] = NEVER_MADE
    return Answer(answer.snapshot, answer.refused, told, refused)


def _is_listed(refund: Refund, told: Snapshot) -> bool:
    return any(rules.matched([refund], found) for found in told.refunds)


async def _payment(provider: PaymentProvider, payment: Payment, now: datetime) -> Answer:
    if payment.provider_ref is not None:
        return Answer(await _fetched(provider, payment.provider_ref))
    if not rules.is_key_known(payment.created_at, now):
        return Answer(refused=NEVER_MADE)
    placed = await ask_payment(provider, payment)
    if placed.snapshot is None:
        return placed
    # Under a key that it knows a provider may repeat its first answer word for word: that is how it stood then.
    return Answer(await _fetched(provider, placed.snapshot.ref) or placed.snapshot)


async def _fetched(provider: PaymentProvider, ref: str) -> Snapshot | None:
    try:
        return await provider.fetch(ref)
    except ProviderUnavailable:
        return None


async def ask_payment(provider: PaymentProvider, payment: Payment) -> Answer:
    """Ask for a payment."""
    try:
        return Answer(await provider.place(rules.order(payment)))
    except ProviderRefused as error:
        return Answer(refused=str(error))
    except ProviderUnavailable:
        return Answer()


async def ask_refund(provider: PaymentProvider, payment: Payment, refund: Refund) -> RefundSnapshot | str | None:
    """Ask for a refund: return it, why it was refused, or None where nobody knows."""
    try:
        return await provider.refund(rules.refund_order(payment, refund))
    except ProviderRefused as error:
        return str(error)
    except ProviderUnavailable:
        return None
