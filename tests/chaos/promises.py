"""Counts what broke a promise: the clients' book held against what the database shows. Pure."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from chaos.ledger import Book, Fate


@dataclass(frozen=True, slots=True)
class Seat:
    """A place taken in somebody's time; places of one `session` may be taken together."""

    staff_id: int
    session: int
    place: int
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Sold:
    """How much of a limited thing a person has had."""

    person_id: int
    feature: str
    limit: int
    had: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is there after a run. `effects` counts rows by kind and mark."""

    effects: Mapping[tuple[str, str], int] = field(default_factory=dict)
    unfinished: Sequence[str] = ()
    """Work that was taken on and has not come to its end."""
    twice: Sequence[str] = ()
    """Work whose end is recorded more than once."""
    seats: Sequence[Seat] = ()
    sold: Sequence[Sold] = ()
    discrepancies: Sequence[str] = ()
    """Balances that are not the sum of what moved them."""
    audit: Sequence[str] = ()
    """Where the chain of the audit log is broken."""


@dataclass(frozen=True, slots=True)
class Promise:
    """One line of the end: what was counted, and each case of it."""

    name: str
    meaning: str
    cases: Sequence[str]

    @property
    def count(self) -> int:
        """How often it was broken."""
        return len(self.cases)


def lost(book: Book, evidence: Evidence) -> list[str]:
    """Return what was acknowledged and is not there whole, and work that never ended."""
    missing = [
        f"{deed}: {found} of {deed.parts}"
        for deed in book.of_fate(Fate.DONE)
        if (found := evidence.effects.get((deed.kind, deed.mark), 0)) < deed.parts
    ]
    return [*missing, *evidence.unfinished]


def doubled(book: Book, evidence: Evidence) -> list[str]:
    """Return what is there more often than it was asked for; what was refused may not be there at all."""
    found = []
    for deed in book.deeds:
        most = 0 if deed.fate is Fate.REFUSED else deed.parts
        count = evidence.effects.get((deed.kind, deed.mark), 0)
        if count > most:
            found.append(f"{deed}: {count}, not {most}")
    known = {(deed.kind, deed.mark) for deed in book.deeds}
    strangers = [f"{kind} {mark}: nobody asked for it" for kind, mark in sorted(set(evidence.effects) - known)]
    return [*found, *strangers, *evidence.twice]


def overlaps(book: Book, evidence: Evidence) -> list[str]:
    """Return pairs of places in one person's time that meet: of two sessions, or the same place of one."""
    del book
    days: dict[int, list[Seat]] = defaultdict(list)
    for seat in evidence.seats:
        days[seat.staff_id].append(seat)
    return [
        f"staff {staff_id}: {one.starts_at:%d %H:%M} and {other.starts_at:%d %H:%M}"
        for staff_id, seats in days.items()
        for number, one in enumerate(seats)
        for other in seats[number + 1 :]
        if one.starts_at < other.ends_at
        and other.starts_at < one.ends_at
        and (one.session != other.session or one.place == other.place)
    ]


def let_in(book: Book, evidence: Evidence) -> list[str]:
    """Return who was let in and may not be."""
    del evidence
    return book.let_in


def oversold(book: Book, evidence: Evidence) -> list[str]:
    """Return limits that were passed, and balances that do not add up."""
    del book
    passed = [
        f"{one.feature} of {one.person_id}: {one.had} of {one.limit}" for one in evidence.sold if one.had > one.limit
    ]
    return [*passed, *evidence.discrepancies]


def wrong(book: Book, evidence: Evidence) -> list[str]:
    """Return answers that no caller may be given."""
    del evidence
    return book.wrong


def broken(book: Book, evidence: Evidence) -> list[str]:
    """Return where the audit log is broken."""
    del book
    return list(evidence.audit)


LINES: Sequence[tuple[str, str, Callable[[Book, Evidence], list[str]]]] = (
    ("lost", "acknowledged, and not there", lost),
    ("doubled", "there more often than asked for, or though refused", doubled),
    ("overlaps", "two at one time with one person", overlaps),
    ("let in", "answered well, without the right", let_in),
    ("oversold", "past a quota, or a balance that does not add up", oversold),
    ("wrong answers", "a 5xx but 503 with Retry-After, or a refusal without cause", wrong),
    ("audit breaks", "an entry that was touched", broken),
)


def kept(book: Book, evidence: Evidence) -> list[Promise]:
    """Count every promise."""
    return [Promise(name, meaning, count(book, evidence)) for name, meaning, count in LINES]
