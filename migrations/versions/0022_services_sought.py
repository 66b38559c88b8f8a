"""What services are looked for by: their names in the letters of every other search, which no collation decides.

Revision 0022, after 0021. A service that the release before saves meanwhile is found again once it is saved anew.
"""

import sqlalchemy as sa
from alembic import op

from opora.core.kernel.rules import folded

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None
PHASE = "expand"


def upgrade() -> None:
    op.add_column("services", sa.Column("search", sa.String(400), nullable=False, server_default=""))
    services = sa.table("services", sa.column("id"), sa.column("name"), sa.column("search"))
    connection = op.get_bind()
    names = connection.execute(sa.select(services.c.id, services.c.name)).all()
    rows = [{"one": id, "words": folded(name)} for id, name in names]
    if rows:
        change = services.update().where(services.c.id == sa.bindparam("one")).values(search=sa.bindparam("words"))
        connection.execute(change, rows)


def downgrade() -> None:
    op.drop_column("services", "search")
