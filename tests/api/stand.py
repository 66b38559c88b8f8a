"""The small service the edge is tried on: routes of every policy, and fakes of the ports it needs."""

import asyncio
from collections.abc import AsyncIterator
from contextvars import ContextVar
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Annotated

import httpx
import msgspec
from litestar import Controller, Request, Response, delete, get, post, put
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from litestar.response import Stream

from opora.api import pages, policy, values
from opora.api.edge import EdgeParts, EdgeSettings, wrap
from opora.api.http import application
from opora.core.access.model.callers import Caller, Credentials
from opora.core.access.model.keytext import Environment, KeyFormat
from opora.core.access.model.rates import Admission, Decision, RatePolicy, Verdict
from opora.core.access.ports.rates import RateGate
from opora.core.kernel import errors
from opora.core.kernel.model import Actor, ApiVersion, IdempotentCall, Origin, Page, StoredAnswer
from opora.core.kernel.ports import Clock, IdempotentCalls, Started, VersionRegistry

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
MINUTE = RatePolicy("minute", quota=100, window_s=60)
GOOD_TOKEN = "e30.e30.e30"
GOOD_KEY, A_KEY = (KeyFormat().compose(Environment.LIVE, bytes([number] * 32)).text for number in (1, 2))


class StoppedClock(Clock):
    def __init__(self) -> None:
        self.at = NOW

    def now(self) -> datetime:
        return self.at


class BadKey(errors.Unauthenticated):
    """The key is not known."""

    code = "bad_key"


class Doorman:
    """Knows five bearers; remembers how often it was asked, and the fifth as they were until told to forget."""

    def __init__(self) -> None:
        self.asked: list[Credentials] = []
        self.origins: list[Origin] = []
        self.version = self.remembered = 1
        self.is_gone = False

    def forget(self, _: Caller) -> None:
        self.remembered = self.version

    async def __call__(self, credentials: Credentials, origin: Origin) -> Caller:
        self.asked.append(credentials)
        self.origins.append(origin)
        sent = credentials.bearer or credentials.api_key
        if sent is None:
            return Caller(Actor(origin=origin), f"address:{origin.address}", (MINUTE,))
        if sent in {"good", GOOD_TOKEN, GOOD_KEY}:
            return self._key(7, {"things:read", "things:write"}, origin)
        if sent == "reader":
            return self._key(8, {"things:read"}, origin)
        if sent == "changing":
            if self.is_gone and self.remembered == self.version:
                raise BadKey
            scopes = frozenset({"things:read", "things:write"} if self.remembered == 1 else {"things:read"})
            return Caller(
                Actor(user_id=4, scopes=scopes, origin=origin),
                "user:4",
                (MINUTE,),
                ("user:4", f"user:4/rights:{self.remembered}"),
            )
        if sent == "rotated":
            known = self._key(9, {"things:read"}, origin)
            return Caller(known.actor, "key:9", (MINUTE,), notice=(NOW, NOW + timedelta(days=1)))
        if sent == "person":
            actor = Actor(user_id=3, scopes=frozenset({"things:read"}), origin=origin)
            return Caller(actor, "user:3", (MINUTE,), ("jti:1", "user:3"), issued_at=NOW)
        raise BadKey

    def _key(self, key_id: int, scopes: set[str], origin: Origin) -> Caller:
        return Caller(
            Actor(key_id=key_id, scopes=frozenset(scopes), origin=origin),
            f"key:{key_id}",
            (MINUTE,),
            (f"key:{key_id}",),
        )


class CountingGate(RateGate):
    """Counts calls in one endless window."""

    def __init__(self) -> None:
        self.spent: dict[tuple[str, str], int] = {}
        self.denied: set[str] = set()
        self.admissions: list[Admission] = []
        self.fault: Exception | None = None
        self.degraded = False

    async def admit(self, admission: Admission) -> Decision:
        return self._decide(admission, admission.cost)

    async def peek(self, admission: Admission) -> Decision:
        return self._decide(admission, 0)

    async def deny(self, name: str, ttl_s: int) -> None:
        self.denied.add(name)

    async def lift(self, name: str) -> None:
        self.denied.discard(name)

    async def end_before(self, subject: str, epoch: datetime, ttl_s: int) -> None:
        self.denied.add(subject)

    def _decide(self, admission: Admission, cost: int) -> Decision:
        self.admissions.append(admission)
        if self.fault is not None:
            raise self.fault
        if self.denied & set(admission.revocation):
            return Decision((), revoked=True)
        verdicts = []
        for one in admission.policies:
            place = (admission.subject, one.name)
            used = self.spent.get(place, 0) + cost
            allowed = used <= one.quota
            if allowed:
                self.spent[place] = used
            verdicts.append(Verdict(one, allowed, max(0, one.quota - used), 7.5, 0.0 if allowed else 6.2))
        return Decision(tuple(verdicts), degraded=self.degraded)


