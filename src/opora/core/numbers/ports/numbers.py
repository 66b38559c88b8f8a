"""What keeping numbers needs from the outside. Whose numbers are meant is an argument of every call."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from opora.core.kernel.model import Page, PageRequest
from opora.core.numbers.model.numbers import NewNumber, NumberFilter, NumberStatus, PhoneNumber, Suppression
from opora.core.numbers.model.projects import Project, ProjectReach
from opora.core.numbers.model.registry import NumberingPlan, NumberRange
from opora.core.numbers.model.schedules import CallingWindow


@dataclass(frozen=True, slots=True)
class Added:
    """Which of many new numbers were kept: their ids by index; the others the project held already."""

    ids: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class ClaimTerms:
    """Which numbers of a project may be claimed: due at `now`, in one of these sets of zones, attempts left.

    They become leased until `lease_until`.
    """

    now: datetime
    lease_until: datetime
    zone_sets: Sequence[int]
    attempts_max: int


@dataclass(frozen=True, slots=True)
class ClaimGround:
    """What decides whether a project may call: itself, its week, and the sets of zones whose numbers wait, by id."""

    project: Project
    windows: Sequence[CallingWindow]
    waiting: Mapping[int, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a number is taken to be."""

    id: int
    phone: int
    geo_id: int | None
    zone_set: int


class NumberRepository(ABC):
    """Numbers inside a transaction. Every change keeps the counts of `NumberTally` true."""

    @abstractmethod
    async def next_ids(self, count: int) -> Sequence[int]:
        """Return `count` ids that nobody else gets, ascending."""

    @abstractmethod
    async def add(self, project_id: int, numbers: Sequence[NewNumber], now: datetime) -> Added:
        """Keep new numbers; of a number that the project holds or that comes twice, the first stays as it is.

        Raises NoSuchProvider or NoSuchGeo where one of them is named that is not there.
        """

    @abstractmethod
    async def suppressed(self, project_id: int, phones: Sequence[int]) -> frozenset[int]:
        """Return which of these may never be called in the project."""

    @abstractmethod
    async def get(self, id: int, reach: ProjectReach) -> PhoneNumber | None:
        """Return a number, locked until the transaction ends; None where there is none within reach."""

    @abstractmethod
    async def several(self, ids: Sequence[int], reach: ProjectReach) -> Sequence[PhoneNumber]:
        """Return those of these numbers that are within reach, locked alike, by id."""

    @abstractmethod
    async def save(self, number: PhoneNumber, previous: PhoneNumber) -> None:
        """Replace what is kept; raises Stale unless status and attempts are still those of `previous`."""

    @abstractmethod
    async def save_all(self, changes: Sequence[tuple[PhoneNumber, PhoneNumber]]) -> None:
        """Replace many (`(new, previous)` each) by set; raises Stale if one of them moved meanwhile."""

    @abstractmethod
    async def claim(self, project_id: int, terms: ClaimTerms, limit: int) -> Sequence[PhoneNumber]:
        """Hand out up to `limit` numbers that may be called, as `lifecycle.begun` has it; no two claims get the same.

        Suppressed ones are not among them. The sets of zones are emptied in the order given.
        """

    @abstractmethod
    async def ground(self, project_id: int, reach: ProjectReach) -> ClaimGround | None:
        """Return what a claim is judged by, not locked; None where no such project is within reach.

        Waiting are the sets of zones that numbers of the project name which may be called at some time, by ascending
        id.
        """

    @abstractmethod
    async def in_progress(self, project_id: int, counted_max: int) -> int:
        """Return how many numbers of a project are out, counted up to a bound; the project's row is locked by then."""

    @abstractmethod
    async def overdue(self, now: datetime, limit: int) -> Sequence[PhoneNumber]:
        """Return numbers whose lease has ended, locked and skipped by every other sweep."""

    @abstractmethod
    async def matching(self, wanted: NumberFilter, reach: ProjectReach, limit: int) -> Sequence[int]:
        """Return the ids of up to `limit` numbers, the newest first."""

    @abstractmethod
    async def placements(self, after: int, geo_id: int | None, limit: int) -> Sequence[Placement]:
        """Return where up to `limit` numbers past that id are, of one area or of any, ascending, each locked."""

    @abstractmethod
    async def set_zones(self, zone_sets: Mapping[int, int]) -> None:
        """Give numbers their sets of zones, by id."""

    @abstractmethod
    async def by_phone(self, phone: int, reach: ProjectReach) -> Sequence[PhoneNumber]:
        """Return the number in every project within reach that is not deleted, locked, by id."""

    @abstractmethod
    async def called(self, ids: Sequence[int], phones: Sequence[int], reach: ProjectReach) -> Sequence[PhoneNumber]:
        """Return the numbers of these ids and those with these digits, in every project within reach, locked, by id."""


