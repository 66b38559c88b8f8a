"""Packets and receipts as rows."""

from opora.adapters.sql.connection import Connection
from opora.adapters.sql.mapping import columns, insertion, load
from opora.core.documents.model.packets import InboxEntry, Packet
from opora.core.documents.ports.packets import PacketRepository, ReceiptInbox

NAMES = (
    "id", "document_id", "version", "document_status", "has_file", "status", "reference", "error", "comment",
    "attempts", "created_at", "sent_at", "settled_at",
)  # fmt: skip
FIELDS = ", ".join(NAMES)
ADD = insertion("abs_packets", NAMES, "ON CONFLICT (document_id, version) DO NOTHING")
CHANGED = ("status", "reference", "error", "comment", "attempts", "sent_at", "settled_at")
SAVE = f"UPDATE abs_packets SET {', '.join(f'{name} = :{name}' for name in CHANGED)} WHERE id = :id"
ENTRY = ("id", "packet", "verdict", "outcome", "reference", "reason", "received_at")
TAKE_IN = insertion("abs_receipts", ENTRY, "ON CONFLICT (id) DO NOTHING")


class SqlPacketRepository(PacketRepository):
    """Packets inside one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lock = " FOR UPDATE" if connection.dialect == "postgresql" else ""

    async def next_id(self) -> int:
        return await self._connection.next_id("abs_packets")

    async def add(self, packet: Packet) -> bool:
        return bool(await self._connection.execute(ADD, **columns(packet)))

    async def get(self, id: int) -> Packet | None:
        return await self._one("id = :id", id=id)

    async def at(self, document_id: int, version: int) -> Packet | None:
        where = "document_id = :document_id AND version = :version"
        return await self._one(where, document_id=document_id, version=version)

    async def _one(self, where: str, **parameters: object) -> Packet | None:
        sql = f"SELECT {FIELDS} FROM abs_packets WHERE {where}{self._lock}"
        row = await self._connection.fetch_one(sql, **parameters)
        return load(Packet, row) if row else None

    async def newest(self, document_id: int) -> int | None:
        sql = "SELECT max(version) FROM abs_packets WHERE document_id = :id"
        newest: int | None = await self._connection.fetch_value(sql, id=document_id)
        return newest

    async def save(self, packet: Packet) -> None:
        values = columns(packet)
        await self._connection.execute(SAVE, **{name: values[name] for name in (*CHANGED, "id")})


class SqlReceiptInbox(ReceiptInbox):
    """Receipts that were dealt with, inside one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add(self, entry: InboxEntry) -> bool:
        return bool(await self._connection.execute(TAKE_IN, **columns(entry)))
