"""Where API keys are kept, found and noted as used."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import datetime

from opora.core.access.model.keys import (
    ApiKey,
    ImportedKey,
    KeyDigest,
    KeyFilter,
    KeyReach,
    KeyRecord,
    KeyView,
)
from opora.core.kernel.model import Page, PageRequest


class KeyRepository(ABC):
    """API keys inside a transaction."""

    @abstractmethod
    async def next_id(self) -> int:
        """Return an id that no key has and no other call returns."""

    @abstractmethod
    async def get(self, key_id: int) -> ApiKey | None:
        """Return the key, or None."""

    @abstractmethod
    async def add(self, key: ApiKey, digest: KeyDigest, lookup_prefix: str | None = None) -> None:
        """Keep a new key with its digest; raise KeyTaken when a key has this digest, also under race.

        `lookup_prefix` is the readable start by which an imported key is found until its digest is one of ours.
        """

    @abstractmethod
    async def save(self, key: ApiKey) -> None:
        """Replace the previous version but for `last_used_at`; raise Stale when it is no longer the stored one."""

    @abstractmethod
    async def owned_by(self, owner_id: int) -> Sequence[ApiKey]:
        """Return every key that belongs to the user, in whatever state."""

    @abstractmethod
    async def replace_digest(self, key_id: int, old: KeyDigest, new: KeyDigest) -> bool:
        """Put a new digest in place of the old one; tell False, changing nothing, when the old one is not stored."""


class KeyLookup(ABC):
    """Finds the key a request brings. Hot: called on every request."""

    @abstractmethod
    async def find(self, digests: Sequence[KeyDigest]) -> KeyRecord | None:
        """Return the key that has one of the digests, in whatever state it is, or None.

        The answer may be half a second old.
        """

    @abstractmethod
    async def by_id(self, key_id: int) -> KeyRecord | None:
        """Return the key of this id, in whatever state it is, or None. The answer may be half a second old."""

    @abstractmethod
    async def imported(self, lookup_prefix: str) -> Sequence[ImportedKey]:
        """Return the keys, at most four, that were taken over with this readable start and a slow hash."""


class RememberedKeys(ABC):
    """What a process remembers of keys it has looked up."""

    @abstractmethod
    def replace(self, key: ApiKey) -> None:
        """Answer with this state of the key from now on; a look-up under way cannot bring the older state back."""

    @abstractmethod
    def outdate(self, key_id: int) -> None:
        """Look the key and its owner up anew; a look-up under way is not remembered."""


class KeyUsage(ABC):
    """Notes when keys are used, with no write of its own."""

    @abstractmethod
    def note(self, key_id: int, at: datetime) -> None:
        """Remember the use; it reaches the store within half a minute and at the end of the process."""


class KeyUsageStore(ABC):
    """Keeps when keys were last used."""

    @abstractmethod
    async def record(self, uses: Mapping[int, datetime]) -> None:
        """Move `last_used_at` of the keys forward, never back, in one statement; unknown ids are passed over."""


class KeyViews(ABC):
    """Keys as the administration sees them."""

    @abstractmethod
    async def one(self, reach: KeyReach, key_id: int, now: datetime) -> KeyView:
        """Return the key as it is at `now`; raise NoSuchKey when there is none within reach."""

    @abstractmethod
    async def page(self, reach: KeyReach, wanted: KeyFilter, page: PageRequest, now: datetime) -> Page[KeyView]:
        """Return the keys within reach that pass the filter, newest first."""


class KeyDigests(ABC):
    """Turns the text of a key into what is stored in its place, under secrets the store does not hold."""

    @abstractmethod
    def written(self, text: str) -> KeyDigest:
        """Return the digest under which a new key is stored."""

    @abstractmethod
    def candidates(self, text: str) -> Sequence[KeyDigest]:
        """Return every digest under which the key may be stored, the one that would be written first."""
