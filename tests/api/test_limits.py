"""What callers are told of their limits, and administrators of everybody's."""

from collections.abc import AsyncIterator

import httpx
import pytest
from dishka import Provider, Scope, make_async_container

from api.stand import StoppedClock
from opora.adapters.memory.rate_stats import MemoryRateStats
from opora.adapters.memory.rates import MemoryRateGate
from opora.api.calls import current_actor
from opora.api.edge import EdgeParts, wrap
from opora.api.http import application
from opora.api.v1.limits import LimitController
from opora.bootstrap.binding import bind
from opora.core.access.model.callers import Caller, Credentials
from opora.core.access.model.rates import RatePolicy
from opora.core.access.ports.rates import RateGate, RateStats
from opora.core.kernel.model import Actor, Origin

pytestmark = pytest.mark.anyio

SCOPES = {"watcher": frozenset({"limits:read"}), "caller": frozenset[str]()}
POLICIES = (RatePolicy("minute", 5, 60), RatePolicy("day", 100, 86_400))


async def known(credentials: Credentials, origin: Origin) -> Caller:
    """Know two keys, each under two limits, and strangers."""
    who = credentials.bearer or ""
    if who not in SCOPES:
        return Caller(Actor(origin=origin), "address:192.0.2.1", ())
    return Caller(Actor(key_id=7, scopes=SCOPES[who], origin=origin), f"key:{who}", POLICIES)


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    gate, stats = MemoryRateGate(), MemoryRateStats()
    provider = Provider(scope=Scope.APP)
    provider.provide(lambda: gate, provides=RateGate)
    provider.provide(lambda: stats, provides=RateStats)
    container = make_async_container(provider)
    app = application([await bind(LimitController, container, current_actor)])
    edge = wrap(app, EdgeParts(known, gate, StoppedClock(), stats=stats))
    transport = httpx.ASGITransport(edge, raise_app_exceptions=False)  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="http://opora.test/api/v1") as client:
        yield client
    await container.close()


def bearer(who: str) -> dict[str, str]:
    return {"authorization": f"Bearer {who}"}


async def test_a_caller_is_told_what_is_left_and_charged_for_the_asking_alone(client):
    for _ in range(2):
        answer = await client.get("/limits", headers=bearer("caller"))
    assert answer.status_code == 200
    body = answer.json()
    assert (body["subject"], body["degraded"]) == ("key:caller", False)
    assert [(one["name"], one["limit"], one["window_seconds"]) for one in body["results"]] == [
        ("minute", 5, 60),
        ("day", 100, 86_400),
    ]
    assert body["results"][0]["remaining"] == 3
    assert 59 < body["results"][0]["reset_after_seconds"] <= 60


async def test_a_stranger_has_no_limits_to_ask_for(client):
    assert (await client.get("/limits")).status_code == 401


async def test_a_watcher_sees_who_was_let_in_and_refused_over_three_spans(client):
    for _ in range(7):
        await client.get("/limits", headers=bearer("caller"))
    answer = await client.get("/admin/rate-limits/stats", headers=bearer("watcher"))
    assert answer.status_code == 200
    for span in ("minute", "hour", "day"):
        figures = answer.json()[span]
        assert (figures["allowed"], figures["refused"]) == (6, 2)
        assert figures["busiest"][0] == {"subject": "key:caller", "allowed": 5, "refused": 2}


async def test_figures_of_others_need_their_scope(client):
    assert (await client.get("/admin/rate-limits/stats", headers=bearer("caller"))).status_code == 403
    assert (await client.get("/admin/rate-limits/stats")).status_code == 401
