"""A run from its first call to its last: a stage is set, callers and faults go on side by side, then all is counted."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from random import Random

import httpx

from chaos import evidence, faults
from chaos.callers import ANSWER_WITHIN_S, Caller
from chaos.faults import Played
from chaos.journeys import API, Errand, Intruder, Stage, book, keep_people, pay, send_document, write
from chaos.ledger import Book
from chaos.promises import Promise, kept
from chaos.town import Town

PASSWORD = "a long walk by the river"
PEOPLE = 6
KEYS = 3
WEEK = [{"weekday": day, "start": "09:00", "end": "18:00"} for day in range(7)]
LENGTHS_MIN = (30, 60)
SCOPES = ("profiles:read", "profiles:write", "exports:read", "exports:write")
OF_PERSON: tuple[Errand, ...] = (book, book, book, send_document, pay, write, write)


@dataclass(slots=True)
class Run:
    """One run: its chance, its book, who calls."""

    town: Town
    chance: Random
    book: Book = field(default_factory=Book)
    stage: Stage = field(default_factory=Stage)
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    _addresses: Iterator[int] = field(default_factory=lambda: count(10))

    @asynccontextmanager
    async def caller(self, **headers: str) -> AsyncIterator[Caller]:
        """Lend somebody with an address of their own."""
        transport = httpx.AsyncHTTPTransport(
            verify=self.town.trusted or False, local_address=f"127.0.0.{next(self._addresses)}"
        )
        async with httpx.AsyncClient(transport=transport, timeout=ANSWER_WITHIN_S) as http:
            chance = Random(self.chance.random())
            yield Caller(self.town.addresses, self.book, chance, http, headers)

    def key(self, *scopes: str) -> str:
        """Make a key by the command line."""
        wanted = [part for scope in scopes for part in ("--scope", scope)]
        made = self.town.installation.command("keys", "create", "--label", "chaos", *wanted, "--json")
        return str(json.loads(made.stdout)["key"])


async def expected(caller: Caller, method: str, path: str, **given: object) -> dict[str, object]:
    """Call while nothing is wrong yet."""
    answer = await caller.once(method, f"{API}{path}", **given)
    assert answer is not None and answer.is_success, f"{method} {path}: {answer and answer.text}"
    return dict(answer.json()) if answer.content else {}


async def signed_in(admin: Caller, nobody: Caller, email: str, *roles: str) -> tuple[int, dict[str, str]]:
    """Make somebody, and return their id and credentials."""
    made = await expected(admin, "POST", "/users", json={"email": email, "password": PASSWORD, "roles": list(roles)})
    pair = await expected(nobody, "POST", "/auth/login", json={"email": email, "password": PASSWORD})
    return int(str(made["id"])), {"Authorization": f"Bearer {pair['access_token']}"}


async def set_up(run: Run, admin: Caller, nobody: Caller) -> None:
    """Make the staff, their hours and their services: two lengths that meet in the same hours."""
    staff = []
    for number in range(2):
        id, headers = await signed_in(admin, nobody, f"staff-{number}@example.org", "staff")
        hours = {"timezone": "Europe/Moscow", "weekly": WEEK}
        await expected(nobody, "PUT", f"/staff/{id}/availability", json=hours, headers=headers)
        staff.append(id)
    for length_min in LENGTHS_MIN:
        body = {"name": f"{length_min} min", "duration_min": length_min, "step_min": 30, "staff_ids": staff}
        run.stage.services.append(int(str((await expected(admin, "POST", "/services", json=body))["id"])))


async def errands(run: Run, caller: Caller, choices: Sequence[Errand]) -> None:
    """Go on errands until the run has ended."""
    while not run.ended.is_set():
        await caller.chance.choice(choices)(caller, run.stage)
        await asyncio.sleep(caller.chance.random() * 0.05)


async def intrude(run: Run, intruder: Intruder, admin: Caller) -> None:
    """Try to get in until the run has ended, now and then with what was worth something a moment ago."""
    while not run.ended.is_set():
        await intruder()
        if intruder.caller.chance.random() < 0.3:
            await intruder.spend("intruder@example.org", PASSWORD)
        if intruder.caller.chance.random() < 0.1:
            await revoke(intruder, admin)
        await asyncio.sleep(0.2)


async def revoke(intruder: Intruder, admin: Caller) -> None:
    """Make a key and revoke it."""
    wanted = {"label": "spent", "scopes": ["profiles:read"]}
    made = await admin.once("POST", f"{API}/admin/api-keys", json=wanted)
    if made is None or not made.is_success:
        return
    gone = await admin.once("DELETE", f"{API}/admin/api-keys/{made.json()['id']}")
    if gone is not None and gone.is_success:
        intruder.spent.append(("a revoked key", {"X-API-Key": made.json()["key"]}, time.monotonic()))


@asynccontextmanager
async def calling(run: Run) -> AsyncIterator[list[asyncio.Task[None]]]:
    """Set the stage and let everybody call."""
    async with AsyncExitStack() as stack:
        admin = await stack.enter_async_context(run.caller(**{"X-API-Key": await asyncio.to_thread(run.key, "admin")}))
        nobody = await stack.enter_async_context(run.caller())
        await set_up(run, admin, nobody)
        key = {"X-API-Key": await asyncio.to_thread(run.key, *SCOPES)}
        tasks = []
        for _ in range(KEYS):
            caller = await stack.enter_async_context(run.caller(**key))
            tasks.append(asyncio.create_task(errands(run, caller, (keep_people,))))
        for number in range(PEOPLE):
            _, headers = await signed_in(admin, nobody, f"client-{number}@example.org", "client")
            caller = await stack.enter_async_context(run.caller(**headers))
            tasks.append(asyncio.create_task(errands(run, caller, OF_PERSON)))
        _, own = await signed_in(admin, nobody, "intruder@example.org", "client")
        intruder = Intruder(nobody, own=own, foreign=await foreign_document(run, admin, nobody))
        tasks.append(asyncio.create_task(intrude(run, intruder, admin)))
        yield tasks
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def foreign_document(run: Run, admin: Caller, nobody: Caller) -> str:
    """Send in a document of somebody's, and return its path."""
    _, headers = await signed_in(admin, nobody, "owner@example.org", "client")
    async with run.caller(**headers) as owner:
        await send_document(owner, run.stage)
        listed = await owner.read(f"{API}/users/me")
        (paper, *_) = (await owner.read(f"{API}/dbo/users/{listed['id']}/documents"))["documents"]
    return f"{API}/dbo/documents/{paper['id']}"


@dataclass(frozen=True, slots=True)
class Result:
    """What a run has shown."""

    book: Book
    played: Sequence[Played]
    promises: Sequence[Promise]


async def whole(town: Town, chance: Random, seconds: float, told: Callable[[str], None]) -> Result:
    """Let callers call while faults are played, let them end what they began, and count."""
    run = Run(town, chance)
    async with calling(run) as tasks:
        played = await faults.play(town, Random(chance.random()), seconds, told)
        told("all is well again: callers end what they began")
        run.ended.set()
        done, _ = await asyncio.wait(tasks)
        for task in done:
            with contextlib.suppress(asyncio.CancelledError):
                task.result()
        told("jobs end")
        await evidence.drained(town)
    told("counting")
    return Result(run.book, played, kept(run.book, await evidence.gathered(town)))
