"""Plans and subscriptions over HTTP: statuses, bodies, codes, and what gateways are told the moment a plan changes."""

import json
from base64 import b64encode
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.program import Program
from opora.adapters.redis.connection import RedisConnection
from opora.adapters.sql.unit import SqlUnitOfWork
from opora.bootstrap.contexts import HANDLERS
from opora.core.access.model.scopes import Role
from opora.core.billing.model.ledger import ADJUSTMENTS, Transfer, between, of_person
from opora.core.billing.model.subscriptions import PAY_DUE, RENEW
from opora.core.billing.usecases.quotas import Quotas
from opora.core.jobs.ports import JobLeases
from opora.core.kernel.model import Money
from opora.core.kernel.rules import webhook_key, webhook_signature

pytestmark = pytest.mark.anyio

API = "/api/v1"
VALIDATE = "/api/auth/internal/jwt/validate"
NOTES = "access.renew_token_notes"
STANDARD, PREMIUM = 49_000, 199_000
SECRET = "whsec_" + b64encode(b"thirty-two bytes for these tests").decode()


@dataclass
class Kiosk:
    """A program with a person in it, who has what is put on their balance."""

    program: Program
    anna: httpx.AsyncClient
    anna_id: int
    number: Any

    @classmethod
    async def over(cls, program: Program) -> "Kiosk":
        """Let Anna in."""
        anna = program.client(token=await program.token(Role.CLIENT), address="127.0.0.1")
        return cls(program, anna, await program.user_id(Role.CLIENT), count(1))

    async def top_up(self, amount_minor: int) -> None:
        """Put money on Anna's balance, as an operator does."""
        unit = await self.program.container.get(SqlUnitOfWork)
        postings = between(ADJUSTMENTS, of_person(self.anna_id), Money(amount_minor, "RUB"))
        async with unit() as tx:
            key = f"test:{next(self.number)}"
            at = self.program.clock.now()
            await tx.ledger.post(Transfer(key=key, kind="adjustment", cause="test", postings=postings, at=at))

    async def balance(self) -> int:
        """Return what Anna has."""
        unit = await self.program.container.get(SqlUnitOfWork)
        async with unit() as tx:
            return (await tx.ledger.balance(of_person(self.anna_id), "RUB")).balance_minor

    async def post(self, path: str = "", **sent: Any) -> httpx.Response:
        """Call something about the subscription."""
        return await self.anna.post(f"{API}/subscription{path}", **sent)

    async def told(self) -> str:
        """Return the tier that a gateway is told this moment."""
        answer = await self.anna.get(VALIDATE)
        assert answer.status_code == 204, answer.text
        return answer.headers["X-Subscription-Tier"]

    async def pay_in(self, amount_minor: int) -> None:
        """Pay as people do: an order, and the provider's signed notice that it was paid."""
        order = await self.anna.post(f"{API}/payments", json={"amount_minor": amount_minor, "currency": "RUB"})
        assert order.status_code == 201, order.text
        body = json.dumps({"type": "payment.succeeded", "data": {"payment_id": order.json()["id"]}}).encode()
        stamp = int(self.program.clock.now().timestamp())
        headers = {
            "content-type": "application/json",
            "webhook-id": "evt-1",
            "webhook-timestamp": str(stamp),
            "webhook-signature": webhook_signature(webhook_key(SECRET), "evt-1", stamp, body),
        }
        async with self.program.client() as provider:
            noted = await provider.post(f"{API}/payments/webhook", content=body, headers=headers)
        assert noted.status_code == 200, noted.text

    async def month_passes(self) -> None:
        """Turn the clock past the period's end, do what is due then, and sign in anew."""
        self.program.clock.ahead += timedelta(days=31)
        unit = await self.program.container.get(SqlUnitOfWork)
        async with unit() as tx:
            await tx._connection.execute("UPDATE jobs SET run_at = now() WHERE kind = :kind", kind=RENEW)
        await self.work(RENEW)
        self.anna.headers["authorization"] = f"Bearer {await self.program.token(Role.CLIENT)}"

    async def work(self, *kinds: str) -> None:
        """Relay events and do the jobs of these kinds that are due."""
        unit = await self.program.container.get(SqlUnitOfWork)
        leases = await self.program.container.get(JobLeases)
        while await unit.relay():
            continue
        for claim in await leases.claim(kinds, 50, 30.0):
            await (await self.program.container.get(HANDLERS[claim.kind]))(claim)


@pytest.fixture
async def kiosk(anyio_backend: str, tmp_path: Path) -> AsyncIterator[Kiosk]:
    """The embedded set-up."""
    async with Program.over(tmp_path, OPORA_PAYMENTS_SECRET=SECRET) as program:
        kiosk = await Kiosk.over(program)
        async with kiosk.anna:
            yield kiosk


def code(answer: httpx.Response) -> tuple[int, str]:
    """Return status and code of a refusal."""
    return answer.status_code, answer.json()["code"]


