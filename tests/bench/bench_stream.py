"""All profiles as one stream: how much the service's memory grows while it sends 200,000 of them, on both set-ups."""

import time
from collections.abc import Callable

import httpx

from bench.figures import Figure, duration
from bench.filling import copy_in_sqlite, fill_postgres, make
from bench.staging import Process, Stores, installation, key_of, servers
from e2e.running import Installation

MADE, TIMES = 2_000, 100
GROWTH_MAX_BYTES = 30 * 2**20
FIRST_BYTE_MAX_S = 0.1
SCOPES = ("profiles:read", "profiles:write")
MIB = 2**20


def stream(one: Installation, setup: str, copy: Callable[[], None]) -> list[Figure]:
    """Fill a set-up and read everything from it once, watching its memory."""
    key = key_of(one, *SCOPES)
    address = one.serve("--no-worker")
    service = Process(address, one.processes[-1].pid)
    make(service, key, MADE)
    copy()
    with httpx.Client(base_url=address, headers={"X-API-Key": key}, timeout=120) as client:
        client.get("/api/v1/profiles/export", params={"q": "no such person at all"}).raise_for_status()
        before = highest = service.resident_bytes()
        used_s, started_s, first_s, lines, size = service.cpu_s(), time.perf_counter(), 0.0, 0, 0
        with client.stream("GET", "/api/v1/profiles/export", params={"format": "ndjson"}) as answer:
            for part in answer.iter_raw(2**18):
                first_s = first_s or time.perf_counter() - started_s
                lines += part.count(b"\n")
                size += len(part)
                highest = max(highest, service.resident_bytes())
        took_s, used_s = time.perf_counter() - started_s, service.cpu_s() - used_s
    if lines != MADE * TIMES:
        raise AssertionError(f"{lines} of {MADE * TIMES} came")
    growth = highest - before
    return [
        Figure(
            f"stream, {setup}: growth of memory over {lines:,} profiles, {size / MIB:.0f} MiB",
            f"{growth / MIB:.1f} MiB over {before / MIB:.0f}",
            goal=f"≤ {GROWTH_MAX_BYTES / MIB:.0f} MiB",
            met=growth <= GROWTH_MAX_BYTES,
        ),
        Figure(
            f"stream, {setup}: first byte",
            duration(first_s),
            goal=f"≤ {duration(FIRST_BYTE_MAX_S)}",
            met=first_s <= FIRST_BYTE_MAX_S,
        ),
        Figure(f"stream, {setup}: profiles a second; CPU each", f"{lines / took_s:,.0f}; {duration(used_s / lines)}"),
    ]


def figures() -> list[Figure]:
    """Stream from both set-ups."""
    with installation(Stores()) as one:
        found = stream(one, "embedded", lambda: copy_in_sqlite(one.home / "opora.db", MADE, TIMES))
    with servers() as stores, installation(stores) as one:
        return found + stream(one, "PostgreSQL", lambda: fill_postgres(stores.database_url, MADE, TIMES))


if __name__ == "__main__":
    print(*figures(), sep="\n")
