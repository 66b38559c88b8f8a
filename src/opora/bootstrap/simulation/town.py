"""One seed of the whole program: every use case as it is wired in production, a few districts of it at a time."""

import asyncio
import hashlib
import random
from collections import Counter
from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Any

from dishka import AsyncContainer, Scope

from opora.adapters.sql.audit import AuditKey
from opora.adapters.sql.unit import SqlUnitOfWork
from opora.bootstrap.contexts import slots
from opora.bootstrap.secrets import hkdf
from opora.bootstrap.simulation.clock import VirtualLoop
from opora.bootstrap.simulation.composition import SETTINGS, Surroundings, handlers
from opora.bootstrap.simulation.districts.bookings import Bookings
from opora.bootstrap.simulation.districts.district import CLIENTS, Act, Check, District, Town, rows
from opora.bootstrap.simulation.districts.money import Payments, Plans
from opora.bootstrap.simulation.districts.numbers import Numbers
from opora.bootstrap.simulation.districts.papers import Documents, Profiles
from opora.bootstrap.simulation.districts.texts import Texts
from opora.bootstrap.simulation.faults import Rewrite, unchanged
from opora.bootstrap.simulation.life import Life, Run, lived
from opora.bootstrap.simulation.outside import Pen, Post, Shelf, Till, Weather
from opora.bootstrap.simulation.processes import Process
from opora.bootstrap.simulation.program import Worker, engine_of, loops_of, skewed
from opora.bootstrap.simulation.yard import Yard, YardDatabase
from opora.core.billing.model.payments import WebhookCall
from opora.core.billing.usecases.settling import ReceiveNotice
from opora.core.kernel.errors import AnswerLost, DomainError, Overtaken, StillRunning, Unavailable
from opora.core.kernel.model import IdempotentCall, Moves, StoredAnswer
from opora.core.kernel.ports import IdempotentCalls
from opora.core.notifications.model import deliveries
from opora.worker.loops import Timekeeper

DISTRICTS: tuple[type[District], ...] = (Payments, Plans, Texts, Bookings, Numbers, Documents, Profiles)
AUDIT_KEY = AuditKey(hkdf(SETTINGS.audit_key, "audit"))
AGAIN = (Unavailable, StillRunning, Overtaken)
"""Refusals after which a client asks again."""
REFUSED, LOST = "-", "?"
MONTH = timedelta(days=31)
UNSETTLED = """
SELECT (SELECT count(*) FROM outbox WHERE dispatched_at IS NULL)
 + (SELECT count(*) FROM jobs WHERE state = 'running' OR (state = 'queued' AND run_at <= later(300)))
"""
LETTERS = (
    Check(
        "N1: a letter waits, and no job carries it",
        frozenset(),
        "SELECT id FROM deliveries d WHERE state IN ('queued', 'sending') AND NOT EXISTS (SELECT 1 FROM jobs j"
        " WHERE j.kind = 'notifications.deliver' AND j.state IN ('queued', 'running')"
        " AND j.payload LIKE '%' || d.id || '%')",
    ),
)


class Office:
    """The program of `opora serve` in one process: its use cases, under idempotency keys as the edge has them."""

    def __init__(self, process: Process, program: AsyncContainer) -> None:
        self.process = process
        self.program = program

    async def ask(self, call: IdempotentCall, act: Act) -> str:
        """Answer as the edge does: again, or after the effect; what failed is abandoned, a refusal is an answer."""
        calls = await self.program.get(IdempotentCalls)
        try:
            started = await calls.open(call)
        except AnswerLost:
            return LOST
        if isinstance(started, StoredAnswer):
            return started.body.decode()
        try:
            told = str(await act(self.program))
            await calls.settle(started, StoredAnswer(201, (), told.encode()))
        except Exception as error:
            await self._abandon(calls, started)
            if isinstance(error, DomainError) and not isinstance(error, AGAIN):
                return REFUSED + error.code
            raise
        return told

    @staticmethod
    async def _abandon(calls: IdempotentCalls, started: Any) -> None:
        try:
            await calls.abandon(started)
        except Unavailable:
            return  # its lease will end

    async def hear(self, body: bytes) -> str:
        """Take a provider's notice."""
        receive = await self.program.get(ReceiveNotice)
        now = (await self.program.get(Surroundings)).clock.now()
        heard, _ = await receive(WebhookCall(headers={}, body=body, address="203.0.113.1", at=now))
        return heard.event_id