async def test_everybody_sees_what_the_plans_cost_and_include(kiosk: Kiosk) -> None:
    async with kiosk.program.client() as anybody:
        answer = await anybody.get(f"{API}/plans")
    assert answer.status_code == 200
    body = answer.json()
    assert (body["count"], body["next"], body["previous"]) == (3, None, None)
    free, standard, premium = body["results"]
    assert [one["code"] for one in body["results"]] == ["free", "standard", "premium"]
    assert (free["price_minor"], standard["price_minor"], premium["price_minor"]) == (0, STANDARD, PREMIUM)
    assert (standard["currency"], standard["period"]) == ("RUB", "month")
    assert {"feature": "generate.requests", "period": "day", "units": 200} in standard["limits"]
    assert (premium["features"], premium["names"]["ru"]) == (["generate.*"], "Премиум")


async def test_without_a_subscription_one_is_on_free(kiosk: Kiosk) -> None:
    body = (await kiosk.anna.get(f"{API}/subscription")).json()
    assert (body["id"], body["plan"], body["tier"], body["status"]) == (None, "free", "free", "active")
    assert body["period_end"] is None
    rights = (await kiosk.anna.get(f"{API}/subscription/entitlements")).json()
    assert rights["plan"] == "free"
    assert "generate.article" not in rights["features"]
    usage = (await kiosk.anna.get(f"{API}/subscription/usage")).json()
    assert [(one["feature"], one["used"], one["limit"]) for one in usage["limits"]] == [
        ("generate.requests", 0, 100),
        ("generate.tokens", 0, 250_000),
    ]
    assert usage["limits"][0]["resets_at"].endswith("-01T00:00:00Z")


async def test_a_plan_is_paid_from_the_balance_once_under_one_key(kiosk: Kiosk) -> None:
    refused = await kiosk.post(json={"plan": "standard"})
    assert code(refused) == (402, "balance_too_low")
    assert refused.json()["needed_minor"] == STANDARD
    assert await kiosk.told() == "free"
    await kiosk.top_up(100_000)
    again = {"Idempotency-Key": "one", "Content-Type": "application/json"}
    made = await kiosk.post(json={"plan": "standard"}, headers=again)
    assert (made.status_code, made.headers["location"]) == (201, "/api/v1/subscription")
    body = made.json()
    assert (body["plan"], body["tier"], body["status"], body["charged_minor"]) == (
        "standard",
        "standard",
        "active",
        STANDARD,
    )
    assert await kiosk.told() == "standard"  # the very next call
    repeated = await kiosk.post(json={"plan": "standard"}, headers=again)
    assert (repeated.json(), repeated.headers["idempotent-replayed"]) == (body, "true")
    assert code(await kiosk.post(json={"plan": "standard"})) == (409, "already_subscribed")
    assert await kiosk.balance() == 100_000 - STANDARD
    read = (await kiosk.anna.get(f"{API}/subscription")).json()
    assert read == {name: body[name] for name in read}


async def test_an_upgrade_costs_the_rest_of_the_difference_and_a_lower_plan_waits(kiosk: Kiosk) -> None:
    await kiosk.top_up(500_000)
    await kiosk.post(json={"plan": "standard"})
    up = await kiosk.post("/change", json={"plan": "premium"})
    assert up.status_code == 200
    assert PREMIUM - STANDARD - 10 <= up.json()["charged_minor"] <= PREMIUM - STANDARD
    assert await kiosk.told() == "premium"
    down = await kiosk.post("/change", json={"plan": "standard"})
    assert (down.json()["plan"], down.json()["next_plan"], down.json()["charged_minor"]) == ("premium", "standard", 0)
    assert await kiosk.told() == "premium"
    assert code(await kiosk.post("/change", json={"plan": "standard"})) == (409, "already_on_plan")
    kiosk.program.clock.ahead += timedelta(days=31)
    kiosk.anna.headers["authorization"] = f"Bearer {await kiosk.program.token(Role.CLIENT)}"
    assert await kiosk.told() == "standard"


async def test_cancelling_waits_for_the_end_or_gives_back_what_is_unused(kiosk: Kiosk) -> None:
    assert code(await kiosk.post("/cancel")) == (404, "no_subscription")
    await kiosk.top_up(STANDARD)
    await kiosk.post(json={"plan": "standard"})
    later = await kiosk.post("/cancel")
    assert (later.status_code, later.json()["cancel_at_period_end"], later.json()["refunded_minor"]) == (200, True, 0)
    assert await kiosk.told() == "standard"
    back = await kiosk.post("/change", json={"plan": "standard"})
    assert (back.status_code, back.json()["cancel_at_period_end"]) == (200, False)
    gone = await kiosk.post("/cancel", json={"at_once": True})
    body = gone.json()
    assert (gone.status_code, body["status"], body["tier"]) == (200, "cancelled", "free")
    assert 0 < body["refunded_minor"] <= STANDARD
    assert await kiosk.balance() == body["refunded_minor"]
    assert await kiosk.told() == "free"


