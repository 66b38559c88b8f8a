"""What holds for every answer, whether a route gave it or not."""

import pytest
from litestar import get

from api.stand import NOW, Stand
from opora.api import policy
from opora.api.edge import wrap
from opora.api.http import application
from opora.core.kernel.errors import Unavailable
from opora.core.kernel.model import ApiVersion, VersionStatus

pytestmark = pytest.mark.anyio

PATHS = ["/api/v1/things/5", "/v1/things/5", "/api/things/5", "/api/v1/things/5/", "/v1/things/5//", "/api/things/5/"]


@pytest.mark.parametrize("path", PATHS)
async def test_every_spelling_of_the_prefix_reaches_one_route(stand: Stand, path: str) -> None:
    async with stand.client("good") as client:
        answer = await client.get(path)
    assert answer.status_code == 200
    assert answer.json() == {"id": 5, "title": "one"}


async def test_an_unknown_version_is_no_route(stand: Stand) -> None:
    async with stand.client("good") as client:
        assert (await client.get("/api/v9/things/5")).status_code == 404
        assert (await client.get("/v9/things/5")).status_code == 404


KINDS = [
    ("GET", "/api/v1/odd/open", {}, 200),
    ("GET", "/api/v1/odd/signed", {}, 401),
    ("GET", "/api/v1/nowhere", {}, 404),
    ("PATCH", "/api/v1/odd/open", {}, 405),
    ("POST", "/api/v1/odd/open", {"content": b"x" * 1_100_000}, 413),
    ("GET", "/api/v1/odd/open?x=1", {}, 422),
    ("GET", "/api/v1/odd/boom", {}, 500),
    ("GET", "/api/v1/odd/down", {}, 503),
]


@pytest.mark.parametrize(("method", "path", "content", "status"), KINDS)
async def test_every_answer_is_named_guarded_and_counted(
    stand: Stand, method: str, path: str, content: dict[str, bytes], status: int
) -> None:
    async with stand.client() as client:
        answer = await client.request(method, path, headers={"x-request-id": "mine-1"}, **content)
    assert answer.status_code == status
    assert answer.headers["x-request-id"] == "mine-1"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["ratelimit"] == '"minute";r=99;t=8'
    assert answer.headers["ratelimit-policy"] == '"minute";q=100;w=60'
    assert answer.headers["x-ratelimit-remaining"] == "99"


@pytest.mark.parametrize(("method", "path", "content", "status"), [kind for kind in KINDS if kind[3] > 299])
async def test_every_refusal_is_a_problem_document(
    stand: Stand, method: str, path: str, content: dict[str, bytes], status: int
) -> None:
    trace = "0af7651916cd43dd8448eb211c80319c"
    async with stand.client() as client:
        answer = await client.request(
            method, path, headers={"traceparent": f"00-{trace}-b7ad6b7169203331-01"}, **content
        )
    document = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert document["status"] == status
    assert document["type"] == "https://opora.dev/problems/" + document["code"]
    assert document["instance"] == path.partition("?")[0]
    assert document["trace_id"] == trace
    assert document["title"]
    assert document["detail"]


async def test_a_request_gets_an_id_where_it_brings_none_or_a_bad_one(stand: Stand) -> None:
    async with stand.client() as client:
        made = [
            (await client.get("/health", headers=headers)).headers["x-request-id"]
            for headers in ({}, {"x-request-id": "a b"}, {"x-request-id": "x" * 129}, {"x-request-id": ""})
        ]
    assert len(set(made)) == 4
    assert "a b" not in made


async def test_methods_are_told_with_405_and_options(stand: Stand) -> None:
    async with stand.client("good") as client:
        refused = await client.patch("/api/v1/things")
        asked = await client.options("/v1/things")
        missing = await client.options("/v1/nowhere")
    assert refused.headers["allow"] == "GET, HEAD, OPTIONS, POST"
    assert refused.json()["allowed"] == ["GET", "HEAD", "OPTIONS", "POST"]
    assert (asked.status_code, asked.headers["allow"], asked.content) == (204, "GET, HEAD, OPTIONS, POST", b"")
    assert missing.status_code == 404


