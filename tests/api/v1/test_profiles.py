"""What callers get of profiles over HTTP."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from dishka import Provider, Scope, make_async_container

from api.stand import MINUTE, CountingGate, KeptCalls, ListedVersions
from opora.adapters.files.tables import packaged_tables
from opora.adapters.sql.connection import Database
from opora.adapters.sql.profiles import SqlProfileViews
from opora.adapters.sql.unit import SqlUnitOfWork
from opora.adapters.system.clock import SystemClock
from opora.adapters.system.randomness import SystemRandomness
from opora.api.calls import current_actor
from opora.api.edge import EdgeParts, EdgeSettings, wrap
from opora.api.http import application
from opora.api.pages import Cursors
from opora.api.v1.profiles import ProfileController
from opora.bootstrap.binding import bind
from opora.core.access.model.callers import Caller, Credentials
from opora.core.kernel.model import Actor, Origin
from opora.core.kernel.ports import Clock, Randomness, UnitOfWork
from opora.core.profiles.ports.profiles import ProfileTx, ProfileViews
from opora.core.profiles.rules.keeping import KeepingPolicy
from opora.core.profiles.rules.workshop import Workshop
from opora.core.profiles.usecases.profiles import USE_CASES

pytestmark = pytest.mark.anyio

OWN = frozenset({"profiles:read", "profiles:write", "profiles:delete"})
CALLERS = {
    "mine": Actor(key_id=7, scopes=OWN),
    "yours": Actor(user_id=4, scopes=OWN),
    "reader": Actor(key_id=7, scopes=frozenset({"profiles:read"})),
    "admin": Actor(user_id=1, scopes=frozenset({"admin"})),
    "nobody": Actor(),
}
HOST = "http://opora.test"
WORKSHOP = Workshop(packaged_tables())


class Doorman:
    """Knows callers by name."""

    async def __call__(self, credentials: Credentials, origin: Origin) -> Caller:
        actor = CALLERS[credentials.bearer or "nobody"]
        return Caller(actor, actor.subject, (MINUTE,))


class EndlessGate(CountingGate):
    """Lets everybody in, for a test calls more often than a minute allows."""

    def _decide(self, admission, cost):
        return super()._decide(admission, 0)


@pytest.fixture
async def client(sqlite_unit: SqlUnitOfWork, sqlite_database: Database) -> AsyncIterator[httpx.AsyncClient]:
    parts = Provider(scope=Scope.APP)
    parts.provide_all(*USE_CASES)
    parts.provide(lambda: sqlite_unit, provides=UnitOfWork[ProfileTx])
    parts.provide(lambda: SqlProfileViews(sqlite_database), provides=ProfileViews)
    parts.provide(SystemClock, provides=Clock)
    parts.provide(SystemRandomness, provides=Randomness)
    parts.provide(lambda: WORKSHOP, provides=Workshop)
    parts.provide(lambda: KeepingPolicy(None), provides=KeepingPolicy)
    parts.provide(lambda: Cursors(b"a secret"), provides=Cursors)
    container = make_async_container(parts)
    app = application([await bind(ProfileController, container, current_actor)])
    edge = EdgeParts(Doorman(), EndlessGate(), SystemClock(), KeptCalls(), ListedVersions(), settings=EdgeSettings())
    transport = httpx.ASGITransport(wrap(app, edge), raise_app_exceptions=False)
    headers = {"authorization": "Bearer mine"}
    async with httpx.AsyncClient(transport=transport, base_url=f"{HOST}/api/v1", headers=headers) as client:
        yield client
    await container.close()


def named(name: str) -> dict[str, str]:
    return {"authorization": f"Bearer {name}"}


async def kept(client: httpx.AsyncClient, by: str = "mine", **wish: object) -> list[dict[str, object]]:
    answer = await client.post("/profiles/generate", json={"persist": True, **wish}, headers=named(by))
    assert answer.status_code == 201
    return answer.json()["profiles"]


async def test_people_are_given_and_not_kept_unless_asked(client):
    answer = await client.post("/profiles/generate", json={"count": 3, "seed": 42, "as_of": "2026-01-01"})
    assert answer.status_code == 200
    body = answer.json()
    assert {name: body[name] for name in body if name != "profiles"} == {
        "persisted": False,
        "seed": 42,
        "index": 0,
        "as_of": "2026-01-01",
        "data_version": 1,
    }
    assert [list(one) for one in body["profiles"]] == 3 * [
        [
            *("locale", "sex", "full_name", "last_name", "first_name", "middle_name", "birth_date", "birth_place"),
            *("passport", "address", "phone", "email", "tax", "finance"),
        ]
    ]
    assert (await client.get("/profiles")).json()["count"] == 0


async def test_the_same_seed_gives_the_same_people_and_none_gives_others(client):
    wish = {"count": 5, "seed": 1, "locale": "de_DE", "sex": "female", "age_min": 30, "age_max": 40, "region": "BY"}
    first, again = [(await client.post("/profiles/generate", json=wish)).json() for _ in range(2)]
    assert first == again
    assert {one["address"]["region"] for one in first["profiles"]} == {"Bayern"}
    seeds = {(await client.post("/profiles/generate", json={})).json()["seed"] for _ in range(3)}
    assert len(seeds) == 3


async def test_what_was_kept_reads_as_it_was_answered(client):
    made = await kept(client, count=2)
    assert [one["id"] for one in made] == [1, 2]
    for one in made:
        answer = await client.get(f"/profiles/{one['id']}")
        assert answer.json() == one
        assert answer.headers["content-type"] == "application/json"
    listed = (await client.get("/profiles")).json()
    assert listed == {"count": 2, "count_exact": True, "next": None, "previous": None, "results": made[::-1]}


async def test_an_id_stands_first(client):
    await kept(client)
    assert (await client.get("/profiles/1")).content.startswith(b'{"id":1,"locale":"ru_RU",')


async def test_every_fault_of_a_wish_is_told(client):
    answer = await client.post("/profiles/generate", json={"count": 101, "locale": "xx", "age_min": 5, "sex": "no"})
    assert answer.status_code == 422
    assert answer.json()["code"] == "invalid_generation"
    assert set(answer.json()["errors"]) == {"count", "locale", "age_min", "sex"}


@pytest.mark.parametrize("wish", [{"colour": "red"}, {"count": "3"}, {"persist": 1}, {"as_of": "soon"}, {"sex": ""}])
async def test_a_wish_of_the_wrong_form_is_refused(client, wish):
    answer = await client.post("/profiles/generate", json=wish)
    assert answer.status_code == 422
    assert set(answer.json()["errors"]) == set(wish)


async def test_anothers_profile_is_not_found(client):
    (mine,) = await kept(client)
    path = f"/profiles/{mine['id']}"
    assert (await client.get(path, headers=named("yours"))).status_code == 404
    assert (await client.delete(path, headers=named("yours"))).status_code == 404
    assert (await client.get("/profiles", headers=named("yours"))).json()["count"] == 0
    assert (await client.get(path, headers=named("admin"))).status_code == 200
    assert (await client.get("/profiles?source_key=7", headers=named("admin"))).json()["count"] == 1


async def test_a_deleted_profile_is_gone(client):
    (mine,) = await kept(client)
    path = f"/profiles/{mine['id']}"
    answer = await client.delete(path)
    assert (answer.status_code, answer.content) == (204, b"")
    for again in (await client.get(path), await client.delete(path)):
        assert (again.status_code, again.json()["code"]) == (404, "no_such_profile")


@pytest.mark.parametrize(
    ("method", "path", "caller", "status"),
    [
        ("POST", "/profiles/generate", "nobody", 401),
        ("POST", "/profiles/generate", "reader", 403),
        ("GET", "/profiles", "nobody", 401),
        ("GET", "/profiles/export", "nobody", 401),
        ("GET", "/profiles/1", "nobody", 401),
        ("DELETE", "/profiles/1", "reader", 403),
        ("GET", "/profiles/0", "mine", 404),
        ("GET", "/profiles/9223372036854775808", "mine", 404),
        ("GET", "/profiles?limit=201", "mine", 422),
        ("GET", "/profiles?colour=red", "mine", 422),
        ("GET", "/profiles?cursor=abc", "mine", 422),
        ("GET", "/profiles/export?format=xml", "mine", 422),
        ("GET", "/profiles?created_after=yesterday", "mine", 422),
    ],
)
async def test_what_may_not_be_asked_is_refused(client, method, path, caller, status):
    body = {"json": {}} if method == "POST" else {}
    answer = await client.request(method, path, headers=named(caller), **body)
    assert answer.status_code == status


async def test_pages_link_to_each_other(client):
    ids = [one["id"] for one in await kept(client, count=5)][::-1]
    first = (await client.get("/profiles?limit=2&locale=ru_RU")).json()
    second = (await client.get(HOST + first["next"])).json()
    third = (await client.get(HOST + second["next"])).json()
    assert [one["id"] for page in (first, second, third) for one in page["results"]] == ids
    assert third["next"] is None
    assert (await client.get(HOST + second["previous"])).json() == first


async def test_cursors_walk_the_same_list(client):
    ids = [one["id"] for one in await kept(client, count=5)][::-1]
    link, seen = "/api/v1/profiles?limit=2&cursor=", []
    while link:
        page = (await client.get(HOST + link)).json()
        seen += [one["id"] for one in page["results"]]
        assert page["count"] == 5
        link = page["next"]
    assert seen == ids


async def test_a_list_is_narrowed(client):
    await kept(client, count=3, seed=1, locale="en_GB")
    (russian,) = await kept(client, seed=1)
    word = russian["last_name"].upper()
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    for query, count in [
        ("locale=en_GB", 3),
        (f"q={word}", 1),
        ("q=%25", 0),
        (f"created_before={tomorrow}", 4),
        (f"created_after={tomorrow}", 0),
    ]:
        assert (await client.get(f"/profiles?{query}")).json()["count"] == count


async def test_a_stream_gives_one_array_or_a_line_each(client):
    made = []
    for _ in range(6):
        made += await kept(client, count=100)
    await kept(client, "yours")
    array = await client.get("/profiles/export")
    lines = await client.get("/profiles/export?format=ndjson&locale=ru_RU")
    assert array.json() == made[::-1]
    assert [json.loads(line) for line in lines.text.splitlines()] == made[::-1]
    assert array.headers["content-type"] == "application/json"
    assert lines.headers["content-type"].startswith("application/x-ndjson")
    assert array.headers["content-disposition"] == 'attachment; filename="profiles.json"'
    assert (await client.get("/profiles/export?locale=kk_KZ")).json() == []
    assert (await client.get("/profiles/export?locale=kk_KZ&format=ndjson")).content == b""


async def test_what_is_kept_for_a_time_says_nothing_of_it(client):
    (one,) = await kept(client, ttl_seconds=60)
    assert (await client.get(f"/profiles/{one['id']}")).json() == one


async def test_a_repeated_call_makes_people_once(client):
    headers = {"idempotency-key": "only-once"}
    answers = [
        await client.post("/profiles/generate", json={"persist": True}, headers=headers | named("mine"))
        for _ in range(2)
    ]
    assert [one.status_code for one in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    assert (await client.get("/profiles")).json()["count"] == 1
