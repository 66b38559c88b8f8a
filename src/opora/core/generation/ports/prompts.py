"""What prompts need of a store."""

from abc import ABC, abstractmethod
from typing import Protocol

from opora.core.generation.model.prompts import Prompt, PromptVersion
from opora.core.kernel.model import Page, PageRequest
from opora.core.kernel.ports import AuditTrail, Outbox


class PromptRepository(ABC):
    """Prompts inside a transaction."""

    @abstractmethod
    async def next_id(self) -> int:
        """Return an id that no prompt has and no other call returns."""

    @abstractmethod
    async def add(self, prompt: Prompt) -> None:
        """Keep a new prompt without versions, labels; raises PromptExists for a name that is taken, also in a race."""

    @abstractmethod
    async def get(self, id: int) -> Prompt | None:
        """Return a prompt, locked against change until the transaction ends."""

    @abstractmethod
    async def publish(self, version: PromptVersion) -> None:
        """Keep a new version; it never changes again, and the store refuses to change or delete it. Raises Stale."""

    @abstractmethod
    async def point(self, prompt_id: int, label: str, version: int) -> None:
        """Let a label point to a version; it points to no other."""

    @abstractmethod
    async def unpoint(self, prompt_id: int, label: str) -> bool:
        """Take a label away and tell whether it was there."""

    @abstractmethod
    async def version(self, prompt_id: int, version: int) -> PromptVersion | None:
        """Return a version."""

    @abstractmethod
    async def labelled(self, name: str | None, id: int | None, label: str) -> tuple[str, PromptVersion] | None:
        """Return name and version that a label points to, of the prompt of this name or id."""


class PromptViews(ABC):
    """Prompts as people read them."""

    @abstractmethod
    async def page(self, request: PageRequest) -> Page[Prompt]:
        """Return prompts by name."""

    @abstractmethod
    async def one(self, id: int) -> Prompt | None:
        """Return one prompt."""

    @abstractmethod
    async def versions(self, id: int, request: PageRequest) -> Page[PromptVersion]:
        """Return the versions of a prompt, the newest first; none, and a count of 0, where there is no such prompt."""

    @abstractmethod
    async def version(self, id: int, version: int) -> PromptVersion | None:
        """Return one version."""


class PromptTx(Protocol):
    """What a transaction over prompts shows."""

    @property
    def prompts(self) -> PromptRepository: ...
    @property
    def outbox(self) -> Outbox: ...
    @property
    def audit(self) -> AuditTrail: ...
