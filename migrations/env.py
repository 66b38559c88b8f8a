"""Runs migrations in one transaction each run, under a lock, on either store."""

import asyncio
from datetime import UTC, datetime

from alembic import context
from alembic.runtime.migration import MigrationContext, MigrationInfo
from sqlalchemy import Connection, event, inspect, pool, text
from sqlalchemy.engine import create_engine
from sqlalchemy.ext.asyncio import create_async_engine

from opora.adapters.sql.schema.tables import METADATA
from opora.adapters.sql.sqlite import instant_text

LOCK = 0x0B0BA  # one number of PostgreSQL's advisory locks, for every process that migrates this database


def include(_: object, name: str | None, kind: str, *__: object) -> bool:
    """Leave alone what SQLite alone has."""
    return not (kind == "table" and name == "id_sequences")


NOTE = text("INSERT INTO schema_history (revision, phase, applied_at) VALUES (:revision, :phase, :applied_at)")
FORGET = text("DELETE FROM schema_history WHERE revision = :revision")


def note(*, ctx: MigrationContext, step: MigrationInfo, **_: object) -> None:
    """Keep the history in the transaction of the migration itself; before 0021 there is none."""
    connection = ctx.connection
    if connection is None or not inspect(connection).has_table("schema_history"):
        return
    if not step.is_upgrade:
        connection.execute(FORGET, {"revision": step.up_revision_id})
        return
    now = datetime.now(UTC)
    applied_at = now if connection.dialect.name == "postgresql" else instant_text(now)
    phase = step.up_revision.module.PHASE
    connection.execute(NOTE, {"revision": step.up_revision_id, "phase": phase, "applied_at": applied_at})


def migrate(connection: Connection) -> None:
    """Run the migrations that are wanted on an open connection."""
    context.configure(
        connection=connection,
        target_metadata=METADATA,
        include_object=include,
        render_as_batch=connection.dialect.name == "sqlite",
        transactional_ddl=True,  # of SQLite too, whatever Alembic thinks of its old drivers
        transaction_per_migration=False,
        compare_type=False,
        on_version_apply=note,
    )
    with context.begin_transaction():
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")
        context.run_migrations()


def sqlite(url: str) -> None:
    """Migrate a file; BEGIN IMMEDIATE is the lock."""
    engine = create_engine(url, poolclass=pool.NullPool, connect_args={"timeout": 60})

    @event.listens_for(engine, "connect")
    def explicit(driver: object, _: object) -> None:
        driver.isolation_level = None  # type: ignore[attr-defined]  # the transaction is begun below

    @event.listens_for(engine, "begin")
    def immediate(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    with engine.connect() as connection:
        migrate(connection)


async def postgresql(url: str) -> None:
    """Migrate a server's database; an advisory lock makes others wait."""
    engine = create_async_engine(url, poolclass=pool.NullPool)
    async with engine.connect() as connection:
        await connection.run_sync(migrate)
    await engine.dispose()


URL = context.config.get_main_option("sqlalchemy.url") or ""
if URL.startswith("sqlite"):
    sqlite(URL)
else:
    asyncio.run(postgresql(URL))
