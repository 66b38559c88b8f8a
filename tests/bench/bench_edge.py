"""What the gate costs: an authenticated, limited request against the same route of a bare Litestar application."""

import asyncio
import io
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
from litestar import Litestar, get
from litestar.params import FromPath

from bench.figures import Figure, at_most, seconds_per_call
from opora.adapters.memory.rates import MemoryRateGate
from opora.api import logs, policy
from opora.api.edge import EdgeParts, wrap
from opora.api.http import application
from opora.core.access.model.callers import Caller, Credentials
from opora.core.access.model.rates import RatePolicy
from opora.core.kernel.model import Actor, Origin
from opora.core.kernel.ports import Clock

CALLS = 200
MINUTE = RatePolicy("minute", quota=50_000_000, window_s=60)
KEY = "opk_live_" + "a" * 49
HEADERS = [
    (b"host", b"127.0.0.1:8000"),
    (b"user-agent", b"bench/1.0"),
    (b"accept", b"application/json"),
    (b"accept-encoding", b"gzip"),
    (b"connection", b"keep-alive"),
]


class Thing(msgspec.Struct):
    """Six fields, as a record has."""

    id: int
    title: str = "a thing"
    status: str = "new"
    owner: str = "someone"
    size: int = 12
    at: str = "2026-01-01T00:00:00Z"


class Wall(Clock):
    """The system's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class Warm:
    """A key that is known already: what is left is a look-up in a dictionary."""

    def __init__(self) -> None:
        self.known = {KEY: (7, frozenset({"things:read"}), (MINUTE,), ("key:7",))}

    async def __call__(self, credentials: Credentials, origin: Origin) -> Caller:
        key_id, scopes, policies, names = self.known[credentials.bearer or ""]
        return Caller(Actor(None, key_id, scopes, frozenset(), origin), f"key:{key_id}", policies, names)


App = Callable[[Any, Any, Any], Awaitable[None]]


def bare() -> App:
    """Return Litestar as it comes, one route, nothing else."""

    @get("/api/v1/things/{thing_id:int}")
    async def thing(thing_id: FromPath[int]) -> Thing:
        return Thing(thing_id)

    return Litestar([thing], openapi_config=None, logging_config=None)  # type: ignore[return-value]


def gated() -> App:
    """Return the same route behind the whole edge."""

    @get("/things/{thing_id:int}", opt=policy.needs("things:read"))
    async def thing(thing_id: FromPath[int]) -> Thing:
        return Thing(thing_id)

    return wrap(application([thing]), EdgeParts(Warm(), MemoryRateGate(), Wall()))


def driver(app: App, headers: list[tuple[bytes, bytes]]) -> Callable[[], object]:
    """Return a function that makes CALLS requests in the process, without a server."""
    loop = asyncio.new_event_loop()

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, object]) -> None:
        if message["type"] == "http.response.start" and message["status"] != 200:
            raise AssertionError(message)

    async def run() -> None:
        for number in range(CALLS):
            path = f"/api/v1/things/{number}"
            scope = {
                "type": "http",
                "asgi": {"version": "3.0", "spec_version": "2.3"},
                "http_version": "1.1",
                "method": "GET",
                "scheme": "http",
                "path": path,
                "raw_path": path.encode(),
                "query_string": b"",
                "root_path": "",
                "headers": list(headers),
                "client": ("127.0.0.1", 50000),
                "server": ("127.0.0.1", 8000),
            }
            await app(scope, receive, send)

    return lambda: loop.run_until_complete(run())


def figures() -> list[Figure]:
    """Measure both, interleaved."""
    logs.configure(as_json=True, stream=io.StringIO())
    key = (b"authorization", b"Bearer " + KEY.encode())
    times = seconds_per_call({"bare": driver(bare(), HEADERS), "gated": driver(gated(), [*HEADERS, key])})
    path = "the gate: one authenticated, limited request, logged and counted, ports in memory"
    return [at_most(path, times["gated"] / CALLS, "bare Litestar route", times["bare"] / CALLS, 1.5)]


if __name__ == "__main__":
    print(*figures(), sep="\n")
