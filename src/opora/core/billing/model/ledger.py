"""The ledger: accounts, transfers whose postings sum to zero, and holds on a balance.

An amount above zero adds to an account (credit), one below takes from it (debit). What the company owes its people and
what it earned stand above zero, what providers owe the company below: the sum over all accounts is zero.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from opora.core.kernel.model import Money, Moves

AMOUNT_MINOR_MAX = 10**15
"""The largest amount of one posting: nine thousand of them still fit 64 bits."""
KEY_LENGTH_MAX = 100
POSTINGS_MIN = 2


class AccountKind(StrEnum):
    """Whose money an account stands for."""

    PERSON = "person"
    PROVIDER = "provider"
    REVENUE = "revenue"
    ADJUSTMENTS = "adjustments"
    LOSSES = "losses"


@dataclass(frozen=True, slots=True)
class AccountName:
    """The name of an account in each currency; `owner` is a person's id or a provider's name.

    A person's account has a balance that the store keeps and holds above its floor. The others' are sums of their
    entries, so that no two people wait for one another.
    """

    kind: AccountKind
    owner: str = ""

    @property
    def has_balance(self) -> bool:
        """Tell whether the store keeps a balance beside the entries."""
        return self.kind is AccountKind.PERSON

    @property
    def user_id(self) -> int | None:
        """The person whose account it is; None for the company's own."""
        return int(self.owner) if self.kind is AccountKind.PERSON else None

    def __str__(self) -> str:
        return f"{self.kind}:{self.owner}" if self.owner else str(self.kind)


def account_named(text: str) -> AccountName:
    """Read an account's name; the opposite of its `str`."""
    kind, _, owner = text.partition(":")
    return AccountName(AccountKind(kind), owner)


def of_person(user_id: int) -> AccountName:
    """Name a person's account."""
    return AccountName(AccountKind.PERSON, str(user_id))


def of_provider(name: str) -> AccountName:
    """Name the account of what a payment provider took and has not paid out."""
    return AccountName(AccountKind.PROVIDER, name)


REVENUE = AccountName(AccountKind.REVENUE)
"""What the company earned."""
ADJUSTMENTS = AccountName(AccountKind.ADJUSTMENTS)
"""What an operator gave and took by hand."""
LOSSES = AccountName(AccountKind.LOSSES)
"""What providers took back from people who had spent it."""


@dataclass(frozen=True, slots=True)
class Posting:
    """A part of a transfer: an amount added to one account."""

    account: AccountName
    amount: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """Money moved between accounts, whole or not at all, and never changed afterwards.

    `key` makes any number of equal transfers one. `kind` is a word for the history, `cause` names what it was for
    (`payment:5`). ValueError where the postings are fewer than two or do not sum to zero in each currency: such a
    transfer is a fault of the program.
    """

    key: str
    kind: str
    cause: str
    postings: tuple[Posting, ...]
    at: datetime

    def __post_init__(self) -> None:
        if not 1 <= len(self.key) <= KEY_LENGTH_MAX:
            raise ValueError(f"a transfer's key has 1 to {KEY_LENGTH_MAX} characters")
        if len(self.postings) < POSTINGS_MIN:
            raise ValueError("a transfer has two postings or more")
        if any(not 0 < abs(one.amount.amount_minor) <= AMOUNT_MINOR_MAX for one in self.postings):
            raise ValueError("a posting moves something, and no more than fits")
        sums: Counter[str] = Counter()
        for one in self.postings:
            sums[one.amount.currency] += one.amount.amount_minor
        if any(sums.values()):
            raise ValueError(f"the postings of {self.key} do not sum to zero")


def between(debited: AccountName, credited: AccountName, amount: Money) -> tuple[Posting, ...]:
    """Return the postings that move an amount from one account to another."""
    return Posting(debited, -amount), Posting(credited, amount)


@dataclass(frozen=True, slots=True)
class Balance:
    """What somebody has, of it held for something, in one currency."""

    balance_minor: int
    held_minor: int
    currency: str

    @property
    def available_minor(self) -> int:
        """What can be spent."""
        return self.balance_minor - self.held_minor


class HoldState(StrEnum):
    """Where a hold on a balance stands."""

    PENDING = "pending"
    CAPTURED = "captured"
    VOIDED = "voided"
    EXPIRED = "expired"


HOLD_MOVES = Moves(
    {
        HoldState.PENDING: frozenset({HoldState.CAPTURED, HoldState.VOIDED, HoldState.EXPIRED}),
        HoldState.CAPTURED: frozenset(),
        HoldState.VOIDED: frozenset(),
        HoldState.EXPIRED: frozenset(),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """An amount of a person's balance set aside, to be captured in part or whole, or given back; resolved once."""

    key: str
    user_id: int
    amount_minor: int
    currency: str
    cause: str
    created_at: datetime
    state: HoldState = HoldState.PENDING
    captured_minor: int = 0
    expires_at: datetime | None = None
    resolved_at: datetime | None = None

    def resolve(self, state: HoldState, now: datetime, captured_minor: int = 0) -> "Hold":
        """Return the hold once it is resolved; raises IllegalMove where it was before."""
        HOLD_MOVES.check(self.state, state)
        return replace(self, state=state, captured_minor=captured_minor, resolved_at=now)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of somebody's history: what a transfer added to their balance, or took from it."""

    id: int
    kind: str
    cause: str
    amount_minor: int
    currency: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Discrepancy:
    """Something that does not add up: `kept_minor` is what is stored, `counted_minor` what the entries say."""

    what: str
    name: str
    kept_minor: int
    counted_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Recount:
    """A recount of the whole ledger from its entries."""

    accounts: int
    transfers: int
    entries: int
    holds_open: int
    totals: Mapping[str, int] = field(default_factory=dict)
    """The sum over every account by currency: zero where all is well."""
    discrepancies: tuple[Discrepancy, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Tell whether everything adds up."""
        return not self.discrepancies
