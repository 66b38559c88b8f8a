"""A till: every use case of payments over one store, a provider that plays its part, and a worker for the jobs."""

import json
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from anyio import sleep_forever

from opora.adapters.sql.billing.ledger_views import SqlLedgerViews
from opora.adapters.sql.billing.payments import SqlPaymentViews
from opora.adapters.sql.connection import Database
from opora.adapters.sql.unit import SqlUnitOfWork
from opora.adapters.system.identifiers import TimeOrderedIdentifiers
from opora.core.access.model.people import User
from opora.core.billing.errors.payments import ProviderRefused, ProviderUnavailable, UnsignedNotice
from opora.core.billing.model.payments import (
    APPLY,
    RECONCILE,
    TIDY,
    Heard,
    Order,
    Payment,
    PaymentPolicy,
    PaymentStatus,
    Refund,
    RefundOrder,
    RefundSnapshot,
    RefundStatus,
    Snapshot,
    WebhookCall,
)
from opora.core.billing.ports.providers import PaymentProvider
from opora.core.billing.rules.payments import EVERYONES
from opora.core.billing.usecases.paying import MakePayment, RefundPayment
from opora.core.billing.usecases.settling import (
    ApplyNotice,
    NoticeRetention,
    ReceiveNotice,
    ReconcilePayments,
    SettlePayment,
    TidyPaymentNotices,
)
from opora.core.jobs.model import Claim, NewJob
from opora.core.kernel.model import Actor
from opora.core.kernel.ports import Checkpoint, Clock
from opora.testing.ledger import ANNA, BORIS, NOON, rub

CLIENT = Actor(user_id=ANNA, scopes=frozenset({"billing:read", "billing:write"}))
STRANGER = Actor(user_id=BORIS, scopes=frozenset({"billing:read", "billing:write"}))
MANAGER = Actor(user_id=99, scopes=frozenset({"billing:manage", "billing:write"}))
NOBODYS_KEY = Actor(key_id=5, scopes=frozenset({"billing:write"}))


class TurnedClock(Clock):
    """A clock that the test turns."""

    def __init__(self) -> None:
        self.at = NOON

    def now(self) -> datetime:
        return self.at


class PlayedProvider(PaymentProvider):
    """A provider in memory. `faults` are what becomes of its next calls, one each.

    `down` does nothing and is not heard of, `lost` does it and is not heard of, `refuse` refuses, `hang` never answers.
    """

    name = "played"

    def __init__(self) -> None:
        self.payments: dict[str, Snapshot] = {}
        self.refunds: dict[str, RefundSnapshot] = {}
        self.faults: list[str] = []
        self.calls: list[str] = []
        self.says_keys = True
        self.hangs = False
        self.refund_status = RefundStatus.SUCCEEDED

    def _fault(self, call: str) -> str:
        self.calls.append(call)
        fault = self.faults.pop(0) if self.faults else ""
        if fault == "down":
            raise ProviderUnavailable
        if fault == "refuse":
            raise ProviderRefused("card_declined")
        if fault == "hang":
            self.hangs = True
        return fault

    async def place(self, order: Order) -> Snapshot:
        fault = self._fault("place")
        first = Snapshot(
            ref=f"p-{order.key}",
            key=order.key,
            status=PaymentStatus.PENDING,
            amount_minor=order.amount.amount_minor,
            currency=order.amount.currency,
            confirmation_url="https://pay.example/1",
        )
        self.payments.setdefault(first.ref, first)
        if fault == "lost":
            raise ProviderUnavailable
        return first  # word for word what was answered the first time

    async def fetch(self, ref: str) -> Snapshot | None:
        self._fault("fetch")
        if self.hangs:
            self.hangs = False
            await sleep_forever()
        return self.payments.get(ref)

    async def refund(self, order: RefundOrder) -> RefundSnapshot:
        fault = self._fault("refund")
        if order.key not in self.refunds:
            made = RefundSnapshot(
                ref=f"r-{order.key}",
                key=order.key if self.says_keys else None,
                amount_minor=order.amount.amount_minor,
                status=self.refund_status,
            )
            self.refunds[order.key] = made
            self.given_back(order.payment_ref, made)
        if fault == "lost":
            raise ProviderUnavailable
        return self.refunds[order.key]

    async def hear(self, call: WebhookCall) -> Heard:
        told = json.loads(call.body)
        if not told.get("signed", True):
            raise UnsignedNotice
        return Heard(
            event_id=told["id"], type="payment.changed", payment_ref=told.get("ref"), payment_key=told.get("key")
        )

    async def check(self) -> str:
        return "played"

    async def close(self) -> None:
        """Nothing is open."""

    def becomes(self, payment: Payment, status: PaymentStatus, **changes: Any) -> None:
        """Let a payment be paid or cancelled."""
        ref = f"p-{payment.key}"
        self.payments[ref] = replace(self.payments[ref], status=status, **changes)

    def given_back(self, ref: str, refund: RefundSnapshot) -> None:
        """Put a refund into a payment's list, in place of what it was."""
        held = self.payments[ref]
        others = [one for one in held.refunds if one.ref != refund.ref]
        self.payments[ref] = replace(held, refunds=(*others, refund))


