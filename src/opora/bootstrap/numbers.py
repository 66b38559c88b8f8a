"""Wires projects, phone numbers, calls."""

from datetime import timedelta

from dishka import Provider, Scope, provide

from opora.adapters.sql.connection import Database
from opora.adapters.sql.numbers.calls import SqlCallViews
from opora.adapters.sql.numbers.conversions import SqlConversionViews
from opora.adapters.sql.numbers.listings import SqlGeoViews, SqlProjectViews, SqlProviderViews
from opora.adapters.sql.numbers.registry import SqlNumberingRegistry
from opora.adapters.sql.numbers.suppressions import SqlSuppressionViews
from opora.adapters.sql.numbers.views import SqlNumberViews
from opora.adapters.sql.personal import SqlNumberRecords
from opora.adapters.sql.unit import SqlUnitOfWork
from opora.bootstrap.context import Context
from opora.bootstrap.settings import Settings
from opora.core.jobs.model import CronSlot
from opora.core.kernel.ports import UnitOfWork
from opora.core.kernel.rules import webhook_key
from opora.core.numbers import usecases
from opora.core.numbers.model.calls import SoftphoneKey
from opora.core.numbers.model.numbers import CallingPolicy
from opora.core.numbers.ports.calls import CallViews, ConversionViews
from opora.core.numbers.ports.numbers import NumberingRegistry, NumberViews, SuppressionViews
from opora.core.numbers.ports.projects import GeoViews, ProjectViews, ProviderViews
from opora.core.numbers.ports.transaction import NumberTx
from opora.core.numbers.rules.phones import PhonePolicy
from opora.core.numbers.usecases.claims import SWEEP, SweepCalls
from opora.core.numbers.usecases.conversion import RECALCULATE, TIDY, CountingPolicy, RecalculateAll, TidyNumbers
from opora.core.numbers.usecases.directories import REZONE
from opora.core.numbers.usecases.registry import RezoneNumbers


class Numbers(Provider):
    """Campaigns, what they are read by and what an operator decides of them."""

    scope = Scope.APP

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._settings = settings

    @provide
    def unit(self, unit: SqlUnitOfWork) -> UnitOfWork[NumberTx]:
        return unit

    @provide
    def numbers(self, database: Database) -> NumberViews:
        return SqlNumberViews(database.read)

    @provide
    def projects(self, database: Database) -> ProjectViews:
        return SqlProjectViews(database.read)

    @provide
    def providers(self, database: Database) -> ProviderViews:
        return SqlProviderViews(database.read)

    @provide
    def geo(self, database: Database) -> GeoViews:
        return SqlGeoViews(database.read)

    @provide
    def suppressions(self, database: Database) -> SuppressionViews:
        return SqlSuppressionViews(database.read)

    @provide
    def calls(self, database: Database) -> CallViews:
        return SqlCallViews(database.read)

    @provide
    def conversions(self, database: Database) -> ConversionViews:
        return SqlConversionViews(database.read)

    @provide
    def registry(self, database: Database) -> NumberingRegistry:
        return SqlNumberingRegistry(database)

    @provide
    def phones(self) -> PhonePolicy:
        return PhonePolicy(self._settings.phone_region)

    @provide
    def calling(self) -> CallingPolicy:
        return CallingPolicy(lease=timedelta(seconds=self._settings.call_lease_s))

    @provide
    def counting(self) -> CountingPolicy:
        return CountingPolicy(
            fresh_for=timedelta(seconds=self._settings.conversion_fresh_s),
            events_kept_for=timedelta(days=self._settings.call_event_retention_days),
        )

    @provide
    def softphone(self) -> SoftphoneKey:
        return SoftphoneKey(webhook_key(self._settings.softphone_secret))


def providers(settings: Settings) -> list[Provider]:
    """Every provider of campaigns."""
    return [Numbers(settings)]


def slots(settings: Settings) -> list[CronSlot]:
    """What runs by the clock."""
    return [
        CronSlot("sweep-calls", SWEEP, timedelta(seconds=settings.sweep_calls_s)),
        CronSlot("recalculate-conversions", RECALCULATE, timedelta(seconds=settings.conversion_fresh_s)),
        CronSlot("tidy-numbers", TIDY, timedelta(seconds=settings.fold_counts_s)),
    ]


CONTEXT = Context(
    use_cases=usecases.USE_CASES,
    providers=providers,
    handlers={SWEEP: SweepCalls, RECALCULATE: RecalculateAll, TIDY: TidyNumbers, REZONE: RezoneNumbers},
    slots=slots,
    personal=[SqlNumberRecords],
)
