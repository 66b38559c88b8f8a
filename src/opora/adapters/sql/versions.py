"""The version registry as rows."""

from collections.abc import Sequence

from opora.adapters.sql.connection import Connection, Database
from opora.adapters.sql.mapping import columns, load
from opora.core.kernel.model import ApiVersion
from opora.core.kernel.ports import VersionRegistry, VersionRows

READ = "SELECT version, status, released_on, deprecated_on, sunset_on, successor FROM api_versions"
SAVE = """
UPDATE api_versions SET status = :status, released_on = :released_on, deprecated_on = :deprecated_on,
 sunset_on = :sunset_on, successor = :successor
WHERE version = :version
"""


class SqlVersionRows(VersionRows):
    """The registry inside one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def get(self, version: str) -> ApiVersion | None:
        lock = " FOR UPDATE" if self._connection.dialect == "postgresql" else ""
        row = await self._connection.fetch_one(f"{READ} WHERE version = :version{lock}", version=version)
        return None if row is None else load(ApiVersion, row)

    async def save(self, row: ApiVersion) -> None:
        await self._connection.execute(SAVE, **columns(row))


class SqlVersionRegistry(VersionRegistry):
    """The registry as everybody reads it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def versions(self) -> Sequence[ApiVersion]:
        rows = await self._database.read.fetch(f"{READ} ORDER BY length(version), version")
        return [load(ApiVersion, row) for row in rows]
