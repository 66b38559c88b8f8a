"""The version registry as rows: days are kept as their first instant in UTC."""

from datetime import UTC, date, datetime, time

from opora.adapters.sql.connection import Connection, Database, Row
from opora.core.kernel.model import ApiVersion, VersionStatus
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
        return None if row is None else _version(row)

    async def save(self, row: ApiVersion) -> None:
        await self._connection.execute(
            SAVE,
            version=row.version,
            status=str(row.status),
            released_on=_instant(row.released_on),
            deprecated_on=_instant(row.deprecated_on),
            sunset_on=_instant(row.sunset_on),
            successor=row.successor,
        )


class SqlVersionRegistry(VersionRegistry):
    """The registry as everybody reads it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def versions(self) -> list[ApiVersion]:
        return [_version(row) for row in await self._database.read.fetch(f"{READ} ORDER BY length(version), version")]


def _version(row: Row) -> ApiVersion:
    return ApiVersion(
        row["version"],
        VersionStatus(row["status"]),
        _day(row["released_on"]),
        _day(row["deprecated_on"]),
        _day(row["sunset_on"]),
        row["successor"],
    )


def _day(value: datetime | str | None) -> date | None:
    """Return the day of an instant: a datetime from PostgreSQL, text from SQLite."""
    if value is None:
        return None
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    return moment.astimezone(UTC).date()


def _instant(day: date | None) -> datetime | None:
    return None if day is None else datetime.combine(day, time(), UTC)