async def test_head_is_get_without_its_body(stand: Stand) -> None:
    async with stand.client("good") as client:
        whole, head = await client.get("/api/v1/things/1"), await client.head("/api/v1/things/1")
    assert head.status_code == 200
    assert head.content == b""
    assert head.headers["content-length"] == whole.headers["content-length"]


async def test_a_fault_is_a_500_without_its_text(stand: Stand) -> None:
    async with stand.client() as client:
        answer = await client.get("/api/v1/odd/boom")
    assert answer.status_code == 500
    assert answer.json()["code"] == "internal_error"
    assert "hunter2" not in answer.text
    assert "RuntimeError" not in answer.text


async def test_a_dependency_that_is_down_is_a_503_that_says_when_to_ask_again(stand: Stand) -> None:
    async with stand.client() as client:
        named, raw = await client.get("/api/v1/odd/down"), await client.get("/api/v1/odd/refused")
        stand.gate.fault = Unavailable(retry_after_s=2)
        limits = await client.get("/api/v1/odd/open")
    assert (named.status_code, named.headers["retry-after"], named.json()["code"]) == (503, "3", "database_unavailable")
    assert (raw.status_code, raw.headers["retry-after"]) == (503, "1")
    assert "10.0.0.7" not in raw.text
    assert (limits.status_code, limits.headers["retry-after"]) == (503, "2")


async def test_an_answer_that_breaks_after_its_start_is_cut_off(stand: Stand) -> None:
    sent: list[dict[str, object]] = []

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b""}

    scope = {
        "type": "http",
        "method": "GET",
        "path": "/api/v1/odd/torn",
        "headers": [],
        "query_string": b"",
        "client": ("192.0.2.1", 1),
    }
    with pytest.raises(ExceptionGroup):
        await stand.app(scope, receive, send)
    assert sent[0]["status"] == 200
    assert not any(message["type"] == "http.response.body" and not message.get("more_body") for message in sent)


async def test_metrics_count_by_template_and_give_all_misses_one_label(stand: Stand) -> None:
    async with stand.client("good") as client:
        for number in range(3):
            await client.get(f"/api/v1/things/{number + 1}")
            await client.get(f"/api/v1/nowhere/{number}")
        await client.request("BREW", "/api/v1/things")
    text = stand.parts.metrics.render().decode()
    assert 'opora_http_requests_total{method="GET",route="/api/v1/things/{thing_id}",status="200"} 3.0' in text
    assert 'opora_http_requests_total{method="GET",route="unmatched",status="404"} 3.0' in text
    assert 'opora_http_requests_total{method="OTHER",route="unmatched",status="405"} 1.0' in text
    assert 'opora_http_request_duration_seconds_count{method="GET",route="/api/v1/things/{thing_id}"} 3.0' in text
    assert "opora_http_requests_in_flight 0.0" in text


async def test_a_handler_that_declares_no_policy_stops_the_start(stand: Stand) -> None:
    @get("/loose")
    async def loose() -> None:
        return None

    with pytest.raises(policy.Undeclared, match="GET /api/v1/loose"):
        wrap(application([loose]), stand.parts)


async def test_answers_to_somebody_are_not_stored(stand: Stand) -> None:
    async with stand.client() as client:
        anonymous = await client.get("/api/v1/odd/open")
        known = await client.get("/api/v1/odd/open", headers={"authorization": "Bearer good"})
    assert "cache-control" not in anonymous.headers
    assert known.headers["cache-control"] == "no-store"


async def test_hsts_is_sent_where_it_is_set(stand: Stand) -> None:
    async with stand.client() as client:
        assert "strict-transport-security" not in (await client.get("/health")).headers
    async with Stand(hsts_max_age_s=600).client() as client:
        answer = await client.get("/health")
    assert answer.headers["strict-transport-security"] == "max-age=600; includeSubDomains"


