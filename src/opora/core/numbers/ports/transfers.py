"""What transfers need from the outside, beside tables, drops and the intake of numbers."""

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from opora.core.jobs.model import JobState
from opora.core.jobs.ports import JobQueue
from opora.core.kernel.model import Page, PageRequest
from opora.core.kernel.ports import AuditTrail, Outbox
from opora.core.numbers.model.numbers import NumberFilter
from opora.core.numbers.model.projects import ProjectReach
from opora.core.numbers.model.tables import RefusedRow
from opora.core.numbers.model.transfers import (
    MergedRange,
    Tally,
    Transfer,
    TransferFilter,
    TransferReport,
    TransferStatus,
)
from opora.core.numbers.ports.intake import NumberIntake
from opora.core.numbers.ports.numbers import NumberTally, ZoneBook
from opora.core.numbers.ports.projects import ProjectRepository, ProviderRepository


class TransferRepository(ABC):
    """Transfers inside a transaction."""

    @abstractmethod
    async def next_number(self) -> int:
        """Return a number for a transfer that nobody else gets."""

    @abstractmethod
    async def add(self, transfer: Transfer) -> None:
        """Keep a new transfer."""

    @abstractmethod
    async def get(self, id: UUID, reach: ProjectReach) -> Transfer | None:
        """Return a transfer, locked until the transaction ends; None where there is none within reach."""

    @abstractmethod
    async def of_job(self, job_id: UUID) -> Transfer | None:
        """Return the transfer that a job carries out, locked alike."""

    @abstractmethod
    async def save(self, transfer: Transfer, previous: TransferStatus) -> None:
        """Replace what is kept, but for the counts; raises Stale unless the kept status is `previous`."""

    @abstractmethod
    async def record(self, transfer: Transfer, tally: Tally, merged: MergedRange | None = None) -> None:
        """Add to the counts and, if a span of numbers is done, remember it; raises LeaseLost where another attempt has
        taken over from that of `transfer`, or the transfer runs no more.
        """

    @abstractmethod
    async def refuse(self, transfer: Transfer, rows: Sequence[RefusedRow]) -> int:
        """Keep refused rows, each line once however often it is told, and return how many are new."""

    @abstractmethod
    async def refused_count(self, number: int) -> int:
        """Return how many refused rows of a transfer are kept."""

    @abstractmethod
    async def merged(self, number: int) -> Sequence[MergedRange]:
        """Return the spans that are done, ascending."""

    @abstractmethod
    async def count_removed(self, number: int, removed: int) -> None:
        """Add to how many numbers were taken back of an import."""

    @abstractmethod
    async def orphans(self, limit: int) -> Sequence[tuple[Transfer, JobState]]:
        """Return transfers that have not ended though their job has, with the state it ended in; locked alike."""

    @abstractmethod
    async def expired(self, now: datetime, limit: int) -> Sequence[Transfer]:
        """Return transfers past their time whose files and refused rows were not removed, the longest past first."""

    @abstractmethod
    async def forget_rows(self, number: int, limit: int) -> int:
        """Remove up to `limit` refused rows of a transfer and return how many."""


class TransferViews(ABC):
    """Transfers as callers see them."""

    @abstractmethod
    async def page(self, reach: ProjectReach, wanted: TransferFilter, request: PageRequest) -> Page[TransferReport]:
        """Return transfers within reach, the newest first."""

    @abstractmethod
    async def one(self, id: UUID, reach: ProjectReach) -> TransferReport | None:
        """Return one transfer; None where there is none within reach."""

    @abstractmethod
    def refused(self, number: int) -> AsyncGenerator[Sequence[RefusedRow]]:
        """Yield the refused rows that are kept, by line, in batches; to be closed when it is no longer read."""

    @abstractmethod
    async def with_file(self, ids: Sequence[UUID]) -> frozenset[UUID]:
        """Return which of these transfers may still need their file: those whose files were not marked as removed."""


class NumberTables(ABC):
    """Numbers written as tables, as the REST contract names their fields."""

    @abstractmethod
    def csv(self, wanted: NumberFilter) -> AsyncGenerator[tuple[bytes, int]]:
        """Yield the numbers wanted as CSV in UTF-8, in pieces of whole lines, each with how many numbers it holds.

        The heading comes first. The state is that of the first piece. Memory does not grow with the table. No cell is
        taken for a formula by a spreadsheet. To be closed when it is no longer read.
        """

    @abstractmethod
    async def count(self, wanted: NumberFilter) -> int:
        """Return about how many numbers that will be, at no great cost."""


class TransferTx(Protocol):
    """What a transaction over transfers shows."""

    @property
    def transfers(self) -> TransferRepository: ...
    @property
    def intake(self) -> NumberIntake: ...
    @property
    def projects(self) -> ProjectRepository: ...
    @property
    def providers(self) -> ProviderRepository: ...
    @property
    def tally(self) -> NumberTally: ...
    @property
    def zones(self) -> ZoneBook: ...
    @property
    def jobs(self) -> JobQueue: ...
    @property
    def outbox(self) -> Outbox: ...
    @property
    def audit(self) -> AuditTrail: ...
