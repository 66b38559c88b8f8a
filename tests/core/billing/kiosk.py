"""A kiosk: every use case of plans over one store, its people with their balances, and a worker for its jobs."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from core.billing.builders import NOW
from opora.adapters.sql.billing.plans import SqlPlanViews
from opora.adapters.sql.billing.quotas import SqlUsageViews
from opora.adapters.sql.billing.subscriptions import SqlSubscriptionTiers, SqlSubscriptionViews
from opora.adapters.sql.connection import Database
from opora.adapters.sql.unit import SqlUnitOfWork
from opora.core.billing.model.ledger import ADJUSTMENTS, Transfer, between, of_person
from opora.core.billing.model.quotas import QuotaPolicy
from opora.core.billing.model.subscriptions import PAY_DUE, RENEW, RenewalPolicy
from opora.core.billing.usecases.publishing import PublishPlans
from opora.core.billing.usecases.quotas import Quotas
from opora.core.billing.usecases.renewing import PayDue, RenewSubscription
from opora.core.billing.usecases.standing import ReadStanding, ReadUsage
from opora.core.billing.usecases.subscribing import CancelSubscription, ChangePlan, Subscribe
from opora.core.jobs.model import Claim, NewJob
from opora.core.kernel.model import Actor, Money
from opora.core.kernel.ports import Clock

ANNA = Actor(user_id=7, scopes=frozenset({"billing:read", "billing:write"}))
BORIS = Actor(user_id=8, scopes=ANNA.scopes)


class TurnedClock(Clock):
    """A clock that the test turns."""

    def __init__(self) -> None:
        self.at = NOW

    def now(self) -> datetime:
        return self.at


@dataclass
class Kiosk:
    """Every use case over one store."""

    unit: SqlUnitOfWork
    database: Database
    clock: TurnedClock = field(default_factory=TurnedClock)
    policy: RenewalPolicy = field(default_factory=RenewalPolicy)
    paid_in: int = 0

    def __post_init__(self) -> None:
        read, unit, clock = self.database.read, self.unit, self.clock
        self.plans, self.subscriptions = SqlPlanViews(read), SqlSubscriptionViews(read)
        self.subscribe, self.change = Subscribe(unit, clock), ChangePlan(unit, clock)
        self.cancel, self.publish = CancelSubscription(unit, clock), PublishPlans(unit, clock)
        self.standing = ReadStanding(self.plans, self.subscriptions, clock)
        self.usage = ReadUsage(self.standing, SqlUsageViews(read), clock)
        self.quotas = Quotas(QuotaPolicy())
        self.tiers = SqlSubscriptionTiers(self.subscriptions, clock.now)
        self.handlers: Mapping[str, Any] = {
            RENEW: RenewSubscription(unit, self.policy, clock),
            PAY_DUE: PayDue(unit, self.policy, clock),
        }

    async def top_up(self, amount_minor: int, actor: Actor = ANNA, *, tell: bool = False) -> None:
        """Put money on somebody's balance; `tell` says so as a payment does."""
        self.paid_in += 1
        number = self.paid_in
        money = Money(amount_minor, "RUB")
        postings = between(ADJUSTMENTS, of_person(actor.user_id or 0), money)
        async with self.unit() as tx:
            await tx.ledger.post(
                Transfer(key=f"in:{number}", kind="payment", cause="test", postings=postings, at=self.clock.at)
            )
            if tell:
                event = {"subject": number, "user_id": actor.user_id}
                await tx.jobs.add(NewJob(kind=PAY_DUE, payload={"event": event}, run_at=self.clock.at))

    async def balance(self, actor: Actor = ANNA) -> int:
        """Return what somebody has."""
        async with self.unit() as tx:
            return (await tx.ledger.balance(of_person(actor.user_id or 0), "RUB")).balance_minor

    async def tier(self, actor: Actor = ANNA) -> str:
        """Return what gateways are told of somebody."""
        return await self.tiers.tier_of(actor.user_id or 0)

    async def turn(self, at: datetime) -> None:
        """Turn the clock to an instant, doing on the way what was to be done when it was."""
        while (due := await self.next_due()) is not None and due <= at:
            self.clock.at = max(self.clock.at, due)
            await self.work()
        self.clock.at = at

    async def next_due(self) -> datetime | None:
        """Return when the next job of plans is due."""
        found = await self.database.read.fetch_value(
            "SELECT min(run_at) FROM jobs WHERE state = 'queued' AND kind IN ('billing.renew', 'billing.pay_due')"
        )
        return datetime.fromisoformat(found) if isinstance(found, str) else found

    async def work(self) -> int:
        """Run the jobs of plans that are due by the clock; return how many."""
        rows = await self.database.read.fetch(
            "SELECT id, kind, payload FROM jobs WHERE state = 'queued' AND run_at <= :now ORDER BY run_at, id",
            now=self.clock.at,
        )
        mine = [row for row in rows if row["kind"] in self.handlers]
        for row in mine:
            await self.run(row["kind"], json.loads(row["payload"]), UUID(str(row["id"])))
        return len(mine)

    async def run(self, kind: str, payload: Mapping[str, object], id: UUID | None = None) -> None:
        """Run one job, one that is queued or one made up."""
        async with self.unit() as tx:
            id = id or await tx.jobs.add(NewJob(kind=kind, payload=payload))
            await tx._connection.execute(
                "UPDATE jobs SET state = 'running', attempt = 1, lease_id = 'l' WHERE id = :id", id=id
            )
        await self.handlers[kind](Claim(id=id, kind=kind, payload=payload, attempt=1, attempts_max=5, lease_id="l"))

    async def letters(self) -> list[str]:
        """Return the kinds of notices so far, the oldest first."""
        rows = await self.database.read.fetch("SELECT kind FROM notices ORDER BY id")
        return [row["kind"].removeprefix("billing.") for row in rows]

    async def events(self, topic: str = "") -> list[dict[str, Any]]:
        """Return what the events of a topic said, or all."""
        rows = await self.database.read.fetch("SELECT topic, payload FROM outbox ORDER BY id")
        return [{"topic": row["topic"], **json.loads(row["payload"])} for row in rows if topic in ("", row["topic"])]

    async def audited(self) -> list[str]:
        """Return the actions in the audit log, oldest first."""
        rows = await self.database.read.fetch("SELECT action FROM audit_log ORDER BY id")
        return [row["action"] for row in rows]
