"""What notices need to know and keep of people: how to reach them, what they prefer, what they have to read."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from opora.core.kernel.model import Page, PageRequest
from opora.core.notifications.model.deliveries import DigestItem
from opora.core.notifications.model.inbox import Entry, EntryFilter
from opora.core.notifications.model.letters import Recipient
from opora.core.notifications.model.places import PushSubscription, WebhookEndpoint
from opora.core.notifications.model.preferences import Preferences


class Recipients(ABC):
    """The people that notices are for, as they are known now."""

    @abstractmethod
    async def one(self, user_id: int) -> Recipient | None:
        """Return how to reach a user; None where there is no such user."""

    @abstractmethod
    async def lapsed(self, since: Mapping[int, datetime]) -> frozenset[int]:
        """Return which of these users may be told nothing live any more: gone, blocked, or signed out since then."""


class PreferenceStore(ABC):
    """Preferences inside a transaction."""

    @abstractmethod
    async def get(self, user_id: int) -> Preferences:
        """Return what a user prefers; the defaults where they never said."""

    @abstractmethod
    async def hold(self, user_id: int) -> Preferences:
        """Return what a user prefers, locked against change until the transaction ends, also where they never said."""

    @abstractmethod
    async def put(self, user_id: int, wanted: Preferences) -> None:
        """Replace what a user prefers."""


class Inbox(ABC):
    """Entries of people's lists inside a transaction."""

    @abstractmethod
    async def add(self, entry: Entry) -> int:
        """Keep the entry under the next number of its owner and return that; numbers commit in their order."""

    @abstractmethod
    async def read(self, user_id: int, number: int, at: datetime) -> bool:
        """Mark an entry as read, the first time counting; tell whether there is such an entry."""

    @abstractmethod
    async def read_all(self, user_id: int, at: datetime) -> int:
        """Mark every unread entry of a user; returns how many."""


class InboxViews(ABC):
    """Entries as their owners read them."""

    @abstractmethod
    async def page(self, wanted: EntryFilter, request: PageRequest) -> Page[Entry]:
        """Return entries, the newest first."""

    @abstractmethod
    async def one(self, user_id: int, number: int) -> Entry | None:
        """Return one entry of a user."""

    @abstractmethod
    async def unread(self, user_id: int) -> int:
        """Return how many entries a user has not read."""

    @abstractmethod
    async def heads(self, user_ids: Collection[int]) -> Mapping[int, int]:
        """Return the newest number of each user; 0 where there is none."""

    @abstractmethod
    async def after(self, numbers: Mapping[int, int], limit: int) -> Sequence[Entry]:
        """Return entries of each user that come after a number, oldest first, at most `limit` in all."""


class DigestItems(ABC):
    """What waits to be told in gathered letters, inside a transaction."""

    @abstractmethod
    async def add(self, item: DigestItem) -> None:
        """Keep an item; once a notice."""

    @abstractmethod
    async def take(self, user_id: int, due_by: datetime, limit: int) -> Sequence[DigestItem]:
        """Remove what is due and return it in the order it came, without what was withdrawn; each item goes to one."""


class PushSubscriptions(ABC):
    """Browsers of people inside a transaction."""

    @abstractmethod
    async def put(self, subscription: PushSubscription) -> int:
        """Keep a subscription and return its id; one with the same endpoint is replaced, whosoever it was."""

    @abstractmethod
    async def of(self, user_id: int) -> Sequence[PushSubscription]:
        """Return the subscriptions of a user, the oldest first."""

    @abstractmethod
    async def get(self, id: int) -> PushSubscription | None:
        """Return a subscription."""

    @abstractmethod
    async def remove(self, id: int, user_id: int | None = None) -> bool:
        """Forget a subscription, of this user where one is named; tell whether it was there."""

    @abstractmethod
    async def next_id(self) -> int:
        """Return an id that no subscription has and no other call returns."""


class WebhookEndpoints(ABC):
    """Endpoints of people's programs inside a transaction, their secrets sealed at rest."""

    @abstractmethod
    async def add(self, endpoint: WebhookEndpoint) -> None:
        """Keep a new endpoint."""

    @abstractmethod
    async def of(self, user_id: int) -> Sequence[WebhookEndpoint]:
        """Return the endpoints of a user, the oldest first; locked against a further one until the end."""

    @abstractmethod
    async def get(self, id: int) -> WebhookEndpoint | None:
        """Return an endpoint."""

    @abstractmethod
    async def save(self, endpoint: WebhookEndpoint) -> None:
        """Replace what is kept of an endpoint that is there."""

    @abstractmethod
    async def remove(self, id: int, user_id: int) -> bool:
        """Forget a user's endpoint; tell whether it was there."""

    @abstractmethod
    async def next_id(self) -> int:
        """Return an id that no endpoint has and no other call returns."""
