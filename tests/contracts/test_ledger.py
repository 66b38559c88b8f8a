"""The ledger keeps its contract on both stores, and no statement gets past what the stores hold."""

import pytest

from opora.adapters.sql.billing.ledger_views import SqlLedgerViews
from opora.adapters.sql.connection import Connection, Database, carried
from opora.adapters.sql.errors import ConstraintBroken
from opora.adapters.sql.unit import SqlUnitOfWork
from opora.core.kernel.errors import Invalid
from opora.core.kernel.model import PageRequest
from opora.testing.ledger import ANNA, LedgerHoldsContract, a_top_up
from opora.testing.payments import a_payment

AS_OWNER = {
    "test_the_store_refuses",
}
"""Tests that play an owner who tampers."""


pytestmark = pytest.mark.anyio

FORGED = {
    "an entry is changed": ["UPDATE ledger_entries SET amount_minor = amount_minor + 1"],
    "an entry is removed": ["DELETE FROM ledger_entries"],
    "a transfer is renamed": ["UPDATE ledger_transfers SET cause = 'x'"],
    "a transfer is removed": ["DELETE FROM ledger_transfers"],
    "a seal is broken": ["DELETE FROM ledger_seals"],
    "a seal is moved": ["UPDATE ledger_seals SET transfer_id = 99"],
    "an account changes hands": ["UPDATE ledger_accounts SET user_id = 9 WHERE user_id IS NOT NULL"],
    "an account is removed": ["DELETE FROM ledger_accounts"],
    "a balance is raised": ["UPDATE ledger_balances SET posted_minor = posted_minor + 1"],
    "a balance is raised in the name of an entry": [
        "UPDATE ledger_balances SET posted_minor = posted_minor + 1000, last_entry_id = last_entry_id"
    ],
    "a balance's floor is lowered": ["UPDATE ledger_balances SET floor_minor = -1000"],
    "a hold is forgotten": ["UPDATE ledger_balances SET held_minor = 0"],
    "a balance is removed": ["DELETE FROM ledger_balances"],
    "a hold shrinks": ["UPDATE ledger_holds SET amount_minor = 1"],
    "a hold is removed": ["DELETE FROM ledger_holds"],
    "more is captured than was held": [
        "UPDATE ledger_holds SET state = 'captured', captured_minor = 401, resolved_at = now()"
    ],
    "a hold is resolved twice": [
        "UPDATE ledger_holds SET state = 'voided', resolved_at = now()",
        "UPDATE ledger_holds SET state = 'expired', resolved_at = now()",
    ],
    "an entry joins a transfer that is sealed": [
        "INSERT INTO ledger_entries (transfer_id, account_id, currency, amount_minor) VALUES (1, 1, 'RUB', 5)"
    ],
    "a transfer has no seal": [
        "INSERT INTO ledger_transfers (id, key, kind, cause, created_at) VALUES (50, 'k', 'k', 'c', now())"
    ],
    "a transfer has no entries": [
        "INSERT INTO ledger_transfers (id, key, kind, cause, created_at) VALUES (50, 'k', 'k', 'c', now())",
        "INSERT INTO ledger_seals (transfer_id) VALUES (50)",
    ],
    "a transfer makes money": [
        "INSERT INTO ledger_transfers (id, key, kind, cause, created_at) VALUES (50, 'k', 'k', 'c', now())",
        "INSERT INTO ledger_entries (transfer_id, account_id, currency, amount_minor)"
        " VALUES (50, 1, 'RUB', -4), (50, 2, 'RUB', 5)",
        "INSERT INTO ledger_seals (transfer_id) VALUES (50)",
    ],
    "a transfer turns one currency into another": [
        "INSERT INTO ledger_transfers (id, key, kind, cause, created_at) VALUES (50, 'k', 'k', 'c', now())",
        "INSERT INTO ledger_entries (transfer_id, account_id, currency, amount_minor)"
        " VALUES (50, 1, 'RUB', -5), (50, 2, 'USD', 5)",
        "INSERT INTO ledger_seals (transfer_id) VALUES (50)",
    ],
    "a balance passes its floor": [
        "INSERT INTO ledger_transfers (id, key, kind, cause, created_at) VALUES (50, 'k', 'k', 'c', now())",
        "INSERT INTO ledger_entries (transfer_id, account_id, currency, amount_minor)"
        " SELECT 50, id, 'RUB', CASE WHEN kind = 'person' THEN -601 ELSE 601 END FROM ledger_accounts",
        "INSERT INTO ledger_seals (transfer_id) VALUES (50)",
    ],
    "a hold is more than the balance": [
        "INSERT INTO ledger_holds (key, account_id, amount_minor, captured_minor, state, cause, created_at)"
        " SELECT 'h', account_id, 601, 0, 'pending', 'c', now() FROM ledger_balances"
    ],
    "a hold begins resolved": [
        "INSERT INTO ledger_holds (key, account_id, amount_minor, captured_minor, state, cause, created_at,"
        " resolved_at) SELECT 'h', account_id, 1, 0, 'voided', 'c', now(), now() FROM ledger_balances"
    ],
}


