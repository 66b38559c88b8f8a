"""A page by number tells whether another follows, and counts no further than is cheap."""

import pytest

from opora.adapters.sql import pages
from opora.adapters.sql.connection import Database
from opora.core.kernel.model import PageRequest

pytestmark = pytest.mark.anyio

NUMBERS = "(SELECT 1 AS n UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4 UNION ALL SELECT 5) AS numbers"


@pytest.mark.parametrize(
    ("counted_max", "number", "found"),
    [
        (5, 1, ([1, 2], 5, True, True)),
        (5, 3, ([5], 5, False, True)),
        (5, 4, ([], 5, False, True)),
        (3, 2, ([3, 4], 4, True, False)),
        (3, 3, ([5], 4, False, False)),
    ],
)
async def test_a_list_is_counted_so_far_and_paged_to_its_end(
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
    counted_max: int,
    number: int,
    found: tuple[list[int], int, bool, bool],
) -> None:
    monkeypatch.setattr(pages, "COUNTED_MAX", counted_max)
    request = PageRequest(2, number)
    selected = f"SELECT n FROM {NUMBERS} ORDER BY n"
    page = await pages.page_of(database.read, lambda row: row["n"], NUMBERS, selected, request, {})
    assert ([*page.items], page.count, page.more, page.count_exact) == found
