"""What projects and what belongs to them need from the outside."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence, Set
from datetime import datetime

from opora.core.kernel.model import Page, PageRequest
from opora.core.numbers.model.projects import Geo, Grant, Project, ProjectFilter, ProjectReach, Provider
from opora.core.numbers.model.schedules import CallingWindow


class ProjectRepository(ABC):
    """Projects inside a transaction."""

    @abstractmethod
    async def next_id(self) -> int:
        """Return an id that nobody else gets."""

    @abstractmethod
    async def add(self, project: Project) -> None:
        """Keep a new project."""

    @abstractmethod
    async def get(self, id: int, reach: ProjectReach, *, deleted: bool = False) -> Project | None:
        """Return a project, locked until the transaction ends; None where there is none within reach.

        Deleted ones are there only for those who ask for `deleted`, and then no other.
        """

    @abstractmethod
    async def read(self, id: int, reach: ProjectReach) -> Project | None:
        """Return a project that is not deleted, without locking it; None where there is none within reach."""

    @abstractmethod
    async def present(self, ids: Set[int], reach: ProjectReach) -> frozenset[int]:
        """Return which of these projects are within reach and not deleted."""

    @abstractmethod
    async def save(self, project: Project) -> None:
        """Replace what is kept; raises Stale unless the kept version is the one before."""

    @abstractmethod
    async def granted(self, reach: ProjectReach) -> frozenset[int]:
        """Return the ids of every project within reach that is not deleted."""

    @abstractmethod
    async def windows(self, id: int) -> Sequence[CallingWindow]:
        """Return the project's week, in the order it was given."""

    @abstractmethod
    async def set_windows(self, id: int, windows: Sequence[CallingWindow]) -> None:
        """Replace the project's week."""

    @abstractmethod
    async def link_provider(self, id: int, provider_id: int, now: datetime) -> bool:
        """Link a provider and tell whether that is new; raises NoSuchProvider."""

    @abstractmethod
    async def unlink_provider(self, id: int, provider_id: int) -> bool:
        """Undo a link and tell whether it was there."""

    @abstractmethod
    async def link_geo(self, id: int, geo_id: int, now: datetime) -> bool:
        """Link an area and tell whether that is new; raises NoSuchGeo."""

    @abstractmethod
    async def unlink_geo(self, id: int, geo_id: int) -> bool:
        """Undo a link and tell whether it was there."""

    @abstractmethod
    async def grant(self, grant: Grant) -> bool:
        """Grant the project to a manager and tell whether that is new."""

    @abstractmethod
    async def withdraw(self, id: int, user_id: int) -> bool:
        """Take a grant back and tell whether it was there."""


class ProjectViews(ABC):
    """Projects as callers read them."""

    @abstractmethod
    async def one(self, id: int, reach: ProjectReach) -> Project | None:
        """Return one project; None where there is none within reach, or it is deleted."""

    @abstractmethod
    async def several(self, ids: Sequence[int], reach: ProjectReach) -> Mapping[int, Project]:
        """Return those of these projects that are within reach and not deleted, by id."""

    @abstractmethod
    async def page(self, reach: ProjectReach, wanted: ProjectFilter, request: PageRequest) -> Page[Project]:
        """Return projects, the newest first."""

    @abstractmethod
    async def windows(self, id: int) -> Sequence[CallingWindow]:
        """Return a project's week."""

    @abstractmethod
    async def providers(self, id: int, request: PageRequest) -> Page[Provider]:
        """Return the providers linked to a project, by id."""

    @abstractmethod
    async def geo(self, id: int, request: PageRequest) -> Page[Geo]:
        """Return the areas linked to a project, by id."""

    @abstractmethod
    async def managers(self, id: int, request: PageRequest) -> Page[Grant]:
        """Return the grants of a project, by user."""


class ProviderRepository(ABC):
    """Providers inside a transaction."""

    @abstractmethod
    async def next_id(self) -> int:
        """Return an id that nobody else gets."""

    @abstractmethod
    async def add(self, provider: Provider) -> None:
        """Keep a new provider."""

    @abstractmethod
    async def get(self, id: int) -> Provider | None:
        """Return a provider, locked until the transaction ends."""

    @abstractmethod
    async def save(self, provider: Provider) -> None:
        """Replace what is kept; raises Stale unless the kept version is the one before."""

    @abstractmethod
    async def remove(self, id: int) -> bool:
        """Remove a provider and tell whether it was there; raises ProviderInUse while anything refers to it."""

    @abstractmethod
    async def present(self, ids: Sequence[int]) -> frozenset[int]:
        """Return which of these providers are there."""


class ProviderViews(ABC):
    """Providers as callers read them."""

    @abstractmethod
    async def one(self, id: int) -> Provider | None:
        """Return one provider."""

    @abstractmethod
    async def page(self, text: str | None, status: str | None, request: PageRequest) -> Page[Provider]:
        """Return providers, the newest first; `text` is looked for in the name."""


class GeoRepository(ABC):
    """Areas inside a transaction."""

    @abstractmethod
    async def next_id(self) -> int:
        """Return an id that nobody else gets."""

    @abstractmethod
    async def add(self, geo: Geo) -> None:
        """Keep a new area."""

    @abstractmethod
    async def get(self, id: int) -> Geo | None:
        """Return an area, locked until the transaction ends."""

    @abstractmethod
    async def save(self, geo: Geo) -> None:
        """Replace what is kept; raises Stale unless the kept version is the one before."""

    @abstractmethod
    async def remove(self, id: int) -> bool:
        """Remove an area and tell whether it was there; raises GeoInUse while anything refers to it."""

    @abstractmethod
    async def zones(self, ids: Sequence[int]) -> dict[int, str | None]:
        """Return the zone of each of these areas that is there."""


class GeoViews(ABC):
    """Areas as callers read them."""

    @abstractmethod
    async def one(self, id: int) -> Geo | None:
        """Return one area."""

    @abstractmethod
    async def page(self, country_code: str | None, text: str | None, request: PageRequest) -> Page[Geo]:
        """Return areas, the newest first; `text` is looked for in region and city."""
