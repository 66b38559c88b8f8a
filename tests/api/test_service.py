"""The service's own routes: health, metrics, versions."""

from collections.abc import AsyncIterator, Mapping
from datetime import date

import httpx
import pytest
from anyio import sleep_forever
from dishka import Provider, Scope, make_async_container

from api.stand import Stand
from opora.adapters.sql.connection import Database
from opora.adapters.sql.unit import SqlUnitOfWork
from opora.adapters.sql.versions import SqlVersionRegistry
from opora.api.calls import current_actor
from opora.api.edge import wrap
from opora.api.health import HealthChecks
from opora.api.http import application
from opora.api.metrics import Metrics
from opora.api.v1.service import HealthController, VersionController
from opora.bootstrap.binding import bind
from opora.core.access.model.callers import Caller, Credentials
from opora.core.kernel.model import Actor, Origin
from opora.core.kernel.ports import VersionRegistry
from opora.core.kernel.usecases import ChangeVersion

pytestmark = pytest.mark.anyio


class Checks:
    """Dependencies that can be made to fail."""

    def __init__(self) -> None:
        self.down: set[str] = set()
        self.is_frozen = False

    async def database(self) -> Mapping[str, object]:
        if self.is_frozen:
            await sleep_forever()
        if "database" in self.down:
            raise ConnectionRefusedError("postgresql://opora:hunter2@10.0.0.7")
        return {"schema": "0005"}

    async def jobs(self) -> None:
        if "jobs" in self.down:
            raise RuntimeError


async def admin(credentials: Credentials, origin: Origin) -> Caller:
    """Know one bearer."""
    scopes = {"versions:write"} if credentials.bearer == "admin" else set()
    user_id = 1 if credentials.bearer else None
    return Caller(Actor(user_id=user_id, scopes=frozenset(scopes), origin=origin), "user:1", ())


@pytest.fixture
def checks() -> Checks:
    """Dependencies that answer, unless told not to."""
    return Checks()


@pytest.fixture
async def client(
    checks: Checks, sqlite_database: Database, sqlite_unit: SqlUnitOfWork
) -> AsyncIterator[httpx.AsyncClient]:
    """The service's own routes on a real store."""
    stand = Stand()
    registry = SqlVersionRegistry(sqlite_database)
    provider = Provider(scope=Scope.APP)
    named = HealthChecks({"database": checks.database, "jobs": checks.jobs}, frozenset({"redis"}))
    provider.provide(lambda: named, provides=HealthChecks)
    provider.provide(lambda: stand.parts.metrics, provides=Metrics)
    provider.provide(lambda: registry, provides=VersionRegistry)
    provider.provide(lambda: ChangeVersion(sqlite_unit, stand.clock), provides=ChangeVersion)
    box = make_async_container(provider)
    app = application(
        [await bind(VersionController, box, current_actor)], [await bind(HealthController, box, current_actor)]
    )
    stand.parts = type(stand.parts)(admin, stand.gate, stand.clock, None, registry, metrics=stand.parts.metrics)
    stand.app = wrap(app, stand.parts)
    async with stand.client("admin") as client:
        yield client


async def test_the_process_says_that_it_lives(client: httpx.AsyncClient, checks: Checks) -> None:
    checks.down = {"database", "jobs"}
    for path in ("/health", "/health/live", "/health/"):
        answer = await client.get(path)
        assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


async def test_readiness_names_what_is_not_ready(client: httpx.AsyncClient, checks: Checks) -> None:
    ready = await client.get("/health/ready")
    assert ready.status_code == 200
    assert ready.json()["checks"]["database"]["status"] == "ok"
    assert ready.json()["checks"]["database"]["schema"] == "0005"
    assert ready.json()["checks"]["redis"] == {"status": "not_configured"}
    checks.down = {"jobs"}
    answer = await client.get("/health/ready")
    assert (answer.status_code, answer.json()["status"]) == (503, "failing")
    assert answer.json()["checks"]["jobs"] == {"status": "failing", "error": "RuntimeError"}
    assert answer.headers["retry-after"] == "1"


async def test_a_check_that_fails_tells_no_address(client: httpx.AsyncClient, checks: Checks) -> None:
    checks.down = {"database"}
    answer = await client.get("/health/db")
    assert answer.status_code == 503
    assert answer.json() == {"status": "failing", "error": "ConnectionRefusedError"}
    redis = await client.get("/health/redis")
    assert (redis.status_code, redis.json()) == (200, {"status": "not_configured"})


