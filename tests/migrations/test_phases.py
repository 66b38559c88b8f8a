"""Every migration says whether the release before it runs beside it, and what says so keeps to it."""

import asyncio
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from opora.adapters.sql import migrations, revisions
from opora.adapters.sql.migrations import on_connection, state
from opora.adapters.sql.postgres import PostgresDatabase
from opora.adapters.sql.revisions import SchemaAhead, only_expanded
from opora.adapters.sql.sqlite import SqliteDatabase

FOLDER = Path(__file__).parents[2] / "migrations"
NEXT = '''"""What a next release might do. Revision {revision}."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "{revision}", "{before}"
branch_labels = depends_on = None
PHASE = "{phase}"


def upgrade() -> None:
    {body}


def downgrade() -> None:
    pass
'''
LOOSENED = {"0007"}
"""One active signing key became one of each purpose: another unique index, that lets more in than the old one."""
WIDER = "op.add_column('jobs', sa.Column('colour', sa.String(20)))"
NARROWER = "op.drop_column('jobs', 'colour')"


@dataclass(frozen=True, slots=True)
class Shape:
    """What a release before relies on: tables with their columns, and what a row must satisfy."""

    columns: dict[str, dict[str, Any]] = field(default_factory=dict)
    unique: dict[str, set[frozenset[str]]] = field(default_factory=dict)


def shape(connection: Connection) -> Shape:
    """Read the shape of a schema."""
    found, seen = Shape(), inspect(connection)
    for table in seen.get_table_names():
        found.columns[table] = {column["name"]: column for column in seen.get_columns(table)}
        indexes = [one for one in seen.get_indexes(table) if one["unique"]]
        held = [*indexes, *seen.get_unique_constraints(table)]
        found.unique[table] = {frozenset(str(name) for name in one["column_names"]) for one in held}
    return found


def narrowed(before: Shape, after: Shape) -> Iterator[str]:
    """List what the release before could do and cannot any more."""
    for table, columns in before.columns.items():
        now = after.columns.get(table)
        if now is None:
            yield f"table {table} is gone"
            continue
        for name, column in columns.items():
            if name not in now:
                yield f"{table}.{name} is gone"
            elif str(now[name]["type"]) != str(column["type"]):
                yield f"{table}.{name} has another type"
            elif column["nullable"] and not now[name]["nullable"]:
                yield f"{table}.{name} may not be null any more"
        for name in now.keys() - columns.keys():
            if not now[name]["nullable"] and now[name]["default"] is None:
                yield f"{table}.{name} is wanted of who does not know it"
        for held in after.unique[table] - before.unique[table]:
            if not any(old <= held for old in before.unique[table]):
                yield f"{table} must be unique in {', '.join(sorted(held))}"


def scripts() -> list[Any]:
    """Give the migrations in order."""
    return list(reversed(list(ScriptDirectory.from_config(migrations.configured("sqlite://")).walk_revisions())))


def test_every_migration_says_of_which_phase_it_is() -> None:
    assert {one.module.PHASE for one in scripts()} <= {"expand", "contract"}


def test_what_is_called_an_expansion_takes_nothing_from_the_release_before(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'a.db'}"
    seen = [Shape()]
    for one in scripts():
        migrations.upgrade(url, one.revision)
        seen.append(on_connection(url, shape))
    found = {
        one.revision: list(narrowed(before, after))
        for one, (before, after) in zip(scripts(), pairwise(seen), strict=True)
        if one.module.PHASE == "expand" and one.revision not in LOOSENED
    }
    assert {revision: said for revision, said in found.items() if said} == {}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("DROP TABLE zone_sets", "table zone_sets is gone"),
        ("ALTER TABLE plans RENAME COLUMN is_offered TO sold", "plans.is_offered is gone"),
        ("ALTER TABLE jobs ADD COLUMN colour TEXT NOT NULL DEFAULT ''", None),
        ("CREATE UNIQUE INDEX one_kind ON jobs (kind)", "jobs must be unique in kind"),
        ("CREATE INDEX many_kinds ON jobs (kind)", None),
    ],
)
def test_a_narrowing_is_seen_for_what_it_is(sqlite_file: Path, change: str, said: str | None) -> None:
    url = f"sqlite:///{sqlite_file}"
    before = on_connection(url, shape)
    on_connection(url, lambda connection: [connection.execute(text(change)), connection.commit()])
    assert list(narrowed(before, on_connection(url, shape)))[:1] == ([said] if said else [])


def test_the_start_of_a_migration_asks_for_its_phase() -> None:
    assert re.search(r'^PHASE = "expand"', (FOLDER / "script.py.mako").read_text(), re.MULTILINE)


@pytest.mark.parametrize(
    ("later", "may"),
    [
        ({"0031": "expand"}, True),
        ({"0031": "expand", "0030": "expand"}, True),
        ({"0031": "expand", "0030": "contract"}, False),
        ({"0030": "expand"}, False),
        ({}, False),
    ],
)
def test_a_release_runs_beside_a_newer_one_while_nothing_was_taken_away(later: dict[str, str], may: bool) -> None:
    assert only_expanded("0031", "0029", later) is may


type Release = Callable[[str, str], str]


@pytest.fixture
def next_release(tmp_path: Path) -> Release:
    """Make migrations that this release does not know and apply them to a database; returns the revision."""
    folder = tmp_path / "next"
    shutil.copytree(FOLDER, folder, ignore=shutil.ignore_patterns("__pycache__"))
    made = [revisions.newest()]

    def migrate(url: str, phase: str) -> str:
        revision = f"{9000 + len(made)}"
        body = WIDER if phase == "expand" else NARROWER
        text_of_it = NEXT.format(revision=revision, before=made[-1], phase=phase, body=body)
        (folder / "versions" / f"{revision}_next.py").write_text(text_of_it)
        made.append(revision)
        config: Config = migrations.configured(url)
        config.set_main_option("script_location", str(folder))
        command.upgrade(config, "head")
        return revision

    return migrate


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str:
    """A database of each store at this release's schema."""
    if request.param == "sqlite":
        return f"sqlite:///{request.getfixturevalue('sqlite_file')}"
    return str(request.getfixturevalue("postgres_url"))


def start(url: str) -> None:
    """Ask as a start of the program does; SchemaAhead where it is refused."""

    async def asked() -> None:
        file = Path(url.removeprefix("sqlite:///"))
        database = PostgresDatabase(url) if url.startswith("postgresql") else SqliteDatabase(file)
        await database.open()
        try:
            await revisions.require(database.read)
        finally:
            await database.close()

    asyncio.run(asked())


def test_this_release_starts_on_what_the_next_has_expanded_and_not_on_what_it_has_contracted(
    url: str, next_release: Release
) -> None:
    revision = next_release(url, "expand")
    found = state(url)
    assert (found.current, found.known, found.expanded, found.fits) == (revision, False, True, True)
    start(url)
    next_release(url, "contract")
    assert not state(url).fits
    with pytest.raises(SchemaAhead):
        start(url)


def test_the_history_goes_back_with_the_schema(url: str) -> None:
    history = "SELECT revision FROM schema_history ORDER BY revision"
    assert migrations.on_connection(url, lambda one: list(one.execute(text(history)).scalars()))[-1:] == [
        revisions.newest()
    ]
    before = scripts()[-2].revision
    migrations.downgrade(url, before)
    left = on_connection(url, lambda one: inspect(one).has_table("schema_history") and one.execute(text(history)).all())
    assert revisions.newest() not in str(left)
