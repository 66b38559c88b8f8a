"""Document 0's load: 100 requests a second that each make up to ten people and keep them, on both set-ups.

The loop is open: a request is sent when it is due, whatever became of those before, and its time counts from then.
`python -m bench.bench_load 10` runs it for ten seconds a set-up.
"""

import asyncio
import sys
from collections.abc import Sequence

from bench.figures import Figure, duration
from bench.load import Generator, Order, Tally
from bench.staging import Stores, installation, key_of, rows_of, servers
from e2e.running import Installation

RATE_HZ = 100
SECONDS = 60
P99_MAX_S = 0.1
SCOPES = ("profiles:read", "profiles:write")
ASKED = [("POST", "/api/v1/profiles/generate", f'{{"count":{count},"persist":true}}') for count in range(1, 11)]
"""One to ten people a request, in turn."""


def run(one: Installation, address: str, generator: Generator, seconds: float) -> tuple[Tally, int]:
    """Load a set-up and count what it keeps."""
    key = key_of(one, *SCOPES)
    tally = generator.carry_out(Order(address, ASKED, {"x-api-key": key}, seconds=seconds, rate_hz=RATE_HZ))
    (row,) = asyncio.run(rows_of(one, "SELECT count(*) AS kept FROM profiles"))
    return tally, int(row["kept"])


def rows(setup: str, tally: Tally, kept: int, seconds: float) -> list[Figure]:
    """Return the figures of one set-up."""
    asked = round(RATE_HZ * seconds)
    people = sum(number % len(ASKED) + 1 for number in range(asked))
    p50_s, p99_s = quantile(tally.took_s, 0.5), quantile(tally.took_s, 0.99)
    is_whole = tally.good == asked and kept == people and not tally.bad
    where = f"load, {setup}: {RATE_HZ} requests/s for {seconds:g} s"
    return [
        Figure(
            f"{where}: answered 201, people kept",
            f"{tally.good:,} of {asked:,}, {kept:,} of {people:,}; {tally.bad} errors",
            goal="all, 0 errors",
            met=is_whole,
        ),
        Figure(
            f"{where}: p50, p99, longest",
            f"{duration(p50_s)}, {duration(p99_s)}, {duration(max(tally.took_s))}",
            goal=f"p99 ≤ {duration(P99_MAX_S)}",
            met=p99_s <= P99_MAX_S,
        ),
    ]


def quantile(values: Sequence[float], part: float) -> float:
    """Return the value that this part of all lies below."""
    return sorted(values)[min(len(values) - 1, int(part * len(values)))]


def figures(seconds: float = SECONDS) -> list[Figure]:
    """Load both set-ups."""
    with Generator() as generator:
        with installation(Stores()) as one:
            found = rows("embedded", *run(one, one.serve(), generator, seconds), seconds)
        with servers() as stores, installation(stores) as one:
            one.start("worker")
            address = one.serve("--no-worker")
            return found + rows("PostgreSQL and Redis", *run(one, address, generator, seconds), seconds)


if __name__ == "__main__":
    print(*figures(float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS), sep="\n")
