"""What an import needs to bring numbers in by the hundred thousand."""

from abc import ABC, abstractmethod
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheaf:
    """Numbers to be brought into a project at once: ascending, each once; the arrays run in parallel.

    `providers` and `geo` hold 0 for none. `import_number` marks what an import makes.
    """

    project_id: int
    import_number: int | None
    numbers: "array[int]"
    zone_sets: "array[int]"
    providers: "array[int]"
    geo: "array[int]"
    now: datetime


@dataclass(frozen=True, slots=True)
class BroughtIn:
    """What became of a sheaf: how many numbers are new, the span of their ids, and those that were left out.

    `ids` are those of the new ones, in no order.
    """

    created: int
    first_id: int = 0
    last_id: int = 0
    present: frozenset[int] = field(default_factory=frozenset)
    suppressed: frozenset[int] = field(default_factory=frozenset)
    ids: Sequence[int] = ()


class NumberIntake(ABC):
    """Numbers in bulk inside a transaction. The counts of `NumberTally` are the caller's to change."""

    @property
    @abstractmethod
    def rows_at_once(self) -> int:
        """How many numbers a sheaf holds at best."""

    @property
    @abstractmethod
    def lanes(self) -> int:
        """How many transactions may bring sheaves in at the same time, and gain by it."""

    @abstractmethod
    async def bring_in(self, sheaf: Sheaf) -> BroughtIn:
        """Keep the numbers that the project does not hold and that are not suppressed for it.

        Raises Stale where another transaction added one of them meanwhile: the same sheaf may be brought in again.
        Raises NoSuchProvider or NoSuchGeo where one of them is named that is not there.
        """

    @abstractmethod
    async def take_back(self, import_number: int, first_id: int, last_id: int, limit: int) -> int:
        """Remove up to `limit` numbers of an import within a span of ids that nobody has touched, all still new, and
        return how many.
        """

    @abstractmethod
    async def references(self) -> tuple[Sequence[int], Mapping[int, str | None]]:
        """Return the ids of every provider, and of every area with its zone, that a row may name."""
