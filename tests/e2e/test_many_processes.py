"""nginx before three API processes and two workers, over one PostgreSQL and one Redis; one process is killed."""

import asyncio
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from uuid import uuid4

import asyncpg
import httpx
import pytest

from e2e.gateway import Town, serving
from e2e.running import SECRET, Installation
from servers import nginx
from servers.fleet import REDIS, Fleet
from servers.maintenance import Maintenance
from servers.plugin import fresh_name, or_skip

APIS, WORKERS = 3, 2
CALLERS = 12
EXPORTS_EACH = 12
LIMIT = 50
WITHIN_S = 120
JOBS = """
SELECT count(*) AS jobs, count(*) FILTER (WHERE state = 'succeeded') AS done, max(attempt) AS attempts
FROM jobs WHERE kind = 'exports.render'
"""


@pytest.fixture
def crowd(request: pytest.FixtureRequest, tmp_path: Path, fleet: Fleet) -> Iterator[tuple[Town, str]]:
    """The town of three and two, and its database; skipped where there is no nginx."""
    if nginx.program() is None:
        pytest.skip(nginx.ABSENT)
    postgres: Maintenance = request.getfixturevalue("postgres_server")
    with or_skip(REDIS):
        redis_url = fleet.url(REDIS)
    name = fresh_name(fleet)
    url = postgres.create(name, template=request.getfixturevalue("migrated_postgres"))
    variables = {
        "OPORA_DATABASE_URL": url,
        "OPORA_REDIS_URL": redis_url,
        "OPORA_REDIS_PREFIX": name.replace("_", "-"),
        "OPORA_SECRET_KEY": SECRET,
    }
    installation = Installation(tmp_path / "home")
    try:
        with serving(installation, variables, fleet, APIS, WORKERS) as town:
            yield town, url
    finally:
        installation.end()
        postgres.drop(name)


def test_limits_are_exact_and_each_job_is_done_once_over_all_processes_while_one_is_killed(
    crowd: tuple[Town, str],
) -> None:
    town, database_url = crowd
    key = town.key("profiles:read", "profiles:write", "exports:read", "exports:write", limit=100_000)["key"]
    people = town.client(**{"X-API-Key": key}).post(
        f"{town.url}/api/profiles/generate", json={"count": 5, "persist": True}
    )
    ids = [one["id"] for one in people.json()["profiles"]]
    callers = [town.client(**{"X-API-Key": key}) for _ in range(CALLERS)]
    half_way = Event()
    with ThreadPoolExecutor(CALLERS) as calling:
        asked = [calling.submit(exports, town, one, ids, half_way) for one in callers]
        assert half_way.wait(WITHIN_S)
        town.installation.processes[0].send_signal(signal.SIGKILL)
        accepted = [id for one in asked for id in one.result(WITHIN_S)]
    assert len(set(accepted)) == len(accepted) == CALLERS * EXPORTS_EACH
    jobs = settled(database_url)
    assert (jobs["jobs"], jobs["done"], jobs["attempts"]) == (len(accepted), len(accepted), 1)
    listed = callers[0].get(f"{town.url}/api/exports", params={"limit": 1}).json()
    assert listed["count"] == len(accepted)
    assert limited(town, callers) == LIMIT


def exports(town: Town, client: httpx.Client, ids: list[int], half_way: Event) -> list[str]:
    """Ask for exports, again and under the same name where no process answered; every one is answered in the end."""
    accepted = []
    for number in range(EXPORTS_EACH):
        wanted = {"profile_id": ids[number % len(ids)], "format": "json" if number % 2 else "pdf"}
        accepted.append(answered(town, client, wanted))
        if number == EXPORTS_EACH // 2:
            half_way.set()
    return accepted


def answered(town: Town, client: httpx.Client, wanted: dict[str, object]) -> str:
    """Call until the call is answered, as a client does that is told to come again."""
    name, until_s = uuid4().hex, time.monotonic() + WITHIN_S
    while True:
        answer = client.post(f"{town.url}/api/exports", json=wanted, headers={"Idempotency-Key": name})
        if answer.status_code == 202:
            return str(answer.json()["export_id"])
        away = answer.status_code == 503 and "retry-after" in answer.headers
        held = answer.json()["code"] == "idempotency_still_running"  # by the process that was killed, for its lease
        assert (away or held) and time.monotonic() < until_s, answer.text
        time.sleep(0.5)


def limited(town: Town, callers: list[httpx.Client]) -> int:
    """Have all callers call at once under one key of a small limit; returns how many calls were let in."""
    key = town.key("profiles:read", limit=LIMIT)["key"]

    def call(client: httpx.Client) -> list[int]:
        answers = [client.get(f"{town.url}/api/profiles?limit=1", headers={"X-API-Key": key}) for _ in range(12)]
        return [answer.status_code for answer in answers]

    with ThreadPoolExecutor(CALLERS) as calling:
        statuses = [status for some in calling.map(call, callers) for status in some]
    assert set(statuses) == {200, 429} and len(statuses) == 12 * CALLERS
    return statuses.count(200)


def settled(database_url: str) -> asyncpg.Record:
    """Wait until the workers have ended every job; return what the rows say."""
    until_s = time.monotonic() + WITHIN_S
    while True:
        row = asyncio.run(read(database_url))
        if row["jobs"] == row["done"] or time.monotonic() > until_s:
            return row
        time.sleep(0.2)


async def read(database_url: str) -> asyncpg.Record:
    """Ask the database."""
    driver = await asyncpg.connect(database_url)
    try:
        return await driver.fetchrow(JOBS)
    finally:
        await driver.close()
