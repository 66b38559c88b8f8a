"""What exports need from the outside."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from opora.core.jobs.model import JobState
from opora.core.jobs.ports import JobQueue
from opora.core.kernel.model import Page, PageRequest
from opora.core.kernel.ports import AuditTrail, Outbox
from opora.core.profiles.model.exports import Export, ExportReport, ExportStatus, Reach


class ProfileSheets(ABC):
    """Profiles drawn on paper."""

    @abstractmethod
    async def render(self, profiles: Sequence[bytes], progress: Callable[[int], Awaitable[None]]) -> bytes:
        """Return one PDF file with a sheet for each profile (a JSON object), in the order given.

        At least one profile and at most 1,000. The same profiles give the same bytes. `progress` is told how many are
        done, several times in a long file; what it raises ends the work. No value of a profile is ever read as markup;
        letters the fonts do not have are drawn as boxes. Does not hold up the event loop.
        """


class ProfilePayloads(ABC):
    """Kept profiles as the documents that the REST contract shows."""

    @abstractmethod
    async def visible(self, ids: Sequence[int], reach: Reach) -> frozenset[int]:
        """Return which of these exist, within reach, neither deleted nor past their time."""

    @abstractmethod
    async def fetch(self, ids: Sequence[int], reach: Reach) -> Mapping[int, bytes]:
        """Return those that `visible` would name, each as a JSON object with its `id`."""


class ExportRepository(ABC):
    """Exports inside a transaction."""

    @abstractmethod
    async def add(self, export: Export) -> None:
        """Keep a new export."""

    @abstractmethod
    async def get(self, id: UUID) -> Export | None:
        """Return the export, locked against change until the transaction ends."""

    @abstractmethod
    async def of_job(self, job_id: UUID) -> Export | None:
        """Return the export that a job makes, locked alike."""

    @abstractmethod
    async def save(self, export: Export, previous: ExportStatus) -> None:
        """Replace what is kept; raises Stale unless the kept status is `previous`."""

    @abstractmethod
    async def orphans(self, limit: int) -> Sequence[tuple[Export, JobState]]:
        """Return exports that have not ended though their job has, with the state it ended in; locked alike."""

    @abstractmethod
    async def expired(self, now: datetime, limit: int) -> Sequence[Export]:
        """Return exports whose file is past its time and not yet marked as removed, the longest past first."""


class ExportViews(ABC):
    """Exports as their owners see them."""

    @abstractmethod
    async def page(self, reach: Reach, request: PageRequest) -> Page[ExportReport]:
        """Return exports within reach, the newest first."""

    @abstractmethod
    async def one(self, id: UUID, reach: Reach) -> ExportReport | None:
        """Return one export; None where there is none within reach."""

    @abstractmethod
    async def with_file(self, ids: Sequence[UUID], failed_before: datetime) -> frozenset[UUID]:
        """Return which of these may still have a file: they exist, their file is not marked as removed, and they have
        not failed before that moment (a job that failed lately may be tried again).
        """


class ExportTx(Protocol):
    """What a transaction over exports shows."""

    @property
    def exports(self) -> ExportRepository: ...
    @property
    def jobs(self) -> JobQueue: ...
    @property
    def outbox(self) -> Outbox: ...
    @property
    def audit(self) -> AuditTrail: ...
