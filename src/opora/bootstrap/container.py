"""Which class stands behind which port."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from dishka import AnyOf, AsyncContainer, Provider, Scope, make_async_container, provide

from opora.adapters.crypto.sealing import AnswerVault
from opora.adapters.sql import revisions
from opora.adapters.sql.audit import AuditKey
from opora.adapters.sql.audit_log import SqlAuditLog
from opora.adapters.sql.connection import Database
from opora.adapters.sql.housekeeping import SqlHousekeeping
from opora.adapters.sql.idempotency import SqlIdempotentCalls
from opora.adapters.sql.jobs import SqlJobViews
from opora.adapters.sql.leases import SqlJobLeases, SqlJobProgress
from opora.adapters.sql.postgres import PostgresDatabase
from opora.adapters.sql.sqlite import SqliteDatabase
from opora.adapters.sql.unit import SqlParts, SqlUnitOfWork
from opora.adapters.system.clock import SystemClock
from opora.adapters.system.identifiers import TimeOrderedIdentifiers
from opora.adapters.system.randomness import SystemRandomness
from opora.bootstrap.access import access
from opora.bootstrap.jobs import SUBSCRIPTIONS
from opora.bootstrap.limits import limits
from opora.bootstrap.messenger import Messages
from opora.bootstrap.profiles import Profiles
from opora.bootstrap.secrets import hkdf
from opora.bootstrap.settings import Settings
from opora.core.access import usecases as access_usecases
from opora.core.audit.ports import AuditLog
from opora.core.jobs import usecases as jobs
from opora.core.jobs.ports import Announcer, Housekeeping, JobLeases, JobProgress, JobTx, JobViews
from opora.core.kernel import usecases as kernel
from opora.core.kernel.ports import Clock, IdempotentCalls, Identifiers, Randomness, UnitOfWork, VersionTx
from opora.core.profiles import usecases as profiles

SCHEME = "sqlite:///"
CONTEXTS = (kernel, jobs, access_usecases, profiles)


class UseCases(Provider):
    """Every use case of every context; a new one needs no line here."""

    scope = Scope.APP

    def __init__(self) -> None:
        super().__init__()
        for context in CONTEXTS:
            self.provide_all(*context.USE_CASES)


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

    @provide
    async def database(self) -> AsyncIterator[Database]:
        database = database_of(self._settings)
        await database.open()
        yield database
        await database.close()

    @provide
    def audit_key(self) -> AuditKey:
        return AuditKey(hkdf(self._settings.secret_key, "audit"))

    @provide
    def sql_unit(
        self, database: Database, identifiers: Identifiers, audit_key: AuditKey, announcer: Announcer
    ) -> SqlUnitOfWork:
        return SqlUnitOfWork(database, SqlParts(identifiers, audit_key, announcer, SUBSCRIPTIONS))

    @provide
    def unit(self, unit: SqlUnitOfWork) -> AnyOf[UnitOfWork[JobTx], UnitOfWork[VersionTx]]:
        return unit

    @provide
    def leases(self, database: Database, identifiers: Identifiers, randomness: Randomness, clock: Clock) -> JobLeases:
        return SqlJobLeases(database, identifiers, randomness, clock)

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
        keys = (hkdf(self._settings.encryption_key, purpose) for purpose in ("answers", "answer-marks"))
        return SqlIdempotentCalls(database, randomness, AnswerVault(*keys))


def database_of(settings: Settings) -> Database:
    """Choose the store by the URL's scheme; nothing is opened yet."""
    if settings.database_url.startswith(SCHEME):
        return SqliteDatabase(Path(settings.database_url.removeprefix(SCHEME)))
    return PostgresDatabase(
        settings.database_url,
        pool_size=settings.database_pool_max,
        statement_cache=settings.database_statement_cache,
        wait_s=float(settings.database_connect_timeout_s),
    )


def container(settings: Settings, *overrides: Provider) -> AsyncContainer:
    """Build the graph; a missing adapter fails here, with the path to the hole."""
    providers = (UseCases(), System(), Stores(settings), Messages(settings), limits(settings), *access(settings))
    return make_async_container(*providers, Profiles(settings), *overrides)


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
    """Migrate the file if it needs it; Alembic is loaded only then.

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
    return await child.wait() == 0
