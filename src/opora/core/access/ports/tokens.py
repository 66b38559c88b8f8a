"""How access and refresh tokens are made, checked and taken back."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import datetime

from opora.core.access.model.tokens import Algorithm, Claims, KeyPurpose, SigningKey, TokenStanding


class TokenIssuer(ABC):
    """Signs access tokens."""

    @abstractmethod
    async def issue(self, claims: Claims) -> str:
        """Return the token, signed with the active key, off the event loop; raise SigningKeyMissing without one."""


class TokenVerifier(ABC):
    """Checks access tokens. Hot: called on every request."""

    @abstractmethod
    def verify(self, text: str, now: datetime) -> Claims:
        """Return what the token says; raise TokenMalformed, TokenInvalid or TokenExpired.

        The signature holds under the one algorithm of the key that the token names, and the claims hold at `now`.
        """


class SigningRing(ABC):
    """The signing keys a process works with."""

    @abstractmethod
    def take(self, keys: Sequence[SigningKey]) -> None:
        """Work with these keys from now on and no others."""

    @abstractmethod
    def jwks(self, purpose: KeyPurpose = KeyPurpose.ACCESS) -> Mapping[str, object]:
        """Return the public parts of the keys of a purpose as a JWK set (RFC 7517 section 5)."""

    @abstractmethod
    def lacks(self, text: str) -> bool:
        """Tell whether a token names a key that is not among those of this process."""


class SigningKeyNews(ABC):
    """Brings what other processes have made of the signing keys since this one last looked."""

    @abstractmethod
    async def look(self) -> None:
        """Take up the stored keys as of now or later; calls at once share a look, and looks are few a second."""


class SigningKeyMaker(ABC):
    """Makes signing keys."""

    @abstractmethod
    async def make(self, algorithm: Algorithm, now: datetime, purpose: KeyPurpose = KeyPurpose.ACCESS) -> SigningKey:
        """Return a new pending key, its private part sealed; slow for RSA, and off the event loop."""


class SigningKeyRepository(ABC):
    """Signing keys inside a transaction."""

    @abstractmethod
    async def all(self) -> Sequence[SigningKey]:
        """Return every key, oldest first."""

    @abstractmethod
    async def add(self, key: SigningKey) -> bool:
        """Keep a new key; tell False, keeping nothing, when it is to be active and another of its purpose is.

        Of many at once one is kept.
        """

    @abstractmethod
    async def save(self, key: SigningKey) -> None:
        """Replace the previous version; raise Stale when it is no longer the stored one."""


class RefreshSecrets(ABC):
    """The texts of refresh tokens. Each follows from the one before, so a repeated refresh gives the same successor."""

    @abstractmethod
    def first(self, session_id: int) -> str:
        """Return a new unpredictable text."""

    @abstractmethod
    def successor(self, text: str, session_id: int, number: int) -> str:
        """Return the text that follows `text` as the session's token of this number: the same for the same three."""

    @abstractmethod
    def digest(self, text: str) -> bytes:
        """Return what is stored in the text's place."""


class TokenStandings(ABC):
    """Finds what has become of a token since it was signed. Hot: called on every request with a token."""

    @abstractmethod
    async def find(self, user_id: int, session_id: int | None, token_id: str) -> TokenStanding | None:
        """Return the standing, None when there is no such user. The answer may be half a second old."""

    @abstractmethod
    async def refused(self, token_id: str) -> bool:
        """Tell whether the access token of this `jti` was taken back. The answer may be half a second old."""


class RememberedStandings(ABC):
    """What a process remembers of standings it has looked up."""

    @abstractmethod
    def outdate(self, user_id: int) -> None:
        """Look everything of the user up anew; a look-up under way is not remembered."""
