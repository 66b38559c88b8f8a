"""What people, keys, projects, providers and areas are looked for by: the letters of every other search.

Revision 0023, after 0022. Their columns of search held small letters alone, so that ё was not found by е, nor a letter
in one form by its other. A row that the release before saves meanwhile is found by both once it is saved anew.
"""

import sqlalchemy as sa
from alembic import op

from opora.core.kernel.rules import folded

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None
PHASE = "expand"

SOUGHT = {
    "users": ("email", "full_name"),
    "api_keys": ("label",),
    "projects": ("name", "description"),
    "providers": ("name",),
    "geo": ("country_code", "region", "city"),
}
"""By which columns the rows of each table are looked for."""
ROWS_AT_ONCE = 1000


def upgrade() -> None:
    for name, columns in SOUGHT.items():
        renew(op.get_bind(), name, columns)


def renew(connection: sa.Connection, name: str, columns: tuple[str, ...]) -> None:
    """Write the words of every row of a table anew, a thousand rows at a time; those that have them stay untouched."""
    table = sa.table(name, *map(sa.column, ("id", "search", *columns)))
    change = table.update().where(table.c.id == sa.bindparam("one")).values(search=sa.bindparam("words"))
    page = sa.select(table).where(table.c.id > sa.bindparam("last")).order_by(table.c.id).limit(ROWS_AT_ONCE)
    last = -1
    while rows := connection.execute(page, {"last": last}).mappings().all():
        last = rows[-1]["id"]
        told = [(row, folded(" ".join(row[column] or "" for column in columns))) for row in rows]
        late = [{"one": row["id"], "words": words} for row, words in told if row["search"] != words]
        if late:
            connection.execute(change, late)


def downgrade() -> None:
    """Leave the words: the release before finds by them all that is written without ё."""
