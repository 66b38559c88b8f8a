"""Wires imports and exports of numbers."""

from collections.abc import AsyncIterable, AsyncIterator
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from pathlib import Path

from dishka import Provider, Scope, provide

from opora.adapters.sandbox.children import Limits, Sandbox
from opora.adapters.sandbox.hearing import ChildFailed, ChildSpent, Hearing, Patience
from opora.adapters.sftp.folder import FolderDrop
from opora.adapters.sql.connection import Database
from opora.adapters.sql.outbox import Subscription
from opora.adapters.sql.transfers.transfers import SqlTransferViews
from opora.adapters.sql.transfers.writing import SqlNumberTables
from opora.adapters.sql.unit import SqlUnitOfWork
from opora.adapters.tables.reading import READER, ProcessTableReader
from opora.adapters.tables.writing import StreamedWorkbooks
from opora.bootstrap.context import Context
from opora.bootstrap.settings import Settings
from opora.core.jobs.model import CronSlot
from opora.core.kernel.ports import UnitOfWork
from opora.core.numbers.model.transfers import EXPORT, IMPORT, MIB, UNDO, TransferPolicy
from opora.core.numbers.ports.drops import FileDrop
from opora.core.numbers.ports.tables import TableReader, WorkbookWriter
from opora.core.numbers.ports.transfers import NumberTables, TransferTx, TransferViews
from opora.core.numbers.usecases import ending, exporting, importing, transfers
from opora.core.numbers.usecases.ending import ExpireTransfers, GiveUpTransfer, UndoImport
from opora.core.numbers.usecases.exporting import ExportNumbers
from opora.core.numbers.usecases.importing import ImportNumbers

EXPIRE, GIVE_UP = "numbers.transfers.expire", "numbers.transfers.give_up"
TURN_S = 600.0
"""How long a table may wait to be read: those before it may be large, and a job has the time."""
ROW_BYTES = 32
"""What is kept aside of a row while a table is put in order: four numbers."""


class SftpMissing(Exception):
    """A drop on a server was set, but what speaks to it is not installed."""


class Transfers(Provider):
    """Tables, drops, and the rows of transfers."""

    scope = Scope.APP

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._settings = settings

    @provide
    def unit(self, unit: SqlUnitOfWork) -> UnitOfWork[TransferTx]:
        return unit

    @provide
    def views(self, database: Database) -> TransferViews:
        return SqlTransferViews(database)

    @provide
    def tables(self, database: Database) -> NumberTables:
        return SqlNumberTables(database)

    @provide
    def workbooks(self) -> WorkbookWriter:
        return StreamedWorkbooks()

    @provide
    async def reader(self) -> AsyncIterator[TableReader]:
        sandbox = Sandbox((READER,), self._settings.worker_concurrency, Patience(turn_s=TURN_S))
        limits = Limits(
            memory_bytes=self._settings.import_memory_mb * MIB,
            cpu_s=self._settings.import_cpu_s,
            written_bytes=max(self._settings.import_size_max_mb * MIB, self._settings.import_rows_max * ROW_BYTES),
        )

        def start(target: str, content: AsyncIterable[bytes]) -> AbstractAsyncContextManager[Hearing]:
            return sandbox.running(target, content, limits)

        yield ProcessTableReader(start, ChildSpent, ChildFailed)
        await sandbox.close()

    @provide
    def drop(self) -> FileDrop:
        return drop_of(self._settings)

    @provide
    def policy(self) -> TransferPolicy:
        return TransferPolicy(
            size_max=self._settings.import_size_max_mb * MIB,
            rows_max=self._settings.import_rows_max,
            refused_max=self._settings.import_refused_max,
            kept_for=timedelta(days=self._settings.transfer_retention_days),
            region=self._settings.phone_region,
        )


def drop_of(settings: Settings) -> FileDrop:
    """Choose the drop: a server where its address is set, else a folder of the home."""
    if not settings.sftp_url:
        return FolderDrop(Path(settings.home) / "sftp")
    try:
        from opora.adapters.sftp.lines import Line, partner_of  # noqa: PLC0415 — an extra, and 150 ms
        from opora.adapters.sftp.server import SftpDrop  # noqa: PLC0415 — the same
    except ImportError as error:
        raise SftpMissing("OPORA_SFTP_URL needs asyncssh: install opora[sftp]") from error
    partner = partner_of(
        settings.sftp_url,
        host_key=settings.sftp_host_key,
        private_key=settings.sftp_private_key,
        networks=settings.sftp_networks,
        step_s=float(settings.sftp_timeout_s),
    )
    return SftpDrop(Line(partner))


CONTEXT = Context(
    use_cases=(*transfers.USE_CASES, *importing.USE_CASES, *exporting.USE_CASES, *ending.USE_CASES),
    providers=lambda settings: (Transfers(settings),),
    handlers={
        IMPORT: ImportNumbers,
        EXPORT: ExportNumbers,
        UNDO: UndoImport,
        GIVE_UP: GiveUpTransfer,
        EXPIRE: ExpireTransfers,
    },
    subscriptions={"job.dead": [Subscription("transfers", GIVE_UP)]},
    slots=lambda settings: (CronSlot("expire-transfers", EXPIRE, timedelta(seconds=settings.sweep_transfers_s)),),
)
