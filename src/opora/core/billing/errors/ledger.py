"""Refusals of the ledger."""

from opora.core.kernel.errors import Conflict, Invalid, NotFound, PaymentRequired


class BalanceTooLow(PaymentRequired):
    """The balance does not cover this amount."""

    code = "balance_too_low"


class UnknownCurrency(Invalid):
    """No currency that is taken here has this code."""

    code = "unknown_currency"


class TransferReused(Conflict):
    """A transfer of this id was posted with other postings."""

    code = "transfer_reused"


class NoSuchHold(NotFound):
    """No hold on a balance has this key."""

    code = "no_such_balance_hold"


class HoldResolved(Conflict):
    """The hold on the balance was captured, voided or expired before."""

    code = "balance_hold_resolved"


class HoldExceeded(Conflict):
    """More cannot be captured than was held."""

    code = "balance_hold_exceeded"
