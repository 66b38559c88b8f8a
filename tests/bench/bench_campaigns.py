"""Campaigns over HTTP, on both set-ups: lists at depth, pop-ups, claims by eight callers, a storm of calls.

`OPORA_BENCH_CAMPAIGN` is how many numbers there are. What the storm leaves behind is compared, number by number, with
what its events say.
"""

import asyncio
import json
import os
import random
import statistics
import time
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import httpx

from bench.bench_load import quantile
from bench.bench_numbers import BULK, FIRST_PHONE, Filled
from bench.figures import Figure, duration
from bench.load import Generator, Order
from bench.staging import Stores, database_of, installation, key_of, rows_of, servers
from e2e.running import Installation
from opora.adapters.sql import migrations
from opora.bootstrap.sources import load
from opora.core.kernel.rules import webhook_key, webhook_signature
from opora.core.numbers.model.calls import CallResult
from opora.core.numbers.model.numbers import STATUS_CODES, NumberStatus

ROWS = int(os.environ.get("OPORA_BENCH_CAMPAIGN", "1000000"))
DEPTH, PAGE = 250_000, 200
RATE_HZ, SECONDS = 300, int(os.environ.get("OPORA_BENCH_STORM_S", "30"))
CALLERS, TAKEN, CLAIM_S, CLAIM_GOAL_S = 8, 100, 5.0, 0.015
READ_HZ, READ_S, READ_GOAL_S = 50, 5.0, 0.02
REPEATED, OUT_OF_ORDER = 0.1, 20
JSON = {"content-type": "application/json"}
SCOPES = ("numbers:read", "numbers:write", "numbers:claim", "softphone:read", "projects:read_all")


async def filled(one: Installation) -> int:
    """Fill the store with one project's numbers and return the project."""
    database = database_of(one)
    await database.open()
    try:
        store = Filled(database, ROWS)
        await store.fill()
        return store.project_id
    finally:
        await database.close()


