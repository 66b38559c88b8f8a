"""A depot of transfers: every use case over a real store, real files and a drop in a folder, and a worker for jobs."""

import io
from collections.abc import AsyncGenerator, AsyncIterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from opora.adapters.files.blobs import FolderBlobs
from opora.adapters.sftp.folder import FolderDrop
from opora.adapters.sql.connection import Database
from opora.adapters.sql.leases import SqlJobLeases, SqlJobProgress
from opora.adapters.sql.numbers.registry import SqlNumberingRegistry
from opora.adapters.sql.transfers.transfers import SqlTransferViews
from opora.adapters.sql.transfers.writing import SqlNumberTables
from opora.adapters.sql.unit import SqlUnitOfWork
from opora.adapters.system.identifiers import TimeOrderedIdentifiers
from opora.adapters.system.randomness import SystemRandomness
from opora.adapters.tables import digest
from opora.adapters.tables.writing import StreamedWorkbooks
from opora.core.jobs.model import Claim, JobState, NewJob
from opora.core.jobs.ports import JobProgress
from opora.core.kernel.model import Actor
from opora.core.kernel.ports import Clock
from opora.core.numbers.model.numbers import Suppression
from opora.core.numbers.model.projects import EVERY_PROJECT, Grant
from opora.core.numbers.model.tables import Part, Reading, RefusedRow, TableHead
from opora.core.numbers.model.transfers import EXPORT, IMPORT, UNDO, ImportWish, Transfer, TransferPolicy
from opora.core.numbers.ports.drops import FileDrop
from opora.core.numbers.ports.tables import TableReader
from opora.core.numbers.rules.transfers import checked_export
from opora.core.numbers.usecases.ending import ExpireTransfers, GiveUpTransfer, UndoImport
from opora.core.numbers.usecases.exporting import ExportNumbers
from opora.core.numbers.usecases.importing import ImportNumbers
from opora.core.numbers.usecases.transfers import (
    CancelTransfer,
    KeepUpload,
    ReadTransferFiles,
    RequestExport,
    RequestImport,
    RequestUndo,
)
from opora.testing.blobs import in_parts, whole
from opora.testing.numbers import NOON, a_project, a_provider, an_area

MANAGER = Actor(user_id=21, scopes=frozenset({"numbers:transfer"}))
STRANGER = Actor(user_id=22, scopes=frozenset({"numbers:transfer"}))
ADMIN = Actor(user_id=1, scopes=frozenset({"admin"}))


KEPT = timedelta(days=1)


class InlineTables(TableReader):
    """Reads tables where it stands, without a process."""

    async def head(self, content: AsyncIterable[bytes], reading: Reading) -> TableHead:
        with closing(digest.Table(io.BytesIO(await whole(content)), reading)) as table:
            return table.head

    async def read(self, content: AsyncIterable[bytes], reading: Reading) -> AsyncGenerator[Part]:
        with closing(digest.parts(io.BytesIO(await whole(content)), reading)) as parts:
            for part in parts:
                yield part


class TurnedClock(Clock):
    """A clock that the test turns."""

    def __init__(self) -> None:
        self.at = NOON

    def now(self) -> datetime:
        return self.at


