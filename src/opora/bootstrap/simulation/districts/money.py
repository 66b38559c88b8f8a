"""Payments, refunds, balances and plans: nobody is charged twice, and the books are whole."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from dishka import AsyncContainer

from opora.bootstrap.simulation.districts.district import Act, Check, District, Store, client, rows, spread
from opora.core.billing.model import payments, subscriptions
from opora.core.billing.model.ledger import HOLD_MOVES
from opora.core.billing.ports.payments import PaymentViews
from opora.core.billing.rules.payments import EVERYONES
from opora.core.billing.usecases.paying import MakePayment, RefundPayment
from opora.core.billing.usecases.subscribing import CancelSubscription, ChangePlan, Subscribe
from opora.core.kernel.model import Money, Moves, PageRequest

LEDGER = frozenset({"ledger_entries", "ledger_holds", "ledger_transfers"})
PAID = ("standard", "premium")
BOOKS = (
    Check(
        "B1: a transfer does not add up",
        LEDGER,
        "SELECT transfer_id FROM ledger_entries GROUP BY transfer_id, currency HAVING sum(amount_minor) <> 0",
    ),
    Check(
        "B2: a balance is not what its entries and holds say",
        LEDGER,
        "SELECT account_id FROM ledger_balances b WHERE posted_minor <> (SELECT coalesce(sum(amount_minor), 0)"
        " FROM ledger_entries e WHERE e.account_id = b.account_id) OR held_minor <> (SELECT coalesce(sum(amount_minor),"
        " 0) FROM ledger_holds h WHERE h.account_id = b.account_id AND h.state = 'pending')",
    ),
    Check(
        "B3: a balance is under its floor",
        LEDGER,
        "SELECT account_id FROM ledger_balances WHERE posted_minor - held_minor < floor_minor",
    ),
)


class Payments(District):
    """People pay in through a provider that is late, silent or twice as loud, and want their money back."""

    name = "payments"
    slots = frozenset({"reconcile-payments"})
    checks = (
        *BOOKS,
        Check(
            "B4: more goes back than came in",
            frozenset({"refunds", "payments"}),
            "SELECT id FROM payments p WHERE amount_minor < (SELECT coalesce(sum(amount_minor), 0) FROM refunds r"
            " WHERE r.payment_id = p.id AND r.status <> 'failed' AND r.origin = 'caller')",
        ),
        Check(
            "B5: a payment that succeeded is not on the balance once",
            frozenset({"payments"}),
            "SELECT p.id FROM payments p WHERE (p.status = 'succeeded') <> (SELECT count(*) FROM ledger_transfers t"
            " WHERE t.key = 'payment:' || p.id)",
        ),
        Check(
            "P2: a call made two payments",
            frozenset({"payments"}),
            "SELECT description FROM payments GROUP BY description HAVING count(*) > 1",
        ),
    )
    moves: ClassVar[Mapping[str, Moves[Any]]] = {
        "payments": payments.PAYMENT_MOVES,
        "refunds": payments.REFUND_MOVES,
        "ledger_holds": HOLD_MOVES,
    }
    unsettled = (
        "SELECT (SELECT count(*) FROM payments WHERE status IN ('created', 'unknown', 'pending'))"
        " + (SELECT count(*) FROM refunds WHERE status IN ('created', 'unknown', 'pending'))"
    )

    def act(self, key: str, user_id: int) -> Act:
        chance = self.town.chance
        if spread(chance, {"pay": 3, "refund": 1}) == "pay":
            money = Money(chance.randrange(1_000, 90_000), "RUB")

            async def pay(program: AsyncContainer) -> object:
                make = await program.get(MakePayment)
                return (await make(client(user_id), money, key, "")).id

            return pay
        part = chance.choice((None, 500, 700))

        async def refund(program: AsyncContainer) -> object:
            page = await (await program.get(PaymentViews)).page(
                EVERYONES, payments.PaymentFilter(user_id=user_id), PageRequest()
            )
            paid = [one for one in page.items if one.refundable_minor]
            if not paid:
                return "=nothing"
            give_back = await program.get(RefundPayment)
            return f"r{(await give_back(client(user_id), paid[0].id, part, key)).id}"

        return refund

    def ended(self, store: Store) -> Iterator[str]:
        """Compare the books with what the provider knows of, payment by payment."""
        kept = {row["key"]: row for row in rows(store, "SELECT * FROM payments")}
        given = {row["id"]: row["given"] for row in rows(store, GIVEN)}
        for theirs in self.town.till.payments.values():
            ours = kept.get(theirs.key)
            if ours is None:
                yield f"P1: the provider has {theirs.ref}, and no row of ours has"
                continue
            if ours["status"] != theirs.status:
                yield f"B6: payment {ours['id']} is {ours['status']} and the provider says {theirs.status}"
            back_minor = sum(one.amount_minor for one in theirs.refunds if one.status == "succeeded")
            if given.get(ours["id"], 0) != back_minor:
                yield f"B7: of payment {ours['id']} {given.get(ours['id'], 0)} went back, and {back_minor} really did"
        by_key = {row["description"]: str(row["id"]) for row in kept.values()}
        for key, answer in self.town.answers.items():
            if answer.isdecimal() and by_key.get(key) != answer:
                yield f"P1: call {key} was told of payment {answer}, which is not there"
        for hold in rows(store, "SELECT key FROM ledger_holds WHERE state = 'pending'"):
            yield f"B8: {hold['key']} is held and nobody will let it go"


GIVEN = """
SELECT payment_id AS id, sum(amount_minor) AS given FROM refunds WHERE status = 'succeeded' GROUP BY payment_id
"""


class Plans(District):
    """People subscribe, change and cancel, months go by, and each period is paid for once."""

    name = "plans"
    slots = frozenset({"expire-holds"})
    checks = (
        *BOOKS,
        Check(
            "S1: somebody has two plans",
            frozenset({"subscriptions"}),
            "SELECT user_id FROM subscriptions WHERE status IN ('active', 'past_due') GROUP BY user_id"
            " HAVING count(*) > 1",
        ),
        Check(
            "S2: a period is paid for that has not begun, or not paid for once",
            frozenset({"subscriptions", "ledger_transfers"}),
            "SELECT s.id FROM subscriptions s WHERE s.status = 'active' AND (SELECT count(*) FROM ledger_transfers t"
            " WHERE t.key = 'charge:subscription:' || s.id || ':' || s.period_number) <> 1",
        ),
    )
    moves: ClassVar[Mapping[str, Moves[Any]]] = {"subscriptions": subscriptions.MOVES}

    def act(self, key: str, user_id: int) -> Act:  # noqa: ARG002  # a subscription has no words
        chance = self.town.chance
        word = spread(chance, {"subscribe": 4, "change": 3, "cancel": 1})
        code = chance.choice(PAID)
        at_once = chance.random() < 0.5  # noqa: PLR2004  # half of them

        async def subscribe(program: AsyncContainer) -> object:
            if word == "subscribe":
                return f"s{(await (await program.get(Subscribe))(client(user_id), code)).id}"
            if word == "change":
                return f"s{(await (await program.get(ChangePlan))(client(user_id), code))[0].id}"
            cancel = await program.get(CancelSubscription)
            return f"s{(await cancel(client(user_id), at_once=at_once))[0].id}"

        return subscribe

    def ended(self, store: Store) -> Iterator[str]:
        """Compare what was told of subscriptions with what was taken and given back."""
        for row in rows(store, TOLD_AND_TAKEN):
            if row["told"] != row["taken"]:
                yield f"S3: person {row['user_id']} was told of {row['told']} and charged {row['taken']}"
        there = {str(row["id"]) for row in rows(store, "SELECT id FROM subscriptions")}
        for key, answer in self.town.answers.items():
            if answer[0] == "s" and answer[1:] not in there:
                yield f"P1: call {key} was told of subscription {answer[1:]}, which is not there"


TOLD_AND_TAKEN = """
SELECT a.user_id, (SELECT coalesce(sum(coalesce(o.payload ->> '$.charged_minor', 0)
  - coalesce(o.payload ->> '$.refunded_minor', 0)), 0) FROM outbox o
  WHERE o.topic LIKE 'subscription.%' AND o.payload ->> '$.user_id' = a.user_id) AS told,
 (SELECT coalesce(-sum(e.amount_minor), 0) FROM ledger_entries e JOIN ledger_transfers t ON t.id = e.transfer_id
  WHERE e.account_id = a.id AND t.kind IN ('charge', 'credit')) AS taken
FROM ledger_accounts a WHERE a.user_id IS NOT NULL
"""
