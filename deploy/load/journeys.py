"""What callers of Opora do, one call after another: the same journeys for `make load` and for Locust.

A journey yields the calls it makes and is sent each answer; who drives it decides when and over what. This file and the
one beside it need nothing of Opora: copy both to where load is made.
"""

import json
import struct
import zlib
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

API = "/api/v1"
BOUNDARY = "opora-load-4f1c"
PASSWORD = "a long walk by the river"  # noqa: S105  # of people that the load itself makes
PROFILES_MAX = 10
ZONE = "Europe/Moscow"


@dataclass(frozen=True, slots=True)
class Call:
    """One request. `name` is what it is counted under, `good` the statuses that are as they should be."""

    method: str
    path: str
    name: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    good: tuple[int, ...] = (200, 201, 202, 204)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; status 0 where nothing did."""

    status: int
    body: bytes

    def json(self) -> Any:
        """Read the body."""
        return json.loads(self.body)


type Journey = Generator[Call, Answer, None]


@dataclass(slots=True)
class Cast:
    """Who calls, and what there is to call for."""

    key: str
    people: list[str] = field(default_factory=list)
    """Access tokens of clients."""
    services: list[int] = field(default_factory=list)
    project_id: int = 0
    phones: list[str] = field(default_factory=list)


def by_key(cast: Cast) -> dict[str, str]:
    """Return the credentials of a program."""
    return {"x-api-key": cast.key}


def by_person(cast: Cast, chance: Random) -> dict[str, str]:
    """Return the credentials of somebody."""
    return {"authorization": f"Bearer {chance.choice(cast.people)}"}


def sent(headers: Mapping[str, str], chance: Random, body: object) -> dict[str, Any]:
    """Return the headers and the body of something that is made once, however often it is sent."""
    key = str(UUID(int=chance.getrandbits(128), version=4))
    more = {"content-type": "application/json", "idempotency-key": key}
    return {"headers": {**headers, **more}, "body": json.dumps(body).encode()}


def keeps_people(cast: Cast, chance: Random) -> Journey:
    """Document 0: people made and kept, one of them read, the list looked at."""
    who, count = by_key(cast), chance.randint(1, PROFILES_MAX)
    body = {"count": count, "persist": True}
    made = yield Call("POST", f"{API}/profiles/generate", "profiles: made", **sent(who, chance, body))
    if made.status == 201:  # noqa: PLR2004
        id = made.json()["profiles"][0]["id"]
        yield Call("GET", f"{API}/profiles/{id}", "profiles: one", who)
    yield Call("GET", f"{API}/profiles?limit=20", "profiles: list", who)


def exports(cast: Cast, chance: Random) -> Journey:
    """Document 0: a person made, exported as a sheet, and asked after."""
    who = by_key(cast)
    body = {"count": 1, "persist": True}
    made = yield Call("POST", f"{API}/profiles/generate", "profiles: made", **sent(who, chance, body))
    if made.status != 201:  # noqa: PLR2004
        return
    wanted = {"profile_id": made.json()["profiles"][0]["id"], "format": chance.choice(["pdf", "json"])}
    taken = yield Call("POST", f"{API}/exports", "exports: asked for", **sent(who, chance, wanted))
    if taken.status == 202:  # noqa: PLR2004
        yield Call("GET", f"{API}/exports/{taken.json()['export_id']}", "exports: one", who)


def books(cast: Cast, chance: Random) -> Journey:
    """Document 1: free times of a day looked at, and one of them booked, which another may have been quicker at."""
    who, service_id = by_person(cast, chance), chance.choice(cast.services)
    day = (datetime.now(UTC) + timedelta(days=chance.randint(2, 60))).date().isoformat()
    path = f"{API}/slots?service_id={service_id}&from={day}&to={day}&tz={ZONE}"
    free = yield Call("GET", path, "appointments: free times", who)
    times = free.json()["results"] if free.status == 200 else []  # noqa: PLR2004
    if times:
        wish = {"service_id": service_id, "starts_at": chance.choice(times)["starts_at"]}
        booked = sent(who, chance, wish)
        yield Call("POST", f"{API}/appointments", "appointments: booked", **booked, good=(201, 409))


def looks_numbers_up(cast: Cast, chance: Random) -> Journey:
    """Document 2: a caller's number looked up by the softphone, and a page of the project's numbers."""
    who = by_key(cast)
    yield Call("GET", f"{API}/softphone/number/{chance.choice(cast.phones)}", "numbers: looked up", who)
    path = f"{API}/phone-numbers?project_id={cast.project_id}&limit=50"
    yield Call("GET", path, "numbers: list", who)


def pays(cast: Cast, chance: Random) -> Journey:
    """Document 3: a payment begun, and the balance looked at."""
    who = by_person(cast, chance)
    amount = {"amount_minor": chance.randint(100, 99_999), "currency": "RUB"}
    yield Call("POST", f"{API}/payments", "payments: begun", **sent(who, chance, amount))
    yield Call("GET", f"{API}/balance", "balance", who)


def sends_papers(cast: Cast, chance: Random) -> Journey:
    """Document 4: a scan sent in."""
    who = by_person(cast, chance)
    scan = a_scan(chance)
    parts = [part("description", b"A scan"), part("category", b"contracts"), part("file", scan, "scan.png")]
    body = b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()
    headers = {**who, "content-type": f"multipart/form-data; boundary={BOUNDARY}"}
    yield Call("POST", f"{API}/dbo/documents", "documents: sent in", headers, body)


def part(name: str, value: bytes, file_name: str = "") -> bytes:
    """Return one part of a form."""
    file = f'; filename="{file_name}"\r\nContent-Type: image/png' if file_name else ""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'
    return head.encode() + value + b"\r\n"


def a_scan(chance: Random) -> bytes:
    """Return a small grey PNG that nobody else has sent."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\x00" + chance.randbytes(64) for _ in range(64))
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 64, 64, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(rows, 1)) + chunk(b"IEND", b"")


@dataclass(frozen=True, slots=True)
class Way:
    """A kind of journey: how often it is taken beside the others, and how many calls it makes."""

    journey: Callable[[Cast, Random], Journey]
    weight: int
    calls: int


WAYS: Sequence[Way] = (
    Way(keeps_people, 8, 3),
    Way(exports, 1, 3),
    Way(books, 3, 2),
    Way(looks_numbers_up, 6, 2),
    Way(pays, 2, 2),
    Way(sends_papers, 1, 1),
)
CALLS_MEAN = sum(way.weight * way.calls for way in WAYS) / sum(way.weight for way in WAYS)


def chosen(cast: Cast, chance: Random) -> Journey:
    """Choose a journey by the weights."""
    (way,) = chance.choices(WAYS, [way.weight for way in WAYS])
    return way.journey(cast, chance)
