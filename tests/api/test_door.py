"""Who gets in, and what is said to those who do not."""

import pytest

from api.stand import A_KEY, GOOD_KEY, GOOD_TOKEN, NOW, Stand
from opora.api.calls import Call, current_actor, current_request_id
from opora.core.access.model.callers import Caller, Credentials
from opora.core.access.model.rates import RatePolicy
from opora.core.kernel.model import Actor, Origin

pytestmark = pytest.mark.anyio

MATRIX = [
    ("/health", None, 200),
    ("/health", "wrong", 200),
    ("/api/v1/odd/open", None, 200),
    ("/api/v1/odd/open", "wrong", 200),
    ("/api/v1/odd/open", "good", 200),
    ("/api/v1/odd/signed", None, 401),
    ("/api/v1/odd/signed", "wrong", 401),
    ("/api/v1/odd/signed", "person", 200),
    ("/api/v1/odd/signed", "reader", 200),
    ("/api/v1/things", None, 401),
    ("/api/v1/things", "wrong", 401),
    ("/api/v1/things", "reader", 200),
    ("/api/v1/nowhere", None, 404),
    ("/api/v1/nowhere", "wrong", 404),
    ("/api/v1/odd/internal", "good", 404),
]


@pytest.mark.parametrize(("path", "bearer", "status"), MATRIX)
async def test_a_route_lets_in_whom_its_policy_names(stand: Stand, path: str, bearer: str | None, status: int) -> None:
    async with stand.client(bearer) as client:
        answer = await client.get(path)
    assert answer.status_code == status
    assert ("www-authenticate" in answer.headers) == (status == 401)


async def test_a_missing_scope_is_named(stand: Stand) -> None:
    async with stand.client("reader") as client:
        answer = await client.post("/api/v1/things", json={"title": "x"})
    assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope")
    assert answer.json()["missing"] == ["things:write"]


async def test_no_credentials_get_no_error_code_and_bad_ones_do(stand: Stand) -> None:
    async with stand.client() as client:
        none = await client.get("/api/v1/things")
        bad = await client.get("/api/v1/things", headers={"authorization": "Bearer wrong"})
    assert none.headers["www-authenticate"] == 'Bearer realm="opora"'
    assert bad.headers["www-authenticate"] == 'Bearer realm="opora", error="invalid_token"'
    assert bad.json()["code"] == "bad_key"


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": "Bearer good"},
        {"authorization": "bearer good"},
        {"authorization": "BEARER  good "},
        {"x-api-key": "good"},
    ],
)
async def test_a_key_is_taken_as_bearer_and_in_its_own_header(stand: Stand, headers: dict[str, str]) -> None:
    async with stand.client() as client:
        answer = await client.get("/api/v1/things/1", headers=headers)
    assert answer.status_code == 200


@pytest.mark.parametrize("scheme", ["Basic Z29vZDo=", "Digest good", "good", "Bearer", "Bearer "])
async def test_other_schemes_are_nobody(stand: Stand, scheme: str) -> None:
    async with stand.client() as client:
        answer = await client.get("/api/v1/things/1", headers={"authorization": scheme})
    assert answer.status_code == 401


@pytest.mark.parametrize("name", ["authorization", "x-api-key"])
async def test_a_credential_sent_twice_is_refused(stand: Stand, name: str) -> None:
    async with stand.client() as client:
        answer = await client.get("/api/v1/things/1", headers=[(name, "Bearer good"), (name, "Bearer good")])
    assert (answer.status_code, answer.json()["code"]) == (400, "ambiguous_credentials")


@pytest.mark.parametrize("name", ["access_token", "api_key", "apikey", "X-API-Key", "Authorization"])
async def test_a_credential_in_the_query_is_refused(stand: Stand, name: str) -> None:
    async with stand.client() as client:
        answer = await client.get("/api/v1/odd/open", params={name: "good"})
    assert (answer.status_code, answer.json()["code"]) == (400, "credentials_in_query")


@pytest.mark.parametrize("name", ["x-user-id", "X-Scopes", "x-roles", "x-email-verified", "X-Subscription-Tier"])
async def test_an_identity_that_a_client_states_reaches_nobody(stand: Stand, name: str) -> None:
    async with stand.client() as client:
        seen = (await client.get("/api/v1/odd/echo", headers={name: "1"})).json()
    assert name.lower() not in seen
    assert "host" in seen


@pytest.mark.parametrize("name", ["x_user_id", "X.User.Id", "x_scopes", "X-Email_Verified", "x_opora_identity"])
async def test_an_identity_in_another_spelling_is_refused(stand: Stand, name: str) -> None:
    async with stand.client() as client:
        answers = [await client.get("/api/v1/odd/echo", headers={name: "1"}) for _ in range(2)]
    assert [answer.json()["code"] for answer in answers] == ["identity_header_refused"] * 2
    assert answers[0].status_code == 400


