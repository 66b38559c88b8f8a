"""How numbers brought in are looked for: the price of a range must not grow with the base."""

import pytest

from opora.adapters.sql.connection import Database
from opora.adapters.sql.transfers.intake import ANY_PRESENT, ANY_SUPPRESSED, PRESENT

pytestmark = pytest.mark.anyio

GIVEN = "(SELECT value AS phone FROM json_each('[1, 2]')) AS given"


@pytest.mark.parametrize("sql", [ANY_PRESENT, ANY_SUPPRESSED, PRESENT.format(given=GIVEN)])
async def test_sqlite_looks_for_a_range_of_phones_and_never_through_the_project(
    sqlite_database: Database, sql: str
) -> None:
    rows = await sqlite_database.read.fetch(f"EXPLAIN QUERY PLAN {sql}", first=1, last=2, project_id=1)
    steps = [row["detail"] for row in rows if "phone_numbers" in row["detail"] or "suppressions" in row["detail"]]
    assert steps
    for step in steps:
        assert "phone" in step.partition("(")[2], step
        assert "project_id_status_id" not in step