class NumberViews(ABC):
    """Numbers as callers read them."""

    @abstractmethod
    async def one(self, id: int, reach: ProjectReach) -> PhoneNumber | None:
        """Return one number; None where there is none within reach, or its project is deleted."""

    @abstractmethod
    async def page(self, reach: ProjectReach, wanted: NumberFilter, request: PageRequest) -> Page[PhoneNumber]:
        """Return numbers, the newest first, or by number where the filter names the beginning of one.

        A page costs the same at any depth. The count is exact where maintained counts cover the filter, or up to
        10,000; past that it is an estimate, never below what was counted. Raises Invalid for a cursor that `page` did
        not give out.
        """

    @abstractmethod
    async def by_phone(self, phone: int, reach: ProjectReach, limit: int) -> Sequence[PhoneNumber]:
        """Return the number in up to `limit` projects within reach that are not deleted, the latest called first."""

    @abstractmethod
    async def timezones(self, zone_set: int) -> Sequence[str]:
        """Return the zones of a set."""


class NumberTally(ABC):
    """How many numbers of each status a project has, by changes that are only added."""

    @abstractmethod
    async def change(self, project_id: int, changes: Mapping[NumberStatus, int]) -> None:
        """Add to the counts, or take from them, with the transaction; nobody waits for anybody."""

    @abstractmethod
    async def of(self, project_id: int) -> Mapping[NumberStatus, int]:
        """Return the present counts, exact: every status has one."""

    @abstractmethod
    async def fold(self, limit: int) -> int:
        """Fold up to `limit` changes into the counts and return how many; several folders do not meet."""


class ZoneBook(ABC):
    """The sets of zones that numbers name."""

    @abstractmethod
    async def ids(self, sets: Sequence[tuple[str, ...]]) -> Mapping[tuple[str, ...], int]:
        """Return the id of each set, made where it is new; the empty set is 0."""

    @abstractmethod
    async def all(self) -> Mapping[int, tuple[str, ...]]:
        """Return every set by its id."""


class SuppressionRepository(ABC):
    """Numbers never to be called, inside a transaction."""

    @abstractmethod
    async def next_id(self) -> int:
        """Return an id that nobody else gets."""

    @abstractmethod
    async def add(self, entry: Suppression) -> None:
        """Keep an entry; raises SuppressionExists for a second one of the same number and project."""

    @abstractmethod
    async def get(self, id: int, reach: ProjectReach) -> Suppression | None:
        """Return an entry, locked; None where there is none within reach. One of every project is within any reach."""

    @abstractmethod
    async def of_phone(self, phone: int, project_id: int | None, reach: ProjectReach) -> Suppression | None:
        """Return the entry of a number for one project, or for every one, locked; None where there is none."""

    @abstractmethod
    async def remove(self, id: int) -> bool:
        """Remove an entry and tell whether it was there."""


class SuppressionViews(ABC):
    """Numbers never to be called, as callers read them."""

    @abstractmethod
    async def one(self, id: int, reach: ProjectReach) -> Suppression | None:
        """Return an entry; None where there is none within reach. One of every project is within any reach."""

    @abstractmethod
    async def page(
        self, reach: ProjectReach, project_id: int | None, phone: int | None, request: PageRequest
    ) -> Page[Suppression]:
        """Return entries within reach, those of every project among them, the newest first."""


class NumberingRegistry(ABC):
    """The registry of ranges that an operator loaded, as one process holds it."""

    @abstractmethod
    async def plan(self) -> NumberingPlan:
        """Return the plan kept in memory; a load by another process is seen within a minute."""

    @abstractmethod
    async def newest(self) -> NumberingPlan:
        """Return the plan as it stands in the store."""


class NumberingRanges(ABC):
    """The rows of the registry inside a transaction."""

    @abstractmethod
    async def replace(self, ranges: Sequence[NumberRange], now: datetime) -> int:
        """Replace every range and return the version. `ranges` are ascending and apart."""
