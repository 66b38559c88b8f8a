"""The wire of notices: status, body and code of each route, and that nobody reaches another's."""

import json
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from api.program import Program
from docs.pages import REPOSITORY, Page
from opora.adapters.sql.connection import Database
from opora.bootstrap.contexts import HANDLERS
from opora.core.access.model.scopes import Role
from opora.core.jobs.ports import JobLeases
from opora.core.kernel.ports import UnitOfWork
from opora.core.notifications.model.deliveries import DELIVER, FIRE
from opora.core.notifications.ports.notices import NoticeTx
from opora.testing.notices import a_notice

pytestmark = pytest.mark.anyio

KEYS = {
    "p256dh": urlsafe_b64encode(b"\x04" + bytes(64)).decode().rstrip("="),
    "auth": urlsafe_b64encode(bytes(16)).decode(),
}
BROWSER = {"endpoint": "http://127.0.0.1:9/push/1", "keys": KEYS, "expirationTime": None}
HOOK = {"url": "http://127.0.0.1:9/hook", "kinds": ["notifications.trial"]}


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """The program outlives a test."""
    return "asyncio"


@pytest.fixture(scope="module")
async def program(anyio_backend: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Program]:
    """The program in the embedded set-up, which may call this machine."""
    home = tmp_path_factory.mktemp("home")
    async with Program.over(home, OPORA_OUTBOUND_NETWORKS="127.0.0.0/8") as program:
        yield program


@pytest.fixture
async def anna(program: Program) -> AsyncIterator[httpx.AsyncClient]:
    """A client."""
    async with program.client(token=await program.token(Role.CLIENT)) as client:
        yield client


@pytest.fixture
async def bob(program: Program) -> AsyncIterator[httpx.AsyncClient]:
    """Another person."""
    async with program.client(token=await program.token(Role.STAFF)) as client:
        yield client


