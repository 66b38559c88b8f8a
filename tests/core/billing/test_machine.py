"""A subscriber, money, work and the clock in any order against a plain model: nothing is charged twice or oversold."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from core.billing.builders import DAY, NOW, REQUESTS
from core.billing.kiosk import ANNA, Kiosk
from opora.adapters.sql.audit import AuditKey
from opora.adapters.sql.repositories import SqlParts
from opora.adapters.sql.sqlite import SqliteDatabase
from opora.adapters.sql.unit import SqlUnitOfWork
from opora.adapters.system.identifiers import TimeOrderedIdentifiers
from opora.core.billing.rules.periods import add_months
from opora.core.kernel.errors import DomainError
from servers.blank import blank_store
from servers.stores import KeptAnnouncements

PRICES = {"free": 0, "standard": 49_000, "premium": 199_000}
RANKS = {"free": 0, "standard": 10, "premium": 20}
MONTHLY = {"free": 100, "standard": 3_000, "premium": 30_000}
GRACE = 3 * DAY
PAID = st.sampled_from(["standard", "premium"])
FILE = "machine.db"


@dataclass
class Model:
    """What a plain account of one subscriber says: the worker runs whenever the clock is turned."""

    balance: int = 0
    plan: str = "free"
    following: str | None = None
    anchor: datetime = NOW
    months: int = 0
    due_until: datetime | None = None
    subscribed: int = 0
    used: dict[tuple[int, int], int] = field(default_factory=dict)

    @property
    def end(self) -> datetime:
        """When the period that is paid for ends."""
        return add_months(self.anchor, self.months + 1)

    @property
    def tier(self) -> str:
        """The plan whose rights one has: in the days of grace of the plan that was to follow, never of a dearer one."""
        return self.following or self.plan if self.due_until is not None else self.plan

    def leave(self) -> None:
        """Be without a subscription."""
        self.plan, self.following, self.due_until = "free", None, None

    def pass_to(self, at: datetime) -> None:
        """Let time pass: each end of a period is paid for, waited for, or the last."""
        while self.plan != "free":
            if self.due_until is not None and self.due_until <= at:
                # The balance is asked a last time within the grace by nobody: money that comes in pays at once.
                self.leave()
            elif self.due_until is None and self.end <= at:
                self.step()
            else:
                return

    def step(self) -> None:
        """End the period at its end."""
        following = self.following or self.plan
        if following == "free":
            self.leave()
        elif self.balance >= PRICES[following]:
            self.renew(following)
        else:
            self.due_until = self.end + GRACE

    def renew(self, plan: str) -> None:
        """Pay for another month."""
        self.balance -= PRICES[plan]
        self.plan, self.following, self.due_until = plan, None, None
        self.months += 1

    def pay_in(self, amount: int) -> None:
        """Have more money, which pays at once for what is due."""
        self.balance += amount
        following = self.following or self.plan
        if self.due_until is not None and self.balance >= PRICES[following]:
            self.renew(following)

    def counter(self, now: datetime) -> tuple[int, int]:
        """Name the month in which use is counted: of which subscription, and which month."""
        if self.plan == "free":
            return 0, now.year * 12 + now.month
        months = self.months + (1 if now >= self.end else 0)
        return self.subscribed, months


class Subscriber(RuleBasedStateMachine):
    """One person over a store, and what the model says of them."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        path = Path(self.folder.name) / FILE
        path.write_bytes(blank_store())
        self.loop = asyncio.new_event_loop()
        self.database = SqliteDatabase(path)
        self.run(self.database.open())
        parts = SqlParts(TimeOrderedIdentifiers(), AuditKey(b"k" * 32), KeptAnnouncements(), {})
        self.kiosk = Kiosk(SqlUnitOfWork(self.database, parts), self.database)
        self.model = Model()
        self.holds = 0

    def run[T](self, doing: Coroutine[Any, Any, T]) -> T:
        """Run to the end."""
        return self.loop.run_until_complete(doing)

    def attempt[T](self, doing: Coroutine[Any, Any, T]) -> T | None:
        """Run to the end, or return None where it was refused."""
        try:
            return self.run(doing)
        except DomainError:
            return None

    def teardown(self) -> None:
        self.run(self.database.close())
        self.loop.close()
        self.folder.cleanup()

    @property
    def now(self) -> datetime:
        """The instant it is."""
        return self.kiosk.clock.at

    @initialize(amount=st.sampled_from([49_000, 199_000, 300_000]), plan=PAID)
    def begin(self, amount: int, plan: str) -> None:
        """Most begin subscribed, with little left: the months that follow are what is looked at."""
        self.pay_in(amount)
        self.subscribe(plan)

    @rule(amount=st.sampled_from([1, 49_000, 120_000]))
    def pay_in(self, amount: int) -> None:
        """Money comes in, and a job hears of it."""
        self.run(self.kiosk.top_up(amount, tell=True))
        self.run(self.kiosk.work())
        self.model.pay_in(amount)

    @precondition(lambda self: self.model.plan == "free" or self.model.due_until)
    @rule(plan=PAID)
    def subscribe(self, plan: str) -> None:
        """One who has no subscription and enough money gets one."""
        allowed = self.model.plan == "free" and self.model.balance >= PRICES[plan]
        made = self.attempt(self.kiosk.subscribe(ANNA, plan))
        assert (made is not None) == allowed
        if made is not None:
            self.model.balance -= PRICES[plan]
            self.model.plan, self.model.anchor, self.model.months = plan, self.now, 0
            self.model.following, self.model.due_until = None, None
            self.model.subscribed = made.id

    @rule(plan=st.sampled_from(list(PRICES)))
    def change(self, plan: str) -> None:
        """Up at once for no more than the difference, down or out with the period, back by the same plan."""
        model = self.model
        free = model.plan == "free" or model.due_until is not None
        done = self.attempt(self.kiosk.change(ANNA, plan))
        if free:
            assert done is None
        elif RANKS[plan] > RANKS[model.plan]:
            if done is None:
                assert model.balance < PRICES[plan] - PRICES[model.plan]
                return
            charged = done[1].amount_minor
            assert 0 <= charged <= PRICES[plan] - PRICES[model.plan]
            model.balance -= charged
            model.plan, model.following = plan, None
        else:
            following = None if plan == model.plan else plan
            assert (done is None) == (following == model.following)
            model.following = following

    @rule(at_once=st.booleans())
    def cancel(self, at_once: bool) -> None:
        """At once for no more than the price, or with the period."""
        model = self.model
        done = self.attempt(self.kiosk.cancel(ANNA, at_once=at_once))
        assert (done is None) == (model.plan == "free")
        if done is None:
            return
        refunded = done[1].amount_minor
        if at_once or model.due_until is not None:
            assert 0 <= refunded <= (0 if model.due_until else PRICES[model.plan])
            model.balance += refunded
            model.leave()
        else:
            assert refunded == 0
            model.following = "free"

    @rule(by=st.sampled_from([timedelta(hours=5), DAY, 4 * DAY, 17 * DAY]))
    def wait(self, by: timedelta) -> None:
        """Time passes and the worker does what is due."""
        at = self.now + by
        self.run(self.kiosk.turn(at))
        self.model.pass_to(at)

    @precondition(lambda self: self.model.plan != "free")
    @rule()
    def let_the_period_end(self) -> None:
        """What is paid for ends."""
        self.wait(max(self.model.end - self.now, timedelta(0)))

    @rule(units=st.sampled_from([1, 40, 100]), ends=st.booleans())
    def work(self, units: int, ends: bool) -> None:
        """A month's limit is held to, whatever became of the plan within the month."""
        self.holds += 1
        counter = self.model.counter(self.now)
        used = self.model.used.get(counter, 0)
        plan = self.run(self.kiosk.tier())
        fits = used + units <= MONTHLY[plan]
        hold_id = f"hold-{self.holds}"

        async def hold() -> bool:
            async with self.kiosk.unit() as tx:
                await self.kiosk.quotas.hold(tx, 7, {REQUESTS: units}, hold_id, self.now)
            return True

        held = self.attempt(hold())
        if not held:
            assert not fits or plan != "free"  # a day has a limit too
            return
        assert fits
        self.model.used[counter] = used + units
        if ends:
            self.run(self.settle(hold_id))
            self.model.used[counter] = used + 1

    async def settle(self, hold_id: str) -> None:
        """End the work with one request used."""
        async with self.kiosk.unit() as tx:
            await self.kiosk.quotas.settle(tx, hold_id, {REQUESTS: 1})

    @invariant()
    def the_books_and_the_tier_are_what_the_model_says(self) -> None:
        """What is on the balance, and which plan one is on."""
        assert self.run(self.kiosk.balance()) == self.model.balance
        assert self.run(self.kiosk.tier()) == self.model.tier
        live = self.run(self.kiosk.subscriptions.live(7))
        assert (live is None) == (self.model.plan == "free")
        if live is not None:
            assert (live.next_plan, live.grace_until) == (self.model.following, self.model.due_until)
            assert (live.period_number, live.period_end) == (self.model.months, self.model.end)

    @invariant()
    def counters_are_the_sum_of_their_holds(self) -> None:
        """What is counted as held is held by somebody."""
        rows = self.run(
            self.database.read.fetch(
                "SELECT u.held, COALESCE(sum(h.units), 0) AS summed FROM quota_usage u LEFT JOIN quota_holds h"
                " ON h.person_id = u.person_id AND h.feature = u.feature AND h.period = u.period"
                " AND h.starts_at = u.starts_at GROUP BY u.person_id, u.feature, u.period, u.starts_at, u.held"
            )
        )
        assert all(row["held"] == row["summed"] for row in rows)


Subscriber.TestCase.settings = settings(
    max_examples=40, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
TestSubscriber = Subscriber.TestCase
