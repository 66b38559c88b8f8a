"""The whole program on a Redis Cluster, and on a master that a sentinel watches: limits, jobs, health, the doctor."""

import json
import time
from pathlib import Path

import httpx
import pytest

from e2e.running import Installation
from servers.rings import Ring

LIMIT = 20
WITHIN_S = 60


@pytest.mark.parametrize("kind", ["own_cluster", "redis_sentinel"])
def test_the_program_runs_on_redis_of_several_servers(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    ring: Ring = request.getfixturevalue(kind)
    one = Installation(tmp_path / "home", {"OPORA_REDIS_URL": ring.url}).migrated()
    try:
        made = one.command("keys", "create", "--label", "QA", "--rate-limit-per-min", str(LIMIT), "--json")
        addresses = [one.serve("--no-worker"), one.serve("--no-worker")]
        one.start("worker")
        with httpx.Client(headers={"X-API-Key": json.loads(made.stdout)["key"]}, timeout=30) as client:
            id = story(client, addresses)
            statuses = [client.get(f"{addresses[n % 2]}/api/v1/exports/{id}").status_code for n in range(LIMIT * 2)]
            assert set(statuses) == {200, 429}
            assert client.get(f"{addresses[0]}/health/ready").status_code == 200
        found = {one["name"]: one["health"] for one in json.loads(doctor(one))["findings"]}
        assert found["redis"] == "ok"
        assert set(one.end()) <= {0}
    finally:
        one.end()


def story(client: httpx.Client, addresses: list[str]) -> str:
    """Make a person, have a sheet drawn by the worker, and count the calls that the limit lets through."""
    person = client.post(f"{addresses[0]}/api/v1/profiles/generate", json={"count": 1, "persist": True}).json()
    wanted = {"profile_id": person["profiles"][0]["id"], "format": "pdf"}
    id = client.post(f"{addresses[1]}/api/v1/exports", json=wanted).json()["export_id"]
    until_s = time.monotonic() + WITHIN_S
    for calls in range(2, LIMIT):
        answer = client.get(f"{addresses[calls % 2]}/api/v1/exports/{id}")
        assert int(answer.headers["x-ratelimit-remaining"]) == LIMIT - calls - 1
        if answer.json()["status"] == "completed":
            return str(id)
        assert time.monotonic() < until_s
        time.sleep(0.5)
    raise AssertionError("the worker drew nothing")


def doctor(one: Installation) -> str:
    """Return what the doctor says, whatever it finds."""
    try:
        return one.command("doctor", "--json").stdout
    except Exception as refusal:  # a finding makes another exit code
        return str(getattr(refusal, "stdout", ""))
