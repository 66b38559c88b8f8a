"""Where services are kept, and who there is to give and to come to them."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence

from opora.core.bookings.model.calendars import Person
from opora.core.bookings.model.offerings import Offering, OfferingFilter
from opora.core.kernel.model import Page, PageRequest


class OfferingRepository(ABC):
    """Services inside a transaction."""

    @abstractmethod
    async def next_id(self) -> int:
        """Return an id that no service has and no other call returns."""

    @abstractmethod
    async def add(self, offering: Offering) -> None:
        """Keep a new service with those who give it."""

    @abstractmethod
    async def get(self, id: int) -> Offering | None:
        """Return a service, offered or not."""

    @abstractmethod
    async def names_around(self, service_id: int, staff_id: int) -> tuple[str, str]:
        """Return the names of a service and of who gives it, as letters show them; empty where there are none."""

    @abstractmethod
    async def save(self, offering: Offering) -> None:
        """Replace the version before this one; raises Stale where another is stored."""


class OfferingViews(ABC):
    """Services as everybody sees them."""

    @abstractmethod
    async def one(self, id: int) -> Offering | None:
        """Return a service that is offered."""

    @abstractmethod
    async def page(self, wanted: OfferingFilter, request: PageRequest) -> Page[Offering]:
        """Return services that are offered, by name."""

    @abstractmethod
    async def names(self, ids: Sequence[int]) -> Mapping[int, str]:
        """Return the name of each of these services, offered or not."""


class People(ABC):
    """The users who give services and who come to them."""

    @abstractmethod
    async def staff(self, ids: Collection[int]) -> frozenset[int]:
        """Return which of these are active users in the role of staff."""

    @abstractmethod
    async def is_active(self, user_id: int) -> bool:
        """Tell whether there is such a user and they may come in."""

    @abstractmethod
    async def named(self, ids: Sequence[int]) -> Mapping[int, Person]:
        """Return name and address of each of these users that there is."""
