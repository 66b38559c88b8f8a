"""Who is asking, how much of a list they get, and what money is."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from opora.core.kernel.errors import IllegalMove

PAGE_LIMIT_MAX = 200
PAGE_LIMIT_DEFAULT = 50


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request came from: what the audit log keeps of it."""

    address: str = ""
    user_agent: str = ""
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Actor:
    """Whoever is asking: a person by token, or a key; `user_id` is the person behind either, when there is one.

    Keys that replaced one another by rotation are one caller: `family_id` is the id of the first of them. A person's
    token belongs to the session `session_id`.
    """

    user_id: int | None = None
    key_id: int | None = None
    scopes: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()
    origin: Origin = Origin()
    family_id: int | None = None
    session_id: int | None = None

    def may(self, scope: str) -> bool:
        """Tell whether a scope was granted; `admin` grants every scope."""
        return scope in self.scopes or "admin" in self.scopes

    @property
    def subject(self) -> str:
        """A stable name of the caller, which owns what they make: `key:7` (of the family), `user:3` or `anonymous`."""
        if self.key_id is not None:
            return f"key:{self.key_id if self.family_id is None else self.family_id}"
        return f"user:{self.user_id}" if self.user_id is not None else "anonymous"


SYSTEM = Actor(scopes=frozenset({"admin"}), roles=frozenset({"system"}))
"""Opora itself: jobs and commands act as this."""


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which part of a list is wanted: by `number` (from 1), or after an opaque `cursor`."""

    limit: int = PAGE_LIMIT_DEFAULT
    number: int = 1
    cursor: str | None = None

    @property
    def offset(self) -> int:
        """How many records come before this page."""
        return (self.number - 1) * self.limit


@dataclass(frozen=True, slots=True)
class Page[T]:
    """One page of a list; `more` tells whether another follows, `cursor` where it starts, for lists read by cursor."""

    items: Sequence[T]
    count: int
    more: bool
    cursor: str | None = None
    count_exact: bool = True

    def shown_as[U](self, show: Callable[[T], U]) -> "Page[U]":
        """Return the page with each record as it is shown; all that is said of the list stays."""
        return Page([show(one) for one in self.items], self.count, self.more, self.cursor, self.count_exact)


_UNLIKE_MOST = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
DECIMAL_PLACES: Mapping[str, int] = {code: places for places, codes in _UNLIKE_MOST.items() for code in codes.split()}
"""The decimal places of the currencies of ISO 4217 that have other than two."""


def decimal_places(currency: str) -> int:
    """Return how many decimal places the minor unit of a currency stands for."""
    return DECIMAL_PLACES.get(currency, 2)


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in minor units (kopecks, cents) of an ISO 4217 currency."""

    amount_minor: int
    currency: str

    def __add__(self, other: "Money") -> "Money":
        if other.currency != self.currency:
            raise ValueError(f"{other.currency} cannot be added to {self.currency}")
        return Money(self.amount_minor + other.amount_minor, self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.amount_minor, self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return self + -other


@dataclass(frozen=True, slots=True)
class Interval:
    """A half-open span of instants `[start, end)`."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise ValueError("an interval is made of instants: give times with a zone")
        if self.end <= self.start:
            raise ValueError("an interval ends after it starts")

    def overlaps(self, other: "Interval") -> bool:
        """Tell whether the two share an instant; touching ends share none."""
        return self.start < other.end and other.start < self.end


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One entry of the audit log: who did what to which thing, and what it was before and after.

    `old` and `new` hold plain JSON values of what changed, never a secret, a password or a document's body.
    """

    actor: Actor
    action: str
    entity_type: str
    entity_id: str
    at: datetime
    old: Mapping[str, object] | None = None
    new: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """An HTTP answer as it was sent: `headers` are the ones worth repeating."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


@dataclass(frozen=True, slots=True)
class IdempotentCall:
    """One call that must have one effect: whose, under which key, and a fingerprint of all it asks."""

    caller: str
    key: str
    fingerprint: bytes


class VersionStatus(StrEnum):
    """How far along its life a version of the API is."""

    BETA = "beta"
    STABLE = "stable"
    DEPRECATED = "deprecated"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class ApiVersion:
    """A row of the version registry; `version` is the word in the path (`v1`)."""

    version: str
    status: VersionStatus
    released_on: date | None = None
    deprecated_on: date | None = None
    sunset_on: date | None = None
    successor: str | None = None


class Moves[S: StrEnum]:
    """A transition table as data: which states follow which."""

    def __init__(self, table: Mapping[S, frozenset[S]]) -> None:
        self.table = table

    def allowed(self, state: S) -> list[S]:
        """The states that may follow `state`, sorted by name."""
        return sorted(self.table[state])

    def check(self, state: S, target: S) -> None:
        """Raise IllegalMove, naming what is allowed, unless `target` may follow `state`."""
        if target not in self.table[state]:
            allowed = [str(one) for one in self.allowed(state)]
            raise IllegalMove(f"{state} cannot become {target}", state=str(state), target=str(target), allowed=allowed)

    def final(self) -> frozenset[S]:
        """The states that nothing follows."""
        return frozenset(state for state, following in self.table.items() if not following)


@dataclass(frozen=True, slots=True)
class BlobName:
    """The name of a stored file: a folder the program chose and a task's id; no user's word is ever part of it."""

    folder: str
    id: UUID

    def __post_init__(self) -> None:
        if not (self.folder.isascii() and self.folder.isalpha() and self.folder.islower()):
            raise ValueError(f"a folder of blobs is named in lower-case letters, not {self.folder!r}")

    def __str__(self) -> str:
        return f"{self.folder}/{self.id}"

    @classmethod
    def parse(cls, text: str) -> "BlobName":
        """Read `folder/id`; raises ValueError for any other text."""
        folder, _, task = text.partition("/")
        return cls(folder, UUID(task))


@dataclass(frozen=True, slots=True)
class Blob:
    """A stored file: its size in bytes and the SHA-256 of its content in hexadecimal."""

    name: BlobName
    size: int
    sha256: str


class BreakerState(StrEnum):
    """Whether calls to a failing system are let through."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


BREAKER_MOVES = Moves(
    {
        BreakerState.CLOSED: frozenset({BreakerState.OPEN}),
        BreakerState.OPEN: frozenset({BreakerState.HALF_OPEN}),
        BreakerState.HALF_OPEN: frozenset({BreakerState.CLOSED, BreakerState.OPEN}),
    }
)


@dataclass(frozen=True, slots=True)
class BreakerPolicy:
    """When to stop calling a system that fails, and when to look whether it is back.

    It opens after `failures_max` failures in a row, stays open for `open_s`, and doubles that for every probe that
    fails, up to `open_max_s`.
    """

    failures_max: int = 5
    open_s: float = 5.0
    open_max_s: float = 300.0


@dataclass(frozen=True, slots=True)
class Breaker:
    """A circuit breaker; times are seconds of a clock that never goes back."""

    policy: BreakerPolicy = BreakerPolicy()
    state: BreakerState = BreakerState.CLOSED
    failures: int = 0
    """Failures in a row while closed; probes that failed, once it has opened."""
    until_s: float = 0.0
    """While open: when a probe may go. While half open: when the probe counts as lost and another may go."""
