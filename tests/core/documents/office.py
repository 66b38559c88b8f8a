"""An office of documents: every use case over a real store and real files; the test turns scanner and clock."""

from collections.abc import AsyncIterable, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from opora.adapters.files.blobs import FolderBlobs
from opora.adapters.files.intake import FolderIntake
from opora.adapters.files.working_days import read_calendar
from opora.adapters.sandbox.papers.examining import examine
from opora.adapters.sql.connection import Database
from opora.adapters.sql.documents.reference import SqlClientViews, SqlReferenceViews
from opora.adapters.sql.documents.views import SqlDocumentViews
from opora.adapters.sql.leases import SqlJobLeases
from opora.adapters.sql.unit import SqlUnitOfWork
from opora.adapters.system.identifiers import TimeOrderedIdentifiers
from opora.adapters.system.randomness import SystemRandomness
from opora.core.documents.errors import ScannerUnavailable
from opora.core.documents.model.documents import EVERYONES, Document, MediaType
from opora.core.documents.model.files import DocumentWish, Fault, FileFacts, Received, Verdict
from opora.core.documents.model.links import LinkPolicy
from opora.core.documents.model.policies import Desk, SweepPolicy, UploadPolicy
from opora.core.documents.model.statuses import DocumentStatus
from opora.core.documents.ports.files import FileJudge, VirusScanner
from opora.core.documents.rules.uploads import REFUSALS
from opora.core.documents.usecases.sweeps import FindOverdue, SweepDocuments
from opora.core.documents.usecases.uploads import SCAN, ScanDocument, Taken, UploadDocument
from opora.core.documents.usecases.work import ChangeStatus, DeleteDocument, DownloadDocument, HoldDocument
from opora.core.jobs.model import Claim, NewJob
from opora.core.kernel.model import Actor
from opora.core.kernel.ports import Clock
from opora.testing.documents import CLIENT, WORKER
from opora.testing.papers import a_pdf

ANNA = Actor(user_id=CLIENT, scopes=frozenset({"documents:read", "documents:write"}))
OLGA = Actor(user_id=WORKER, scopes=frozenset({"documents:read", "documents:read_all", "documents:process"}))
CALENDAR = read_calendar(ZoneInfo("Europe/Moscow"))
LEASE = DocumentWish(description="Договор аренды", category="Договоры", file_name="lease.pdf")


class TurnedClock(Clock):
    """The machine's time when the test began, moved by the test; names of files are made by the machine's."""

    def __init__(self) -> None:
        self.at = datetime.now(ZoneInfo("UTC"))

    def now(self) -> datetime:
        return self.at


class PlainJudge(FileJudge):
    """Looks inside in this very process."""

    async def examine(self, received: Received) -> FileFacts:
        found = examine(received.place)
        if "fault" in found:
            raise REFUSALS[Fault(str(found["fault"]))]
        return FileFacts(media_type=MediaType(str(found["media_type"])), pages=1, text=str(found["text"]))


class SetScanner(VirusScanner):
    """Says what the test set: clean, infected, or nothing at all."""

    verdict: Verdict | None = Verdict(is_clean=True)

    async def scan(self, content: AsyncIterable[bytes]) -> Verdict:
        async for _ in content:
            pass
        if self.verdict is None:
            raise ScannerUnavailable
        return self.verdict