class Claim(Started):
    def __init__(self, call: IdempotentCall) -> None:
        self.call = call


class KeptCalls(IdempotentCalls):
    """Keeps answers by caller and key."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], tuple[bytes, StoredAnswer | None]] = {}
        self.lost = False

    async def open(self, call: IdempotentCall) -> StoredAnswer | Started:
        place = (call.caller, call.key)
        if place not in self.kept:
            self.kept[place] = (call.fingerprint, None)
            return Claim(call)
        fingerprint, answer = self.kept[place]
        if fingerprint != call.fingerprint:
            raise errors.IdempotencyKeyReused
        if answer is None:
            raise errors.StillRunning
        return answer

    async def commit(self) -> None:
        return

    async def settle(self, started: Started, answer: StoredAnswer) -> None:
        assert isinstance(started, Claim)
        if self.lost:
            raise errors.Overtaken
        self.kept[started.call.caller, started.call.key] = (started.call.fingerprint, answer)

    async def abandon(self, started: Started) -> None:
        assert isinstance(started, Claim)
        del self.kept[started.call.caller, started.call.key]


class ListedVersions(VersionRegistry):
    def __init__(self, *rows: ApiVersion) -> None:
        self.rows = list(rows)
        self.reads = 0
        self.is_down = False

    async def versions(self) -> list[ApiVersion]:
        self.reads += 1
        if self.is_down:
            raise errors.DatabaseUnavailable
        return self.rows


class Part(msgspec.Struct, forbid_unknown_fields=True):
    name: values.Label
    count: values.Positive = 1


class NewThing(msgspec.Struct, forbid_unknown_fields=True):
    title: values.Label
    size: Annotated[int, msgspec.Meta(ge=1, le=100)] = 1
    note: values.Text | None = None
    at: values.Timestamp | None = None
    parts: list[Part] = []


class Thing(msgspec.Struct):
    id: int
    title: str


class Kind(StrEnum):
    NEW = "new"
    OLD = "old"


class SlotTaken(errors.Conflict):
    """Someone else has this slot."""

    code = "slot_taken"


class ThingController(Controller):
    path = "/things"
    made = 0

    @get(opt=policy.needs("things:read"))
    async def things(
        self, request: Request, limit: pages.PageLimit = 50, page: pages.PageNumber = 1, q: values.QueryText = None
    ) -> pages.Envelope[Thing]:
        asked = pages.page_request(limit, page)
        everything = [Thing(number, f"thing {number}") for number in range(1, 121)]
        part = everything[asked.offset : asked.offset + asked.limit]
        return pages.envelope(Page(part, 120, asked.offset + asked.limit < 120), request.url)

    @get("/{thing_id:int}", opt=policy.needs("things:read"))
    async def thing(self, thing_id: FromPath[int]) -> Thing:
        if thing_id == 404:
            raise errors.NotFound
        return Thing(thing_id, "one")

    @post(opt=policy.needs("things:write"))
    async def make(self, data: JSONBody[NewThing]) -> Thing:
        type(self).made += 1
        return Thing(type(self).made, data.title)

    @put("/{thing_id:int}", opt=policy.needs("things:write"))
    async def change(self, thing_id: FromPath[int], data: JSONBody[NewThing]) -> Thing:
        raise errors.Stale

    @delete("/{thing_id:int}", opt=policy.needs("things:write"))
    async def drop(self, thing_id: FromPath[int]) -> None:
        raise SlotTaken("Taken.", thing_id=thing_id)

    @get("/between", opt=policy.PUBLIC)
    async def between(
        self,
        start: Annotated[date, QueryParameter(name="from")],
        end: Annotated[date, QueryParameter(name="to")],
        shelf: Annotated[int, QueryParameter(ge=1)],
        kind: Annotated[Kind | None, QueryParameter()] = None,
        size: FromQuery[bool | None] = None,
    ) -> dict[str, object]:
        return {"from": start, "to": end, "shelf": shelf, "kind": kind, "size": size}

    @get("/since", opt=policy.PUBLIC)
    async def since(
        self,
        after: FromQuery[datetime | None] = None,
        day: FromQuery[date | None] = None,
        number: FromQuery[int | None] = None,
        tag: FromQuery[list[str] | None] = None,
    ) -> dict[str, object]:
        return {"after": after, "day": day, "number": number, "tag": tag}


class Latch:
    """Holds calls until it is opened."""

    def __init__(self) -> None:
        self.held = 0
        self._came = asyncio.Semaphore(0)
        self._open = asyncio.Event()

    async def passed(self) -> None:
        self.held += 1
        self._came.release()
        await self._open.wait()

    def open(self) -> None:
        self._open.set()

    async def holding(self, count: int) -> None:
        for _ in range(count):
            await self._came.acquire()


LATCH: ContextVar[Latch] = ContextVar("latch")


class OddController(Controller):
    path = "/odd"

    @get("/open", opt=policy.PUBLIC)
    async def open(self) -> dict[str, str]:
        return {"hello": "you"}

    @post("/open", opt=policy.PUBLIC)
    async def open_post(self, request: Request) -> dict[str, int]:
        return {"length": len(await request.body())}

    @get("/internal", opt=policy.INTERNAL)
    async def internal(self) -> dict[str, str]:
        return {}

    @get("/signed", opt=policy.SIGNED_IN)
    async def signed(self) -> dict[str, str]:
        return {}

    @get("/boom", opt=policy.PUBLIC)
    async def boom(self) -> None:
        raise RuntimeError("the password is hunter2")

    @get("/down", opt=policy.PUBLIC)
    async def down(self) -> None:
        raise errors.DatabaseUnavailable(retry_after_s=3)

    @get("/refused", opt=policy.PUBLIC)
    async def refused(self) -> None:
        raise ConnectionRefusedError("10.0.0.7:5432")

    @get("/torn", opt=policy.PUBLIC)
    async def torn(self) -> Stream:
        async def parts() -> AsyncIterator[bytes]:
            yield b"one"
            raise RuntimeError("torn")

        return Stream(parts())

    @get("/slow", opt=policy.PUBLIC)
    async def slow(self) -> dict[str, str]:
        await LATCH.get().passed()
        return {}

    @get("/trickle", opt=policy.PUBLIC)
    async def trickle(self) -> Stream:
        async def parts() -> AsyncIterator[bytes]:
            await LATCH.get().passed()
            yield b"one"

        return Stream(parts())

    @get("/echo", opt=policy.PUBLIC)
    async def echo(self, request: Request) -> dict[str, str]:
        return dict(request.headers)

    @post("/upload", opt={**policy.needs("things:write"), **policy.upload(4096)})
    async def upload(self, request: Request) -> dict[str, int]:
        return {"length": sum([len(part) async for part in request.stream()])}

    @post("/secret", opt={**policy.needs("things:write"), **policy.UNREPEATABLE})
    async def secret(self) -> Response[dict[str, int]]:
        ThingController.made += 1
        return Response({"n": ThingController.made}, headers={"location": "/x"})

    @post("/fails", opt=policy.needs("things:write"))
    async def fails(self, flag: Annotated[int, QueryParameter(ge=0)] = 0) -> dict[str, int]:
        ThingController.made += 1
        if flag == 0:
            raise SlotTaken
        return {"n": ThingController.made}


@get("/health", opt=policy.EXEMPT)
async def alive() -> dict[str, str]:
    return {"status": "ok"}


class Stand:
    """The service, its fakes, and a client for it."""

    def __init__(self, *versions: ApiVersion, **settings: object) -> None:
        ThingController.made = 0
        self.doorman = Doorman()
        self.gate = CountingGate()
        self.calls = KeptCalls()
        self.clock = StoppedClock()
        self.registry = ListedVersions(*versions)
        self.litestar = application([ThingController, OddController], [alive])
        self.parts = EdgeParts(
            self.doorman,
            self.gate,
            self.clock,
            self.calls,
            self.registry,
            settings=EdgeSettings(**settings),  # type: ignore[arg-type]
            forget=self.doorman.forget,
        )
        self.app = wrap(self.litestar, self.parts)

    def client(self, bearer: str | None = None, peer: str = "192.0.2.1") -> httpx.AsyncClient:
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False, client=(peer, 4711))  # type: ignore[arg-type]
        headers = {} if bearer is None else {"authorization": f"Bearer {bearer}"}
        return httpx.AsyncClient(transport=transport, base_url="http://opora.test", headers=headers)
