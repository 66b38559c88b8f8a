"""What generations need of a store, and of the process they are written in."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from opora.core.billing.ports.plans import QuotaTx
from opora.core.generation.model.texts import Attempt, Place, Reach, Text, Words
from opora.core.generation.ports.prompts import PromptRepository
from opora.core.jobs.model import Claim
from opora.core.jobs.ports import JobQueue
from opora.core.kernel.model import Page, PageRequest
from opora.core.kernel.ports import AuditTrail, Outbox
from opora.core.notifications.ports.notices import Notices


class TextRepository(ABC):
    """Generations inside a transaction."""

    @abstractmethod
    async def add(self, text: Text) -> None:
        """Keep a new text. Of an owner's equal ones (`cache_key`) that go on at most one leads; raises Stale."""

    @abstractmethod
    async def get(self, id: UUID) -> Text | None:
        """Return a text, locked against change until the transaction ends."""

    @abstractmethod
    async def of_job(self, job_id: UUID) -> Text | None:
        """Return the text that a job writes, locked alike."""

    @abstractmethod
    async def save(self, text: Text) -> None:
        """Replace the version before this one; raises Stale where another is stored."""

    @abstractmethod
    async def leader(self, owner: str, cache_key: str) -> Text | None:
        """Return the owner's equal text that has not ended and follows none, locked alike."""

    @abstractmethod
    async def answered(self, owner: str, cache_key: str, since: datetime) -> Text | None:
        """Return the owner's newest equal text that was written to its end since then, by an engine."""

    @abstractmethod
    async def followers(self, id: UUID) -> Sequence[Text]:
        """Return the texts that follow this one and have not ended, locked alike, the oldest first."""

    @abstractmethod
    async def orphans(self, limit: int) -> Sequence[Text]:
        """Return texts that have not ended though the job of them, or of whom they follow, has; locked alike."""

    @abstractmethod
    async def try_began(self, attempt: Attempt) -> None:
        """Keep that an engine is about to be called."""

    @abstractmethod
    async def try_ended(self, id: UUID, number: int, outcome: str, reference: str | None, now: datetime) -> None:
        """Keep how a call ended, unless its end is known."""

    @abstractmethod
    async def said(self, id: UUID, attempt: int) -> str:
        """Return what was kept of the words of a call."""

    @abstractmethod
    async def forget_words(self, id: UUID) -> None:
        """Remove the words kept while a text was written."""


class TextViews(ABC):
    """Generations as their owners see them."""

    @abstractmethod
    async def one(self, id: UUID, reach: Reach) -> Text | None:
        """Return one; None where there is none within reach."""

    @abstractmethod
    async def page(self, reach: Reach, request: PageRequest) -> Page[Text]:
        """Return texts within reach, the newest first."""

    @abstractmethod
    async def words(self, id: UUID, place: Place) -> Words:
        """Return what was kept of the call that counts now: from the place on, or from 0 if that lies elsewhere."""


class WordLog(ABC):
    """Words kept as they come, so that whoever reads elsewhere, or comes back, finds them."""

    @abstractmethod
    async def keep(self, id: UUID, words: Words) -> None:
        """Keep some words of a text that is being written, durably, in a transaction of its own."""


class LiveTexts(ABC):
    """What is being written in this process, told to whoever reads here without a look at the store."""

    @abstractmethod
    def begin(self, id: UUID, attempt: int) -> None:
        """Begin a call; what another one said is gone."""

    @abstractmethod
    def say(self, id: UUID, text: str) -> None:
        """Add words and wake the readers."""

    @abstractmethod
    def end(self, id: UUID) -> None:
        """Forget the text and wake the readers: what there is to know stands in the store."""

    @abstractmethod
    def words(self, id: UUID, place: Place) -> Words | None:
        """Return what was said, as `TextViews.words` does; None for a text that is not being written here."""

    @abstractmethod
    async def more(self, id: UUID, place: Place, timeout_s: float) -> bool:
        """Return True once there is more than somebody at that place has read, or it ended; False when time is over."""

    @abstractmethod
    async def ended(self, id: UUID, timeout_s: float) -> None:
        """Return when the text ends here, or when the time is over."""


class Performer(ABC):
    """Runs jobs in this process, beside whoever asked for them."""

    @abstractmethod
    def has_room(self) -> bool:
        """Tell whether another job may be run here."""

    @abstractmethod
    def perform(self, claim: Claim) -> None:
        """Run a leased job whose claim was committed; its heart beats until it ends, and a shutdown gives it back."""

    @abstractmethod
    def stop(self, id: UUID) -> None:
        """Stop a job that runs here, whose lease was taken away; does nothing for others."""


class TextTx(QuotaTx, Protocol):
    """What a transaction over generations shows."""

    @property
    def texts(self) -> TextRepository: ...
    @property
    def prompts(self) -> PromptRepository: ...
    @property
    def notices(self) -> Notices: ...
    @property
    def jobs(self) -> JobQueue: ...
    @property
    def outbox(self) -> Outbox: ...
    @property
    def audit(self) -> AuditTrail: ...
