"""Processes killed in the middle of payments, and several that do the same at once: all of it counts once."""

import asyncio
import os
import signal
import sqlite3
from contextlib import closing, suppress

import pytest

from faults.conftest import Yard
from faults.counter import AMOUNT, PAYER
from opora.adapters.payments.sandbox import FILE_NAME
from opora.adapters.sql.billing.ledger_views import SqlLedgerViews
from servers.processes import alive

pytestmark = pytest.mark.anyio

PAYMENTS, KILLS, WITHIN_S = 40, 3, 60.0
LEASES_END = "UPDATE idempotency_keys SET lease_until = later(-1) WHERE state = 'running'"
ASK_NOW = "UPDATE payments SET next_check_at = later(-1) WHERE next_check_at IS NOT NULL"
OPEN = "SELECT count(*) FROM payments WHERE status IN ('created', 'unknown', 'pending')"


async def until_gone(pid: int) -> None:
    """Wait until a process ended."""
    async with asyncio.timeout(WITHIN_S):
        while alive(pid):  # noqa: ASYNC110
            await asyncio.sleep(0.02)  # it is no child of ours


def till(yard: Yard) -> sqlite3.Connection:
    """Open what the sandbox holds, which knows what was really asked of it."""
    return sqlite3.connect(yard.nursery.home / "payments" / FILE_NAME)


async def test_payments_whose_processes_are_killed_in_their_middle_are_found_out_and_made_once(yard: Yard) -> None:
    worker = yard.nursery.start()
    for turn in range(KILLS):
        payer = yard.nursery.start(f"pay {PAYMENTS}")
        await until_made(yard, (turn + 1) * PAYMENTS // (KILLS + 1))
        for pid in (payer, worker):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        await until_gone(payer)
        worker = yard.nursery.start()
        await yard.database.read.execute(LEASES_END)
    await until_gone(yard.nursery.start(f"pay {PAYMENTS}"))
    theirs = await settled(yard)
    rows = await yard.database.read.fetch("SELECT key, description, status FROM payments")
    assert len({row["description"] for row in rows}) == len(rows) == PAYMENTS
    assert {row["key"] for row in rows} == theirs
    balance = await yard.database.read.fetch_value(f"SELECT posted_minor FROM ledger_balances b JOIN ledger_accounts a"
        f" ON a.id = b.account_id WHERE a.user_id = {PAYER}")  # fmt: skip
    assert balance == PAYMENTS * AMOUNT.amount_minor
    assert (await SqlLedgerViews(yard.database).recount()).is_whole


async def settled(yard: Yard) -> set[str]:
    """Pay whatever the provider has, until nothing is open; return the keys of all that it ever had."""
    with closing(till(yard)) as base:
        async with asyncio.timeout(WITHIN_S):
            while await yard.database.read.fetch_value(OPEN):
                base.execute("UPDATE payments SET status = 'succeeded'")
                base.commit()
                await yard.database.read.execute(ASK_NOW)
                await asyncio.sleep(0.3)  # the worker's clock is what asks
        return {key for (key,) in base.execute("SELECT key FROM payments")}


async def until_made(yard: Yard, count: int) -> None:
    """Look until there are so many payments."""
    async with asyncio.timeout(WITHIN_S):
        while await yard.database.read.fetch_value("SELECT count(*) FROM payments") < count:  # noqa: ASYNC110
            await asyncio.sleep(0.01)  # it is the store that is asked


async def test_one_notice_that_several_processes_hear_at_once_is_entered_once(postgres_yard: Yard) -> None:
    yard = postgres_yard
    await until_gone(yard.nursery.start("pay 1"))
    with closing(till(yard)) as base:
        assert base.execute("SELECT count(*) FROM payments").fetchone() == (1,)
    await until_gone_all(yard, "hear 1")
    notices = await yard.database.read.fetch("SELECT event_id FROM payment_notices WHERE event_id = 'evt-once'")
    assert len(notices) == 1
    assert await yard.database.read.fetch_value("SELECT count(*) FROM ledger_transfers") == 1
    assert await yard.database.read.fetch_value("SELECT status FROM payments") == "succeeded"
    assert (await SqlLedgerViews(yard.database).recount()).is_whole


async def test_a_thousand_calls_of_several_processes_on_a_quota_of_a_hundred_serve_a_hundred(
    postgres_yard: Yard,
) -> None:
    await until_gone_all(postgres_yard, "hold 250")
    usage = await postgres_yard.database.read.fetch("SELECT held, used, units FROM quota_usage")
    assert [tuple(row) for row in usage] == [(100, 0, 100)]
    assert await postgres_yard.database.read.fetch_value("SELECT count(*) FROM quota_holds") == 100


async def until_gone_all(yard: Yard, errand: str) -> None:
    """Let four processes do the same errand at once, and wait for them."""
    for pid in [yard.nursery.start(errand) for _ in range(4)]:
        await until_gone(pid)
