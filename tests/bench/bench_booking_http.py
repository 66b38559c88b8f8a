"""Bookings over HTTP that everybody wants at once: one slot, and a calendar of few; on both set-ups."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import httpx

from bench.bench_load import quantile
from bench.figures import Figure, duration
from bench.load import Generator, Order, Tally
from bench.staging import Stores, installation, servers
from e2e.running import Installation

CLIENTS, ATTEMPTS = 64, 2_000
ROUND_S, ROUNDS_MAX = 4.0, 20
SLOTS = 54
PACED_HZ, PACED_S, PACED_GOAL_S = 50, 5.0, 0.02
PASSWORD = "correct horse battery"  # of no worth
WEEK = [{"weekday": day, "start": "09:00", "end": "18:00"} for day in range(7)]
WIDE = {"OPORA_RATE_LIMIT_PER_MIN": "1000000", "OPORA_ADDRESS_LIMIT_PER_MIN": "1000000"}


class Shop:
    """Staff with hours and a service, and a client; calls as either."""

    def __init__(self, one: Installation, address: str) -> None:
        self.address = address
        self.headers: dict[str, dict[str, str]] = {}
        for who, role in (("boris", "staff"), ("anna", "client")):
            given = ("users", "create", "--email", f"{who}@example.org", "--role", role)
            one.command(*given, given=f"{PASSWORD}\n")
            login = {"email": f"{who}@example.org", "password": PASSWORD}
            token = httpx.post(f"{address}/api/v1/auth/login", json=login, timeout=60).json()["access_token"]
            self.headers[who] = {"authorization": f"Bearer {token}"}
        staff_id = self.call("boris", "GET", "/users/me")["id"]
        self.call("boris", "PUT", f"/staff/{staff_id}/availability", {"timezone": "UTC", "weekly": WEEK})
        self.service_id = self.call("boris", "POST", "/services", {"name": "Hot", "duration_min": 60})["id"]

    def call(self, who: str, method: str, path: str, body: object = None) -> Mapping[str, object]:
        """Call, and return the answer."""
        url = f"{self.address}/api/v1{path}"
        answer = httpx.request(method, url, json=body, headers=self.headers[who], timeout=60)
        return dict(answer.raise_for_status().json())

    def starts(self) -> list[str]:
        """Return free starts of the days to come."""
        first = datetime.now(UTC).date() + timedelta(days=2)
        query = f"?service_id={self.service_id}&from={first}&to={first + timedelta(days=7)}&tz=UTC"
        found = self.call("anna", "GET", f"/slots{query}")["results"]
        return [one["starts_at"] for one in found]  # type: ignore[attr-defined]

    def booked(self) -> list[str]:
        """Return the starts of what is booked."""
        found = self.call("boris", "GET", "/appointments?limit=200")["results"]
        return [one["starts_at"] for one in found]  # type: ignore[attr-defined]

    def storm(self, generator: Generator, starts: list[str]) -> Tally:
        """Have 64 clients ask for these starts until there were as many attempts as are wanted."""
        wishes = [json.dumps({"service_id": self.service_id, "starts_at": one}) for one in starts]
        requests = [("POST", "/api/v1/appointments", wish) for wish in wishes]
        order = Order(self.address, requests, self.headers["anna"], CLIENTS, ROUND_S)
        statuses: dict[str, int] = {}
        seconds = 0.0
        for _ in range(ROUNDS_MAX):
            tally = generator.carry_out(order)
            seconds += tally.seconds
            statuses = {one: statuses.get(one, 0) + tally.statuses.get(one, 0) for one in {*statuses, *tally.statuses}}
            if sum(statuses.values()) >= ATTEMPTS:
                break
        return Tally(statuses, seconds)

    def paced(self, generator: Generator, start: str) -> Tally:
        """Ask for one taken start and for the free slots in turn, at a steady rate."""
        day = start[:10]
        wish = json.dumps({"service_id": self.service_id, "starts_at": start})
        listed = f"/api/v1/slots?service_id={self.service_id}&from={day}&to={day}&tz=UTC"
        requests = [("POST", "/api/v1/appointments", wish), ("GET", listed, "")]
        order = Order(self.address, requests, self.headers["anna"], seconds=PACED_S, rate_hz=PACED_HZ)
        return generator.carry_out(order)


def waited(setup: str, tally: Tally) -> Figure:
    """Return the row of how long those wait who ask for a slot that everybody wants."""
    p50_s, p99_s = quantile(tally.took_s, 0.5), quantile(tally.took_s, 0.99)
    assert set(tally.statuses) == {"200", "409"}, tally.statuses
    return Figure(
        f"Booking over HTTP, {setup}: the hot slot and its list, {PACED_HZ} requests/s",
        f"p50 {duration(p50_s)}, p99 {duration(p99_s)}",
        goal=f"p99 ≤ {duration(PACED_GOAL_S)}",
        met=p99_s <= PACED_GOAL_S,
    )


def judged(setup: str, what: str, tally: Tally, booked: int, wanted: int) -> Figure:
    """Return the row of one storm: as many bookings as slots, and no answer but that they are taken."""
    attempts, won = sum(tally.statuses.values()), tally.statuses.get("201", 0)
    others = attempts - won - tally.statuses.get("409", 0)
    return Figure(
        f"Booking over HTTP, {setup}: {what}, {CLIENTS} clients",
        f"{won} of {attempts:,} attempts at {attempts / tally.seconds:,.0f}/s, {booked} booked, {others} other answers",
        goal=f"{wanted} booked of ≥ {ATTEMPTS:,} attempts, no other answer",
        met=won == booked == wanted and not others and attempts >= ATTEMPTS,
    )


def measured(setup: str, stores: Stores, generator: Generator) -> list[Figure]:
    """Storm one set-up: one slot first, then the calendar around it."""
    with installation(stores) as one:
        one.environment = {**one.environment, **WIDE}
        shop = Shop(one, one.serve())
        free = shop.starts()[: SLOTS + 1]
        first = shop.storm(generator, free[:1])
        rows = [judged(setup, "one slot", first, len(shop.booked()), 1)]
        rows.append(waited(setup, shop.paced(generator, free[0])))
        rest = shop.storm(generator, free[1:])
        booked = shop.booked()
        rows.append(judged(setup, f"a calendar of {SLOTS}", rest, len(set(booked)) - 1, SLOTS))
        return rows


def figures() -> list[Figure]:
    """Measure both set-ups."""
    with Generator() as generator, servers() as stores:
        return [
            *measured("embedded", Stores(), generator),
            *measured("PostgreSQL and Redis", stores, generator),
        ]


if __name__ == "__main__":
    print(*figures(), sep="\n")
