"""Wires bank documents: their upload, storage and workflow."""

from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from datetime import time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from dishka import AnyOf, Provider, Scope, provide

from opora.adapters.files.intake import FolderIntake
from opora.adapters.files.working_days import RUSSIA, read_calendar
from opora.adapters.sandbox.children import Sandbox
from opora.adapters.sandbox.judge import PRELOADED, SandboxedJudge
from opora.adapters.sql.connection import Database
from opora.adapters.sql.documents.reference import SqlClientViews, SqlReferenceViews
from opora.adapters.sql.documents.views import SqlDocumentViews
from opora.adapters.sql.personal import SqlDocumentRecords
from opora.adapters.sql.unit import SqlUnitOfWork
from opora.bootstrap.context import Context
from opora.bootstrap.scanners import scanner_of
from opora.bootstrap.secrets import hkdf
from opora.bootstrap.settings import Settings
from opora.core.documents import usecases
from opora.core.documents.model.links import LinkPolicy
from opora.core.documents.model.policies import Desk, SweepPolicy, UploadPolicy
from opora.core.documents.ports.documents import DocumentTx, DocumentViews
from opora.core.documents.ports.files import FileJudge, Intake, VirusScanner
from opora.core.documents.ports.reference import ClientViews, ReferenceTx, ReferenceViews
from opora.core.documents.usecases.sweeps import FindOverdue, SweepDocuments
from opora.core.documents.usecases.uploads import SCAN, ScanDocument
from opora.core.jobs.model import CronSlot
from opora.core.kernel.ports import UnitOfWork

INTAKE = "intake"
"""The folder under the home folder where uploads wait to be judged."""


class Documents(Provider):
    """Documents, the lists they refer to and the people they are of."""

    scope = Scope.APP

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._settings = settings

    @provide
    def unit(self, unit: SqlUnitOfWork) -> AnyOf[UnitOfWork[DocumentTx], UnitOfWork[ReferenceTx]]:
        return unit

    @provide
    def views(self, database: Database) -> DocumentViews:
        return SqlDocumentViews(database.read)

    @provide
    def lists(self, database: Database) -> ReferenceViews:
        return SqlReferenceViews(database.read)

    @provide
    def clients(self, database: Database) -> ClientViews:
        return SqlClientViews(database.read)

    @provide
    def intake(self) -> Iterator[Intake]:
        with closing(FolderIntake(Path(self._settings.home) / INTAKE)) as intake:
            yield intake

    @provide
    async def sandbox(self) -> AsyncIterator[Sandbox]:
        sandbox = Sandbox(PRELOADED, children_max=self._settings.document_readers)
        yield sandbox
        await sandbox.close()

    @provide
    def judge(self, sandbox: Sandbox) -> FileJudge:
        return SandboxedJudge(sandbox)

    @provide
    def scanner(self) -> VirusScanner:
        return scanner_of(self._settings)


class DocumentPolicies(Provider):
    """What a bank decides of its documents, as the plain values the rules are told."""

    scope = Scope.APP

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._settings = settings

    @provide
    def desk(self) -> Desk:
        settings = self._settings
        calendar = read_calendar(
            ZoneInfo(settings.document_zone),
            time.fromisoformat(settings.document_day_ends),
            Path(settings.document_calendar) if settings.document_calendar else RUSSIA,
        )
        return Desk(
            calendar=calendar,
            is_four_eyed=settings.document_four_eyes,
            wants_reasons=settings.document_reasons,
            quarantine_kept_for=timedelta(days=settings.document_quarantine_days),
        )

    @provide
    def uploads(self) -> UploadPolicy:
        settings = self._settings
        return UploadPolicy(
            size_max=settings.document_limit_bytes,
            batch_max=settings.document_batch_max,
            batch_size_max=settings.document_batch_bytes,
        )

    @provide
    def links(self) -> LinkPolicy:
        settings = self._settings
        return LinkPolicy(
            secret=hkdf(settings.encryption_key, "document-links"),
            holds_for=timedelta(seconds=settings.document_link_s),
            holds_at_most=timedelta(seconds=settings.document_link_max_s),
        )

    @provide
    def sweeps(self) -> SweepPolicy:
        return SweepPolicy(unfinished_after=timedelta(seconds=self._settings.document_unfinished_s))


def providers(settings: Settings) -> list[Provider]:
    """Every provider of documents."""
    return [Documents(settings), DocumentPolicies(settings)]


def slots(settings: Settings) -> list[CronSlot]:
    """What runs by the clock."""
    return [
        CronSlot("sweep-documents", "documents.sweep", timedelta(seconds=settings.sweep_documents_s)),
        CronSlot("find-overdue", "documents.find_overdue", timedelta(seconds=settings.sweep_overdue_s)),
    ]


CONTEXT = Context(
    use_cases=usecases.USE_CASES,
    providers=providers,
    handlers={SCAN: ScanDocument, "documents.sweep": SweepDocuments, "documents.find_overdue": FindOverdue},
    slots=slots,
    personal=[SqlDocumentRecords],
)
