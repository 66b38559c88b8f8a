"""Where one-time tokens, second factors and known devices are kept, and the secrets they are made of."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import datetime

from opora.core.access.model.proofs import Arrival, OneTimeToken, Purpose, SecondFactor


class OneTimeTokenRepository(ABC):
    """One-time tokens inside a transaction."""

    @abstractmethod
    async def add(self, token: OneTimeToken) -> None:
        """Keep a new token."""

    @abstractmethod
    async def spend(self, digest: bytes, purpose: Purpose, now: datetime) -> int | None:
        """Take the token away and return whose it was; None when it is unknown, spent, overdue or for another purpose.

        One statement: of many at once one spends it.
        """

    @abstractmethod
    async def drop(self, user_id: int, purpose: Purpose) -> int:
        """Take every token of the user for this purpose away; return how many."""


class SecondFactorRepository(ABC):
    """Second factors and recovery codes inside a transaction."""

    @abstractmethod
    async def get(self, user_id: int) -> SecondFactor | None:
        """Return the user's second factor, confirmed or not, or None."""

    @abstractmethod
    async def put(self, factor: SecondFactor) -> bool:
        """Keep an unconfirmed factor in place of another unconfirmed one; tell False when a confirmed one is there."""

    @abstractmethod
    async def confirm(self, factor: SecondFactor, recovery_digests: Sequence[bytes]) -> bool:
        """Put the confirmed form with its recovery codes in place; tell False when one is confirmed or none is there.

        Recovery codes of an earlier factor are gone.
        """

    @abstractmethod
    async def take_step(self, user_id: int, step: int) -> bool:
        """Note the step of a code; tell False when it or a later one was taken before, under race too."""

    @abstractmethod
    async def take_recovery_code(self, user_id: int, digest: bytes) -> bool:
        """Take the recovery code away; tell False when there is none such. Of many at once one takes it."""

    @abstractmethod
    async def remove(self, user_id: int) -> bool:
        """Remove the user's factor and recovery codes; tell whether a confirmed one was there."""


class DeviceRepository(ABC):
    """The devices that people came in from, inside a transaction."""

    @abstractmethod
    async def remember(self, user_id: int, mark: bytes, at: datetime, keep: int) -> bool:
        """Note that the device got in; tell whether it was new. Past `keep` the longest unseen are forgotten."""

    @abstractmethod
    async def forget(self, user_id: int) -> int:
        """Forget every device of the user; return how many."""


class Arrivals(ABC):
    """Finds who is at an address, with one read and no lock. Attempts to log in begin here."""

    @abstractmethod
    async def at(self, email: str, marks: Sequence[bytes]) -> Arrival:
        """Return the user with this folded address and the first of the marks they are known by.

        For an address that nobody has the same is read, and nothing found.
        """

    @abstractmethod
    async def by_token(self, digest: bytes, purpose: Purpose, now: datetime, marks: Sequence[bytes]) -> Arrival:
        """Return the owner of an unspent one-time token; nobody when it is not good."""


class OneTimeSecrets(ABC):
    """The texts of one-time tokens."""

    @abstractmethod
    def text(self) -> str:
        """Return a new unpredictable text of at least 128 bits."""

    @abstractmethod
    def digest(self, text: str) -> bytes:
        """Return what is stored in the text's place."""


class FactorSecrets(ABC):
    """Encrypts the secrets of second factors under a key that the store does not hold."""

    @abstractmethod
    def seal(self, plain: bytes, user_id: int) -> bytes:
        """Encrypt for one user; it opens for no other."""

    @abstractmethod
    def open(self, sealed: bytes, user_id: int) -> bytes:
        """Return what was sealed; raise FactorUnreadable when the key is another now."""
