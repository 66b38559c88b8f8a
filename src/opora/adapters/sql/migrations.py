"""Bringing a database's schema to a revision and telling where it stands; Alembic does the work.

These functions block and run an event loop of their own: call them from no running loop, or in a thread.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Column, Connection, Index, create_engine, inspect, pool, select
from sqlalchemy.ext.asyncio import create_async_engine

from opora.adapters.sql.revisions import folder, only_expanded
from opora.adapters.sql.schema.kernel import SCHEMA_HISTORY
from opora.adapters.sql.schema.tables import METADATA

NAMELESS = {"statement_cache_size": 0, "prepared_statement_cache_size": 0, "prepared_statement_name_func": str}
"""Statements without names, as a pooler in transaction mode needs them: another process may have used a name before."""
PARTS = "phone_numbers_part_"
"""How the names of the parts begin into which the table of numbers may be parted."""


@dataclass(frozen=True, slots=True)
class SchemaState:
    """Where a schema stands: its revision, the newest this program knows, and what differs from the tables.

    `expanded` says of a schema that a newer release has migrated that this program may still run on it.
    """

    current: str | None
    head: str
    known: bool
    drift: tuple[str, ...] = ()
    expanded: bool = False

    @property
    def up_to_date(self) -> bool:
        """Whether the program may run on it without migrating."""
        return self.current == self.head

    @property
    def fits(self) -> bool:
        """Whether the program may run on it at all."""
        return self.up_to_date or self.expanded


@dataclass(frozen=True, slots=True)
class Pending:
    """A migration that the database lacks: its revision, its phase and its first line."""

    revision: str
    phase: str
    about: str

    def __str__(self) -> str:
        return f"{self.revision} ({self.phase}) {self.about}"


def alembic_url(url: str) -> str:
    """Give Alembic the driver that each store is migrated with."""
    return url.replace("postgresql://", "postgresql+asyncpg://", 1) if url.startswith("postgresql://") else url


def configured(url: str) -> Config:
    """Build Alembic's configuration; no file of it exists."""
    config = Config()
    config.set_main_option("script_location", str(folder()))
    config.set_main_option("path_separator", "os")
    config.set_main_option("sqlalchemy.url", alembic_url(url).replace("%", "%%"))
    return config


def upgrade(url: str, revision: str = "head") -> None:
    """Apply migrations up to a revision, all or none, one process at a time."""
    command.upgrade(configured(url), revision)


def downgrade(url: str, revision: str) -> None:
    """Take migrations back to a revision (`base` for none), all or none."""
    command.downgrade(configured(url), revision)


def plan(url: str, revision: str = "head") -> list[Pending]:
    """List the migrations that an upgrade up to a revision would apply, in order; CommandError for an unknown one."""
    script = ScriptDirectory.from_config(configured(url))
    current = state(url).current
    wanted = script.get_revision(revision)
    if current is not None and (wanted is None or wanted.revision <= current):
        return []
    pending = [one for one in script.iterate_revisions(revision, current or "base") if one.revision != current]
    return [Pending(one.revision, one.module.PHASE, (one.doc or "").splitlines()[0]) for one in reversed(pending)]


def state(url: str, *, with_drift: bool = False) -> SchemaState:
    """Read where a database stands; drift lists every difference from the tables as data."""
    script = ScriptDirectory.from_config(configured(url))
    head = script.get_current_head() or ""

    def read(connection: Connection) -> SchemaState:
        context = MigrationContext.configure(connection)
        current = context.get_current_revision()
        known = current is None or current in {one.revision for one in script.walk_revisions()}
        drift = differences(context) if with_drift else ()
        expanded = not known and current is not None and only_expanded(current, head, later(connection, head))
        return SchemaState(current=current, head=head, known=known, drift=drift, expanded=expanded)

    return on_connection(url, read)


def later(connection: Connection, revision: str) -> dict[str, str]:
    """Give the phase of every migration that the schema has been through after a revision."""
    if not inspect(connection).has_table(SCHEMA_HISTORY.name):
        return {}
    asked = select(SCHEMA_HISTORY.c.revision, SCHEMA_HISTORY.c.phase).where(SCHEMA_HISTORY.c.revision > revision)
    return {row.revision: row.phase for row in connection.execute(asked)}


def differences(context: MigrationContext) -> tuple[str, ...]:
    """List what differs between the database and the tables as data, one line each."""
    unseen = {"id_sequences"} | {index.name for index in expression_indexes()}
    found = [str(one) for one in compare_metadata(context, METADATA)]
    return tuple(one for one in found if not any(f"'{name}'" in one for name in unseen) and PARTS not in one)


def expression_indexes() -> list[Index]:
    """Indexes over expressions, which SQLite's catalogue cannot be asked for."""
    indexes = [index for table in METADATA.tables.values() for index in table.indexes]
    return [index for index in indexes if any(not isinstance(part, Column) for part in index.expressions)]


def on_connection[T](url: str, read: Callable[[Connection], T]) -> T:
    """Run a function on a connection to either store."""
    if url.startswith("sqlite"):
        engine = create_engine(url, poolclass=pool.NullPool)
        with engine.connect() as connection:
            return read(connection)

    async def remotely() -> T:
        engine = create_async_engine(alembic_url(url), poolclass=pool.NullPool, connect_args=NAMELESS)
        try:
            async with engine.connect() as connection:
                return await connection.run_sync(read)
        finally:
            await engine.dispose()

    return asyncio.run(remotely())
