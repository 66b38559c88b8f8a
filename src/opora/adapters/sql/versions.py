"""The versions of the API as rows."""

from collections.abc import Sequence

from opora.adapters.sql.connection import Database
from opora.adapters.sql.mapping import load
from opora.core.kernel.model import ApiVersion
from opora.core.kernel.ports import VersionRegistry

ALL = "SELECT version, status, released_on, deprecated_on, sunset_on, successor FROM api_versions ORDER BY released_on"


class SqlVersionRegistry(VersionRegistry):
    """The registry in the database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def versions(self) -> Sequence[ApiVersion]:
        return [load(ApiVersion, row) for row in await self._database.read.fetch(ALL)]