@dataclass(slots=True)
class Depot:
    """Every use case of transfers over one store, and a worker for their jobs."""

    unit: SqlUnitOfWork
    database: Database
    folder: Path
    tables: TableReader = field(default_factory=InlineTables)
    clock: TurnedClock = field(default_factory=TurnedClock)
    identifiers: TimeOrderedIdentifiers = field(default_factory=TimeOrderedIdentifiers)
    policy: TransferPolicy = field(
        default_factory=lambda: TransferPolicy(size_max=1_000_000, kept_for=timedelta(days=1))
    )
    the_drop: FileDrop | None = None
    the_progress: JobProgress | None = None

    @property
    def blobs(self) -> FolderBlobs:
        return FolderBlobs(self.folder / "files")

    @property
    def drop(self) -> FileDrop:
        return self.the_drop or FolderDrop(self.folder / "sftp")

    @property
    def views(self) -> SqlTransferViews:
        return SqlTransferViews(self.database)

    @property
    def leases(self) -> SqlJobLeases:
        return SqlJobLeases(self.database, self.identifiers, SystemRandomness(), self.clock)

    @property
    def files(self) -> ReadTransferFiles:
        return ReadTransferFiles(self.views, self.blobs, self.clock)

    @property
    def cancel(self) -> CancelTransfer:
        return CancelTransfer(self.unit, self.clock, self.policy)

    @property
    def request_undo(self) -> RequestUndo:
        return RequestUndo(self.unit, self.clock)

    async def project(self, *managers: Actor) -> int:
        """Keep a project that these managers were granted, and return its id."""
        async with self.unit() as tx:
            id = await tx.projects.next_id()
            await tx.projects.add(a_project(id))
            for one in managers:
                await tx.projects.grant(Grant(project_id=id, user_id=one.user_id or 0, granted_by="x", created_at=NOON))
        return id

    async def manager(self) -> None:
        """Keep the user behind MANAGER and the one behind STRANGER."""
        for actor in (MANAGER, STRANGER):
            await self.database.read.execute(
                "INSERT INTO users (id, email, full_name, roles, is_active, created_at, updated_at)"
                " VALUES (:id, :email, '', '[]', true, :now, :now)",
                id=actor.user_id,
                email=f"{actor.user_id}@example.org",
                now=NOON,
            )

    async def provider(self, name: str = "Provider") -> int:
        async with self.unit() as tx:
            id = await tx.providers.next_id()
            await tx.providers.add(a_provider(id, name=name))
        return id

    async def area(self, timezone: str | None) -> int:
        async with self.unit() as tx:
            id = await tx.geo.next_id()
            await tx.geo.add(an_area(id, timezone=timezone))
        return id

    async def suppress(self, phone: int, project_id: int | None = None) -> None:
        async with self.unit() as tx:
            id = await tx.suppressions.next_id()
            entry = Suppression(
                id=id, phone=phone, project_id=project_id, reason="asked", created_by="x", created_at=NOON
            )
            await tx.suppressions.add(entry)

    async def ask(self, project_id: int, content: bytes, actor: Actor = ADMIN, **wish: object) -> Transfer:
        """Send a file and ask for its import."""
        blob = await KeepUpload(self.blobs, self.identifiers)(in_parts(content), self.policy.size_max)
        asked = replace(ImportWish(project_id=project_id, file_name="numbers.csv"), **wish)  # type: ignore[arg-type]
        return await self.request_import(actor, asked, blob)

    @property
    def request_import(self) -> RequestImport:
        return RequestImport(self.unit, self.tables, self.blobs, self.identifiers, self.clock, self.policy)

    async def ask_export(
        self, project_id: int, name: str = "out.csv", actor: Actor = ADMIN, *, format: str = "csv",
        destination: str = "download", **filter: str | int,
    ) -> Transfer:  # fmt: skip
        wish = checked_export(project_id, name, format, destination, filter)
        return await RequestExport(self.unit, self.identifiers, self.clock)(actor, wish)

    async def claim(self, kind: str = IMPORT) -> Claim:
        (claim,) = await self.leases.claim([kind], 1, 30.0)
        return claim

    async def run(self, kind: str = IMPORT) -> Claim:
        """Carry out the next job of a kind."""
        claim = await self.claim(kind)
        await self.work(claim)
        return claim

    async def work(self, claim: Claim) -> None:
        """Carry out a job."""
        progress = self.the_progress or SqlJobProgress(self.database)
        registry = SqlNumberingRegistry(self.database)
        cases = {
            IMPORT: ImportNumbers(
                self.unit, self.tables, self.blobs, self.drop, registry, progress, self.clock, self.policy
            ),
            EXPORT: ExportNumbers(
                self.unit, SqlNumberTables(self.database), StreamedWorkbooks(), self.blobs, self.drop, progress,
                self.clock, self.policy,
            ),
            UNDO: UndoImport(self.unit, progress, self.clock),
            "give_up": GiveUpTransfer(self.unit, self.clock, self.policy),
            "expire": ExpireTransfers(self.unit, self.views, self.blobs, self.clock, self.policy),
        }  # fmt: skip
        await cases[claim.kind](claim)  # type: ignore[operator]

    async def bring(self, project_id: int, content: bytes, **wish: object) -> Transfer:
        """Import a file to its end and return how it went."""
        transfer = await self.ask(project_id, content, **wish)
        await self.run()
        return await self.transfer(transfer.id)

    async def expire(self) -> Mapping[str, object]:
        async with self.unit() as tx:
            job_id = await tx.jobs.add(NewJob(kind="expire"))
        await self.run("expire")
        async with self.unit() as tx:
            job = await tx.jobs.get(job_id)
        assert job is not None and job.result is not None
        return job.result

    async def transfer(self, id: UUID) -> Transfer:
        found = await self.views.one(id, EVERY_PROJECT)
        assert found is not None
        return found.transfer

    async def rows(self, transfer: Transfer) -> list[RefusedRow]:
        return [row async for some in self.views.refused(transfer.number) for row in some]

    async def numbers(self, project_id: int) -> Sequence[int]:
        sql = "SELECT phone FROM phone_numbers WHERE project_id = :project_id ORDER BY phone"
        return [row["phone"] for row in await self.database.read.fetch(sql, project_id=project_id)]

    async def counted(self, project_id: int) -> dict[str, int]:
        async with self.unit() as tx:
            return {str(status): count for status, count in (await tx.tally.of(project_id)).items() if count}

    async def stored(self, folder: str) -> int:
        return len([name async for name in self.blobs.names(folder)])

    async def state(self, job_id: UUID) -> JobState:
        async with self.unit() as tx:
            job = await tx.jobs.get(job_id)
        assert job is not None
        return job.state

    async def actions(self) -> list[str]:
        rows = await self.database.read.fetch("SELECT action FROM audit_log ORDER BY id")
        return [row["action"] for row in rows]

    async def topics(self) -> list[str]:
        return [row["topic"] for row in await self.database.read.fetch("SELECT topic FROM outbox ORDER BY id")]
