"""What the lists and the people behind documents need of a store."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Protocol

from opora.core.documents.model.clients import ClientProfile
from opora.core.documents.model.documents import Reach
from opora.core.documents.model.reference import Category, ReferenceItem, ReferenceList
from opora.core.kernel.model import Page, PageRequest
from opora.core.kernel.ports import AuditTrail, Outbox


class CategoryRepository(ABC):
    """Categories inside a transaction."""

    @abstractmethod
    async def next_id(self) -> int:
        """Take an id that no category has or will have."""

    @abstractmethod
    async def get(self, id: int) -> Category | None:
        """Return the category."""

    @abstractmethod
    async def add(self, category: Category) -> None:
        """Keep a new category; raises CategoryTaken where its name or code is used, letter case aside."""


class ReferenceViews(ABC):
    """The lists as everybody reads them."""

    @abstractmethod
    async def categories(self, request: PageRequest) -> Page[Category]:
        """Return categories in the order of their ids."""

    @abstractmethod
    async def category(self, said: str | int) -> Category | None:
        """Return the category of that id, name or code, letter case aside."""

    @abstractmethod
    async def items(self, of: ReferenceList) -> Sequence[ReferenceItem]:
        """Return a whole list in the order of its ids."""


class ClientRepository(ABC):
    """Client profiles inside a transaction."""

    @abstractmethod
    async def get(self, user_id: int, reach: Reach) -> ClientProfile | None:
        """Return the profile, locked alike, or an empty one of a user who has none; None where no user is in reach."""

    @abstractmethod
    async def save(self, profile: ClientProfile, previous: int) -> None:
        """Keep or replace the profile; raises Stale unless the kept version is `previous`."""


class ClientViews(ABC):
    """Client profiles as they are read."""

    @abstractmethod
    async def one(self, user_id: int, reach: Reach) -> ClientProfile | None:
        """Return the profile, or an empty one of a user who has none; None where no user is in reach."""

    @abstractmethod
    async def exist(self, user_ids: Sequence[int]) -> frozenset[int]:
        """Return which of these are users."""


class ReferenceTx(Protocol):
    """What a transaction over lists and clients shows."""

    @property
    def categories(self) -> CategoryRepository: ...
    @property
    def clients(self) -> ClientRepository: ...
    @property
    def outbox(self) -> Outbox: ...
    @property
    def audit(self) -> AuditTrail: ...