class CountedCheckpoint(Checkpoint):
    """Counts how often rows were let go before somebody outside was asked."""

    def __init__(self) -> None:
        self.passed = 0

    async def __call__(self) -> None:
        self.passed += 1


@dataclass
class Till:
    """Every use case of payments over one store."""

    unit: SqlUnitOfWork
    database: Database
    provider: PlayedProvider = field(default_factory=PlayedProvider)
    clock: TurnedClock = field(default_factory=TurnedClock)
    checkpoint: CountedCheckpoint = field(default_factory=CountedCheckpoint)

    def __post_init__(self) -> None:
        self.views = SqlPaymentViews(self.database.read)
        self.ledger = SqlLedgerViews(self.database)
        policy = PaymentPolicy(return_url="https://opora.example/")
        outside = (self.provider, policy, self.checkpoint, TimeOrderedIdentifiers(), self.clock)
        self.make = MakePayment(self.unit, *outside)
        self.give_back = RefundPayment(self.unit, self.views, self.provider, *outside[2:])
        self.settle = SettlePayment(self.unit, self.views, self.provider, self.clock)
        self.reconcile = ReconcilePayments(self.unit, self.views, self.provider, self.settle, self.clock)
        self.receive = ReceiveNotice(self.unit, self.provider, self.settle, self.clock)
        self.apply = ApplyNotice(self.unit, self.settle, self.clock)
        self.tidy = TidyPaymentNotices(self.unit, NoticeRetention(), self.clock)

    async def open(self) -> None:
        """Let the people in."""
        async with self.unit() as tx:
            for id in (ANNA, BORIS, 99):
                await tx.users.add(User(id=id, email=f"user{id}@example.org", full_name=f"U{id}", created_at=NOON))

    async def begun(self, amount_minor: int = 1000, actor: Actor = CLIENT) -> Payment:
        """Begin a payment."""
        return await self.make(actor, rub(amount_minor), "Пополнение", "")

    async def paid(self, amount_minor: int = 1000) -> Payment:
        """Begin a payment and have it paid."""
        payment = await self.begun(amount_minor)
        self.provider.becomes(payment, PaymentStatus.SUCCEEDED)
        return await self.settled(payment)

    async def settled(self, payment: Payment) -> Payment:
        """Ask the provider about a payment."""
        found = await self.settle(payment.id)
        assert found is not None
        return found

    async def notice(self, payment: Payment, id: str = "e1", **changes: Any) -> bool:
        """Have the provider tell that something happened to a payment; return whether that was new."""
        told = {"id": id, "key": payment.key} | changes
        call = WebhookCall(headers={}, body=json.dumps(told).encode(), address="", at=self.clock.at)
        return (await self.receive(call))[1]

    async def of(self, payment: Payment) -> Payment:
        """Return a payment as it stands."""
        found = await self.views.one(payment.id, EVERYONES)
        assert found is not None
        return found

    async def refunds(self, payment: Payment) -> list[Refund]:
        """Return a payment's refunds."""
        return list(await self.views.refunds(payment.id))

    async def balance(self, user_id: int = ANNA) -> tuple[int, int]:
        """Return what somebody has and what of it is held."""
        found = await self.ledger.balance(user_id, "RUB")
        return found.balance_minor, found.held_minor

    async def is_whole(self) -> bool:
        """Recount everything."""
        return (await self.ledger.recount()).is_whole

    async def topics(self) -> list[str]:
        """Return the topics of every event so far."""
        return [row["topic"] for row in await self.database.read.fetch("SELECT topic FROM outbox ORDER BY id")]

    async def letters(self) -> list[str]:
        """Return the kinds of every letter so far."""
        rows = await self.database.read.fetch("SELECT kind FROM notices ORDER BY id")
        return [row["kind"].removeprefix("billing.") for row in rows]

    async def audited(self) -> list[str]:
        """Return the actions in the audit log."""
        return [row["action"] for row in await self.database.read.fetch("SELECT action FROM audit_log ORDER BY id")]

    def later(self, **spans: float) -> None:
        """Turn the clock."""
        self.clock.at += timedelta(**spans)

    async def work(self, kind: str = RECONCILE) -> dict[str, Any]:
        """Run the jobs of a kind that wait, or one of a cron slot's; return the last one's result."""
        handlers: dict[str, Any] = {RECONCILE: self.reconcile, APPLY: self.apply, TIDY: self.tidy}
        if kind != APPLY:
            async with self.unit() as tx:
                await tx.jobs.add(NewJob(kind=kind))
        sql = "SELECT id, payload FROM jobs WHERE kind = :kind AND state = 'queued' ORDER BY id"
        result: dict[str, Any] = {}
        for row in await self.database.read.fetch(sql, kind=kind):
            await self.database.read.execute(
                "UPDATE jobs SET state = 'running', attempt = 1, lease_id = 'l' WHERE id = :id", id=row["id"]
            )
            payload = json.loads(row["payload"])
            await handlers[kind](
                Claim(id=row["id"], kind=kind, payload=payload, attempt=1, attempts_max=5, lease_id="l")
            )
            told = await self.database.read.fetch_value("SELECT result FROM jobs WHERE id = :id", id=row["id"])
            result = json.loads(told or "{}")
        return result
