"""Wires text generation and prompts."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from uuid import UUID

from dishka import AnyOf, Provider, Scope, provide

from opora.adapters.engines.chain import EngineChain
from opora.adapters.memory.live_texts import MemoryLiveTexts
from opora.adapters.sql.connection import Database
from opora.adapters.sql.generation.prompts import SqlPromptViews
from opora.adapters.sql.generation.texts import SqlTextViews, SqlWordLog
from opora.adapters.sql.outbox import Subscription
from opora.adapters.sql.personal import SqlGenerationRecords
from opora.adapters.sql.unit import SqlUnitOfWork
from opora.bootstrap.context import Context
from opora.bootstrap.plugins import pick
from opora.bootstrap.settings import Settings
from opora.core.generation import usecases
from opora.core.generation.model.engines import CallPolicy, Patience
from opora.core.generation.model.texts import KINDS, SHORT, TextPolicy
from opora.core.generation.ports.engines import TextEngine, TextEngines
from opora.core.generation.ports.prompts import PromptTx, PromptViews
from opora.core.generation.ports.texts import LiveTexts, Performer, TextTx, TextViews, WordLog
from opora.core.generation.usecases.writing import GiveUpText, SweepTexts, WriteText
from opora.core.jobs.model import Claim, CronSlot, LeasePolicy
from opora.core.jobs.ports import Announcer, JobLeases
from opora.core.kernel.ports import Randomness, UnitOfWork
from opora.worker.engine import Engine, EnginePolicy
from opora.worker.journal import LoggedJournal

GROUP = "text_engine"
SWEEP_S = 60


class InlinePerformer(Performer):
    """Runs texts beside the calls that wait for them, with an engine of jobs that looks for none itself."""

    def __init__(self, engine: Engine, places: int) -> None:
        self._engine = engine
        self._places = places
        self._tending: asyncio.Task[None] | None = None

    def has_room(self) -> bool:
        return self._engine.load < self._places

    def perform(self, claim: Claim) -> None:
        if self._tending is None:
            self._tending = asyncio.create_task(self._engine.tend(), name="beating for texts")
        self._engine.start(claim)

    def stop(self, id: UUID) -> None:
        self._engine.drop(id)

    async def close(self, grace_s: float) -> None:
        """Let what runs end for a while, and give the rest back."""
        await self._engine.stop(grace_s)
        if self._tending is not None:
            self._tending.cancel()
            await asyncio.gather(self._tending, return_exceptions=True)


class Generation(Provider):
    """Texts, prompts and the engines."""

    scope = Scope.APP

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._settings = settings

    @provide
    def unit(self, unit: SqlUnitOfWork) -> AnyOf[UnitOfWork[TextTx], UnitOfWork[PromptTx]]:
        return unit

    @provide
    def texts(self, database: Database) -> TextViews:
        return SqlTextViews(database.read)

    @provide
    def prompts(self, database: Database) -> PromptViews:
        return SqlPromptViews(database.read)

    @provide
    def log(self, database: Database) -> WordLog:
        return SqlWordLog(database.read)

    @provide
    def live(self) -> LiveTexts:
        return MemoryLiveTexts()

    @provide
    def policy(self) -> TextPolicy:
        return policy_of(self._settings)

    @provide
    async def engines(self) -> AsyncIterator[TextEngines]:
        chain = chain_of(self._settings)
        yield chain
        await chain.close()

    @provide
    async def performer(
        self, leases: JobLeases, write: WriteText, announcer: Announcer, randomness: Randomness
    ) -> AsyncIterator[Performer]:
        engine = Engine(
            leases=leases,
            handlers={SHORT: write},
            announcer=announcer,
            randomness=randomness,
            journal=LoggedJournal(),
            policy=EnginePolicy(lease=LeasePolicy(float(self._settings.job_lease_s))),
        )
        performer = InlinePerformer(engine, self._settings.text_inline)
        yield performer
        await performer.close(float(self._settings.drain_s))


def policy_of(settings: Settings) -> TextPolicy:
    """Return how texts are asked for and written."""
    return TextPolicy(
        short_tokens_max=settings.text_short_tokens,
        wait_s=float(settings.text_wait_s),
        cache_s=float(settings.text_cache_s),
        lease_s=float(settings.job_lease_s),
        rounds_max=settings.text_rounds,
    )


def chain_of(settings: Settings) -> EngineChain:
    """Build the engines that the settings name, in their order; raises PluginInvalid, which stops the start."""
    names = [settings.text_engine, *(one.strip() for one in settings.text_fallback.split(",") if one.strip())]
    engines = [(name, pick(TextEngine, GROUP, name, config_of(settings, name))) for name in dict.fromkeys(names)]
    patience = Patience(
        first_s=float(settings.text_first_s), idle_s=float(settings.text_idle_s), total_s=float(settings.text_total_s)
    )
    return EngineChain(engines, policy=CallPolicy(tries_max=settings.text_tries), patience=patience)


def config_of(settings: Settings, name: str) -> Mapping[str, str]:
    """Return an engine's settings: those under its own name, and for the first engine the plain ones too."""
    given = settings.text_engine_config
    own = {key.removeprefix(f"{name}_"): value for key, value in given.items() if key.startswith(f"{name}_")}
    return {**given, **own} if name == settings.text_engine else own


def providers(settings: Settings) -> list[Provider]:
    """Every provider of texts and prompts."""
    return [Generation(settings)]


def slots(_: Settings) -> list[CronSlot]:
    """What runs by the clock."""
    return [CronSlot("sweep-texts", "generate.sweep", timedelta(seconds=SWEEP_S))]


CONTEXT = Context(
    use_cases=usecases.USE_CASES,
    providers=providers,
    handlers={**dict.fromkeys(KINDS, WriteText), "generate.give_up": GiveUpText, "generate.sweep": SweepTexts},
    subscriptions={"job.dead": [Subscription("texts", "generate.give_up")]},
    slots=slots,
    personal=[SqlGenerationRecords],
)
