"""What the repositories of one transaction share."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from opora.adapters.sql.audit import AuditKey
from opora.adapters.sql.connection import Connection
from opora.adapters.sql.jobs import SqlJobQueue
from opora.adapters.sql.numbers.claims import ClaimMarks
from opora.adapters.sql.outbox import Subscriptions
from opora.adapters.sql.seals import Seal
from opora.core.jobs.ports import Announcer
from opora.core.kernel.ports import Identifiers


def unnoted(_topics: Sequence[str]) -> None:
    """Let the topics of a committed transaction go."""


@dataclass(frozen=True, slots=True)
class SqlParts:
    """What every transaction is given besides its connection; without `seal` no row with a secret is written.

    With `seal_profiles` kept people are sealed in their rows, with `to_bus` every event is queued for the event bus.
    `claim_marks` is where this process handed numbers out last.
    `noted` hears the topics of the events of each transaction that was committed.
    """

    identifiers: Identifiers
    audit_key: AuditKey
    announcer: Announcer
    subscriptions: Subscriptions
    seal: Seal | None = None
    to_bus: bool = False
    seal_profiles: bool = False
    claim_marks: ClaimMarks = field(default_factory=ClaimMarks)
    noted: Callable[[Sequence[str]], None] = unnoted


class Repositories:
    """The repositories of one context, made when first used, over the connection of one open transaction."""

    def __init__(self, connection: Connection, parts: SqlParts) -> None:
        self._connection = connection
        self._parts = parts

    @cached_property
    def jobs(self) -> SqlJobQueue:
        """Return the queue that any repository may add work to."""
        return SqlJobQueue(self._connection, self._parts.identifiers)
