"""The store of payments keeps its contract, and no statement gets past what it holds."""

import pytest

from opora.adapters.sql.billing.payments import SqlPaymentViews
from opora.adapters.sql.connection import Database
from opora.adapters.sql.errors import ConstraintBroken
from opora.adapters.sql.unit import SqlUnitOfWork
from opora.core.billing.model.payments import PaymentStatus, RefundStatus
from opora.testing.payments import PaymentRepositoryContract

pytestmark = pytest.mark.anyio

FORGED = [
    "UPDATE payments SET amount_minor = 1",
    "UPDATE payments SET user_id = 9",
    "UPDATE payments SET currency = 'USD'",
    "UPDATE payments SET key = 'x'",
    "UPDATE payments SET provider_ref = 'x'",
    "UPDATE payments SET status = 'cancelled'",
    "UPDATE payments SET refunded_minor = 1001",
    "UPDATE refunds SET amount_minor = 701",
    "UPDATE refunds SET payment_id = 2",
    "UPDATE refunds SET status = 'pending' WHERE status = 'failed'",
    "INSERT INTO refunds (id, payment_id, key, amount_minor, currency, origin, requested_by, created_at, changed_at,"
    " status, note, version) VALUES (9, 1, 'x', 701, 'RUB', 'caller', 'x', now(), now(), 'pending', '', 0)",
]


class TestSqlPayments(PaymentRepositoryContract):
    """Payments on each relational store in turn."""

    @pytest.fixture(autouse=True)
    def _store(self, unit: SqlUnitOfWork, database: Database) -> None:
        self.unit = unit
        self.database = database
        self.views = SqlPaymentViews(database.read)

    @pytest.mark.parametrize("sql", FORGED)
    async def test_the_store_refuses(self, sql: str) -> None:
        payment = await self.kept(id=1, status=PaymentStatus.SUCCEEDED)
        await self.given_back(payment, 300)
        failed = await self.given_back(payment, 100)
        async with self.unit() as tx:
            await tx._connection.execute("UPDATE refunds SET status = 'failed' WHERE id = :id", id=failed.id)  # type: ignore[attr-defined]
        with pytest.raises(ConstraintBroken):
            await self.database.read.execute(sql)
        assert (await self.of(payment)).refundable_minor == 700
        assert [one.status for one in await self.views.refunds(1)] == [RefundStatus.CREATED, RefundStatus.FAILED]
