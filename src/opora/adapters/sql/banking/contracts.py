"""Contracts and their links as rows."""

from functools import partial

from opora.adapters.sql.connection import Connection
from opora.adapters.sql.documents.documents import FIELDS as DOCUMENT_FIELDS
from opora.adapters.sql.filters import Filter
from opora.adapters.sql.mapping import columns, insertion, load
from opora.adapters.sql.pages import page_of
from opora.core.documents.model.contracts import Contract, ContractFilter, Link, LinkedDocument, LinkStatus
from opora.core.documents.model.documents import Document, Reach
from opora.core.documents.ports.contracts import ContractRepository, ContractViews
from opora.core.kernel.errors import Stale
from opora.core.kernel.model import Page, PageRequest

NAMES = ("id", "user_id", "description", "status", "created_at", "created_by", "updated_at", "version")
FIELDS = ", ".join(NAMES)
ADD = insertion("contracts", NAMES)
SAVE = """
UPDATE contracts SET description = :description, status = :status, updated_at = :updated_at, version = :version
WHERE id = :id AND version = :previous
"""
LINK = ("contract_id", "document_id", "status", "linked_at", "linked_by", "moved_at")
ADD_LINK = insertion("contract_documents", LINK, "ON CONFLICT (contract_id, document_id) DO NOTHING")
READ_LINK = f"""
SELECT {", ".join(LINK)} FROM contract_documents WHERE contract_id = :contract_id AND document_id = :document_id
"""
SAVE_LINK = """
UPDATE contract_documents SET status = :status, moved_at = :moved_at
WHERE contract_id = :contract_id AND document_id = :document_id
"""
LINKED = """
FROM contract_documents l JOIN documents d ON d.id = l.document_id
WHERE l.contract_id = :contract_id AND d.deleted_at IS NULL
"""
DOCUMENTS = f"""
SELECT {DOCUMENT_FIELDS}, l.status AS link_status {LINKED} ORDER BY l.linked_at, d.id LIMIT :limit OFFSET :offset
"""


class SqlContractRepository(ContractRepository):
    """Contracts and links inside one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lock = " FOR UPDATE" if connection.dialect == "postgresql" else ""

    async def next_id(self) -> int:
        return await self._connection.next_id("contracts")

    async def add(self, contract: Contract) -> None:
        await self._connection.execute(ADD, **columns(contract))

    async def get(self, id: int) -> Contract | None:
        row = await self._connection.fetch_one(f"SELECT {FIELDS} FROM contracts WHERE id = :id{self._lock}", id=id)
        return load(Contract, row) if row else None

    async def save(self, contract: Contract, previous: int) -> None:
        values = columns(contract)
        changed = {name: values[name] for name in ("id", "description", "status", "updated_at", "version")}
        if not await self._connection.execute(SAVE, **changed, previous=previous):
            raise Stale(contract_id=contract.id)

    async def link(self, link: Link) -> bool:
        return bool(await self._connection.execute(ADD_LINK, **columns(link)))

    async def linked(self, contract_id: int, document_id: int) -> Link | None:
        sql = READ_LINK + self._lock
        row = await self._connection.fetch_one(sql, contract_id=contract_id, document_id=document_id)
        return load(Link, row) if row else None

    async def save_link(self, link: Link) -> None:
        values = columns(link)
        names = ("contract_id", "document_id", "status", "moved_at")
        await self._connection.execute(SAVE_LINK, **{name: values[name] for name in names})


class SqlContractViews(ContractViews):
    """Contracts read by single statements."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def page(self, reach: Reach, wanted: ContractFilter, request: PageRequest) -> Page[Contract]:
        found = Filter()
        found.narrow("user_id = :owner", owner=reach.user_id)
        found.narrow("user_id = :user_id", user_id=wanted.user_id)
        found.narrow("status = :status", status=wanted.status)
        return await page_of(
            self._connection,
            partial(load, Contract),
            f"contracts WHERE {found.where}",
            f"SELECT {FIELDS} FROM contracts WHERE {found.where} ORDER BY id DESC",
            request,
            found.parameters,
        )

    async def one(self, id: int, reach: Reach) -> Contract | None:
        row = await self._connection.fetch_one(f"SELECT {FIELDS} FROM contracts WHERE id = :id", id=id)
        contract = load(Contract, row) if row else None
        return contract if contract is not None and reach.user_id in (None, contract.user_id) else None

    async def documents(self, contract_id: int, request: PageRequest) -> Page[LinkedDocument]:
        count = await self._connection.fetch_value(f"SELECT count(*) {LINKED}", contract_id=contract_id)
        place = {"limit": request.limit, "offset": request.offset}
        rows = await self._connection.fetch(DOCUMENTS, contract_id=contract_id, **place)
        items = [LinkedDocument(load(Document, row), LinkStatus(row["link_status"])) for row in rows]
        return Page(items, count, more=request.offset + len(items) < count)