async def test_usage_shows_what_is_held_and_used(kiosk: Kiosk) -> None:
    unit, quotas = await kiosk.program.container.get(SqlUnitOfWork), await kiosk.program.container.get(Quotas)
    async with unit() as tx:
        await quotas.hold(
            tx, kiosk.anna_id, {"generate.requests": 1, "generate.tokens": 500}, "a", kiosk.program.clock.now()
        )
    async with unit() as tx:
        await quotas.settle(tx, "a", {"generate.requests": 1, "generate.tokens": 700})
        await quotas.hold(tx, kiosk.anna_id, {"generate.requests": 1}, "b", kiosk.program.clock.now())
    limits = (await kiosk.anna.get(f"{API}/subscription/usage")).json()["limits"]
    counted = {one["feature"]: (one["used"], one["held"], one["remaining"], one["overage"]) for one in limits}
    assert counted == {"generate.requests": (1, 1, 98, 0), "generate.tokens": (500, 0, 249_500, 200)}


@pytest.mark.parametrize(
    ("path", "body", "status", "told"),
    [
        ("", {"plan": "gold"}, 422, "plan_unknown"),
        ("", {"plan": "free"}, 409, "already_on_plan"),
        ("", {}, 422, "validation_failed"),
        ("", {"plan": 5}, 422, "validation_failed"),
        ("", {"plan": "standard", "price_minor": 0}, 422, "validation_failed"),
        ("", {"plan": "standard\u0000"}, 422, "validation_failed"),
        ("/change", {"plan": "standard"}, 404, "no_subscription"),
        ("/cancel", {"at_once": "yes"}, 422, "validation_failed"),
    ],
)
async def test_bad_wishes_are_told_what_is_wrong(
    kiosk: Kiosk, path: str, body: dict[str, Any], status: int, told: str
) -> None:
    await kiosk.top_up(STANDARD)
    assert code(await kiosk.post(path, json=body)) == (status, told)
    assert await kiosk.balance() == STANDARD


async def test_money_moves_only_for_people_who_signed_in_lately_and_keys_of_somebody(kiosk: Kiosk) -> None:
    nobodys = await kiosk.program.key("billing:read", "billing:write")
    async with kiosk.program.client(key=nobodys.key) as client:
        assert code(await client.post(f"{API}/subscription", json={"plan": "standard"})) == (422, "subscriber_unknown")
        assert code(await client.get(f"{API}/subscription")) == (422, "subscriber_unknown")
    annas = await kiosk.program.key("billing:read", "billing:write", owner_id=kiosk.anna_id)
    await kiosk.top_up(STANDARD)
    async with kiosk.program.client(key=annas.key) as client:
        assert (await client.post(f"{API}/subscription", json={"plan": "standard"})).status_code == 201
    assert await kiosk.told() == "standard"


@pytest.fixture
async def connection(anyio_backend: str, redis_url: str) -> AsyncIterator[RedisConnection]:
    """A look into Redis as other services have it."""
    connection = RedisConnection(redis_url, timeout_s=5.0)
    yield connection
    await connection.close()


async def test_other_services_read_the_new_tier_in_the_token_s_note_as_soon_as_its_job_has_run(
    anyio_backend: str, tmp_path: Path, redis_url: str, redis_prefix: str, connection: RedisConnection
) -> None:
    prefix = f"{redis_prefix}auth:jwt:"
    async with Program.over(tmp_path, OPORA_REDIS_URL=redis_url, OPORA_REDIS_TOKEN_PREFIX=prefix) as program:
        kiosk = await Kiosk.over(program)

        async def noted() -> set[str]:
            keys = await connection.call("KEYS", f"{prefix}*")
            return {json.loads(await connection.call("GET", key))["tier"] for key in keys}

        async with kiosk.anna:
            assert await noted() == {"free"}
            await kiosk.top_up(1_000_000)
            await kiosk.post(json={"plan": "standard"})
            assert await kiosk.told() == "standard"
            await kiosk.work(NOTES)
            assert await noted() == {"standard"}
            await kiosk.post("/change", json={"plan": "premium"})
            assert await kiosk.told() == "premium"
            await kiosk.work(NOTES)
            assert await noted() == {"premium"}
            await kiosk.post("/cancel", json={"at_once": True})
            await kiosk.work(NOTES)
            assert (await noted(), await kiosk.told()) == ({"free"}, "free")


async def test_a_payment_of_somebody_past_due_pays_for_the_period(kiosk: Kiosk) -> None:
    await kiosk.top_up(2 * STANDARD)
    await kiosk.post(json={"plan": "standard"})
    await kiosk.month_passes()
    assert await kiosk.balance() == 0
    await kiosk.month_passes()
    due = (await kiosk.anna.get(f"{API}/subscription")).json()
    assert (due["status"], due["tier"]) == ("past_due", "standard")
    assert due["grace_until"] > due["period_end"]
    assert code(await kiosk.post("/change", json={"plan": "premium"})) == (409, "subscription_past_due")
    await kiosk.pay_in(60_000)
    await kiosk.work(PAY_DUE)
    paid = (await kiosk.anna.get(f"{API}/subscription")).json()
    assert (paid["status"], paid["grace_until"], paid["period_start"]) == ("active", None, due["period_end"])
    assert await kiosk.balance() == 60_000 - STANDARD
