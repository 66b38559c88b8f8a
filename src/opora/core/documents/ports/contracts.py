"""What contracts need of a store."""

from abc import ABC, abstractmethod
from typing import Protocol

from opora.core.documents.model.contracts import Contract, ContractFilter, Link, LinkedDocument
from opora.core.documents.model.documents import Reach
from opora.core.documents.ports.documents import DocumentRepository
from opora.core.kernel.model import Page, PageRequest
from opora.core.kernel.ports import AuditTrail, Outbox


class ContractRepository(ABC):
    """Contracts and their links inside a transaction."""

    @abstractmethod
    async def next_id(self) -> int:
        """Take an id that no contract has or will have."""

    @abstractmethod
    async def add(self, contract: Contract) -> None:
        """Keep a new contract."""

    @abstractmethod
    async def get(self, id: int) -> Contract | None:
        """Return the contract, locked against change until the transaction ends."""

    @abstractmethod
    async def save(self, contract: Contract, previous: int) -> None:
        """Replace what is kept; raises Stale unless the kept version is `previous`."""

    @abstractmethod
    async def link(self, link: Link) -> bool:
        """Keep a new link; False where the document is linked to this contract, in whatever status."""

    @abstractmethod
    async def linked(self, contract_id: int, document_id: int) -> Link | None:
        """Return the link, locked alike."""

    @abstractmethod
    async def save_link(self, link: Link) -> None:
        """Replace what is kept of a link that this transaction holds."""


class ContractViews(ABC):
    """Contracts as people read them."""

    @abstractmethod
    async def page(self, reach: Reach, wanted: ContractFilter, request: PageRequest) -> Page[Contract]:
        """Return contracts within reach, the newest first."""

    @abstractmethod
    async def one(self, id: int, reach: Reach) -> Contract | None:
        """Return one contract; None where there is none within reach."""

    @abstractmethod
    async def documents(self, contract_id: int, request: PageRequest) -> Page[LinkedDocument]:
        """Return the contract's documents, the first linked first; deleted ones aside."""


class ContractTx(Protocol):
    """What a transaction over contracts shows."""

    @property
    def contracts(self) -> ContractRepository: ...
    @property
    def documents(self) -> DocumentRepository: ...
    @property
    def outbox(self) -> Outbox: ...
    @property
    def audit(self) -> AuditTrail: ...
