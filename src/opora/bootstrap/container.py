"""Which class stands behind which port."""

import asyncio
import inspect
import os
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from dishka import AnyOf, AsyncContainer, Provider, Scope, make_async_container, provide

from opora.adapters.crypto.sealing import AesSeal, AnswerVault
from opora.adapters.memory.event_counts import EventCounts
from opora.adapters.sql import blank, revisions
from opora.adapters.sql.audit import AuditKey
from opora.adapters.sql.audit_log import SqlAuditLog
from opora.adapters.sql.connection import Database
from opora.adapters.sql.housekeeping import SqlHousekeeping
from opora.adapters.sql.idempotency import ParkedCheckpoint, SqlIdempotentCalls
from opora.adapters.sql.jobs import SqlJobViews
from opora.adapters.sql.leases import SqlJobLeases, SqlJobProgress
from opora.adapters.sql.postgres import PostgresDatabase
from opora.adapters.sql.replica import ReplicatedDatabase
from opora.adapters.sql.repositories import SqlParts
from opora.adapters.sql.seals import Seal
from opora.adapters.sql.sqlite import SqliteDatabase
from opora.adapters.sql.standing import StandingWork
from opora.adapters.sql.unit import SqlUnitOfWork
from opora.adapters.system.clock import SystemClock
from opora.adapters.system.identifiers import TimeOrderedIdentifiers
from opora.adapters.system.randomness import SystemRandomness
from opora.bootstrap import contexts
from opora.bootstrap.limits import limits
from opora.bootstrap.messenger import Messages
from opora.bootstrap.personal import personal
from opora.bootstrap.secrets import hkdf, rings
from opora.bootstrap.settings import Settings
from opora.core.audit.ports import AuditLog
from opora.core.jobs.ports import Announcer, Housekeeping, JobLeases, JobProgress, JobTx, JobViews
from opora.core.kernel.ports import Checkpoint, Clock, IdempotentCalls, Identifiers, Randomness, UnitOfWork, VersionTx
from opora.core.notifications.usecases.carrying import AttachmentMakers
from opora.core.notifications.usecases.firing import RelevanceChecks

SCHEME = "sqlite:///"


class UseCases(Provider):
    """Every use case of every context; a new one needs no line here."""

    scope = Scope.APP

    def __init__(self) -> None:
        super().__init__()
        for context in contexts.ALL:
            self.provide_all(*context.use_cases)

        checks = {name: check for one in contexts.ALL for name, check in one.relevance.items()}
        self.provide(gathered(checks, RelevanceChecks))
        makers = {name: maker for one in contexts.ALL for name, maker in one.attachments.items()}
        self.provide(gathered(makers, AttachmentMakers))


def gathered(named: Mapping[str, type[Any]], registry: type[Any]) -> Callable[..., Any]:
    """Return what gathers what kinds of notices name (checks, makers of files) into a registry by those names.

    Each is a parameter of it: a factory that asks the container itself would wait for its own end.
    """
    places = {f"part_{number}": name for number, name in enumerate(named)}

    def gather(**parts: Any) -> Any:
        return registry({places[place]: part for place, part in parts.items()})

    kinds = {place: named[name] for place, name in places.items()}
    keyword = inspect.Parameter.KEYWORD_ONLY
    wanted = [inspect.Parameter(place, keyword, annotation=kind) for place, kind in kinds.items()]
    gather.__signature__ = inspect.Signature(wanted)  # type: ignore[attr-defined]  # what the container reads
    gather.__annotations__ = {**kinds, "return": registry}
    return gather


class System(Provider):
    """The machine: time, names, randomness."""

    scope = Scope.APP
    clock = provide(SystemClock, provides=Clock)
    identifiers = provide(TimeOrderedIdentifiers, provides=Identifiers)
    randomness = provide(SystemRandomness, provides=Randomness)


