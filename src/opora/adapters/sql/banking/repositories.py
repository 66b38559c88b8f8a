"""The repositories of packets for the core banking system, contracts and their links."""

from functools import cached_property

from opora.adapters.sql.banking.contracts import SqlContractRepository
from opora.adapters.sql.banking.packets import SqlPacketRepository, SqlReceiptInbox
from opora.adapters.sql.banking.tickets import SqlReconciliationRepository, SqlTicketRepository
from opora.adapters.sql.repositories import Repositories


class BankingRepositories(Repositories):
    """Rows of packets for the core banking system, contracts and their links inside one transaction."""

    @cached_property
    def packets(self) -> SqlPacketRepository:
        return SqlPacketRepository(self._connection)

    @cached_property
    def abs_receipts(self) -> SqlReceiptInbox:
        return SqlReceiptInbox(self._connection)

    @cached_property
    def abs_tickets(self) -> SqlTicketRepository:
        return SqlTicketRepository(self._connection)

    @cached_property
    def reconciliations(self) -> SqlReconciliationRepository:
        return SqlReconciliationRepository(self._connection)

    @cached_property
    def contracts(self) -> SqlContractRepository:
        return SqlContractRepository(self._connection)
