"""What the callers of a run do over and over, one errand after another, each under a mark of its own."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count

from chaos.callers import Caller
from chaos.ledger import Deed
from chaos.town import PAYMENTS_SECRET
from opora.core.kernel.rules import webhook_key, webhook_signature
from opora.testing.papers import a_pdf

API = "/api/v1"
KNOWN_WITHIN_S = 1.5
"""How soon a revocation is known to every process, whatever is down: a second is promised, and a call takes a while."""
SLOT_TAKEN = {"slot_taken", "slot_not_offered"}


@dataclass(slots=True)
class Stage:
    """What the callers find when they come: services with their staff, and the numbers of errands."""

    services: list[int] = field(default_factory=list)
    day: datetime = field(default_factory=lambda: datetime.now(UTC).replace(hour=6, minute=0, second=0, microsecond=0))
    errands: Iterator[int] = field(default_factory=lambda: count(1))

    def mark(self) -> str:
        """Return a mark that nothing else has."""
        return f"chaos-{next(self.errands):06d}"


async def keep_people(key: Caller, stage: Stage) -> None:
    """Have people made and kept, read one of them, and have it exported."""
    seed, people = key.chance.randrange(1, 2**53), key.chance.randint(1, 5)
    body = {"count": people, "persist": True, "seed": seed}
    made = await key.settled(key.book.deed("people", str(seed), people), "POST", f"{API}/profiles/generate", json=body)
    if made is None:
        return
    id = made.json()["profiles"][0]["id"]
    await key.read(f"{API}/profiles/{id}")
    if key.chance.random() < 0.5:
        wanted = {"profile_id": id, "format": key.chance.choice(["json", "pdf"])}
        await key.settled(key.book.deed("export", str(id)), "POST", f"{API}/exports", json=wanted)


async def book(person: Caller, stage: Stage) -> None:
    """Book one of few times that everybody wants, and cancel some of what was got."""
    chance, deed = person.chance, person.book.deed("booking", stage.mark())
    starts_at = stage.day + timedelta(days=chance.randint(2, 4), minutes=30 * chance.randrange(16))
    wish = {"service_id": chance.choice(stage.services), "starts_at": starts_at.isoformat(), "note": deed.mark}
    got = await person.settled(deed, "POST", f"{API}/appointments", SLOT_TAKEN, json=wish)
    if got is not None and chance.random() < 0.5:
        id = got.json()["id"]
        cancelling = person.book.deed("cancellation", str(id))
        await person.settled(cancelling, "POST", f"{API}/appointments/{id}/cancel", json={"reason": "chaos"})


async def send_document(person: Caller, stage: Stage) -> None:
    """Send a paper in, and fetch it back."""
    deed = person.book.deed("document", stage.mark())
    files = {"file": ("a.pdf", a_pdf(deed.mark, padding=person.chance.randrange(1, 200_000)))}
    said = {"description": deed.mark, "category": "contracts"}
    sent = await person.settled(deed, "POST", f"{API}/dbo/documents", data=said, files=files)
    if sent is not None:
        await person.read(f"{API}/dbo/documents/{sent.json()['id']}")


async def pay(person: Caller, stage: Stage) -> None:
    """Begin a payment, and have the provider tell twice that it was paid."""
    deed = person.book.deed("payment", stage.mark())
    amount = {"amount_minor": person.chance.randint(100, 9_999), "currency": "RUB", "description": deed.mark}
    begun = await person.settled(deed, "POST", f"{API}/payments", json=amount)
    if begun is None:
        return
    id = begun.json()["id"]
    paid = person.book.deed("settlement", f"payment:{id}")
    await asyncio.gather(*(notify(person, paid, id) for _ in range(2)))


async def notify(person: Caller, paid: Deed, payment_id: int) -> None:
    """Tell what the payment provider tells, again until it is taken."""
    body = json.dumps({"type": "payment.succeeded", "data": {"payment_id": payment_id}}).encode()
    stamp, event = int(time.time()), f"notice-{payment_id}"
    headers = {
        "content-type": "application/json",
        "webhook-id": event,
        "webhook-timestamp": str(stamp),
        "webhook-signature": webhook_signature(webhook_key(PAYMENTS_SECRET), event, stamp, body),
    }
    await person.settled(paid, "POST", f"{API}/payments/webhook", content=body, headers=headers)


async def write(person: Caller, stage: Stage) -> None:
    """Have a text written, past the end of what the plan includes."""
    deed = person.book.deed("text", stage.mark())
    wanted = {"function": "post", "topic": deed.mark, "max_tokens": 20, "mode": person.chance.choice(["sync", "async"])}
    await person.settled(deed, "POST", f"{API}/generate", {"quota_exhausted"}, json=wanted)


type Errand = Callable[[Caller, Stage], Awaitable[None]]


@dataclass(slots=True)
class Intruder:
    """Somebody who may nothing, and tries: with no credentials, with spent ones, and with another's."""

    caller: Caller
    spent: list[tuple[str, dict[str, str], float]] = field(default_factory=list)
    """Credentials that were revoked: what they are, the headers, and when their end was acknowledged."""
    foreign: str = ""
    """The path of something of another person's."""
    own: dict[str, str] = field(default_factory=dict)
    """Good credentials of the intruder's."""

    async def __call__(self) -> None:
        """Try every way once."""
        forged = {"webhook-id": "x", "webhook-timestamp": str(int(time.time())), "webhook-signature": "v1,AAAA"}
        await self.tried("nobody", "GET", f"{API}/profiles", {})
        await self.tried("a forged notice", "POST", f"{API}/payments/webhook", forged)
        await self.tried("a client asks for users", "GET", f"{API}/users", self.own)
        if self.foreign:
            await self.tried("another's document", "GET", self.foreign, self.own)
        for what, headers, at_s in self.spent[-8:]:
            if time.monotonic() > at_s + KNOWN_WITHIN_S:
                await self.tried(
                    what, "GET", f"{API}/profiles" if "X-API-Key" in headers else f"{API}/users/me", headers
                )

    async def tried(self, what: str, method: str, path: str, headers: dict[str, str]) -> None:
        """Call, and write down a good answer."""
        answer = await self.caller.once(method, path, headers=headers)
        self.caller.book.probes += 1
        if answer is not None and answer.is_success:
            self.caller.book.let_in.append(f"{what}: {answer.status_code} to {method} {path}")

    async def spend(self, email: str, password: str) -> None:
        """Sign in, sign out again, and keep what is worth nothing from then on."""
        given = {"email": email, "password": password}
        signed = await self.caller.once("POST", f"{API}/auth/login", json=given)
        if signed is None or not signed.is_success:
            return
        headers = {"Authorization": f"Bearer {signed.json()['access_token']}"}
        out = await self.caller.once("POST", f"{API}/auth/logout", headers=headers)
        if out is not None and out.is_success:
            self.spent.append(("who signed out", headers, time.monotonic()))
