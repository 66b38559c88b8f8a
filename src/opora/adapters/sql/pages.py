"""Pages by number: what is there is counted, and a part of it read."""

from collections.abc import Callable, Mapping
from typing import Any

from opora.adapters.sql.connection import Connection, Row
from opora.core.kernel.model import Page, PageRequest


async def page_of[T](
    connection: Connection,
    read: Callable[[Row], T],
    among: str,
    selected: str,
    request: PageRequest,
    parameters: Mapping[str, Any],
) -> Page[T]:
    """Return a page of what `selected` selects in its order; `among` is whence, with the condition, to count it all."""
    count = await connection.fetch_value(f"SELECT count(*) FROM {among}", **parameters)
    rows = await connection.fetch(
        f"{selected} LIMIT :limit OFFSET :offset", **parameters, limit=request.limit, offset=request.offset
    )
    return Page([read(row) for row in rows], count, more=request.offset + len(rows) < count)
