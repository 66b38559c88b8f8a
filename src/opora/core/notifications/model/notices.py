"""A notice: something to be told to a person, kept in the transaction of its cause."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from opora.core.kernel.model import Moves
from opora.core.notifications.model.kinds import KINDS

DATA_VALUES_MAX = 40
TEXT_LENGTH_MAX = 4000
ABOUT_LENGTH_MAX = 100
DEDUP_KEY_LENGTH_MAX = 200


class NoticeState(StrEnum):
    """Where a notice stands; `skipped` are those that nobody needed to hear any more when their time came."""

    WAITING = "waiting"
    FIRED = "fired"
    SKIPPED = "skipped"
    WITHDRAWN = "withdrawn"


MOVES = Moves(
    {
        NoticeState.WAITING: frozenset({NoticeState.FIRED, NoticeState.SKIPPED, NoticeState.WITHDRAWN}),
        NoticeState.FIRED: frozenset({NoticeState.WITHDRAWN}),  # what has not left yet does not leave any more
        NoticeState.SKIPPED: frozenset(),
        NoticeState.WITHDRAWN: frozenset(),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What somebody is to be told: a person with an account by `user_id`, anybody else by `email`.

    `data` holds plain JSON values and `secret` texts such as a link's token, which are sealed where they are kept and
    forgotten once they have left; together they are exactly the variables that the kind declares. Equal `dedup_key`s
    make one notice. It fires at `fire_at`, or at once. `about` names its cause (`appointment:5`) and is what it is
    withdrawn by. `locale` overrides the recipient's.
    """

    kind: str
    user_id: int | None = None
    email: str | None = None
    locale: str | None = None
    data: Mapping[str, object] = field(default_factory=dict)
    secret: Mapping[str, str] = field(default_factory=dict, repr=False)
    dedup_key: str | None = None
    fire_at: datetime | None = None
    about: str = ""

    def __post_init__(self) -> None:
        """Refuse with ValueError what no kind declares: such a notice is a fault of the program."""
        kind = KINDS.get(self.kind)
        if kind is None:
            raise ValueError(f"no kind of notice is named {self.kind}")
        if (self.user_id is None) == (self.email is None):
            raise ValueError(f"{self.kind} goes either to a user or to an address")
        names = kind.variables | kind.facts
        if frozenset(self.data) != names or frozenset(self.secret) != kind.secrets:
            raise ValueError(f"{self.kind} takes {sorted(names)} and the secrets {sorted(kind.secrets)}")
        if any(isinstance(value, str) and len(value) > TEXT_LENGTH_MAX for value in self.data.values()):
            raise ValueError(f"{self.kind} is given a text of more than {TEXT_LENGTH_MAX} characters")
        if self.fire_at is not None and self.fire_at.tzinfo is None:
            raise ValueError(f"{self.kind} fires at an instant: give a time with a zone")
        if len(self.about) > ABOUT_LENGTH_MAX or len(self.dedup_key or "") > DEDUP_KEY_LENGTH_MAX:
            raise ValueError(f"{self.kind} has too long a name of its cause or key")


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptNotice:
    """A notice as it is kept; `secret` is empty once everything it was needed for has ended."""

    id: UUID
    kind: str
    user_id: int | None
    email: str | None
    locale: str | None
    data: Mapping[str, object]
    secret: Mapping[str, str] = field(default_factory=dict, repr=False)
    about: str
    state: NoticeState
    fire_at: datetime
    created_at: datetime
