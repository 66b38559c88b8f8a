"""PostgreSQL by asyncpg and SQLite by sqlite3, behind one connection, one unit of work, one SQL text."""
