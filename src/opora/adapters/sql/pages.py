"""Pages by number: what is there is counted, as far as that is cheap, and a part of it read."""

from collections.abc import Callable, Mapping
from typing import Any

from opora.adapters.sql.connection import Connection, Row
from opora.core.kernel.model import Page, PageRequest

COUNTED_MAX = 10_000
"""How far a list counts: what a page costs must not grow with the store."""


async def page_of[T](
    connection: Connection,
    read: Callable[[Row], T],
    among: str,
    selected: str,
    request: PageRequest,
    parameters: Mapping[str, Any],
) -> Page[T]:
    """Return a page of what `selected` selects in its order; `among` is whence, with the condition, to count."""
    some = f"SELECT count(*) FROM (SELECT 1 FROM {among} LIMIT {COUNTED_MAX + 1}) AS counted"
    count = await connection.fetch_value(some, **parameters)
    rows = await connection.fetch(
        f"{selected} LIMIT :limit OFFSET :offset", **parameters, limit=request.limit + 1, offset=request.offset
    )
    shown, more = rows[: request.limit], len(rows) > request.limit
    return Page([read(row) for row in shown], count, more=more, count_exact=count <= COUNTED_MAX)
