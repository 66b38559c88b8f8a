"""What a request costs the served program: past the gate, for one record, for a page at depth, beside its peers.

All are processes under uvicorn with uvloop; the load comes from another process, the figure is the server's processor
time a request, and servers are measured in turn.
"""

import asyncio
import time
from collections.abc import Callable

import asyncpg
import bcrypt
import httpx

from bench.figures import Figure, at_least, at_most, duration
from bench.filling import fill_postgres, make
from bench.load import Generator, Order, Tally
from bench.rounds import in_turn
from bench.staging import Process, Stores, installation, key_of, ordered, peer, probed, servers
from e2e.running import Installation
from servers.redis import Plain

type Way = tuple[Process, Order]

SCOPES = ("profiles:read", "profiles:write")
THING = [("GET", f"/api/v1/things/{number}", "") for number in range(1, 50)]
WISH = [("POST", "/api/v1/profiles/generate", '{"count":1,"seed":7}')]
MADE, TIMES = 2_000, 50
DEPTH = 50_000
PAGE = 50
READ = 500
"""How many different records are read in turn."""


def gate(one: Installation, generator: Generator, setup: str, bare: Process, redis_url: str = "") -> list[Figure]:
    """Measure the gate of a set-up against the same routes bare."""
    headers = {"x-api-key": key_of(one, *SCOPES)}
    with probed(one) as gated:
        ways = {
            name + kind: (process, Order(process.url, requests, headers))
            for kind, requests in (("", THING), ("+people", WISH))
            for name, process in (("bare", bare), ("gated", gated))
        }
        cost = in_turn(generator, ways)
        found = [
            at_most(f"the gate, {setup}: a record from memory", cost["gated"], "bare Litestar", cost["bare"], 1.5),
            at_most(
                f"the gate, {setup}: one person made, not kept",
                cost["gated+people"],
                "bare Litestar",
                cost["bare+people"],
                1.5,
            ),
        ]
        if redis_url:
            found += stores(one, redis_url, lambda: ordered(generator, ways["gated"][1]))
    return found


def stores(one: Installation, redis_url: str, load: Callable[[], Tally]) -> list[Figure]:
    """Count what the stores do for requests whose key is warm; what they do while none comes is taken off."""
    redis, url = Plain(redis_url), one.environment["OPORA_DATABASE_URL"]
    loaded = [usage(redis, url, load) for _ in range(3)]
    idle = [usage(redis, url, lambda: time.sleep(1.0)) for _ in range(3)]
    redis.close()
    calls, used_us, statements = (sum(some) for some in zip(*(one[:3] for one in loaded), strict=True))
    statements -= sum(one[2] for one in idle)
    answered = sum(one[3].good for one in loaded)
    a_call_s, a_thousand = used_us / calls / 1e6, 1000 * max(0, statements) / answered
    return [
        Figure("the gate: Redis's own CPU a call", duration(a_call_s), goal="≤ 12 µs", met=a_call_s <= 12e-6),
        Figure(
            "the gate: calls to Redis a request",
            f"{calls / answered:.3f}",
            goal="≤ 1.01",
            met=calls <= answered * 1.01,
        ),
        Figure(
            "the gate: SQL statements of 1,000 requests, key warm",
            f"{a_thousand:.1f} (a key is read anew twice a second, whatever the load)",
            goal="≤ 5",
            met=a_thousand <= 5,
        ),
    ]


def usage[T](redis: Plain, url: str, act: Callable[[], T]) -> tuple[int, float, int, T]:
    """Return the scripts that Redis ran meanwhile, their microseconds, and the database's statements."""
    calls, used_us = script_usage(redis)
    seen = settled(url)
    done = act()
    calls, used_us = (later - earlier for earlier, later in zip((calls, used_us), script_usage(redis), strict=True))
    return calls, used_us, settled(url) - seen - 1, done  # the look itself is one


def settled(url: str) -> int:
    """Return how many statements a database has seen, once it has told: it does so once a second."""
    time.sleep(1.5)
    return asyncio.run(transactions(url))


