"""What must hold before money moves."""

from collections import Counter
from collections.abc import Collection, Mapping

from opora.core.billing.errors.ledger import BalanceTooLow, HoldExceeded, HoldResolved, UnknownCurrency
from opora.core.billing.model.currencies import EXPONENTS
from opora.core.billing.model.ledger import AccountName, Balance, Hold, HoldState, Transfer
from opora.core.kernel.model import Money


def refuse_currency(currency: str, taken: Collection[str] = EXPONENTS) -> None:
    """Raise UnknownCurrency unless the code is of ISO 4217 and among those taken."""
    if currency not in EXPONENTS or currency not in taken:
        raise UnknownCurrency(errors={"currency": [f"is one of {', '.join(sorted(taken))}"]})


def refuse_overdraft(balance: Balance, needed_minor: int) -> None:
    """Raise BalanceTooLow, with what is there, unless the balance covers an amount beside what is held."""
    if balance.available_minor < needed_minor:
        raise BalanceTooLow(
            available_minor=balance.available_minor, needed_minor=needed_minor, currency=balance.currency
        )


def debits(transfer: Transfer) -> Mapping[tuple[AccountName, str], int]:
    """Return what a transfer takes, all in all, from each account that has a balance, by account and currency."""
    sums: Counter[tuple[AccountName, str]] = Counter()
    for one in transfer.postings:
        if one.account.has_balance:
            sums[one.account, one.amount.currency] -= one.amount.amount_minor
    return {key: amount_minor for key, amount_minor in sums.items() if amount_minor > 0}


def refuse_capture(hold: Hold, amount: Money) -> None:
    """Raise HoldResolved or HoldExceeded unless this much of a hold can be captured."""
    if hold.state is not HoldState.PENDING:
        raise HoldResolved(key=hold.key, state=str(hold.state))
    if amount.currency != hold.currency or not 0 < amount.amount_minor <= hold.amount_minor:
        raise HoldExceeded(key=hold.key, held_minor=hold.amount_minor, currency=hold.currency)