class Stores(Provider):
    """The relational store, and everything that is only rows in it."""

    scope = Scope.APP

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._settings = settings
        self._to_bus = settings.bus_chosen != "none"

    @provide
    async def database(self) -> AsyncIterator[Database]:
        database = database_of(self._settings)
        await database.open()
        yield database
        await database.close()

    @provide
    def audit_key(self) -> AuditKey:
        return AuditKey(hkdf(self._settings.audit_key, "audit"))

    @provide
    def events(self) -> EventCounts:
        return EventCounts()

    @provide
    def standing(self, database: Database) -> StandingWork:
        return StandingWork(database)

    @provide
    def row_seal(self) -> Seal:
        return AesSeal(*rings(self._settings, "rows"))

    @provide
    def sql_unit(
        self,
        database: Database,
        identifiers: Identifiers,
        audit_key: AuditKey,
        announcer: Announcer,
        events: EventCounts,
        seal: Seal,
    ) -> SqlUnitOfWork:
        parts = SqlParts(
            identifiers,
            audit_key,
            announcer,
            contexts.SUBSCRIPTIONS,
            seal,
            to_bus=self._to_bus,
            noted=events.add,
            seal_profiles=self._settings.seal_profiles,
        )
        return SqlUnitOfWork(database, parts)

    @provide
    def unit(self, unit: SqlUnitOfWork) -> AnyOf[UnitOfWork[JobTx], UnitOfWork[VersionTx]]:
        return unit

    @provide
    def leases(self, database: Database, identifiers: Identifiers, randomness: Randomness, clock: Clock) -> JobLeases:
        return SqlJobLeases(database, identifiers, randomness, clock, to_bus=self._to_bus)

    @provide
    def progress(self, database: Database) -> JobProgress:
        return SqlJobProgress(database)

    @provide
    def job_views(self, database: Database) -> JobViews:
        return SqlJobViews(database.read)

    @provide
    def audit_log(self, database: Database, key: AuditKey) -> AuditLog:
        return SqlAuditLog(database, key)

    @provide
    def housekeeping(self, database: Database) -> Housekeeping:
        return SqlHousekeeping(database, keep_s=self._settings.job_retention_days * 86_400.0)

    @provide
    def idempotent_calls(self, database: Database, randomness: Randomness) -> IdempotentCalls:
        newest, *older = rings(self._settings, "answers")
        vault = AnswerVault(newest, hkdf(self._settings.encryption_key, "answer-marks"), *older)
        return SqlIdempotentCalls(database, randomness, vault)

    @provide
    def checkpoint(self) -> Checkpoint:
        return ParkedCheckpoint()


def database_of(settings: Settings) -> Database:
    """Choose the store by the URL's scheme; nothing is opened yet."""
    if settings.database_url.startswith(SCHEME):
        return SqliteDatabase(Path(settings.database_url.removeprefix(SCHEME)))
    held: dict[str, Any] = {
        "pool_size": settings.database_pool_max,
        "statement_cache": settings.database_statement_cache,
        "wait_s": float(settings.database_connect_timeout_s),
    }
    if not settings.database_read_url:
        return PostgresDatabase(settings.database_url, **held)
    catch_up_s = settings.database_read_wait_ms / 1000
    return ReplicatedDatabase(settings.database_url, settings.database_read_url, catch_up_s=catch_up_s, **held)


def container(settings: Settings, *overrides: Provider, start: Scope | None = None) -> AsyncContainer:
    """Build the graph; a missing adapter fails here, with the path to the hole.

    One that starts in an outer scope is entered any number of times, each with instances of its own.
    """
    machine = (UseCases(), System(), Stores(settings), Messages(settings), limits(settings), personal())
    brought = (provider for context in contexts.ALL for provider in context.providers(settings))
    return make_async_container(*machine, *brought, *overrides, start_scope=start)


@asynccontextmanager
async def application(settings: Settings, *overrides: Provider) -> AsyncIterator[AsyncContainer]:
    """Open the program over a schema that fits it; the embedded set-up brings its own schema up to date.

    Raises SchemaBehind or SchemaAhead in the server set-up, where migrating is the operator's step.
    """
    if settings.embedded:
        await upgrade_embedded(settings)
    app = container(settings, *overrides)
    try:
        await revisions.require((await app.get(Database)).read)
        yield app
    finally:
        await app.close()


async def upgrade_embedded(settings: Settings, *, apart: bool = False) -> None:
    """Lay the schema into a new file, migrate an older one; Alembic is loaded only then.

    `apart` migrates in a process of its own, for a caller that stays: the tools it takes would keep 60 MB.
    """
    database = database_of(settings)
    await database.open()
    try:
        stands = await revisions.current(database.read)
    finally:
        await database.close()
    if stands is not None and stands >= revisions.newest():
        return
    if stands is None and await asyncio.to_thread(blank.lay, Path(settings.sqlite_path)):
        return
    if apart and await migrated_apart(settings.database_url):
        return
    from opora.adapters.sql import migrations  # noqa: PLC0415  # half a second that most starts need not pay

    await asyncio.to_thread(migrations.upgrade, settings.database_url)


async def migrated_apart(url: str) -> bool:
    """Migrate in a process of its own; tell whether that went well, and leave it to the caller to find out why not."""
    code = "import sys; from opora.adapters.sql.migrations import upgrade; upgrade(sys.argv[1])"
    paths = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    quiet = asyncio.subprocess.DEVNULL
    try:
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-c", code, url, env={**os.environ, **paths}, stdout=quiet, stderr=quiet
        )
    except OSError:
        return False
    try:
        return await child.wait() == 0
    except BaseException:  # whoever started us has gone: the schema is the next one's affair
        child.kill()
        await child.wait()
        raise