@dataclass(slots=True)
class Office:
    """Every use case of documents over one store, and a worker for their jobs."""

    unit: SqlUnitOfWork
    database: Database
    folder: Path
    blobs: FolderBlobs
    intake: FolderIntake
    clock: TurnedClock = field(default_factory=TurnedClock)
    scanner: SetScanner = field(default_factory=SetScanner)
    desk: Desk = field(default_factory=lambda: Desk(calendar=CALENDAR))
    sweeping: SweepPolicy = field(default_factory=SweepPolicy)

    @classmethod
    @asynccontextmanager
    async def over(cls, unit: SqlUnitOfWork, database: Database, folder: Path) -> AsyncIterator["Office"]:
        """Open an office in a folder."""
        blobs, intake = FolderBlobs(folder / "files"), FolderIntake(folder / "intake")
        yield cls(unit, database, folder, blobs, intake)
        blobs.close()
        intake.close()

    @property
    def views(self) -> SqlDocumentViews:
        return SqlDocumentViews(self.database.read)

    @property
    def upload(self) -> UploadDocument:
        read = self.database.read
        return UploadDocument(
            self.unit,
            self.views,
            SqlReferenceViews(read),
            SqlClientViews(read),
            self.intake,
            PlainJudge(),
            self.scanner,
            self.blobs,
            TimeOrderedIdentifiers(),
            self.clock,
            self.desk,
            UploadPolicy(),
        )

    @property
    def change(self) -> ChangeStatus:
        return ChangeStatus(self.unit, SqlClientViews(self.database.read), self.clock, self.desk)

    @property
    def delete(self) -> DeleteDocument:
        return DeleteDocument(self.unit, self.clock)

    @property
    def hold(self) -> HoldDocument:
        return HoldDocument(self.unit, self.clock)

    @property
    def download(self) -> DownloadDocument:
        return DownloadDocument(self.views, self.blobs, self.clock, LinkPolicy(secret=b"secret"))

    async def received(self, content: bytes) -> Received:
        async def chunks() -> AsyncIterator[bytes]:
            yield content

        return await self.intake.receive(chunks(), 10_000_000)

    async def taken(self, content: bytes | None = None, wish: DocumentWish = LEASE) -> Taken:
        """Send a document in."""
        received = await self.received(content if content is not None else a_pdf(f"at {self.clock.at}"))
        try:
            return await self.upload(ANNA, CLIENT, wish, received)
        finally:
            await self.intake.discard(received)

    async def document(self, content: bytes | None = None) -> Document:
        return (await self.taken(content)).view.document

    async def now(self, id: int) -> Document:
        view = await self.views.one(id, EVERYONES)
        assert view is not None
        return view.document

    async def moved(self, id: int, *statuses: DocumentStatus) -> Document:
        """Move a document along as the worker."""
        for status in statuses:
            await self.change(OLGA, id, status)
        return await self.now(id)

    async def claim(self, kind: str, *, add: bool = True, **payload: object) -> Claim:
        if add:
            async with self.unit() as tx:
                await tx.jobs.add(NewJob(kind=kind, payload=payload))
        leases = SqlJobLeases(self.database, TimeOrderedIdentifiers(), SystemRandomness(), self.clock)
        (claim,) = await leases.claim([kind], 1, 30.0)
        return claim

    async def result(self, claim: Claim) -> Mapping[str, object] | None:
        async with self.unit() as tx:
            job = await tx.jobs.get(claim.id)
        assert job is not None
        return job.result

    async def find_overdue(self) -> Mapping[str, object] | None:
        claim = await self.claim("documents.find_overdue")
        await FindOverdue(self.unit, self.clock, self.desk)(claim)
        return await self.result(claim)

    async def sweep(self) -> Mapping[str, object] | None:
        claim = await self.claim("documents.sweep")
        sweep = SweepDocuments(self.unit, self.blobs, self.intake, self.clock, self.desk, self.sweeping)
        await sweep(claim)
        return await self.result(claim)

    async def scan_again(self) -> Mapping[str, object] | None:
        claim = await self.claim(SCAN, add=False)
        await ScanDocument(self.unit, self.views, self.scanner, self.blobs, self.clock, self.desk)(claim)
        return await self.result(claim)

    async def rows(self, sql: str) -> list[object]:
        return [row[0] for row in await self.database.read.fetch(sql)]

    def files(self) -> int:
        """Count the files that are kept, of any kind."""
        return sum(file.is_file() for file in self.folder.rglob("*"))

    def pass_time(self, **span: float) -> None:
        self.clock.at += timedelta(**span)
