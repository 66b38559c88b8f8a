"""Wires profiles, their exports and the files of those."""

from datetime import timedelta

from dishka import AnyOf, Provider, Scope, provide

from opora.adapters.files.tables import FileProfileTables
from opora.adapters.pdf.on_demand import SheetsOnDemand
from opora.adapters.sql.connection import Database
from opora.adapters.sql.exports import SqlExportViews
from opora.adapters.sql.outbox import Subscription
from opora.adapters.sql.personal import SqlProfileRecords
from opora.adapters.sql.profiles import SqlProfilePayloads, SqlProfileViews
from opora.adapters.sql.seals import Seal
from opora.adapters.sql.unit import SqlUnitOfWork
from opora.bootstrap.context import Context
from opora.bootstrap.settings import Settings
from opora.bootstrap.storage import blobs_of
from opora.core.jobs.model import CronSlot
from opora.core.kernel.ports import BlobStore, UnitOfWork
from opora.core.profiles import usecases
from opora.core.profiles.model.exports import ExportPolicy
from opora.core.profiles.model.kept import KeepingPolicy
from opora.core.profiles.ports.exports import ExportTx, ExportViews, ProfilePayloads, ProfileSheets
from opora.core.profiles.ports.profiles import ProfileTx, ProfileViews
from opora.core.profiles.rules.workshop import Workshop
from opora.core.profiles.usecases.exports import ExpireExports, GiveUpExport, RenderExport
from opora.core.profiles.usecases.profiles import ExpireProfiles


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
    def views(self, database: Database, seal: Seal) -> ProfileViews:
        return SqlProfileViews(database, seal)

    @provide
    def payloads(self, database: Database, seal: Seal) -> ProfilePayloads:
        return SqlProfilePayloads(database, seal)

    @provide
    def exports(self, database: Database) -> ExportViews:
        return SqlExportViews(database.read)

    @provide
    def policy(self) -> ExportPolicy:
        return ExportPolicy(kept_for=timedelta(days=self._settings.export_retention_days))

    @provide
    def keeping(self) -> KeepingPolicy:
        return KeepingPolicy(self._settings.profile_ttl_s or None, is_sealed=self._settings.seal_profiles)

    @provide
    def sheets(self) -> ProfileSheets:
        return SheetsOnDemand(self._settings.export_threads)

    @provide
    def blobs(self) -> BlobStore:
        return blobs_of(self._settings)


def providers(settings: Settings) -> list[Provider]:
    """Every provider of profiles."""
    return [Profiles(settings)]


def slots(settings: Settings) -> list[CronSlot]:
    """What runs by the clock."""
    return [
        CronSlot("expire-profiles", "profiles.expire", timedelta(seconds=settings.sweep_profiles_s)),
        CronSlot("expire-exports", "exports.expire", timedelta(seconds=settings.sweep_exports_s)),
    ]


CONTEXT = Context(
    use_cases=usecases.USE_CASES,
    providers=providers,
    handlers={
        "profiles.expire": ExpireProfiles,
        "exports.render": RenderExport,
        "exports.give_up": GiveUpExport,
        "exports.expire": ExpireExports,
    },
    subscriptions={"job.dead": [Subscription("exports", "exports.give_up")]},
    slots=slots,
    personal=[SqlProfileRecords],
)