class TownLife(Life[Office]):
    """The seed of a town."""

    def __init__(
        self, seed: int, yard: Yard, loop: VirtualLoop, rewrite: Rewrite, root: AsyncContainer, names: Sequence[str]
    ) -> None:
        super().__init__(seed, yard, loop, rewrite)
        self._root = root
        self._weather = weather = Weather(random.Random(seed))  # noqa: S311  # to be repeated
        self._till, self._pen, self._post, self._shelf = Till(weather), Pen(weather), Post(weather), Shelf()
        weather.storm = self.storm
        self._answers: dict[str, str] = {}
        town = Town(self.chance, self._till, self._post, self._shelf, self._answers)
        offered = [one for one in DISTRICTS if one.name in names]
        wanted = self.chance.sample(offered, min(len(offered), self.chance.choice((1, 1, 2))))
        self._districts = [one(town) for one in wanted]
        self._checks = [check for one in self._districts for check in one.checks]
        names_of_slots = {name for one in self._districts for name in one.slots}
        self._slots = [slot for slot in slots(SETTINGS) if slot.name in names_of_slots]
        self._seen: set[str] = set()
        self._store: Any = None
        self.moved: list[tuple[Any, ...]] = []
        self.jobs = 0

    def _program(self, process: Process) -> AsyncContainer:
        parts = self.parts
        around = Surroundings(
            process.database,
            skewed(parts),
            parts.identifiers,
            parts.randomness,
            parts.messenger,
            self._till,
            self._pen,
            self._post,
            self._shelf,
        )
        return self._root(context={Surroundings: around}, scope=Scope.APP)

    async def hire(self, process: Process) -> Worker:
        program = self._program(process)
        around = await program.get(Surroundings)
        unit = await program.get(SqlUnitOfWork)
        engine = engine_of(self.parts, process.database, around.clock, handlers(program))
        keeper = Timekeeper(unit, around.clock, self._slots)
        return Worker(
            process, self.parts.messenger, engine, loops_of(self.parts, unit, process.database, AUDIT_KEY, keeper)
        )

    def serve(self, process: Process) -> Office:
        return Office(process, self._program(process))

    @property
    def audit_key(self) -> AuditKey:
        return AUDIT_KEY

    def calm(self) -> None:
        super().calm()
        self._weather.storm = self.storm

    async def client(self, number: int) -> None:
        chance = self.chance
        for turn in range(self.length * chance.choice((2, 3))):
            await asyncio.sleep(chance.expovariate(1 / 2.0))
            key, user_id = f"{number}:{turn}", chance.choice(CLIENTS)
            call = IdempotentCall(f"user:{user_id}", key, b"asked")
            act = chance.choice(self._districts).act(key, user_id)
            for _ in range(chance.choice((1, 1, 2))):
                self._told(key, await self.persistently(lambda office: office.ask(call, act)))  # noqa: B023
            self.calls += 1
            await self._tell_of_payments(all_of_them=False)

    def _told(self, key: str, answer: str) -> None:
        first = self._answers.setdefault(key, answer)
        if first[0] not in REFUSED + LOST and answer != first:
            self.broken.append(f"P2: call {key} was answered {first}, then {answer}")

    async def _tell_of_payments(self, *, all_of_them: bool) -> None:
        """Let the provider decide, and tell of it to whoever serves, whether they hear it or not."""
        self._till.decide(all_of_them=all_of_them)
        while body := self._till.take_notice():
            await self.asked(lambda office: office.hear(body))

    async def afterwards(self, database: YardDatabase) -> None:
        """Let everybody decide, and where there are plans let two months go by."""
        self._weather.storm = self.storm
        await self._tell_of_payments(all_of_them=True)
        if any(isinstance(one, Plans) for one in self._districts):
            for _ in range(2):
                await self.settle(database)
                self.clock.off_s += MONTH.total_seconds()

    async def unsettled(self, database: YardDatabase) -> bool:
        self._till.decide(all_of_them=True)
        queries = [UNSETTLED, *(one.unsettled for one in self._districts)]
        return any([await database.read.fetch_value(query) for query in queries])

    def watch(self, tables: Collection[str]) -> None:
        if not self._checks or not tables:
            return
        store = self._reader()
        for check in self._checks:
            if not check.tables.isdisjoint(tables):
                self._ask(store, check)

    def _ask(self, store: Any, check: Check) -> None:
        found = [row[0] for row in rows(store, check.sql)]
        if found and check.promise not in self._seen:
            self._seen.add(check.promise)
            self.broken.append(f"{check.promise}: {found[:5]}")

    def _reader(self) -> Any:
        if self._store is None:
            self._store = YardDatabase(self._yard).connect(read_only=True)
        return self._store

    async def look(self, database: YardDatabase) -> None:  # noqa: ARG002  # looks at once, as between two steps
        store = self._reader()
        for check in (*self._checks, *LETTERS):
            self._ask(store, check)
        self._look_at_moves(store)
        for district in self._districts:
            self.broken += district.ended(store)
        self._look_at_post(store)
        self.jobs = rows(store, "SELECT count(*) FROM jobs")[0][0]
        store.close()

    def _look_at_moves(self, store: Any) -> None:
        """Every state followed the last one by the table of its kind."""
        self.moved = [tuple(row) for row in rows(store, "SELECT place, id, was, state FROM sim_moves ORDER BY number")]
        tables: dict[str, Moves[Any]] = {"deliveries": deliveries.MOVES}
        for district in self._districts:
            tables |= district.moves
        for place, id, was, state in self.moved:
            if place in tables and state not in tables[place].table[was]:
                self.broken.append(f"P3: {id} of {place} went from {was} to {state}")

    def _look_at_post(self, store: Any) -> None:
        """Every letter that is said to have been sent was taken by the post, under one name."""
        sent = rows(store, "SELECT count(*) FROM deliveries WHERE state = 'sent' AND channel = 'email'")[0][0]
        if sent > len(self._post.taken):
            self.broken.append(f"N2: {sent} letters are said to be sent and {len(self._post.taken)} were taken")


def played_in_town(
    seed: int, yard: Yard, root: AsyncContainer, rewrite: Rewrite = unchanged, names: Sequence[str] = ()
) -> Run:
    """Play one seed of the whole program, or of the districts of these names."""
    every = [one.name for one in DISTRICTS]
    town = lived(lambda loop: TownLife(seed, yard, loop, rewrite, root, names or every))
    story = repr((town.moved, sorted(Counter(one[0] for one in town.moved).items())))
    digest = hashlib.sha256(story.encode()).hexdigest()[:16]
    return Run(seed, tuple(town.broken), town.jobs, town.calls, town.deaths, digest)
