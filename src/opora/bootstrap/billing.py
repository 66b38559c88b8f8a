"""Wires plans, the ledger and payments."""

from collections.abc import AsyncIterator
from datetime import timedelta

from dishka import AnyOf, Provider, Scope, provide

from opora.adapters.sql.billing.ledger_views import SqlLedgerViews
from opora.adapters.sql.billing.payments import SqlPaymentViews
from opora.adapters.sql.connection import Database
from opora.adapters.sql.personal import SqlBillingRecords
from opora.adapters.sql.unit import SqlUnitOfWork
from opora.bootstrap.context import Context
from opora.bootstrap.plugins import pick
from opora.bootstrap.settings import Settings
from opora.core.billing import usecases
from opora.core.billing.errors.payments import NoSuchConfirmation
from opora.core.billing.model.payments import APPLY, RECONCILE, TIDY, PaymentPolicy, PaymentStatus, ToConfirm
from opora.core.billing.ports.ledger import LedgerViews
from opora.core.billing.ports.payments import PaymentTx, PaymentViews
from opora.core.billing.ports.providers import ConfirmationDesk, PaymentProvider
from opora.core.billing.usecases.holds import EXPIRE, ExpireHolds, HoldTx
from opora.core.billing.usecases.settling import ApplyNotice, NoticeRetention, ReconcilePayments, TidyPaymentNotices
from opora.core.jobs.model import CronSlot
from opora.core.kernel.ports import UnitOfWork

GROUP = "payments"
SANDBOX_FOLDER = "payments"
"""The folder under the home folder that the sandbox keeps to."""
SANDBOX_PAGE = "/api/v1/payments/sandbox/"
EXPIRE_EVERY = timedelta(minutes=1)
TIDY_EVERY = timedelta(hours=1)


class NoDesk(ConfirmationDesk):
    """The desk of a set-up whose provider has pages of its own."""

    async def read(self, token: str) -> ToConfirm:  # noqa: ARG002  # the port's
        raise NoSuchConfirmation

    async def decide(self, token: str, status: PaymentStatus) -> ToConfirm:  # noqa: ARG002  # the port's
        raise NoSuchConfirmation


class LedgerParts(Provider):
    """The ledger and what it is read by."""

    scope = Scope.APP

    @provide
    def views(self, database: Database) -> LedgerViews:
        return SqlLedgerViews(database)


class Payments(Provider):
    """Payments, their provider and what an operator decides of them."""

    scope = Scope.APP

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._settings = settings

    @provide
    def unit(self, unit: SqlUnitOfWork) -> AnyOf[UnitOfWork[HoldTx], UnitOfWork[PaymentTx]]:
        return unit

    @provide
    def views(self, database: Database) -> PaymentViews:
        return SqlPaymentViews(database.read)

    @provide
    def policy(self) -> PaymentPolicy:
        settings = self._settings
        return PaymentPolicy(
            settings.payment_currencies,
            settings.payment_min_minor,
            settings.payment_max_minor,
            settings.payment_return_url or settings.base_url,
        )

    @provide
    def retention(self) -> NoticeRetention:
        return NoticeRetention(timedelta(days=self._settings.payment_notice_retention_days))

    @provide
    async def provider(self) -> AsyncIterator[PaymentProvider]:
        provider = provider_of(self._settings)
        yield provider
        await provider.close()

    @provide
    def desk(self, provider: PaymentProvider) -> ConfirmationDesk:
        return provider if isinstance(provider, ConfirmationDesk) else NoDesk()


def provider_of(settings: Settings) -> PaymentProvider:
    """Build the adapter that the settings name; raises PluginInvalid, which stops the start."""
    own = {
        "folder": f"{settings.home}/{SANDBOX_FOLDER}",
        "secret": settings.payments_secret,
        "page_url": settings.base_url + SANDBOX_PAGE,
    }
    config = own if settings.payments == "sandbox" else {}
    return pick(PaymentProvider, GROUP, settings.payments, config | settings.payments_config)


def providers(settings: Settings) -> list[Provider]:
    """Every provider of billing."""
    return [LedgerParts(), Payments(settings)]


def slots(settings: Settings) -> list[CronSlot]:
    """What runs by the clock."""
    return [
        CronSlot("expire-holds", EXPIRE, EXPIRE_EVERY),
        CronSlot("reconcile-payments", RECONCILE, timedelta(seconds=settings.payment_reconcile_s)),
        CronSlot("tidy-payment-notices", TIDY, TIDY_EVERY),
    ]


CONTEXT = Context(
    use_cases=usecases.USE_CASES,
    providers=providers,
    handlers={EXPIRE: ExpireHolds, RECONCILE: ReconcilePayments, APPLY: ApplyNotice, TIDY: TidyPaymentNotices},
    slots=slots,
    personal=[SqlBillingRecords],
)
