"""Payments, refunds and notices in a relational store, which itself holds that no more goes back than came."""

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from functools import partial
from typing import Any

from opora.adapters.sql.connection import Connection
from opora.adapters.sql.errors import ConstraintBroken
from opora.adapters.sql.filters import Filter
from opora.adapters.sql.mapping import columns, insertion, load
from opora.adapters.sql.pages import page_of
from opora.core.billing.errors.payments import RefundExceedsPayment
from opora.core.billing.model.payments import (
    Heard,
    Payment,
    PaymentFilter,
    ProviderNotice,
    Reach,
    Refund,
)
from opora.core.billing.ports.payments import PaymentRepository, PaymentViews
from opora.core.kernel.errors import Stale
from opora.core.kernel.model import Page, PageRequest

PAYMENT = tuple(field.name for field in fields(Payment))
SUMS = frozenset({"refunding_minor", "refunded_minor"})
FIXED = frozenset({"id", "user_id", "provider", "key", "amount_minor", "currency", "created_at", "version"})
KEPT = tuple(name for name in PAYMENT if name not in FIXED | SUMS)
REFUND = tuple(field.name for field in fields(Refund))
REFUND_KEPT = ("status", "provider_ref", "reason", "changed_at")
NOTICE = ", ".join(field.name for field in fields(ProviderNotice))
SAVE = f"""
UPDATE payments SET {", ".join(f"{name} = :{name}" for name in KEPT)}, version = :version
WHERE id = :id AND version = :version - 1
"""
SAVE_REFUND = f"""
UPDATE refunds SET {", ".join(f"{name} = :{name}" for name in REFUND_KEPT)}, version = :version
WHERE id = :id AND version = :version - 1
"""
OF_NOTICE = """
SELECT id FROM payments WHERE provider = :provider AND (provider_ref = :ref OR key = :key) ORDER BY id LIMIT 1
"""
NOTE = f"""
INSERT INTO payment_notices (provider, event_id, type, payment_id, body, received_at)
VALUES (:provider, :event_id, :type, :payment_id, :body, :now)
ON CONFLICT (provider, event_id) DO NOTHING RETURNING {NOTICE}
"""
FORGET = """
DELETE FROM payment_notices WHERE id IN (
 SELECT id FROM payment_notices WHERE received_at < :before ORDER BY received_at LIMIT :limit)
"""
DUE = """
SELECT id FROM payments WHERE provider = :provider AND next_check_at <= :now ORDER BY next_check_at, id LIMIT :limit
"""


class SqlPaymentRepository(PaymentRepository):
    """Payments inside one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lock = " FOR UPDATE" if connection.dialect == "postgresql" else ""

    async def next_id(self) -> int:
        return await self._connection.next_id("payments")

    async def add(self, payment: Payment) -> None:
        await self._connection.execute(insertion("payments", PAYMENT), **columns(payment))

    async def get(self, id: int) -> Payment | None:
        sql = f"SELECT {', '.join(PAYMENT)} FROM payments WHERE id = :id{self._lock}"
        row = await self._connection.fetch_one(sql, id=id)
        return load(Payment, row) if row else None

    async def save(self, payment: Payment) -> None:
        values = columns(payment)
        if not await self._connection.execute(SAVE, **{name: values[name] for name in (*KEPT, "id", "version")}):
            raise Stale(payment_id=payment.id)

    async def put_off(self, id: int, until: datetime) -> None:
        sql = "UPDATE payments SET next_check_at = :until, version = version + 1 WHERE id = :id"
        await self._connection.execute(sql, id=id, until=until)

    async def next_refund_id(self) -> int:
        return await self._connection.next_id("refunds")

    async def add_refund(self, refund: Refund) -> None:
        try:
            await self._connection.execute(insertion("refunds", REFUND), **columns(refund))
        except ConstraintBroken as error:
            if "refunds" in error.constraint or "taken" in error.constraint:
                raise RefundExceedsPayment(payment_id=refund.payment_id) from error
            raise

    async def save_refund(self, refund: Refund) -> None:
        values = columns(refund)
        kept = {name: values[name] for name in (*REFUND_KEPT, "id", "version")}
        if not await self._connection.execute(SAVE_REFUND, **kept):
            raise Stale(refund_id=refund.id)

    async def refunds(self, payment_id: int) -> Sequence[Refund]:
        return await refunds_of(self._connection, payment_id)

    async def note(self, provider: str, heard: Heard, body: str, now: datetime) -> ProviderNotice | None:
        named = {"provider": provider, "ref": heard.payment_ref, "key": heard.payment_key}
        payment_id = await self._connection.fetch_value(OF_NOTICE, **named)
        row = await self._connection.fetch_one(
            NOTE,
            provider=provider,
            event_id=heard.event_id,
            type=heard.type,
            payment_id=payment_id,
            body=body.replace("\x00", ""),
            now=now,
        )
        return load(ProviderNotice, row) if row else None

    async def applied(self, notice_id: int, now: datetime) -> None:
        sql = "UPDATE payment_notices SET applied_at = :now WHERE id = :id AND applied_at IS NULL"
        await self._connection.execute(sql, id=notice_id, now=now)

    async def forget_notices(self, before: datetime, limit: int) -> int:
        return await self._connection.execute(FORGET, before=before, limit=limit)


class SqlPaymentViews(PaymentViews):
    """Payments as callers read them; single statements."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def one(self, id: int, reach: Reach) -> Payment | None:
        where, values = within(reach)
        sql = f"SELECT {', '.join(PAYMENT)} FROM payments WHERE id = :id AND {where}"
        row = await self._connection.fetch_one(sql, id=id, **values)
        return load(Payment, row) if row else None

    async def page(self, reach: Reach, wanted: PaymentFilter, request: PageRequest) -> Page[Payment]:
        condition, values = within(reach)
        found = Filter(condition, **values)
        found.narrow("status = :status", status=wanted.status)
        found.narrow("user_id = :user_id", user_id=wanted.user_id)
        return await page_of(
            self._connection,
            partial(load, Payment),
            f"payments WHERE {found.where}",
            f"SELECT {', '.join(PAYMENT)} FROM payments WHERE {found.where} ORDER BY id DESC",
            request,
            found.parameters,
        )

    async def refunds(self, payment_id: int) -> Sequence[Refund]:
        return await refunds_of(self._connection, payment_id)

    async def due(self, provider: str, now: datetime, limit: int) -> Sequence[int]:
        return [row["id"] for row in await self._connection.fetch(DUE, provider=provider, now=now, limit=limit)]


async def refunds_of(connection: Connection, payment_id: int) -> Sequence[Refund]:
    """Return a payment's refunds, the oldest first."""
    sql = f"SELECT {', '.join(REFUND)} FROM refunds WHERE payment_id = :id ORDER BY id"
    return [load(Refund, row) for row in await connection.fetch(sql, id=payment_id)]


def within(reach: Reach) -> tuple[str, dict[str, Any]]:
    """Return the condition that a row is within reach, and its parameters."""
    return ("id > 0", {}) if reach.is_everyones else ("user_id = :own", {"own": reach.user_id})