async def test_a_revoked_credential_is_refused_at_the_next_call(stand: Stand) -> None:
    async with stand.client("good") as client:
        before = await client.get("/api/v1/things/1")
        await stand.gate.deny("key:7", 60)
        after, public = await client.get("/api/v1/things/1"), await client.get("/api/v1/odd/open")
    assert (before.status_code, after.status_code, public.status_code) == (200, 401, 200)
    assert after.json()["code"] == "credential_revoked"
    assert stand.gate.spent["key:7", "minute"] == 1, "the revoked are not charged"


async def test_who_has_fewer_rights_now_has_them_at_the_next_call_and_is_not_thrown_out(stand: Stand) -> None:
    async with stand.client("changing") as client:
        before = await client.post("/api/v1/things", json={"title": "x"})
        stand.doorman.version = 2
        await stand.gate.deny("user:4/rights:1", 5)
        after = await client.post("/api/v1/things", json={"title": "y"})
        reads = [await client.get("/api/v1/things/1") for _ in range(3)]
    assert (before.status_code, after.status_code, {one.status_code for one in reads}) == (201, 403, {200})
    assert len(stand.doorman.asked) == 2, "looked up anew once, and remembered after that"


@pytest.mark.parametrize("is_gone", [True, False])
async def test_who_is_refused_under_every_look_is_out_and_stays_a_stranger_where_all_may_come(
    stand: Stand, is_gone: bool
) -> None:
    async with stand.client("changing") as client:
        assert (await client.get("/api/v1/things/1")).status_code == 200
        stand.doorman.version, stand.doorman.is_gone = 2, is_gone
        await stand.gate.deny("user:4", 5)
        after, public = await client.get("/api/v1/things/1"), await client.get("/api/v1/odd/open")
    assert (after.status_code, public.status_code) == (401, 200)
    assert "www-authenticate" in after.headers


async def test_a_token_is_asked_after_by_its_epoch(stand: Stand) -> None:
    async with stand.client("person") as client:
        await client.get("/api/v1/things/1")
    admission = stand.gate.admissions[0]
    assert (admission.subject, admission.epoch_subject, admission.issued_at) == ("user:3", "user:3", NOW)
    assert admission.revocation == ("jti:1", "user:3")


async def test_a_rotated_key_is_told_when_it_ends(stand: Stand) -> None:
    async with stand.client("rotated") as client:
        answer = await client.get("/api/v1/things/1")
    assert answer.headers["deprecation"] == "@1795176000"
    assert answer.headers["sunset"] == "Sat, 21 Nov 2026 12:00:00 GMT"


async def test_a_warm_caller_is_not_looked_up_again_but_is_asked_after(stand: Stand) -> None:
    async with stand.client("good") as client:
        for _ in range(5):
            await client.get("/api/v1/things/1")
    assert stand.doorman.asked == [Credentials("good")]
    assert len(stand.gate.admissions) == 5


async def test_a_caller_is_not_remembered_for_another_address(stand: Stand) -> None:
    for peer in ("192.0.2.1", "192.0.2.2"):
        async with stand.client("good", peer) as client:
            await client.get("/api/v1/things/1")
    assert [origin.address for origin in stand.doorman.origins] == ["192.0.2.1", "192.0.2.2"]


async def test_bad_keys_are_held_off_before_any_look_up() -> None:
    stand = Stand(auth_failures=RatePolicy("auth_failures", quota=3, window_s=60))
    async with stand.client() as client:
        answers = [
            await client.get("/api/v1/things", headers={"authorization": f"Bearer wrong{number}"})
            for number in range(6)
        ]
    assert [answer.status_code for answer in answers] == [401, 401, 401, 429, 429, 429]
    assert answers[-1].json()["code"] == "too_many_failures"
    assert int(answers[-1].headers["retry-after"]) in {6, 7}
    assert len(stand.doorman.asked) == 4, "the last two were not looked up"


LIMIT_FIELDS = ("ratelimit-policy", "ratelimit", "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset")