def script_usage(redis: Plain) -> tuple[int, float]:
    """Return how many scripts the server ran and the microseconds they took."""
    for line in str(redis.call("INFO", "commandstats")).splitlines():
        name, _, stats = line.partition(":")
        if name == "cmdstat_evalsha":
            found = dict(pair.split("=") for pair in stats.split(","))
            return int(found["calls"]), float(found["usec"])
    return 0, 0.0


async def transactions(url: str) -> int:
    """Return how many transactions a database has seen: outside of blocks, statements."""
    driver = await asyncpg.connect(url)
    count = await driver.fetchval(
        "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()"
    )
    await driver.close()
    return int(count)


def reads(one: Installation, generator: Generator, redis_url: str) -> list[Figure]:
    """Measure one record and one page at depth against the usual way."""
    key = key_of(one, *SCOPES)
    database_url = one.environment["OPORA_DATABASE_URL"]
    with probed(one) as ours:
        make(ours, key, MADE)
        fill_postgres(database_url, MADE, TIMES, key)
        variables = {"USUAL_DATABASE_URL": database_url, "USUAL_REDIS_URL": redis_url}
        with peer("usual:build", variables) as usual:
            cost = in_turn(generator, ways_to_read(ours, usual, key))
    bcrypt_s = bcrypt_check_s()
    return [
        at_least("one record, whole path", cost["record"], "FastAPI, SQLAlchemy, slowapi", cost["usual record"], 8),
        at_least(
            f"a page of {PAGE} at depth {DEPTH:,} of {MADE * TIMES:,}, by cursor",
            cost["page"],
            "the same, offset and count",
            cost["usual page"],
            8,
        ),
        at_least(
            "one record, whole path",
            cost["record"],
            f"the same with bcrypt (12) for the key: {duration(bcrypt_s)} more",
            cost["usual record"] + bcrypt_s,
            1000,
        ),
    ]


def ways_to_read(ours: Process, usual: Process, key: str) -> dict[str, Way]:
    """Write what each server is asked."""
    headers = {"x-api-key": key}
    with httpx.Client(base_url=ours.url, headers=headers, timeout=30) as client:
        newest = client.get("/api/v1/profiles", params={"limit": 1}).json()["results"][0]["id"]
        page = client.get("/api/v1/profiles", params={"limit": 200, "cursor": ""}).json()
        for _ in range(DEPTH // 200 - 1):
            page = client.get(page["next"]).json()
    deep = page["next"].replace("limit=200", f"limit={PAGE}")
    ids = range(newest - READ * 7, newest, 7)
    return {
        "record": (ours, Order(ours.url, [("GET", f"/api/v1/profiles/{one}", "") for one in ids], headers)),
        "usual record": (usual, Order(usual.url, [("GET", f"/profiles/{one}", "") for one in ids], headers)),
        "page": (ours, Order(ours.url, [("GET", deep, "")], headers)),
        "usual page": (usual, Order(usual.url, [("GET", f"/profiles?offset={DEPTH}&limit={PAGE}", "")], headers)),
    }


def bcrypt_check_s() -> float:
    """Return the processor seconds one check of a key's bcrypt hash takes, the least of three."""
    kept = bcrypt.hashpw(b"a key", bcrypt.gensalt(12))
    took = []
    for _ in range(3):
        start_s = time.process_time()
        bcrypt.checkpw(b"a key", kept)
        took.append(time.process_time() - start_s)
    return min(took)


def figures() -> list[Figure]:
    """Measure both set-ups."""
    with Generator() as generator, peer("bare:app") as bare, servers() as stores:
        with installation(stores) as one:
            found = gate(one, generator, "PostgreSQL and Redis", bare, stores.redis_url)
            found += reads(one, generator, stores.redis_url)
        with installation(Stores()) as one:
            return gate(one, generator, "embedded", bare) + found


if __name__ == "__main__":
    print(*figures(), sep="\n")
