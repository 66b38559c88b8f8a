"""Paying in over HTTP: from an order over the sandbox's page or a signed notice to the balance, and back."""

import json
import re
from base64 import b64encode
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.program import PASSWORD, Program
from opora.adapters.sql.connection import Database
from opora.adapters.sql.personal import SqlBillingRecords
from opora.core.access.model.people import NewUser
from opora.core.access.model.scopes import Role
from opora.core.access.usecases.login import LogIn
from opora.core.access.usecases.people import CreateUser
from opora.core.billing.ports.ledger import LedgerViews
from opora.core.kernel.model import SYSTEM, Origin
from opora.core.kernel.rules import webhook_key, webhook_signature

pytestmark = pytest.mark.anyio

API = "/api/v1"
SECRET = "whsec_" + b64encode(b"thirty-two bytes for these tests").decode()
ORDER = {"amount_minor": 150_00, "currency": "RUB"}


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def program(anyio_backend: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Program]:
    async with Program.over(tmp_path_factory.mktemp("home"), OPORA_PAYMENTS_SECRET=SECRET) as program:
        yield program


class Payer:
    """A person who pays, and the provider's side of it."""

    def __init__(self, program: Program, user_id: int, token: str) -> None:
        self.program = program
        self.user_id = user_id
        self.client = program.client(token=token)

    async def get(self, path: str, **query: Any) -> Any:
        """Read something."""
        answer = await self.client.get(f"{API}{path}", params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def post(self, path: str, body: Any = None, **headers: str) -> httpx.Response:
        """Send something."""
        return await self.client.post(f"{API}{path}", json=body, headers=headers)

    async def order(self, **changes: Any) -> dict[str, Any]:
        """Begin a payment."""
        answer = await self.post("/payments", ORDER | changes)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    async def paid(self, **changes: Any) -> dict[str, Any]:
        """Begin a payment and have it settled by a notice."""
        order = await self.order(**changes)
        assert (await self.notice(order["id"], f"evt-{order['id']}")).status_code == 200
        return dict(await self.get(f"/payments/{order['id']}"))

    async def notice(self, id: object, event: str, type: str = "payment.succeeded", **changes: Any) -> httpx.Response:
        """Send a signed notice; `changes` are headers, other bytes, or how far its clock is off."""
        body = changes.pop("signed", None) or json.dumps({"type": type, "data": {"payment_id": id}}).encode()
        stamp = int(self.program.clock.now().timestamp()) + changes.pop("off_s", 0)
        headers = {
            "webhook-id": event,
            "webhook-timestamp": str(stamp),
            "webhook-signature": webhook_signature(webhook_key(SECRET), event, stamp, body),
            "content-type": "application/json",
        }
        sent = changes.pop("body", body)
        headers |= {name.replace("_", "-"): value for name, value in changes.items()}
        raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
        async with self.program.client() as client:
            return await client.post(f"{API}/payments/webhook", content=sent, headers=raw)

    async def balance(self) -> tuple[int, int, int]:
        """Return what there is, what is held and what can be spent."""
        found = await self.get("/balance")
        assert found["currency"] == "RUB"
        return found["balance_minor"], found["held_minor"], found["available_minor"]


@pytest.fixture
async def payer(program: Program) -> AsyncIterator[Payer]:
    """Somebody new."""
    made = await a_payer(program)
    yield made
    await made.client.aclose()


async def a_payer(program: Program, role: Role = Role.CLIENT) -> Payer:
    create, log_in = await program.container.get(CreateUser), await program.container.get(LogIn)
    email = f"payer{(await program.rows())['users']}@example.org"
    user = await create(SYSTEM, NewUser(email=email, password=PASSWORD, roles=frozenset({role})))
    return Payer(program, user.id, (await log_in(email, PASSWORD, Origin("127.0.0.1"))).access_token)


async def test_a_payment_is_ordered_settled_by_a_signed_notice_and_in_the_balance(payer: Payer) -> None:
    assert await payer.balance() == (0, 0, 0)
    answer = await payer.post("/payments", ORDER | {"description": "Пополнение"})
    order = answer.json()
    assert (answer.status_code, order["status"], order["amount_minor"]) == (201, "pending", 15000)
    assert answer.headers["location"] == f"{API}/payments/{order['id']}"
    assert order["confirmation_url"].startswith("http")
    taken = await payer.notice(order["id"], "evt-a")
    assert (taken.status_code, taken.json()) == (200, {"event_id": "evt-a", "duplicate": False})
    settled = await payer.get(f"/payments/{order['id']}")
    assert (settled["status"], settled["refundable_minor"], settled["refunds"]) == ("succeeded", 15000, [])
    assert await payer.balance() == (15000, 0, 15000)
    again = await payer.notice(order["id"], "evt-a")
    assert again.json()["duplicate"] is True
    await payer.notice(order["id"], "evt-b", "payment.canceled")
    assert await payer.balance() == (15000, 0, 15000)
    history = await payer.get("/balance/history")
    assert [(one["kind"], one["cause"], one["amount_minor"]) for one in history["results"]] == [
        ("top_up", f"payment:{order['id']}", 15000)
    ]


async def test_a_payment_is_paid_on_the_sandboxs_own_page(payer: Payer) -> None:
    order = await payer.order(return_url="https://shop.example/thanks?a=1&b=2", description="<b>Пополнение</b>")
    path = order["confirmation_url"].partition("://")[2].partition("/")[2]
    async with payer.program.client() as browser:
        page = await browser.get(f"/{path}")
        assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
        assert "150.00 RUB" in page.text
        assert "<b>" not in page.text
        assert "form-action 'self'" in page.headers["content-security-policy"]
        actions = re.findall(r'action="([^"]+)"', page.text)
        paid = await browser.post(httpx.URL(str(page.url)).join(actions[0]))
        assert "Paid" in paid.text
        assert 'href="https://shop.example/thanks?a=1&amp;b=2"' in paid.text
        refused = await browser.post(httpx.URL(str(page.url)).join(actions[1]))
        assert "Paid" in refused.text
    assert (await payer.get(f"/payments/{order['id']}"))["status"] == "succeeded"
    assert (await payer.balance())[0] == 15000


async def test_a_payment_is_refused_on_the_page(payer: Payer) -> None:
    order = await payer.order()
    path = order["confirmation_url"].partition("://")[2].partition("/")[2]
    async with payer.program.client() as browser:
        assert "Refused" in (await browser.post(f"/{path}/refuse")).text
        assert "Refused" in (await browser.get(f"/{path}")).text
        wrong = await browser.get(f"/{path[:-1]}x")
        assert (wrong.status_code, wrong.json()["code"]) == (404, "no_such_confirmation")
    shown = await payer.get(f"/payments/{order['id']}")
    assert (shown["status"], shown["reason"]) == ("cancelled", "refused")
    assert await payer.balance() == (0, 0, 0)


async def test_a_repeated_order_is_one_payment(payer: Payer) -> None:
    first = await payer.post("/payments", ORDER, **{"Idempotency-Key": "order-1"})
    again = await payer.post("/payments", ORDER, **{"Idempotency-Key": "order-1"})
    assert first.json() == again.json()
    assert again.headers["idempotent-replayed"] == "true"
    other = await payer.post("/payments", ORDER | {"amount_minor": 200_00}, **{"Idempotency-Key": "order-1"})
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert (await payer.get("/payments"))["count"] == 1


async def test_a_part_goes_back_once_a_key_and_never_more_than_came(payer: Payer) -> None:
    order = await payer.paid()
    path = f"/payments/{order['id']}/refund"
    part = {"amount_minor": 50_00, "reason": "передумала"}
    first = await payer.post(path, part, **{"Idempotency-Key": "refund-1"})
    again = await payer.post(path, part, **{"Idempotency-Key": "refund-1"})
    assert (first.status_code, first.json()["status"], first.json()) == (201, "succeeded", again.json())
    assert await payer.balance() == (10000, 0, 10000)
    more = await payer.post(path, {"amount_minor": 100_01})
    assert (more.status_code, more.json()["code"]) == (409, "refund_exceeds_payment")
    assert more.json()["refundable_minor"] == 10000
    assert (await payer.post(path)).json()["amount_minor"] == 10000
    shown = await payer.get(f"/payments/{order['id']}")
    assert (shown["refunded_minor"], len(shown["refunds"])) == (15000, 2)
    assert await payer.balance() == (0, 0, 0)
    waiting = await payer.order()
    early = await payer.post(f"/payments/{waiting['id']}/refund")
    assert (early.status_code, early.json()["code"]) == (409, "payment_not_taken")


async def test_money_goes_out_only_after_a_fresh_sign_in(tmp_path: Path) -> None:
    told = {"OPORA_PAYMENTS_SECRET": SECRET, "OPORA_STEP_UP_S": "60"}
    async with Program.over(tmp_path, **told) as program:
        payer = await a_payer(program)
        order = await payer.paid()
        program.clock.ahead += timedelta(minutes=2)
        answer = await payer.post(f"/payments/{order['id']}/refund", {"amount_minor": 1})
        assert (answer.status_code, answer.json()["code"]) == (401, "step_up_required")
        assert (await payer.post("/payments", ORDER)).status_code == 201


async def test_anothers_payment_is_not_there_and_a_manager_sees_it(payer: Payer, program: Program) -> None:
    order = await payer.paid()
    stranger = await a_payer(program)
    for answer in (
        await stranger.client.get(f"{API}/payments/{order['id']}"),
        await stranger.post(f"/payments/{order['id']}/refund"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "no_such_payment")
    assert (await stranger.get("/payments"))["results"] == []
    assert (await stranger.get("/payments", user_id=payer.user_id))["results"] == []
    admin = await a_payer(program, Role.ADMIN)
    page = await admin.get("/payments", user_id=payer.user_id, status="succeeded")
    assert [one["id"] for one in page["results"]] == [order["id"]]
    assert (await admin.post(f"/payments/{order['id']}/refund", {"amount_minor": 1})).status_code == 201
    assert (await payer.balance())[0] == 14999


@pytest.mark.parametrize(
    "changes",
    [
        {"webhook_signature": ""},
        {"webhook_signature": "v1,AAAA"},
        {"webhook_signature": "v1,%%%"},
        {"webhook_signature": "v1,\u00e9\u00fc"},
        {"webhook_id": "another"},
        {"webhook_id": ""},
        {"webhook_timestamp": "x"},
        {"webhook_timestamp": "9" * 40},
        {"off_s": -400},
        {"off_s": 400},
        {"body": b'{"type":"payment.succeeded","data":{"payment_id":1}} '},
    ],
)
async def test_a_notice_that_is_not_signed_or_not_of_now_changes_nothing(payer: Payer, changes: Any) -> None:
    order = await payer.order()
    rows = await payer.program.rows()
    answer = await payer.notice(order["id"], "evt-x", **changes)
    assert (answer.status_code, answer.json()["code"]) == (401, "payment_webhook_unsigned")
    assert (await payer.program.rows())["payment_notices"] == rows["payment_notices"]
    assert (await payer.get(f"/payments/{order['id']}"))["status"] == "pending"


@pytest.mark.parametrize("id", [0, -1, 1.5, "x", None, True])
async def test_a_signed_notice_that_names_no_payment_is_refused(payer: Payer, id: object) -> None:
    answer = await payer.notice(id, "evt-y")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_payment_webhook")
    assert answer.json()["errors"].keys() == {"data.payment_id"}


@pytest.mark.parametrize(
    ("type", "status"), [("text/plain", 415), ("application/x-www-form-urlencoded", 415), ("", 400), ("a/json", 415)]
)
async def test_a_signed_notice_is_guarded_as_json_or_refused_by_its_type(payer: Payer, type: str, status: int) -> None:
    rows = await payer.program.rows()
    twice = b'{"type":"payment.succeeded","type":"payment.canceled","data":{"payment_id":1}}'
    answer = await payer.notice(1, "evt-t", signed=twice, content_type=type)
    assert answer.status_code == status, answer.text
    assert (await payer.program.rows())["payment_notices"] == rows["payment_notices"]


async def test_a_notice_of_a_payment_that_is_not_there_is_taken_and_moves_nothing(payer: Payer) -> None:
    assert (await payer.notice(10**12, "evt-z")).status_code == 200


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"amount_minor": 100.5, "currency": "RUB"}, "amount_minor"),
        ({"amount_minor": 100.0, "currency": "RUB"}, "amount_minor"),
        ({"amount_minor": -1, "currency": "RUB"}, "amount_minor"),
        ({"amount_minor": 0, "currency": "RUB"}, "amount_minor"),
        ({"amount_minor": 99, "currency": "RUB"}, "amount_minor"),
        ({"amount_minor": 2**63, "currency": "RUB"}, "amount_minor"),
        ({"amount_minor": 2**63 - 1, "currency": "RUB"}, "amount_minor"),
        ({"amount_minor": "1000", "currency": "RUB"}, "amount_minor"),
        ({"amount_minor": 1000, "currency": "XXX"}, "currency"),
        ({"amount_minor": 1000, "currency": "rub"}, "currency"),
        ({"amount_minor": 1000, "currency": "JPY"}, "currency"),
        ({"amount_minor": 1000}, "currency"),
        ({"amount_minor": 1000, "currency": "RUB", "return_url": "javascript:alert(1)"}, "return_url"),
        ({"amount_minor": 1000, "currency": "RUB", "description": "a\u202eb"}, "description"),
        ({"amount_minor": 1000, "currency": "RUB", "status": "succeeded"}, "status"),
    ],
)
async def test_a_bad_order_is_refused_by_its_field_and_keeps_nothing(payer: Payer, body: Any, field: str) -> None:
    rows = await payer.program.rows()
    answer = await payer.post("/payments", body)
    assert (answer.status_code, list(answer.json()["errors"])) == (422, [field]), answer.text
    assert await payer.program.rows() == rows