async def test_every_refusal_that_counts_says_what_is_left_of_the_failures() -> None:
    stand = Stand(auth_failures=RatePolicy("auth_failures", quota=2, window_s=60))
    async with stand.client("wrong") as client:
        answers = [await client.get("/api/v1/things") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [401, 401, 429, 429]
    told = [[answer.headers.get_list(name) for name in LIMIT_FIELDS] for answer in answers]
    assert told[0] == [['"auth_failures";q=2;w=60'], ['"auth_failures";r=1;t=8'], ["2"], ["1"], ["8"]]
    assert [one[3] for one in told] == [["1"], ["0"], ["0"], ["0"]]
    assert all(one[0] == ['"auth_failures";q=2;w=60'] for one in told)


async def test_a_bad_credential_where_all_may_come_leaves_the_limits_of_a_stranger(stand: Stand) -> None:
    async with stand.client("wrong") as client:
        answer = await client.get("/api/v1/odd/open")
    assert answer.status_code == 200
    assert answer.headers.get_list("ratelimit-policy") == ['"minute";q=100;w=60']
    assert answer.headers.get_list("x-ratelimit-remaining") == ["99"]


async def test_one_with_a_good_key_is_not_held_with_the_strangers_of_their_address() -> None:
    stand = Stand(auth_failures=RatePolicy("auth_failures", quota=1, window_s=60))
    async with stand.client("good") as known, stand.client("wrong") as stranger:
        assert (await known.get("/api/v1/things/1")).status_code == 200
        for _ in range(3):
            await stranger.get("/api/v1/things/1")
        assert (await stranger.get("/api/v1/things/1")).status_code == 429
        assert (await known.get("/api/v1/things/1")).status_code == 200


@pytest.mark.parametrize(
    ("own", "strange"),
    [({"authorization": f"Bearer {GOOD_TOKEN}"}, "e30.e30.e31"), ({"x-api-key": GOOD_KEY}, A_KEY)],
    ids=["token", "key"],
)
async def test_strangers_keep_nobody_out_who_comes_anew_from_their_address(own: dict[str, str], strange: str) -> None:
    stand = Stand(auth_failures=RatePolicy("auth_failures", quota=1, window_s=60))
    async with stand.client() as client:
        answers = [
            await client.get("/api/v1/things/1", headers={"authorization": f"Bearer {sent}"})
            for sent in ("wrong", "other", strange, "worse")
        ]
        assert [answer.status_code for answer in answers] == [401, 429, 429, 429]
        assert (await client.get("/api/v1/things/1", headers=own)).status_code == 200


async def test_internal_routes_answer_the_internal_networks_and_charge_nobody() -> None:
    stand = Stand(internal_networks=("10.0.0.0/8",))
    async with stand.client("good", "10.1.2.3") as inside, stand.client("good", "11.1.2.3") as outside:
        assert (await inside.get("/api/v1/odd/internal")).status_code == 200
        assert (await outside.get("/api/v1/odd/internal")).status_code == 404
    assert stand.gate.spent["key:7", "minute"] == 0


HOPS = [
    ("10.0.0.1", "198.51.100.7", "198.51.100.7"),
    ("10.0.0.1", "1.1.1.1, 198.51.100.7", "198.51.100.7"),
    ("10.0.0.1", "1.1.1.1, 198.51.100.7, 10.0.0.2", "198.51.100.7"),
    ("10.0.0.1", "198.51.100.7:4711", "198.51.100.7"),
    ("10.0.0.1", "[2001:db8::1]:4711", "2001:db8::1"),
    ("10.0.0.1", "evil, 198.51.100.7", "198.51.100.7"),
    ("10.0.0.1", "198.51.100.7, evil", "10.0.0.1"),
    ("10.0.0.1", "", "10.0.0.1"),
    ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
    ("192.0.2.9", "198.51.100.7", "192.0.2.9"),
]


@pytest.mark.parametrize(("peer", "forwarded", "client_address"), HOPS)
async def test_the_client_is_the_first_hop_that_is_not_trusted(peer: str, forwarded: str, client_address: str) -> None:
    stand = Stand(trusted_proxies=("10.0.0.0/8",))
    async with stand.client(None, peer) as client:
        await client.get("/api/v1/odd/open", headers={"x-forwarded-for": forwarded})
    assert stand.doorman.origins[0].address == client_address


async def test_nobody_is_trusted_unless_told(stand: Stand) -> None:
    async with stand.client(None, "127.0.0.1") as client:
        await client.get("/api/v1/odd/open", headers={"x-forwarded-for": "198.51.100.7"})
    assert stand.doorman.origins[0].address == "127.0.0.1"


async def test_the_audit_log_gets_a_user_agent_it_can_keep(stand: Stand) -> None:
    async with stand.client("good") as client:
        await client.get("/api/v1/things", headers={"user-agent": "x" * 1000, "x-request-id": "r-1"})
        await client.get("/api/v1/things", headers={"user-agent": "a\x1b[31mb", "authorization": "Bearer reader"})
    assert stand.doorman.origins[0].user_agent == "x" * 256
    assert stand.doorman.origins[0].request_id == "r-1"
    assert stand.doorman.origins[1].user_agent == "a [31mb"


async def test_outside_a_request_there_is_no_caller() -> None:
    with pytest.raises(LookupError):
        current_actor()
    assert current_request_id() == ""


async def test_a_remembered_caller_bears_the_origin_of_this_call() -> None:
    call = Call("GET", "/", 0.0)
    assert call.caller is None
    call.address = "192.0.2.1"
    call.known = Caller(Actor(key_id=7, origin=Origin("192.0.2.9", "other", "r-0")), "key:7", ())
    assert call.caller is not None
    assert call.caller.actor == Actor(key_id=7, origin=Origin("192.0.2.1", "", call.request_id))
    assert call.caller is call.caller