async def test_what_requests_go_on_without_takes_no_process_out_of_service(checks: Checks) -> None:
    checks.down = {"jobs"}
    health = HealthChecks({"database": checks.database, "jobs": checks.jobs}, spared=frozenset({"jobs"}))
    is_ready, found = await health.all()
    assert (is_ready, found["jobs"]) == (True, {"status": "degraded", "error": "RuntimeError"})
    assert (await health.one("jobs"))["status"] == "failing"
    checks.down = {"database", "jobs"}
    is_ready, found = await health.all()
    assert (is_ready, found["database"]["status"]) == (False, "failing")


async def test_a_check_that_hangs_is_given_up(checks: Checks) -> None:
    checks.is_frozen = True
    result = await HealthChecks({"database": checks.database}, timeout_s=0.01).one("database")
    assert result == {"status": "failing", "error": "TimeoutError"}


async def test_metrics_are_prometheus_text(client: httpx.AsyncClient) -> None:
    await client.get("/health")
    answer = await client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    assert 'opora_http_requests_total{method="GET",route="/health",status="200"} 1.0' in answer.text


async def test_versions_are_listed_under_every_prefix(client: httpx.AsyncClient) -> None:
    for path in ("/api/versions", "/api/v1/versions", "/v1/versions/"):
        row = (await client.get(path)).json()["results"][0]
        assert row.keys() == {"version", "status", "released_on", "deprecated_on", "sunset_on", "successor"}
        assert (row["version"], row["status"]) == ("v1", "stable")


async def test_an_admin_gives_a_version_its_end_and_every_answer_tells(client: httpx.AsyncClient) -> None:
    changes = {"status": "deprecated", "deprecated_on": "2027-11-01", "sunset_on": "2028-11-01", "successor": "v2"}
    changed = await client.patch("/api/v1/admin/versions/v1", json=changes)
    assert changed.status_code == 200, changed.text
    assert changed.json() == {"version": "v1", "released_on": changed.json()["released_on"], **changes}
    assert (await client.get("/api/versions")).json()["results"] == [changed.json()]
    back = await client.patch("/api/v1/admin/versions/v1", json={"sunset_on": None})
    assert (back.json()["sunset_on"], back.json()["successor"]) == (None, "v2")


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"status": "retired!"}, {"status"}),
        ({"sunset_on": "2027-01-01"}, {"deprecated_on"}),
        ({"deprecated_on": "2027-01-02", "sunset_on": "2027-01-01"}, {"sunset_on"}),
        ({"successor": "v1"}, {"successor"}),
        ({"successor": "latest"}, {"successor"}),
        ({"status": "deprecated"}, {"deprecated_on"}),
        ({"released_on": "2028-01-01", "deprecated_on": "2027-01-01"}, {"deprecated_on"}),
        ({"version": "v2"}, {"version"}),
        ({"sunset_on": "0001-01-01"}, {"sunset_on"}),
    ],
)
async def test_dates_that_do_not_fit_are_refused(
    client: httpx.AsyncClient, changes: dict[str, str], fields: set[str]
) -> None:
    answer = await client.patch("/api/v1/admin/versions/v1", json=changes)
    assert (answer.status_code, answer.json()["errors"].keys()) == (422, fields)
    assert (await client.get("/api/versions")).json()["results"][0]["status"] == "stable"


async def test_a_changed_version_tells_of_its_end_at_the_next_call(client: httpx.AsyncClient) -> None:
    before = await client.get("/api/v1/versions")
    changes = {"status": "deprecated", "deprecated_on": "2027-11-01", "sunset_on": "2028-11-01", "successor": "v2"}
    assert (await client.patch("/api/v1/admin/versions/v1", json=changes)).status_code == 200
    after = await client.get("/api/v1/versions")
    assert ("sunset" in before.headers, "sunset" in after.headers) == (False, True)


async def test_only_who_may_changes_a_version_that_is_there(client: httpx.AsyncClient) -> None:
    unknown = await client.patch("/api/v1/admin/versions/v7", json={})
    other = await client.patch("/api/v1/admin/versions/v1", json={}, headers={"authorization": "Bearer other"})
    assert (unknown.status_code, unknown.json()["code"]) == (404, "version_not_found")
    assert other.status_code == 403


async def test_a_change_of_version_is_in_the_audit_log(unit: SqlUnitOfWork, database: Database) -> None:
    change = ChangeVersion(unit, Stand().clock)
    await change(Actor(user_id=1), "v1", {"deprecated_on": date(2027, 11, 1)})
    row = await database.read.fetch_one("SELECT action, entity_id, old_values, new_values FROM audit_log")
    assert row is not None
    assert (row["action"], row["entity_id"]) == ("version.changed", "v1")
    assert "2027-11-01" in str(row["new_values"])
    assert [one.deprecated_on for one in await SqlVersionRegistry(database).versions()] == [date(2027, 11, 1)]
