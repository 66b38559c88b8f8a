"""What every district has: acts of clients, promises looked at after each commit and at the end."""

import random
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from dishka import AsyncContainer

from opora.bootstrap.simulation.outside import Post, Shelf, Till
from opora.core.kernel.model import Actor, Moves

CLIENTS, STAFF = (1, 2), 10
ADMIN = Actor(user_id=99, scopes=frozenset({"admin"}), roles=frozenset({"admin"}))

type Act = Callable[[AsyncContainer], Awaitable[object]]
"""One call of a use case in some process; what it returns is told to the client."""


class Store(Protocol):
    """The store, read at once between two steps."""

    def execute(self, sql: str, /) -> Any:
        """Run a statement and return its rows."""
        ...


@dataclass(frozen=True, slots=True)
class Check:
    """A question that has no answer while a promise holds; asked after each commit that wrote one of these tables."""

    promise: str
    tables: frozenset[str]
    sql: str


@dataclass(frozen=True, slots=True)
class Town:
    """What the districts of a seed share with its world."""

    chance: random.Random
    till: Till
    post: Post
    shelf: Shelf
    answers: Mapping[str, str]
    """What clients were told, by the key of their call; refusals begin with a minus."""


def client(user_id: int) -> Actor:
    """Return somebody who may do everything with what is their own."""
    scopes = (
        "billing:read billing:write generate:read generate:write services:read appointments:read appointments:write"
        " profiles:read profiles:write documents:read documents:write exports:write"
    )
    return Actor(user_id=user_id, scopes=frozenset(scopes.split()), roles=frozenset({"client"}))


class District(ABC):
    """One context or a few that belong together."""

    name: str
    slots: frozenset[str] = frozenset()
    """The names of the cron slots that it needs."""
    checks: Sequence[Check] = ()
    moves: ClassVar[Mapping[str, Moves[Any]]] = {}
    """The moves that the states of each table may make."""
    unsettled: str = "SELECT 0"
    """How much is left to do, beside jobs and events."""

    def __init__(self, town: Town) -> None:
        self.town = town

    @abstractmethod
    def act(self, key: str, user_id: int) -> Act:
        """Draw what a client does under this key."""

    def ended(self, store: Store) -> Iterator[str]:  # noqa: ARG002  # for districts that ask more
        """Yield every promise that is broken when all is settled."""
        yield from ()


def spread(chance: random.Random, weights: Mapping[str, int]) -> str:
    """Draw a word by its weight."""
    return chance.choices(list(weights), list(weights.values()))[0]


def rows(store: Store, sql: str) -> list[Any]:
    """Return every row of an answer."""
    return list(store.execute(sql).fetchall())
