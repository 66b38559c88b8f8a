"""Which files of the store the rows name, with what they say of them."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from opora.adapters.sql.connection import Connection
from opora.adapters.sql.jobs import uuid_of
from opora.adapters.sql.mapping import to_json
from opora.core.documents.model.documents import FOLDER as DOCUMENTS
from opora.core.kernel.model import BlobName
from opora.core.numbers.model.transfers import FETCHED, MADE, UPLOADS
from opora.core.profiles.model.exports import FOLDER as EXPORTS

AT_ONCE = 1_000
FOLDERS = (DOCUMENTS, EXPORTS, UPLOADS, FETCHED, MADE)
"""Every folder of the store. Fetched files are copies of what a partner has: no row needs them."""
SOURCES = {
    DOCUMENTS: """
SELECT id AS place, id AS record, blob_id AS file, size, sha256 FROM documents WHERE NOT is_file_removed""",
    EXPORTS: """
SELECT id AS place, id AS record, id AS file, size, sha256 FROM exports
WHERE status = 'completed' AND NOT is_file_removed AND expires_at > now()""",
    MADE: """
SELECT number AS place, id AS record, id AS file, size, sha256 FROM transfers
WHERE kind = 'export' AND channel = 'download' AND status = 'completed' AND NOT is_file_removed
 AND expires_at > now()""",
    UPLOADS: """
SELECT number AS place, id AS record, id AS file, size, sha256 FROM transfers
WHERE kind = 'import' AND channel = 'upload' AND status IN ('pending', 'running')""",
}
"""By folder, the rows whose files must be there; a file past its time may go before its row is told."""
RECORDS = {DOCUMENTS: "document", EXPORTS: "export", MADE: "transfer", UPLOADS: "transfer"}


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A file that a row names: `size` and `sha256` where the row knows them, `record` for people."""

    name: BlobName
    size: int | None
    sha256: str | None
    record: str


async def kept_files(connection: Connection) -> AsyncIterator[Sequence[KeptFile]]:
    """Yield every file that must be there, a page at a time."""
    for folder, source in SOURCES.items():
        after: object = None
        while True:
            further = "" if after is None else "WHERE place > :after"
            rows = await connection.fetch(
                f"SELECT * FROM ({source}) AS found {further} ORDER BY place LIMIT {AT_ONCE}",
                **({} if after is None else {"after": after}),
            )
            yield [
                KeptFile(
                    BlobName(folder, uuid_of(row["file"])),
                    row["size"],
                    row["sha256"],
                    f"{RECORDS[folder]} {row['record']}",
                )
                for row in rows
            ]
            if len(rows) < AT_ONCE:
                break
            after = rows[-1]["place"]


async def named(connection: Connection, folder: str, ids: Sequence[UUID]) -> frozenset[UUID]:
    """Return those of some files of a folder that a row names, whether or not it still needs them."""
    column, table = ("blob_id", "documents") if folder == DOCUMENTS else ("id", TABLES[folder])
    sql = f"SELECT {column} FROM {table} WHERE {column} IN {connection.listed('ids', 'uuid')}"
    rows = await connection.fetch(sql, ids=to_json([str(id) for id in ids]))
    return frozenset(uuid_of(row[0]) for row in rows)


TABLES = {EXPORTS: "exports", UPLOADS: "transfers", FETCHED: "transfers", MADE: "transfers"}