async def test_browsers_may_ask_from_the_listed_origins_only() -> None:
    stand = Stand(cors_origins=("https://app.example",))
    asking = {"origin": "https://app.example", "access-control-request-method": "POST"}
    async with stand.client() as client:
        allowed = await client.options("/api/v1/things", headers=asking)
        other = await client.options("/api/v1/things", headers={**asking, "origin": "https://evil.example"})
        plain = await client.get("/api/v1/odd/open", headers={"origin": "https://app.example"})
        refused = await client.get("/api/v1/nowhere", headers={"origin": "https://app.example"})
    assert (allowed.status_code, allowed.headers["access-control-allow-origin"]) == (204, "https://app.example")
    assert "Idempotency-Key" in allowed.headers["access-control-allow-headers"]
    assert "access-control-allow-origin" not in other.headers
    assert plain.headers["access-control-allow-origin"] == "https://app.example"
    assert "RateLimit" in plain.headers["access-control-expose-headers"]
    assert refused.headers["access-control-allow-origin"] == "https://app.example"
    assert stand.gate.admissions[0].subject == "address:192.0.2.1"


async def test_what_is_no_origin_stops_the_start() -> None:
    with pytest.raises(ValueError, match="is no origin"):
        Stand(cors_origins=("app.example",))


DEPRECATED = ApiVersion("v1", VersionStatus.DEPRECATED, NOW.date(), NOW.date(), NOW.date().replace(year=2027), "v2")


async def test_a_deprecated_version_says_so_and_names_its_successor() -> None:
    stand = Stand(DEPRECATED)
    async with stand.client("good") as client:
        answer = await client.get("/v1/things/1")
        root = await client.get("/health")
    assert answer.headers["deprecation"] == "@1795132800"
    assert answer.headers["sunset"] == "Sat, 20 Nov 2027 00:00:00 GMT"
    assert answer.headers["link"] == '</api/v2>; rel="successor-version"'
    assert "deprecation" not in root.headers


async def test_a_version_past_its_sunset_is_gone() -> None:
    retired = ApiVersion("v1", VersionStatus.DEPRECATED, NOW.date(), NOW.date(), NOW.date(), "v2")
    async with Stand(retired).client("good") as client:
        answer = await client.get("/api/things/1")
        mending = await client.get("/api/versions")
    assert (answer.status_code, answer.json()["code"]) == (410, "version_retired")
    assert answer.json()["successor"] == "v2"
    assert mending.status_code == 404, "the registry itself is not behind the sunset"


async def test_the_registry_is_not_read_at_every_request_nor_needed() -> None:
    stand = Stand(DEPRECATED)
    async with stand.client("good") as client:
        for _ in range(3):
            await client.get("/v1/things/1")
        assert stand.registry.reads == 1
        stand.registry.is_down = True
        stand.app.versions.forget()
        answer = await client.get("/v1/things/1")
    assert (answer.status_code, answer.headers["deprecation"]) == (200, "@1795132800")


async def test_health_asks_nobody_and_is_not_limited(stand: Stand) -> None:
    async with stand.client("wrong") as client:
        answer = await client.get("/health")
    assert answer.json() == {"status": "ok"}
    assert "ratelimit" not in answer.headers
    assert stand.doorman.asked == []
    assert stand.gate.admissions == []


async def test_the_limit_of_a_call_is_told_when_it_is_spent(stand: Stand) -> None:
    stand.gate.spent["key:7", "minute"] = 100
    async with stand.client("good") as client:
        answer = await client.get("/api/v1/things/1")
        unknown = await client.get("/api/v1/nowhere")
    document = answer.json()
    assert answer.status_code == 429
    assert (document["limit"], document["remaining"], document["reset_at"]) == (100, 0, "2026-11-20T12:00:07.500Z")
    assert document["violated_policies"] == ["minute"]
    assert (document["code"], answer.headers["retry-after"]) == ("rate_limited", "7")
    assert answer.headers["ratelimit"] == '"minute";r=0;t=8'
    assert unknown.status_code == 429, "what is not there is limited too"
