"""Where a schema stands, told without loading Alembic: commands and starts ask this each time."""

from collections.abc import Mapping
from pathlib import Path

from opora.adapters.sql.connection import Connection
from opora.core.kernel.errors import Unavailable

PACKAGED = Path(__file__).parents[2] / "_migrations"
EXPAND = "expand"
"""The phase of a migration beside which the release before it still runs; the other is `contract`."""
IN_REPOSITORY = Path(__file__).parents[4] / "migrations"


class SchemaBehind(Unavailable):
    """The database's schema is older than this program: run `opora db upgrade`."""

    code = "schema_behind"


class SchemaAhead(Unavailable):
    """The database's schema is newer than this program: start the newer release."""

    code = "schema_ahead"


def folder() -> Path:
    """The migrations, in the package or in the repository."""
    return PACKAGED if PACKAGED.is_dir() else IN_REPOSITORY


def newest() -> str:
    """The revision that this program was written for; revisions are numbered files."""
    return max(file.name.partition("_")[0] for file in (folder() / "versions").glob("[0-9]*.py"))


async def current(connection: Connection) -> str | None:
    """The revision the database stands at; None where it was never migrated."""
    catalogue = "pg_tables WHERE tablename" if connection.dialect == "postgresql" else "sqlite_master WHERE name"
    if not await connection.fetch_value(f"SELECT count(*) FROM {catalogue} = 'alembic_version'"):
        return None
    found = await connection.fetch_value("SELECT version_num FROM alembic_version")
    return None if found is None else str(found)


async def since(connection: Connection, revision: str) -> dict[str, str]:
    """Give the phase of every migration that the schema has been through after a revision."""
    sql = "SELECT revision, phase FROM schema_history WHERE revision > :revision"
    return {row["revision"]: row["phase"] for row in await connection.fetch(sql, revision=revision)}


def only_expanded(stands: str, wanted: str, later: Mapping[str, str]) -> bool:
    """Tell whether a program for `wanted` may run on a schema at `stands`, by the phases of what came later.

    Without a record of where the schema stands nothing is known of it, and the answer is no.
    """
    return stands > wanted and stands in later and set(later.values()) == {EXPAND}


async def require(connection: Connection) -> None:
    """Raise SchemaBehind or SchemaAhead unless the schema is this program's, or has only been expanded since."""
    stands, wanted = await current(connection), newest()
    if stands is None or stands < wanted:
        raise SchemaBehind(current=stands, wanted=wanted)
    if stands > wanted and not only_expanded(stands, wanted, await since(connection, wanted)):
        raise SchemaAhead(current=stands, wanted=wanted)
