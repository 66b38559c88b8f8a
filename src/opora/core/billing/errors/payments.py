"""Refusals of payments and of the providers that take them."""

from opora.core.kernel.errors import Conflict, Invalid, NotFound, PermissionDenied, Unauthenticated, Unavailable


class NoBalanceOfOnesOwn(PermissionDenied):
    """This key belongs to nobody, and only people have balances."""

    code = "no_balance_of_ones_own"


class NoSuchPayment(NotFound):
    """No payment has this id, or it is not yours to see."""

    code = "no_such_payment"


class InvalidPayment(Invalid):
    """This payment cannot be asked for: a field is out of its bounds."""

    code = "invalid_payment"


class PaymentNotTaken(Conflict):
    """Only a payment that succeeded can be refunded."""

    code = "payment_not_taken"


class RefundExceedsPayment(Conflict):
    """More cannot be refunded than was taken and is not refunded yet."""

    code = "refund_exceeds_payment"


class AnotherProvider(Conflict):
    """The payment was taken by a provider that is not set up any more."""

    code = "another_payment_provider"


class PaymentContradicted(Conflict):
    """The provider tells of another amount or currency than was asked for; an operator has to look into it."""

    code = "payment_contradicted"


class ProviderRefused(Conflict):
    """The payment provider refused, and made nothing."""

    code = "payment_provider_refused"


class ProviderUnavailable(Unavailable):
    """The payment provider does not answer; whether it did what it was asked is not known."""

    code = "payment_provider_unavailable"


class UnsignedNotice(Unauthenticated):
    """This notice of a payment is not signed as the provider signs, or is not of now."""

    code = "payment_webhook_unsigned"


class InvalidNotice(Invalid):
    """This notice of a payment cannot be read."""

    code = "invalid_payment_webhook"


class NoSuchConfirmation(NotFound):
    """No payment waits at this address."""

    code = "no_such_confirmation"
