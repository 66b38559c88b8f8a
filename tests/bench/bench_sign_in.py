"""Signing in as a stranger sees it: the time of a wrong guess tells nothing, and a store of limits that is frozen, flushed
or gone holds nobody up.
"""

import signal
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx

from bench.bench_load import quantile
from bench.figures import Figure, duration
from e2e.running import SECRET, Installation
from servers.fleet import POSTGRES, REDIS, Fleet
from servers.maintenance import Maintenance, database_name
from servers.plugin import Private
from servers.redis import Plain

GUESSES, CALLS = 200, 400
APART_MAX = 0.1
P99_MAX_S = 0.150
PASSWORD = "correct horse battery"  # of no worth
MANY = {
    "LOGIN_LIMIT_PER_MIN": 10_000,
    "LOGIN_LIMIT_PER_ADDRESS": 10_000,
    "LOGIN_LIMIT_EVERYBODY": 10_000,
    "RATE_LIMIT_PER_MIN": 1_000_000,
    "ADDRESS_LIMIT_PER_MIN": 1_000_000,
}
WIDE = {f"OPORA_{name}": str(most) for name, most in MANY.items()} | {"OPORA_SIGNING_ALGORITHM": "ES256"}


def guess(http: httpx.Client, address: str, email: str) -> float:
    """Guess a password and return the seconds that the refusal took."""
    begun = time.perf_counter()
    answer = http.post(f"{address}/api/v1/auth/login", json={"email": email, "password": "a wrong guess of mine"})
    took_s = time.perf_counter() - begun
    assert (answer.status_code, answer.json()["code"]) == (401, "credentials_wrong"), answer.text
    return took_s


def guesses() -> Figure:
    """Compare wrong guesses for an address that is known and for one that is not, in turn."""
    with tempfile.TemporaryDirectory() as folder, httpx.Client(timeout=30) as http:
        one = Installation(Path(folder) / "home", WIDE)
        try:
            address = one.serve()
            one.command("users", "create", "--email", "known@example.org", given=f"{PASSWORD}\n")
            found: dict[str, list[float]] = {"known": [], "unknown": []}
            for _ in range(GUESSES):
                for name, times in found.items():
                    times.append(guess(http, address, f"{name}@example.org"))
        finally:
            one.end()
    known_s, unknown_s = (statistics.median(times) for times in found.values())
    apart = abs(known_s / unknown_s - 1)
    return Figure(
        f"a wrong guess for a known address, median of {GUESSES}",
        duration(known_s),
        f"for an unknown one: {duration(unknown_s)}",
        known_s / unknown_s,
        "medians within 10 %",
        apart <= APART_MAX,
    )


@contextmanager
def ill_treated() -> Iterator[tuple[Installation, Private]]:
    """Lend an installation on PostgreSQL, and the Redis it counts in, which may be ill-treated."""
    with ExitStack() as stack:
        fleet = Fleet.of_this_run()
        stack.callback(fleet.end)
        maintenance = Maintenance(fleet.url(POSTGRES))
        stack.callback(maintenance.close)
        name = database_name(fleet.pid, "sign_in")
        stored = maintenance.create(name)
        stack.callback(maintenance.drop, name)
        redis = Private(*fleet.launch(REDIS, fleet.folder / "bench-redis"))
        stack.callback(redis.process.stop)
        with tempfile.TemporaryDirectory() as folder:
            told = {"OPORA_DATABASE_URL": stored, "OPORA_REDIS_URL": redis.url, "OPORA_SECRET_KEY": SECRET}
            one = Installation(Path(folder) / "home", {**WIDE, **told})
            stack.callback(one.end)
            one.command("db", "upgrade")
            yield one, redis


def calls(http: httpx.Client, address: str, token: str) -> list[float]:
    """Ask who one is, again and again; every call must be answered well."""
    took_s = []
    for _ in range(CALLS):
        begun = time.perf_counter()
        answer = http.get(f"{address}/api/v1/users/me", headers={"Authorization": f"Bearer {token}"})
        took_s.append(time.perf_counter() - begun)
        assert answer.status_code == 200, answer.text
    return took_s


def outages() -> list[Figure]:
    """Measure calls while the store of limits is as usual, frozen, flushed and gone."""
    found: dict[str, list[float]] = {}
    with ill_treated() as (one, redis), httpx.Client(timeout=30) as http:
        address = one.serve("--no-worker")
        one.command("users", "create", "--email", "anna@example.org", given=f"{PASSWORD}\n")
        login = {"email": "anna@example.org", "password": PASSWORD}
        token = http.post(f"{address}/api/v1/auth/login", json=login).json()["access_token"]
        found["as usual"] = calls(http, address, token)
        redis.process.send(signal.SIGSTOP)
        found["frozen"] = calls(http, address, token)
        redis.process.send(signal.SIGCONT)
        time.sleep(2)
        Plain(redis.url).call("FLUSHALL")
        found["flushed"] = calls(http, address, token)
        redis.process.send(signal.SIGKILL)
        found["gone"] = calls(http, address, token)
    usual = found.pop("as usual")
    rows = []
    for what, took_s in found.items():
        p99_s = quantile(took_s, 0.99)
        path = f"a signed-in call while Redis is {what}: p99 and longest of {CALLS}"
        told = f"as usual: p99 {duration(quantile(usual, 0.99))}"
        measured = f"{duration(p99_s)}, {duration(max(took_s))}"
        rows.append(Figure(path, measured, told, None, f"p99 < {duration(P99_MAX_S)}", p99_s < P99_MAX_S))
    return rows


def figures() -> list[Figure]:
    """Measure all of it."""
    return [guesses(), *outages()]


if __name__ == "__main__":
    print(*figures(), sep="\n")