class TestSqlLedger(LedgerHoldsContract):
    """The ledger on each relational store in turn."""

    @pytest.fixture(autouse=True)
    def _store(self, unit: SqlUnitOfWork, database: Database) -> None:
        self.unit = unit
        self.database = database
        self.views = SqlLedgerViews(database)

    @pytest.mark.parametrize("statements", FORGED.values(), ids=FORGED)
    async def test_the_store_refuses(self, statements: list[str]) -> None:
        await self.posted(a_top_up())
        await self.held()
        with pytest.raises(ConstraintBroken):
            async with carried(await self.database.begin()) as connection:
                for sql in statements:
                    await connection.execute(sql)
        balance = await self.views.balance(ANNA, "RUB")
        assert (balance.balance_minor, balance.held_minor) == (1000, 400)
        await self.whole()

    @pytest.mark.parametrize("amount", ["0", "1000000000000001", "-1000000000000001"])
    async def test_an_amount_out_of_bounds_is_refused(self, amount: str) -> None:
        await self.posted(a_top_up())
        with pytest.raises(ConstraintBroken, match=r"amount_minor|range"):
            async with carried(await self.database.begin()) as connection:
                await enter(connection, amount)

    async def test_a_cursor_of_no_list_is_refused(self) -> None:
        with pytest.raises(Invalid):
            await self.views.history(ANNA, None, PageRequest(cursor="x"))


async def enter(connection: Connection, amount: str) -> None:
    """Begin a transfer and enter an amount, written as it is."""
    await connection.execute(
        "INSERT INTO ledger_transfers (id, key, kind, cause, created_at) VALUES (50, 'k', 'k', 'c', now())"
    )
    await connection.execute(
        f"INSERT INTO ledger_entries (transfer_id, account_id, currency, amount_minor) VALUES (50, 1, 'RUB', {amount})"
    )


@pytest.mark.parametrize("amount", ["0.5", "'five'", "1e300", "9223372036854775808"])
async def test_sqlite_refuses_what_is_no_whole_number(
    amount: str, sqlite_unit: SqlUnitOfWork, sqlite_database: Database
) -> None:
    async with sqlite_unit() as tx:
        await tx.ledger.post(a_top_up())
    with pytest.raises(ConstraintBroken, match=r"amount_minor|range"):
        async with carried(await sqlite_database.begin()) as connection:
            await enter(connection, amount)


CORRUPTIONS = {
    "balance": ["UPDATE ledger_balances SET posted_minor = posted_minor + 5"],
    "held": ["UPDATE ledger_balances SET held_minor = held_minor + 5"],
    "transfer": ["UPDATE ledger_entries SET amount_minor = amount_minor + 5 WHERE amount_minor > 0"],
    "total": ["UPDATE ledger_entries SET amount_minor = amount_minor + 5 WHERE amount_minor > 0"],
    "unsealed": ["PRAGMA foreign_keys=OFF", "DELETE FROM ledger_seals"],
    "payment": ["UPDATE payments SET status = 'succeeded'"],
    "refunds": ["UPDATE payments SET status = 'succeeded', refunded_minor = 5"],
    "account_without_balance": ["PRAGMA foreign_keys=OFF", "DELETE FROM ledger_balances"],
}


@pytest.mark.parametrize("what", CORRUPTIONS)
async def test_the_recount_finds_what_was_forged_past_the_triggers(
    what: str, sqlite_unit: SqlUnitOfWork, sqlite_database: Database
) -> None:
    async with sqlite_unit() as tx:
        await tx.ledger.post(a_top_up())
        await tx.payments.add(a_payment(id=2))
    driver = sqlite_database.connect()  # type: ignore[attr-defined]
    for (name,) in driver.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        driver.execute(f"DROP TRIGGER {name}")
    for sql in CORRUPTIONS[what]:
        driver.execute(sql)
    driver.close()
    found = await SqlLedgerViews(sqlite_database).recount()
    assert what in {one.what for one in found.discrepancies}
    assert not found.is_whole
