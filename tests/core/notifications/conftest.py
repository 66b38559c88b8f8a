"""A stage for notices: a real store, a hand-driven job engine, and channels that do as they are told."""

from datetime import UTC, datetime, timedelta

import pytest

from opora.adapters.crypto.unsubscribing import SignedUnsubscribing
from opora.adapters.sql.leases import SqlJobLeases
from opora.adapters.system.clock import SystemClock
from opora.adapters.system.identifiers import TimeOrderedIdentifiers
from opora.adapters.system.randomness import SystemRandomness
from opora.adapters.templates.wording import JinjaTemplates
from opora.core.notifications.model.deliveries import DELIVER, DIGEST, FIRE
from opora.core.notifications.model.letters import Letter, Recipient
from opora.core.notifications.ports.channels import Attachments, Live, Mailer, Pusher, Relevance, Texter, WebhookSender
from opora.core.notifications.ports.people import Recipients
from opora.core.notifications.usecases.carrying import AttachmentMakers, CarryNotice, MailPolicy
from opora.core.notifications.usecases.delivering import Deliver
from opora.core.notifications.usecases.firing import FireNotice, RelevanceChecks
from opora.core.notifications.usecases.gathering import GatherDigest
from opora.core.notifications.usecases.personal import ChangePreferences, Unsubscribe

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)


class People(Recipients):
    """Everybody who is known."""

    def __init__(self) -> None:
        self.known: dict[int, Recipient] = {}

    async def one(self, user_id: int) -> Recipient | None:
        return self.known.get(user_id)

    async def lapsed(self, since):
        return frozenset(since) - self.known.keys()


class Postman(Mailer, Texter, Pusher, WebhookSender):
    """Takes whatever leaves, or raises what it is told to raise next."""

    def __init__(self) -> None:
        self.letters: list[Letter] = []
        self.refusals: list[Exception] = []

    async def send(self, letter: Letter) -> str:
        self.letters.append(letter)
        if self.refusals:
            raise self.refusals.pop(0)
        return "250 taken"

    def public_key(self) -> str:
        return "key"


class Crier(Live):
    """Remembers whose lists grew."""

    def __init__(self) -> None:
        self.told: list[int] = []

    async def announce(self, user_ids) -> None:
        self.told += user_ids

    def listen(self, heard) -> None:
        raise NotImplementedError


class Hands(SystemClock):
    """The real time, moved on by hand."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self):
        return super().now() + self.ahead


class Stage:
    """The use cases of notices over one SQLite file."""

    def __init__(self, unit, database) -> None:
        self.unit, self.database = unit, database
        self.people, self.postman = People(), Postman()
        self.checks: dict[str, Relevance] = {}
        self.crier, self.clock = Crier(), Hands()
        identifiers, randomness, clock = TimeOrderedIdentifiers(), SystemRandomness(), self.clock
        relevance = RelevanceChecks(self.checks)
        self.leases = SqlJobLeases(database, identifiers, randomness, clock)
        templates = JinjaTemplates("https://opora.example")
        self.fire = FireNotice(unit, self.people, relevance, templates, self.crier, identifiers, clock)
        ways = (self.postman,) * 4
        self.makers: dict[str, Attachments] = {}
        self.unsubscribing = SignedUnsubscribing(bytes(32))
        policy = MailPolicy("opora.example", "https://opora.example/unsubscribe")
        carry = CarryNotice(unit, templates, *ways, AttachmentMakers(self.makers), self.unsubscribing, policy)
        self.deliver = Deliver(unit, self.people, relevance, carry, randomness, clock)
        self.gather = GatherDigest(unit)
        self.prefer = ChangePreferences(unit, clock)
        self.unsubscribe = Unsubscribe(unit, self.unsubscribing, self.people, clock)

    async def add(self, notice):
        async with self.unit() as tx:
            return await tx.notices.add(notice)

    async def run_due(self, rounds: int = 10) -> int:
        """Run every job that is due, and what those make due; returns how many."""
        handlers = {FIRE: self.fire, DELIVER: self.deliver, DIGEST: self.gather}
        ran = 0
        for _ in range(rounds):
            claims = await self.leases.claim(handlers.keys(), 50, 30.0)
            if not claims:
                break
            for claim in claims:
                await handlers[claim.kind](claim)
            ran += len(claims)
        return ran

    async def hasten(self) -> None:
        """Make every waiting job due."""
        await self.database.read.execute("UPDATE jobs SET run_at = now() WHERE state = 'queued'")

    async def rows(self, sql: str, **values):
        return [tuple(row) for row in await self.database.read.fetch(sql, **values)]

    async def states(self) -> list[tuple[str, int]]:
        return await self.rows("SELECT state, attempt FROM deliveries ORDER BY id")

    async def notice_states(self) -> list[str]:
        return [row[0] for row in await self.rows("SELECT state FROM notices ORDER BY id")]


@pytest.fixture
def stage(sqlite_unit, sqlite_database):
    return Stage(sqlite_unit, sqlite_database)
