"""A press: every use case of texts over one store, engines that say what the test tells them, and a worker."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from opora.adapters.memory.live_texts import MemoryLiveTexts
from opora.adapters.sql.connection import Database
from opora.adapters.sql.generation.prompts import SqlPromptViews
from opora.adapters.sql.generation.texts import SqlTextViews, SqlWordLog
from opora.adapters.sql.leases import SqlJobLeases, SqlJobProgress
from opora.adapters.sql.unit import SqlUnitOfWork
from opora.adapters.system.identifiers import TimeOrderedIdentifiers
from opora.adapters.system.randomness import SystemRandomness
from opora.core.billing.model.quotas import QuotaPolicy
from opora.core.billing.usecases.quotas import Quotas
from opora.core.generation.model.engines import Began, Broke, Ended, Finish, Said, Usage, Wish
from opora.core.generation.model.prompts import Draft, Prompt, Variable
from opora.core.generation.model.texts import KINDS, Mode, Place, Reach, Text, TextPolicy
from opora.core.generation.ports.engines import TextEngines
from opora.core.generation.ports.texts import Performer
from opora.core.generation.rules.asking import Order
from opora.core.generation.rules.reading import Step
from opora.core.generation.usecases.asking import AskForText, FollowText
from opora.core.generation.usecases.endings import Endings
from opora.core.generation.usecases.prompts import MakePrompt, MoveLabel, PreviewPrompt, PublishVersion
from opora.core.generation.usecases.writing import CancelText, GiveUpText, SweepTexts, WriteText
from opora.core.jobs.model import Claim, Job, NewJob
from opora.core.kernel.model import Actor, IdempotentCall, StoredAnswer
from opora.core.kernel.ports import Clock, IdempotentCalls, Started

NOON = datetime.fromisoformat("2030-01-01T12:00:00+00:00")
ANNA = Actor(user_id=7)
BORIS = Actor(user_id=8)
NOBODYS_KEY = Actor(key_id=5)
ADMIN = Actor(user_id=1, scopes=frozenset({"admin"}))
EVERYONES = Reach(None)
ENDED = Ended(Finish.STOP, Usage(5, 2), "m-1", "ref-1")

type Line = Began | Said | Broke | Ended | Exception | str
"""What an engine does next: a piece, an exception, `hang`, or `wait` until the test lets it go on."""


class TurnedClock(Clock):
    """A clock that the test turns."""

    def __init__(self) -> None:
        self.at = NOON

    def now(self) -> datetime:
        return self.at


class PlayedEngines(TextEngines):
    """Engines that play scripts, one a call; the last one again and again."""

    def __init__(self) -> None:
        self.scripts: list[list[Line]] = [[Began("e"), Said("one"), Said(" two"), ENDED]]
        self.wishes: list[Wish] = []
        self.lacked: set[str] = set()
        self.gate = asyncio.Event()
        self.waiting = asyncio.Event()
        self.closed = 0

    async def write(self, wish: Wish) -> AsyncGenerator[Began | Said | Broke | Ended]:
        self.wishes.append(wish)
        script = self.scripts.pop(0) if len(self.scripts) > 1 else self.scripts[0]
        try:
            for line in script:
                if isinstance(line, Exception):
                    raise line
                if isinstance(line, str):
                    self.waiting.set()
                    await self.gate.wait()
                else:
                    yield line
        finally:
            self.closed += 1

    async def models(self) -> Sequence[tuple[str, str]]:
        return [("m-1", "e")]

    async def lacks(self, model: str) -> bool:
        return model in self.lacked


class PlayedPerformer(Performer):
    """Remembers which claims it was given; the test runs them."""

    def __init__(self) -> None:
        self.room = True
        self.claims: list[Claim] = []
        self.stopped: list[UUID] = []

    def has_room(self) -> bool:
        return self.room

    def perform(self, claim: Claim) -> None:
        self.claims.append(claim)

    def stop(self, id: UUID) -> None:
        self.stopped.append(id)


class PlainCalls(IdempotentCalls):
    """Calls without keys; counts early commits."""

    commits = 0

    async def open(self, call: IdempotentCall) -> StoredAnswer | Started:
        raise NotImplementedError

    async def commit(self) -> None:
        self.commits += 1

    async def settle(self, started: Started, answer: StoredAnswer) -> None:
        raise NotImplementedError

    async def abandon(self, started: Started) -> None:
        raise NotImplementedError


def an_order(**changes: Any) -> Order:
    """Build an order of a post."""
    return Order(**({"function": "post", "topic": "tea", "variables": {}, "mode": Mode.SYNC} | changes))


def a_draft(template: str = "Write of {{ topic }}", *names: str, **changes: Any) -> Draft:
    """Build a version; it declares `topic` unless other names are given."""
    variables = tuple(Variable(name=one) for one in names or ("topic",))
    return Draft(**({"template": template, "variables": variables} | changes))


@dataclass(slots=True)
class Press:
    """Every use case of texts over one store."""

    unit: SqlUnitOfWork
    database: Database
    clock: TurnedClock = field(default_factory=TurnedClock)
    engines: PlayedEngines = field(default_factory=PlayedEngines)
    performer: PlayedPerformer = field(default_factory=PlayedPerformer)
    calls: PlainCalls = field(default_factory=PlainCalls)
    live: MemoryLiveTexts = field(default_factory=MemoryLiveTexts)
    policy: TextPolicy = field(default_factory=lambda: TextPolicy(look_s=0.01, keep_s=0.01))
    identifiers: TimeOrderedIdentifiers = field(default_factory=TimeOrderedIdentifiers)

    @property
    def endings(self) -> Endings:
        return Endings(Quotas(QuotaPolicy()))

    @property
    def ask_for(self) -> AskForText:
        quotas = Quotas(QuotaPolicy())
        return AskForText(
            self.unit, quotas, self.performer, self.engines, self.calls, self.identifiers, self.clock, self.policy
        )  # fmt: skip

    @property
    def views(self) -> SqlTextViews:
        return SqlTextViews(self.database.read)

    @property
    def follow(self) -> FollowText:
        return FollowText(self.views, self.live, self.policy)

    @property
    def write(self) -> WriteText:
        return WriteText(
            unit=self.unit,
            engines=self.engines,
            live=self.live,
            log=SqlWordLog(self.database.read),
            progress=SqlJobProgress(self.database),
            endings=self.endings,
            randomness=SystemRandomness(),
            clock=self.clock,
            policy=self.policy,
        )

    @property
    def cancel(self) -> CancelText:
        return CancelText(self.unit, self.endings, self.performer, self.live, self.clock)

    @property
    def leases(self) -> SqlJobLeases:
        return SqlJobLeases(self.database, self.identifiers, SystemRandomness(), self.clock)

    @property
    def make_prompt(self) -> MakePrompt:
        return MakePrompt(self.unit, self.clock)

    @property
    def publish(self) -> PublishVersion:
        return PublishVersion(self.unit, self.clock)

    @property
    def move_label(self) -> MoveLabel:
        return MoveLabel(self.unit, self.clock)

    @property
    def preview(self) -> PreviewPrompt:
        return PreviewPrompt(SqlPromptViews(self.database.read))

    async def prompt(self, name: str = "poem", draft: Draft | None = None) -> Prompt:
        """Publish a prompt."""
        return await self.make_prompt(ADMIN, name, "", draft or a_draft())

    async def ask(self, actor: Actor = ANNA, **changes: Any) -> Text:
        """Ask for a post."""
        return await self.ask_for(actor, an_order(**changes))

    async def claim(self, lease_s: float = 30.0) -> Claim:
        """Claim the next job of a text."""
        (claim,) = await self.leases.claim(KINDS, 1, lease_s)
        return claim

    async def written(self, actor: Actor = ANNA, **changes: Any) -> Text:
        """Ask, let it be written, and return it."""
        text = await self.ask(actor, **changes)
        await self.write(self.performer.claims.pop() if self.performer.claims else await self.claim())
        return await self.text(text)

    async def text(self, text: Text) -> Text:
        """Read a text as it stands."""
        return await self.follow.one(text.id, EVERYONES)

    async def job(self, id: UUID | None) -> Job:
        """Read a job."""
        assert id is not None
        async with self.unit() as tx:
            job = await tx.jobs.get(id)
        assert job is not None
        return job

    async def died(self, subject: object, kind: str) -> None:
        """Serve the event that a job has died."""
        async with self.unit() as tx:
            event = {"subject": str(subject), "kind": kind}
            await tx.jobs.add(NewJob(kind="generate.give_up", payload={"event": event}))
        (claim,) = await self.leases.claim(["generate.give_up"], 1, 30.0)
        await GiveUpText(self.unit, self.endings, self.clock)(claim)

    async def sweep(self) -> object:
        """Run the sweep and return what it counted."""
        async with self.unit() as tx:
            id = await tx.jobs.add(NewJob(kind="generate.sweep"))
        (claim,) = await self.leases.claim(["generate.sweep"], 1, 30.0)
        await SweepTexts(self.unit, self.endings, self.clock)(claim)
        return (await self.job(id)).result

    async def read(self, text: Text, place: Place | None = None) -> list[Step]:
        """Follow a text to its end."""
        found: list[Step] = []
        async for step in self.follow.steps(text.id, EVERYONES, place or Place()):
            if step is not None:
                found.append(step)
        return found

    async def quota(self, feature: str = "generate.requests", user_id: int = 7) -> tuple[int, int]:
        """Return what is used and held of a feature, over all its periods the most."""
        sql = (
            "SELECT COALESCE(MAX(used), 0) AS used, COALESCE(MAX(held), 0) AS held FROM quota_usage"
            " WHERE person_id = :person AND feature = :feature"
        )
        row = await self.database.read.fetch_one(sql, person=user_id, feature=feature)
        assert row is not None
        return row["used"], row["held"]

    async def actions(self) -> list[str]:
        return [row["action"] for row in await self.database.read.fetch("SELECT action FROM audit_log ORDER BY id")]

    async def topics(self) -> list[str]:
        return [row["topic"] for row in await self.database.read.fetch("SELECT topic FROM outbox ORDER BY id")]

    async def outcomes(self, text: Text) -> list[str]:
        """Return how the calls of engines ended."""
        sql = "SELECT outcome FROM generation_attempts WHERE text_id = :id ORDER BY number"
        return [row["outcome"] for row in await self.database.read.fetch(sql, id=text.id)]

    async def notices(self) -> list[str]:
        return [row["kind"] for row in await self.database.read.fetch("SELECT kind FROM notices ORDER BY id")]