@pytest.fixture
async def operator(program: Program) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody who looks after deliveries."""
    key = await program.key("deliveries:read", "deliveries:write")
    async with program.client(key=key.key) as client:
        yield client


async def run_due(program: Program) -> None:
    """Run the jobs of notices that are due."""
    leases = await program.container.get(JobLeases)
    while claims := await leases.claim([FIRE, DELIVER], 20, 30.0):
        for claim in claims:
            handler = await program.container.get(HANDLERS[claim.kind])
            await handler(claim)


async def told(program: Program, client: httpx.AsyncClient, **changes: Any) -> int:
    """Tell a person something and return the id it has in their list."""
    user_id = (await client.get("/api/v1/users/me")).json()["id"]
    unit = await program.container.get(UnitOfWork[NoticeTx])
    async with unit() as tx:
        await tx.notices.add(a_notice(user_id=user_id, **changes))
    await run_due(program)
    return int((await client.get("/api/v1/notifications")).json()["results"][0]["id"])


def code(answer: httpx.Response) -> tuple[int, str]:
    """Return the status and the code of a refusal."""
    return answer.status_code, answer.json()["code"]


async def test_a_list_is_its_owners_alone(program: Program, anna: httpx.AsyncClient, bob: httpx.AsyncClient) -> None:
    for _ in range(3):
        number = await told(program, anna)
    place = f"/api/v1/notifications/{number}"
    shown = (await anna.get(place)).json()
    assert shown.keys() == {"id", "kind", "title", "text", "data", "created_at", "read_at"}
    assert shown["data"] == {"sent_at": "2030-01-01T12:00:00+00:00"}
    assert code(await bob.get(place)) == (404, "no_such_notice")
    assert code(await bob.post(f"{place}/read")) == (404, "no_such_notice")
    assert (await bob.get("/api/v1/notifications")).json()["count"] == 0
    assert (await anna.post(f"{place}/read")).status_code == 204
    assert (await anna.get(place)).json()["read_at"]
    assert (await anna.get("/api/v1/notifications?unread=true&limit=1")).json()["count"] == number - 1
    assert (await anna.post("/api/v1/notifications/read")).json() == {"read": number - 1}


async def test_preferences_are_replaced_whole_and_told_with_every_kind(anna: httpx.AsyncClient) -> None:
    place = "/api/v1/notifications/preferences"
    wanted = {
        "channels": {"notifications.trial": {"webpush": False}},
        "quiet_hours": {"start": "22:30", "end": "07:00"},
        "timezone": "Europe/Moscow",
        "language": "ru",
        "digest": "daily",
        "phone": "+79120000000",
    }
    answer = (await anna.put(place, json=wanted)).json()
    kinds = {one["kind"]: one for one in answer.pop("kinds")}
    assert answer == wanted
    assert kinds["notifications.trial"]["mandatory"] is False
    assert (await anna.get(place)).json()["quiet_hours"] == wanted["quiet_hours"]
    assert (await anna.put(place, json={})).json()["quiet_hours"] is None


async def test_the_preferences_that_the_page_shows_are_taken(anna: httpx.AsyncClient) -> None:
    [block] = [one for one in Page(REPOSITORY / "docs/notifications.md").blocks() if one.language == "json"]
    place = "/api/v1/notifications/preferences"
    answer = await anna.put(place, json=json.loads(block.text))
    assert answer.status_code == 200, answer.text
    assert (await anna.put(place, json={})).status_code == 200


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"timezone": "../../etc/passwd"}, "timezone"),
        ({"language": "fr"}, "language"),
        ({"digest": "hourly"}, "digest"),
        ({"quiet_hours": {"start": "25:00", "end": "07:00"}}, "quiet_hours.start"),
        ({"quiet_hours": {"start": "07:00", "end": "07:00"}}, "quiet_hours"),
        ({"channels": {"no.such": {"email": True}}}, "channels.no.such"),
        ({"channels": {"notifications.digest": {"sms": True}}}, "channels.notifications.digest.sms"),
        ({"phone": "8 912 000"}, "phone"),
        ({"phones": []}, "phones"),
    ],
    ids=str,
)
async def test_what_cannot_be_preferred_is_refused_by_field(
    anna: httpx.AsyncClient, wanted: dict[str, object], field: str
) -> None:
    answer = await anna.put("/api/v1/notifications/preferences", json=wanted)
    assert answer.status_code == 422
    assert field in answer.json()["errors"]


async def test_a_browser_is_registered_listed_without_its_keys_and_forgotten(
    anna: httpx.AsyncClient, bob: httpx.AsyncClient
) -> None:
    place = "/api/v1/notifications/webpush/subscriptions"
    assert len((await anna.get("/api/v1/notifications/webpush/key")).json()["key"]) == 87
    made = await anna.post(place, json=BROWSER)
    assert made.status_code == 201
    assert (await anna.get(place)).json()["results"] == [made.json()]
    assert made.json().keys() == {"id", "endpoint", "created_at"}
    one = made.headers["location"]
    assert code(await bob.delete(one)) == (404, "no_such_place")
    assert (await anna.delete(one)).status_code == 204
    assert (await anna.get(place)).json()["results"] == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"endpoint": "https://10.0.0.1/push"}, "endpoint"),
        ({"endpoint": "https://169.254.169.254/latest"}, "endpoint"),
        ({"endpoint": "https://[::1]/"}, "endpoint"),
        ({"endpoint": "https://user:word@127.0.0.1/"}, "endpoint"),
        ({"endpoint": "ftp://127.0.0.1/"}, "endpoint"),
        ({"keys": KEYS | {"auth": "AAAAAAAAAAA"}}, "keys.auth"),
        ({"keys": KEYS | {"p256dh": "AAAAAAAAA"}}, "keys.p256dh"),
        ({"keys": KEYS | {"p256dh": "AAAAAAAA%"}}, "keys.p256dh"),
    ],
    ids=str,
)
async def test_a_push_endpoint_that_may_not_be_called_is_refused_by_field(
    anna: httpx.AsyncClient, change: dict[str, object], field: str
) -> None:
    answer = await anna.post("/api/v1/notifications/webpush/subscriptions", json=BROWSER | change)
    assert answer.status_code == 422
    assert field in answer.json()["errors"]


async def test_an_endpoint_shows_its_secret_once(anna: httpx.AsyncClient, bob: httpx.AsyncClient) -> None:
    place = "/api/v1/notifications/webhooks"
    made = await anna.post(place, json=HOOK)
    assert made.status_code == 201
    assert made.json()["secret"].startswith("whsec_")
    assert made.json()["public_key"].startswith("whpk_")
    shown = {name: value for name, value in made.json().items() if name != "secret"}
    listed = (await anna.get(place)).json()
    assert listed == {"count": 1, "count_exact": True, "next": None, "previous": None, "results": [shown]}
    assert (await anna.get(place, params={"page": 2})).json()["results"] == []
    one = made.headers["location"]
    assert code(await bob.patch(one, json={"is_active": False})) == (404, "no_such_place")
    assert (await anna.patch(one, json={"is_active": False})).json()["is_active"] is False
    assert code(await bob.delete(one)) == (404, "no_such_place")
    assert (await anna.delete(one)).status_code == 204
    inside = await anna.post(place, json={"url": "https://192.168.0.1/hook"})
    assert code(inside) == (422, "place_invalid")
    unknown = await anna.post(place, json=HOOK | {"kinds": ["no.such"]})
    assert unknown.json()["errors"].keys() == {"kinds"}


async def test_operators_see_deliveries_without_addresses_and_send_again_what_failed(
    program: Program, anna: httpx.AsyncClient, operator: httpx.AsyncClient
) -> None:
    hook = await anna.post("/api/v1/notifications/webhooks", json={"url": "http://127.0.0.1:9/hook"})
    await told(program, anna, about="appointment:5")
    await anna.delete(hook.headers["location"])
    place = "/api/v1/admin/deliveries"
    listed = (await operator.get(place)).json()["results"]
    letter = next(one for one in listed if one["channel"] == "email")
    call = next(one for one in listed if one["channel"] == "webhook")
    assert (letter["state"], letter["target"], letter["about"]) == ("sent", "cl…@example.org", "appointment:5")
    assert (call["state"], call["attempts"]) == ("queued", 1)
    log = (await operator.get(f"{place}/{call['id']}")).json()["log"]
    assert [(one["number"], one["outcome"]) for one in log] == [(1, "deferred")]
    early = await operator.post(f"{place}/{call['id']}/retry")
    assert code(early) == (409, "delivery_not_failed")
    await (await program.container.get(Database)).read.execute("UPDATE jobs SET run_at = now() WHERE state = 'queued'")
    await run_due(program)
    failed = (await operator.get(f"{place}?status=failed&channel=webhook")).json()["results"]
    assert [one["id"] for one in failed] == [call["id"]]
    again = await operator.post(f"{place}/{call['id']}/retry")
    assert (again.status_code, again.json()["state"]) == (202, "queued")
    assert code(await operator.get(f"{place}/018f0000-0000-7000-8000-000000000000")) == (404, "no_such_delivery")
    assert code(await anna.get(place))[0] == 403


async def test_a_key_of_nobody_is_told_that_notices_are_for_people(program: Program) -> None:
    async with program.client(key=(await program.key("admin")).key) as client:
        assert code(await client.get("/api/v1/notifications")) == (409, "person_required")
        assert code(await client.post("/api/v1/auth/ticket")) == (409, "ticket_needs_person")
        assert code(await client.get("/api/v1/notifications/stream")) == (401, "ticket_invalid")


async def test_a_ticket_is_for_thirty_seconds(program: Program, anna: httpx.AsyncClient) -> None:
    made = await anna.post("/api/v1/auth/ticket")
    assert (made.status_code, made.json()["expires_in_s"]) == (201, 30)
    assert made.headers["cache-control"] == "no-store"
    program.clock.ahead += timedelta(seconds=31)
    late = await anna.get("/api/v1/notifications/stream", params={"ticket": made.json()["ticket"]})
    assert code(late) == (401, "ticket_invalid")
