"""Wires profiles, their exports and the files of those."""

from datetime import timedelta
from pathlib import Path
from urllib.parse import unquote

from dishka import AnyOf, Provider, Scope, provide

from opora.adapters.files.blobs import FolderBlobs
from opora.adapters.files.tables import FileProfileTables
from opora.adapters.pdf.on_demand import SheetsOnDemand
from opora.adapters.sql.connection import Database
from opora.adapters.sql.exports import SqlExportViews
from opora.adapters.sql.profiles import SqlProfilePayloads, SqlProfileViews
from opora.adapters.sql.unit import SqlUnitOfWork
from opora.bootstrap.settings import Settings
from opora.core.kernel.ports import BlobStore, UnitOfWork
from opora.core.profiles.model.exports import ExportPolicy
from opora.core.profiles.ports.exports import ExportTx, ExportViews, ProfilePayloads, ProfileSheets
from opora.core.profiles.ports.profiles import ProfileTx, ProfileViews
from opora.core.profiles.rules.workshop import Workshop

SCHEME = "file:"


class Profiles(Provider):
    """Generation, storage, sheets and files."""

    scope = Scope.APP

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._settings = settings

    @provide
    def unit(self, unit: SqlUnitOfWork) -> AnyOf[UnitOfWork[ProfileTx], UnitOfWork[ExportTx]]:
        return unit

    @provide
    def workshop(self) -> Workshop:
        return Workshop(FileProfileTables().load())

    @provide
    def views(self, database: Database) -> ProfileViews:
        return SqlProfileViews(database)

    @provide
    def payloads(self, database: Database) -> ProfilePayloads:
        return SqlProfilePayloads(database)

    @provide
    def exports(self, database: Database) -> ExportViews:
        return SqlExportViews(database.read)

    @provide
    def policy(self) -> ExportPolicy:
        return ExportPolicy(kept_for=timedelta(days=self._settings.export_retention_days))

    @provide
    def sheets(self) -> ProfileSheets:
        return SheetsOnDemand(self._settings.export_threads)

    @provide
    def blobs(self) -> BlobStore:
        return FolderBlobs(Path(unquote(self._settings.storage_url.removeprefix(SCHEME).removeprefix("//"))))
