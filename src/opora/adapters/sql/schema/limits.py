"""Tables of limits: rate cells, denials, epochs of tokens, counts for figures.

On PostgreSQL they are unlogged: a crash empties them, and what they hold is worth no more than a window. On SQLite
they stay empty, because limits are counted in a file of their own.
"""

from sqlalchemy import BigInteger, Column, Table, Text

from opora.adapters.sql.schema.metadata import METADATA

RATE_CELLS = Table(
    "rate_cells",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("anchor_us", BigInteger, nullable=False),
    Column("spent_us", BigInteger, nullable=False),
    Column("interval_us", BigInteger, nullable=False),
    Column("dead_at_us", BigInteger, nullable=False),
)

RATE_DENIALS = Table(
    "rate_denials",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("until_us", BigInteger, nullable=False),
)

RATE_EPOCHS = Table(
    "rate_epochs",
    METADATA,
    Column("subject", Text, primary_key=True),
    Column("epoch_us", BigInteger, nullable=False),
    Column("until_us", BigInteger, nullable=False),
)

RATE_COUNTS = Table(
    "rate_counts",
    METADATA,
    Column("span", Text, primary_key=True),
    Column("start_s", BigInteger, primary_key=True, autoincrement=False),
    Column("subject", Text, primary_key=True),
    Column("allowed", BigInteger, nullable=False),
    Column("refused", BigInteger, nullable=False),
)
