"""The stores between documents and the bank's systems keep their contracts."""

import pytest

from opora.adapters.sql.banking.contracts import SqlContractViews
from opora.adapters.sql.banking.views import SqlBankingViews
from opora.adapters.sql.connection import Database
from opora.adapters.sql.unit import SqlUnitOfWork
from opora.testing.banking import BankingStoreContract, ContractStoreContract
from opora.testing.documents import CLIENT, STRANGER, a_document, with_people

pytestmark = pytest.mark.anyio


class TestSqlBanking(BankingStoreContract):
    """Packets, receipts, tickets and comparisons on each relational store in turn."""

    @pytest.fixture(autouse=True)
    async def _store(self, unit: SqlUnitOfWork, database: Database) -> None:
        self.unit = unit
        self.views = SqlBankingViews(database.read)
        await with_people(unit, CLIENT)
        await self.with_documents(5)


class TestSqlContracts(ContractStoreContract):
    """Contracts and links on each relational store in turn."""

    @pytest.fixture(autouse=True)
    async def _store(self, unit: SqlUnitOfWork, database: Database) -> None:
        self.unit = unit
        self.contracts = SqlContractViews(database.read)
        await with_people(unit, CLIENT, STRANGER)
        async with unit() as tx:
            for id in (5, 6):
                await tx.documents.add(a_document(id))
