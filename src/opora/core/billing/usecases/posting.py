"""Steps that move money inside the transaction of their cause.

Each is made once for a `cause`, however often it is asked for: a cause names one thing that is paid once, such as
`subscription:5:2026-11`.
"""

from datetime import datetime

from opora.core.billing.errors.ledger import NoSuchHold
from opora.core.billing.model.ledger import (
    REVENUE,
    AccountName,
    Hold,
    HoldState,
    Posting,
    Transfer,
    between,
    of_person,
)
from opora.core.billing.ports.ledger import LedgerTx
from opora.core.billing.rules.ledger import refuse_capture
from opora.core.kernel.model import Money


async def charge(tx: LedgerTx, person_id: int, amount: Money, cause: str, now: datetime) -> bool:
    """Take an amount from a person's balance as revenue; False where this cause was charged before.

    Raises BalanceTooLow, having written nothing.
    """
    return await _move(tx, "charge", of_person(person_id), REVENUE, amount, cause, now)


async def credit(tx: LedgerTx, person_id: int, amount: Money, cause: str, now: datetime) -> bool:
    """Give an amount back from revenue to a person's balance; False where this cause was credited before."""
    return await _move(tx, "credit", REVENUE, of_person(person_id), amount, cause, now)


async def hold(
    tx: LedgerTx, person_id: int, amount: Money, cause: str, now: datetime, expires_at: datetime | None = None
) -> Hold:
    """Set an amount of a person's balance aside; the hold's key is the cause. Raises BalanceTooLow."""
    return await tx.ledger.add_hold(
        Hold(
            key=cause,
            user_id=person_id,
            amount_minor=amount.amount_minor,
            currency=amount.currency,
            cause=cause,
            created_at=now,
            expires_at=expires_at,
        )
    )


async def capture(
    tx: LedgerTx, key: str, amount: Money, now: datetime, *, to: AccountName = REVENUE, kind: str = "charge"
) -> None:
    """Take up to what is held; the rest is free again. Raises NoSuchHold, HoldResolved, HoldExceeded."""
    held = await _held(tx, key)
    refuse_capture(held, amount)
    await tx.ledger.resolve_hold(held.resolve(HoldState.CAPTURED, now, amount.amount_minor))
    await _move(tx, kind, of_person(held.user_id), to, amount, held.cause, now)


async def void(tx: LedgerTx, key: str, now: datetime, state: HoldState = HoldState.VOIDED) -> bool:
    """Let what is held go; False where the hold was resolved before. Raises NoSuchHold."""
    held = await _held(tx, key)
    if held.state is not HoldState.PENDING:
        return False
    await tx.ledger.resolve_hold(held.resolve(state, now))
    return True


async def reverse(tx: LedgerTx, key: str, now: datetime) -> bool:
    """Post the opposite of a transfer; False where there is none or it was reversed before."""
    found = await tx.ledger.posted(key)
    if found is None:
        return False
    postings = tuple(Posting(one.account, -one.amount) for one in found.postings)
    kind = f"{found.kind}_reversed"
    return await tx.ledger.post(
        Transfer(key=f"reversal:{key}", kind=kind, cause=found.cause, postings=postings, at=now)
    )


async def _held(tx: LedgerTx, key: str) -> Hold:
    found = await tx.ledger.hold(key)
    if found is None:
        raise NoSuchHold(key=key)
    return found


async def _move(
    tx: LedgerTx, kind: str, debited: AccountName, credited: AccountName, amount: Money, cause: str, now: datetime
) -> bool:
    postings = between(debited, credited, amount)
    return await tx.ledger.post(Transfer(key=f"{kind}:{cause}", kind=kind, cause=cause, postings=postings, at=now))
