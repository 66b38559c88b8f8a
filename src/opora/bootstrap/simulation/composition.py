"""The program's own wiring, made once for all seeds and entered anew by every simulated process."""

import asyncio
from collections.abc import Mapping
from contextvars import Context
from dataclasses import dataclass
from typing import Any

from dishka import AsyncContainer, Provider, Scope, from_context, provide

from opora.adapters.engines.chain import EngineChain
from opora.adapters.files.tables import FileProfileTables
from opora.adapters.sql.audit import AuditKey
from opora.adapters.sql.connection import Database
from opora.adapters.sql.numbers.claims import ClaimMarks
from opora.adapters.sql.repositories import SqlParts
from opora.adapters.sql.unit import SqlUnitOfWork
from opora.adapters.templates.wording import JinjaTemplates
from opora.bootstrap.container import container
from opora.bootstrap.contexts import HANDLERS, SUBSCRIPTIONS
from opora.bootstrap.generation import InlinePerformer
from opora.bootstrap.settings import Settings
from opora.bootstrap.simulation.chance import SeededIdentifiers, SeededRandomness
from opora.bootstrap.simulation.outside import Pen, Post, Reader, Shelf, Till
from opora.bootstrap.simulation.processes import RUNNING_IN
from opora.bootstrap.simulation.program import POLICY, Silence
from opora.core.billing.ports.providers import PaymentProvider
from opora.core.documents.ports.files import FileJudge, Intake, VirusScanner
from opora.core.generation.model.engines import CallPolicy, Patience
from opora.core.generation.model.texts import SHORT
from opora.core.generation.ports.engines import TextEngines
from opora.core.generation.ports.texts import Performer
from opora.core.generation.usecases.writing import WriteText
from opora.core.jobs.model import Claim
from opora.core.jobs.ports import Announcer, JobLeases
from opora.core.kernel.ports import BlobStore, Clock, Identifiers, Randomness
from opora.core.notifications.ports.channels import Mailer, Templates
from opora.core.profiles.rules.workshop import Workshop
from opora.worker.engine import Engine, Handler

PATIENCE = Patience(first_s=3.0, idle_s=3.0, total_s=10.0)
SETTINGS = Settings(
    secret_key="a secret that only simulations know",  # noqa: S106  # it is told here
    payment_reconcile_s=10,
    text_rounds=3,
)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a simulated process finds where the machine, the store and the world outside would be."""

    database: Database
    clock: Clock
    identifiers: SeededIdentifiers
    randomness: SeededRandomness
    announcer: Announcer
    till: Till
    pen: Pen
    post: Post
    shelf: Shelf


class OwnedEngine(Engine):
    """An engine whose jobs belong to the process of whoever starts them, and to nothing else of their context."""

    def start(self, claim: Claim) -> None:
        """See Engine."""
        fresh = Context()
        fresh.run(RUNNING_IN.set, RUNNING_IN.get())
        fresh.run(self._start, claim)


class Simulated(Provider):
    """Everything that is real in production and played here; all else is the program's own."""

    scope = Scope.APP
    around = from_context(provides=Surroundings, scope=Scope.APP)

    @provide
    def database(self, around: Surroundings) -> Database:
        return around.database

    @provide
    def clock(self, around: Surroundings) -> Clock:
        return around.clock

    @provide
    def identifiers(self, around: Surroundings) -> Identifiers:
        return around.identifiers

    @provide
    def randomness(self, around: Surroundings) -> Randomness:
        return around.randomness

    @provide
    def announcer(self, around: Surroundings) -> Announcer:
        return around.announcer

    @provide
    def sql_unit(self, around: Surroundings, audit_key: AuditKey) -> SqlUnitOfWork:
        marks = ClaimMarks(monotonic=virtual_s)
        parts = SqlParts(around.identifiers, audit_key, around.announcer, SUBSCRIPTIONS, claim_marks=marks)
        return SqlUnitOfWork(around.database, parts)

    @provide
    def provider(self, around: Surroundings) -> PaymentProvider:
        return around.till

    @provide
    def engines(self, around: Surroundings) -> TextEngines:
        policy, fraction = CallPolicy(tries_max=2), around.randomness.fraction
        return EngineChain([("pen", around.pen)], policy=policy, patience=PATIENCE, clock=virtual_s, fraction=fraction)

    @provide
    def performer(self, around: Surroundings, leases: JobLeases, write: WriteText) -> Performer:
        engine = OwnedEngine(leases, {SHORT: write}, around.announcer, around.randomness, Silence(), POLICY)
        return InlinePerformer(engine, SETTINGS.text_inline)

    @provide
    def mailer(self, around: Surroundings) -> Mailer:
        return around.post

    @provide
    def blobs(self, around: Surroundings) -> BlobStore:
        return around.shelf

    @provide
    def intake(self, around: Surroundings) -> Intake:
        return around.shelf

    @provide(scope=Scope.RUNTIME)
    def templates(self) -> Templates:
        return JinjaTemplates(SETTINGS.base_url)  # the same for all processes, as is the workshop: neither changes

    @provide(scope=Scope.RUNTIME)
    def workshop(self) -> Workshop:
        return Workshop(FileProfileTables().load())

    @provide
    def judge(self) -> FileJudge:
        return Reader()

    @provide
    def scanner(self) -> VirusScanner:
        return Reader()


def virtual_s() -> float:
    """Return the seconds of the running loop."""
    return asyncio.get_running_loop().time()


def composition() -> AsyncContainer:
    """Build the graph once; each process enters it with its surroundings."""
    return container(SETTINGS, Simulated(), start=Scope.RUNTIME)


@dataclass(frozen=True, slots=True)
class LateHandler:
    """A handler that is built when the first of its jobs comes: most processes die before most kinds come."""

    program: AsyncContainer
    kind: str

    async def __call__(self, claim: Claim) -> Any:
        """Build the use case, and call it."""
        return await (await self.program.get(HANDLERS[self.kind]))(claim)


def handlers(program: AsyncContainer) -> Mapping[str, Handler]:
    """Return a handler for every kind of job there is."""
    return {kind: LateHandler(program, kind) for kind in HANDLERS}
