"""Wires the core banking system, contracts and their links."""

from collections.abc import AsyncIterator
from datetime import timedelta

from dishka import AnyOf, Provider, Scope, provide

from opora.adapters.sql.banking.contracts import SqlContractViews
from opora.adapters.sql.banking.views import SqlBankingViews
from opora.adapters.sql.connection import Database
from opora.adapters.sql.outbox import Subscription
from opora.adapters.sql.unit import SqlUnitOfWork
from opora.bootstrap.context import Context
from opora.bootstrap.plugins import pick
from opora.bootstrap.settings import Settings
from opora.core.documents.model.packets import SEND, DispatchPolicy
from opora.core.documents.model.reconciliation import RECONCILE, ReconciliationPolicy
from opora.core.documents.ports.banking import CoreBanking
from opora.core.documents.ports.contracts import ContractTx, ContractViews
from opora.core.documents.ports.packets import BankingTx, BankingViews
from opora.core.documents.usecases import contracts, packets, receipts, reconciliation
from opora.core.documents.usecases.packets import GiveUpPacket, RegisterPacket, SendPacket
from opora.core.documents.usecases.receipts import ReceiveReceipts
from opora.core.documents.usecases.reconciliation import GiveUpReconciliation, Reconcile
from opora.core.jobs.model import CronSlot
from opora.core.kernel.ports import UnitOfWork

GROUP = "core_banking"
LOCAL_FOLDER = "abs"
"""The folder under the home folder that the embedded stand-in keeps to."""


class Banking(Provider):
    """Packets, receipts, comparisons, contracts, and the bank's own system."""

    scope = Scope.APP

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._settings = settings

    @provide
    def unit(self, unit: SqlUnitOfWork) -> AnyOf[UnitOfWork[BankingTx], UnitOfWork[ContractTx]]:
        return unit

    @provide
    def views(self, database: Database) -> BankingViews:
        return SqlBankingViews(database.read)

    @provide
    def contracts(self, database: Database) -> ContractViews:
        return SqlContractViews(database.read)

    @provide
    def dispatch(self) -> DispatchPolicy:
        return DispatchPolicy(attempts_max=self._settings.abs_attempts_max)

    @provide
    def reconciliation(self) -> ReconciliationPolicy:
        return ReconciliationPolicy(silence=timedelta(hours=self._settings.abs_silence_h))

    @provide
    async def bank(self) -> AsyncIterator[CoreBanking]:
        bank = bank_of(self._settings)
        yield bank
        await bank.close()


def bank_of(settings: Settings) -> CoreBanking:
    """Build the adapter that the settings name; raises PluginInvalid, which stops the start."""
    config = {"folder": f"{settings.home}/{LOCAL_FOLDER}"} if settings.core_banking == "local" else {}
    return pick(CoreBanking, GROUP, settings.core_banking, config | settings.core_banking_config)


def providers(settings: Settings) -> list[Provider]:
    """Every provider between documents and the bank's systems."""
    return [Banking(settings)]


def slots(settings: Settings) -> list[CronSlot]:
    """What runs by the clock."""
    return [
        CronSlot("receive-receipts", "abs.receive", timedelta(seconds=settings.abs_poll_s)),
        CronSlot("reconcile-abs", RECONCILE, timedelta(seconds=settings.abs_reconcile_s)),
    ]


CONTEXT = Context(
    use_cases=(*packets.USE_CASES, *receipts.USE_CASES, *reconciliation.USE_CASES, *contracts.USE_CASES),
    providers=providers,
    handlers={
        "abs.register": RegisterPacket,
        SEND: SendPacket,
        "abs.give_up": GiveUpPacket,
        "abs.receive": ReceiveReceipts,
        RECONCILE: Reconcile,
        "abs.give_up_reconciliation": GiveUpReconciliation,
    },
    subscriptions={
        "document.status_changed": [Subscription("abs", "abs.register")],
        "job.dead": [
            Subscription("abs-packets", "abs.give_up"),
            Subscription("abs-reconciliations", "abs.give_up_reconciliation"),
        ],
    },
    slots=slots,
)
