"""Lists of numbers read the stretch of an index that they mean, and nothing beside it."""

from datetime import timedelta

import pytest

from opora.adapters.sql.connection import Database
from opora.adapters.sql.numbers.conditions import Place, branched, scan
from opora.adapters.sql.unit import SqlUnitOfWork
from opora.core.numbers.model.numbers import NumberFilter
from opora.core.numbers.model.projects import EVERY_PROJECT
from opora.testing.numbers import NOON, a_project, new_numbers

pytestmark = pytest.mark.anyio
BY_AGE = "ix_phone_numbers_project_id_status_created_at_id"


async def plan(database: Database, sql: str, parameters: dict[str, object]) -> str:
    """Return how the store would answer a statement, in its own words."""
    how = "EXPLAIN" if database.dialect == "postgresql" else "EXPLAIN QUERY PLAN"
    rows = await database.read.fetch(f"{how} {sql}", **parameters)
    return "\n".join(str(row[0 if database.dialect == "postgresql" else "detail"]) for row in rows)


@pytest.fixture
async def filled(database: Database, unit: SqlUnitOfWork) -> Database:
    """Some thousands of numbers that the planner knows of."""
    async with unit() as tx:
        await tx.projects.add(a_project(1))
        await tx.numbers.add(1, new_numbers(4000), NOON)
    await database.read.execute("ANALYZE phone_numbers")
    return database


async def test_bounds_of_age_shorten_the_stretch_that_a_page_reads(filled: Database) -> None:
    wanted = NumberFilter(project_id=1, created_after=NOON, created_before=NOON + timedelta(hours=1))
    statement = branched(wanted, [1], Place(NOON + timedelta(minutes=1), 50), 51)
    assert statement is not None
    told = await plan(filled, statement.sql, dict(statement.parameters))
    assert told.count(BY_AGE) == 12, told
    bounds = [line for line in told.splitlines() if "created_at" in line and ("Cond" in line or "SEARCH" in line)]
    assert len(bounds) == 12, told


async def test_bounds_of_age_shorten_the_stretch_that_is_counted(filled: Database) -> None:
    where, parameters = scan(NumberFilter(project_id=1, created_after=NOON + timedelta(days=1)), EVERY_PROJECT)
    told = await plan(
        filled, f"SELECT count(*) FROM (SELECT 1 FROM phone_numbers WHERE {where} LIMIT 10001) AS c", parameters
    )
    assert BY_AGE in told and "created_at" in told, told
    assert "SCAN phone_numbers" not in told and "Seq Scan on phone_numbers" not in told, told