@pytest.mark.parametrize("query", [{"currency": "rub"}, {"currency": "XXX"}])
async def test_a_balance_in_no_currency_is_refused(payer: Payer, query: dict[str, str]) -> None:
    answer = await payer.client.get(f"{API}/balance", params=query)
    assert (answer.status_code, list(answer.json()["errors"])) == (422, ["currency"])


async def test_a_key_of_nobodys_has_no_balance(program: Program) -> None:
    async with program.client(key=(await program.key("billing:read", "billing:write")).key) as client:
        for answer in (
            await client.get(f"{API}/balance"),
            await client.get(f"{API}/balance/history"),
            await client.post(f"{API}/payments", json=ORDER),
        ):
            assert (answer.status_code, answer.json()["code"]) == (403, "no_balance_of_ones_own")


async def test_lists_are_turned_page_by_page(payer: Payer) -> None:
    ids = [(await payer.paid())["id"] for _ in range(3)]
    page = await payer.get("/payments", limit=2)
    assert ([one["id"] for one in page["results"]], page["count"]) == (ids[:0:-1], 3)
    history = await payer.get("/balance/history", limit=2, currency="RUB")
    assert len(history["results"]) == 2
    rest = await payer.client.get(history["next"])
    assert [one["cause"] for one in rest.json()["results"]] == [f"payment:{ids[0]}"]


async def test_what_is_held_on_a_person_is_shown_and_loses_its_words(payer: Payer) -> None:
    order = await payer.paid(description="для Анны", return_url="https://anna.example/")
    held = (await payer.get("/users/me/export"))["billing"]
    assert {one["record"] for one in held} >= {"balance", "payment", "ledger_entry"}
    database = await payer.program.container.get(Database)
    for _ in range(2):
        await SqlBillingRecords(database).erase(payer.user_id)
    row = await database.read.fetch_one("SELECT * FROM payments WHERE id = :id", id=order["id"])
    assert row is not None
    assert (row["description"], row["return_url"], row["confirmation_url"]) == ("", "", None)
    assert row["amount_minor"] == 15000
    assert (await payer.balance())[0] == 15000


async def test_after_all_this_every_balance_is_its_recount(program: Program) -> None:
    found = await (await program.container.get(LedgerViews)).recount()
    assert found.discrepancies == ()
    assert found.entries > 0