class Stage:
    """One set-up that is served, its numbers, and who calls it."""

    def __init__(self, name: str, one: Installation, project: int, address: str, generator: Generator) -> None:
        self.name, self.one, self.project, self.address = name, one, project, address
        self.key = {"x-api-key": key_of(one, *SCOPES)}
        self.generator = generator

    def timed(self, path: str, requests: list[tuple[str, str, str]], against: str = "–") -> Figure:
        """Measure reads at a steady rate."""
        order = Order(self.address, requests, self.key, seconds=READ_S, rate_hz=READ_HZ)
        tally = self.generator.carry_out(order)
        assert not tally.bad, tally.statuses
        p50_s, p99_s = quantile(tally.took_s, 0.5), quantile(tally.took_s, 0.99)
        return Figure(
            f"{self.name}: {path}", f"p50 {duration(p50_s)}, p99 {duration(p99_s)}", against, None,
            f"p99 ≤ {duration(READ_GOAL_S)}", p99_s <= READ_GOAL_S,
        )  # fmt: skip

    def lists(self) -> list[Figure]:
        """Measure the first page, and one that only following `next` leads to."""
        first = f"/api/v1/phone-numbers?project_id={self.project}&limit=50"
        place, walked_s = first.replace("limit=50", f"limit={PAGE}"), []
        with httpx.Client(base_url=self.address, headers=self.key, timeout=30) as client:
            for _ in range(min(DEPTH, ROWS // 2) // PAGE):
                start_s = time.perf_counter()
                place = client.get(place).raise_for_status().json()["next"]
                walked_s.append(time.perf_counter() - start_s)
        deep = place.removeprefix(self.address).replace(f"limit={PAGE}", "limit=50")
        told = f"walked there, {PAGE} a page: p50 {duration(statistics.median(walked_s))}"
        since = datetime.now(UTC) + timedelta(days=1)
        nothing = f"{first}&created_after={since:%Y-%m-%dT%H:%M:%SZ}"
        return [
            self.timed("the first page of 50", [("GET", first, "")]),
            self.timed(f"a page of 50 at depth {len(walked_s) * PAGE:,}", [("GET", deep, "")], told),
            self.timed(f"a list by age that finds none of {ROWS:,}", [("GET", nothing, "")]),
        ]

    def pop_ups(self) -> Figure:
        """Measure the look-up of a number."""
        chance = random.Random(3)  # noqa: S311  # places to look at
        phones = [FIRST_PHONE + chance.randint(1, ROWS) for _ in range(200)]
        return self.timed("the pop-up", [("GET", f"/api/v1/softphone/number/%2B{one}", "") for one in phones])

    def claims(self) -> Figure:
        """Measure claims by callers that never wait; no number may be given twice."""
        body = json.dumps({"project_id": self.project, "limit": TAKEN})
        order = Order(
            self.address, [("POST", "/api/v1/phone-numbers/claim", body)], self.key, connections=CALLERS,
            seconds=CLAIM_S, is_timed=True,
        )  # fmt: skip
        tally = self.generator.carry_out(order)
        assert not tally.bad, tally.statuses
        sql = "SELECT count(*) AS numbers, sum(attempts) AS attempts FROM phone_numbers WHERE status = 1"
        (row,) = asyncio.run(rows_of(self.one, sql))
        assert row["numbers"] == row["attempts"] == tally.good * TAKEN, "a number was given twice, or none"
        p50_s, p99_s = quantile(tally.took_s, 0.5), quantile(tally.took_s, 0.99)
        return Figure(
            f"{self.name}: claim of {TAKEN}, {CALLERS} callers", f"p50 {duration(p50_s)}, p99 {duration(p99_s)}",
            f"{tally.good * TAKEN / tally.seconds:,.0f} numbers/s, none twice", None, f"p50 ≤ {duration(CLAIM_GOAL_S)}",
            p50_s <= CLAIM_GOAL_S,
        )  # fmt: skip

    def bulk(self) -> Figure:
        """Measure the adding of as many numbers as one call takes, the best of three: bytes in, answer out."""
        took_s = []
        with httpx.Client(base_url=self.address, headers=self.key, timeout=120) as client:
            for nth in range(3):
                items = [
                    {"phone_number": f"8 (98{nth}) {n // 10_000:03}-{n % 10_000:04}", "project_id": self.project}
                    for n in range(BULK)
                ]
                body = json.dumps({"items": items}).encode()
                start_s = time.perf_counter()
                answer = client.post("/api/v1/phone-numbers/bulk", content=body, headers=JSON).raise_for_status()
                took_s.append(time.perf_counter() - start_s)
                assert answer.json()["created"] == BULK, answer.text[:200]
        told = f"{min(took_s) / BULK * 1e6:.1f} µs a number, the request and its answer included"
        return Figure(f"{self.name}: {BULK:,} numbers in one call", f"{BULK / min(took_s):,.0f}/s", told)

    def storm(self) -> list[Figure]:
        """Send events at their rate, and compare what is left with what they say."""
        with patch.dict(os.environ, self.one.variables(), clear=True):
            key = webhook_key(load().softphone_secret)
        events, ends = story(self.project)
        bodies = [json.dumps(one) for one in events]
        headers = [signed(key, one["event_id"], body) for one, body in zip(events, bodies, strict=True)]
        requests = [("POST", "/api/v1/softphone/webhook", body) for body in bodies]
        order = Order(self.address, requests, own_headers=headers, seconds=len(events) / RATE_HZ, rate_hz=RATE_HZ)
        tally = self.generator.carry_out(order)
        (kept,) = asyncio.run(rows_of(self.one, "SELECT count(*) AS n FROM call_events"))
        codes = {code: status for status, code in STATUS_CODES.items()}
        listed = ", ".join(map(str, ends))
        rows = asyncio.run(rows_of(self.one, f"SELECT phone, status FROM phone_numbers WHERE phone IN ({listed})"))
        settled = sum(codes[row["status"]] == ends[row["phone"]] for row in rows)
        distinct = len({one["event_id"] for one in events})
        p50_s, p99_s = quantile(tally.took_s, 0.5), quantile(tally.took_s, 0.99)
        is_whole = tally.good == len(events) and kept["n"] == distinct and settled == len(ends)
        where = f"{self.name}: {RATE_HZ} events/s of calls for {len(events) / RATE_HZ:.0f} s"
        return [
            Figure(
                f"{where}, {len(events) - distinct} repeats, 5 % out of order",
                f"{tally.good:,} of {len(events):,} taken, {kept['n']:,} of {distinct:,} kept, "
                f"{settled:,} of {len(ends):,} numbers end as their events say",
                goal="all", met=is_whole,
            ),
            Figure(f"{where}: p50, p99, longest", f"{duration(p50_s)}, {duration(p99_s)}, {duration(max(tally.took_s))}"),
        ]  # fmt: skip


def story(project: int) -> tuple[list[dict[str, Any]], Mapping[int, NumberStatus]]:
    """Return events of calls, some sent twice and some out of order, and where each number ends."""
    chance = random.Random(11)  # noqa: S311  # the same story each time
    start = datetime.now(UTC) - timedelta(hours=1)
    events: list[dict[str, Any]] = []
    ends: dict[int, NumberStatus] = {}
    while len(events) < RATE_HZ * SECONDS:
        call = len(ends)
        phone = FIRST_PHONE + ROWS - call * 5 - 1
        result = chance.choice(list(CallResult))
        ends[phone] = NumberStatus(str(result))
        for nth, type in enumerate(("call_started", "call_ended", "call_result")):
            at = start + timedelta(seconds=call * 0.01 + nth)
            event = {
                "event_id": f"{call}.{nth}", "call_id": str(call), "type": type, "phone_number": f"+{phone}",
                "project_id": project, "occurred_at": at.isoformat().replace("+00:00", "Z"),
                **({"result": str(result)} if type == "call_result" else {}),
            }  # fmt: skip
            events += [event] * (2 if chance.random() < REPEATED else 1)
    for place in range(0, len(events) - 3, OUT_OF_ORDER):
        events[place], events[place + 2] = events[place + 2], events[place]
    return events, ends


def signed(key: bytes, event_id: str, body: str) -> dict[str, str]:
    """Return the headers of a signed event."""
    stamp = int(time.time())
    signature = webhook_signature(key, event_id, stamp, body.encode())
    return {"webhook-id": event_id, "webhook-timestamp": str(stamp), "webhook-signature": signature}


def measured(stage: Stage) -> list[Figure]:
    """Measure one set-up."""
    return [*stage.lists(), stage.pop_ups(), stage.claims(), *stage.storm(), stage.bulk()]


def figures() -> list[Figure]:
    """Measure both set-ups."""
    with Generator() as generator:
        with installation(Stores()) as one:
            one.home.mkdir(parents=True, exist_ok=True)
            migrations.upgrade(f"sqlite:///{Path(one.home) / 'opora.db'}")
            project = asyncio.run(filled(one))
            found = measured(Stage("embedded", one, project, one.serve(), generator))
        with servers() as stores, installation(stores) as one:
            project = asyncio.run(filled(one))
            one.start("worker")
            return found + measured(Stage("PostgreSQL and Redis", one, project, one.serve("--no-worker"), generator))


if __name__ == "__main__":
    told = Counter[bool | None]()
    for figure in figures():
        print(figure)
        told[figure.met] += 1
    print(told)
