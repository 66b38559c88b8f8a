"""Where people, their sessions and their passwords are kept and checked."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import datetime

from opora.core.access.model.people import PasswordCheck, RefreshToken, Session, SessionView, User, UserFilter, UserView
from opora.core.kernel.model import Page, PageRequest


class UserRepository(ABC):
    """People inside a transaction."""

    @abstractmethod
    async def next_id(self) -> int:
        """Return an id that no user has and no other call returns."""

    @abstractmethod
    async def get(self, user_id: int) -> User | None:
        """Return the user, or None."""

    @abstractmethod
    async def with_email(self, email: str) -> User | None:
        """Return the user with this folded address, or None."""

    @abstractmethod
    async def add(self, user: User) -> None:
        """Keep a new user; raise EmailTaken when the address has one, also under race."""

    @abstractmethod
    async def save(self, user: User) -> None:
        """Replace the previous version, roles included; raise Stale when it is no longer the stored one."""

    @abstractmethod
    async def replace_hash(self, user_id: int, old: str, new: str) -> bool:
        """Put a new password hash in place of the old one; tell False, changing nothing, when another is stored."""

    @abstractmethod
    async def admins_besides(self, user_id: int) -> int:
        """Count the active admins but this one; nobody else who asks is answered until the transaction ends."""


class SessionRepository(ABC):
    """Sessions and their refresh tokens inside a transaction."""

    @abstractmethod
    async def next_id(self) -> int:
        """Return an id that no session has and no other call returns."""

    @abstractmethod
    async def add(self, session: Session) -> None:
        """Keep a new session."""

    @abstractmethod
    async def get(self, session_id: int) -> Session | None:
        """Return the session, or None."""

    @abstractmethod
    async def end(self, session_id: int, at: datetime) -> bool:
        """End the session; tell False when it had ended or never was."""

    @abstractmethod
    async def end_all(self, user_id: int, at: datetime) -> int:
        """End every open session of the user; return how many."""

    @abstractmethod
    async def end_others(self, user_id: int, kept_id: int | None, at: datetime) -> Sequence[int]:
        """End every open session of the user but one; return which were ended."""

    @abstractmethod
    async def erase_all(self, user_id: int) -> int:
        """Remove every session of the user with what it says of them; its tokens are refused. Return how many."""

    @abstractmethod
    async def narrow(self, session_id: int, scopes: frozenset[str]) -> None:
        """Have the session's tokens grant no more than these scopes from now on."""

    @abstractmethod
    async def add_token(self, token: RefreshToken) -> None:
        """Keep a new refresh token of a session."""

    @abstractmethod
    async def spend(self, digest: bytes, at: datetime) -> RefreshToken | None:
        """Mark the token used and return it; None when it is unknown or was used. Of many at once one wins."""

    @abstractmethod
    async def token(self, digest: bytes) -> RefreshToken | None:
        """Return the token, used or not, or None."""

    @abstractmethod
    async def refuse_token_id(self, token_id: str, until: datetime) -> None:
        """Refuse the access token of this `jti`; needed until its expiry only. Twice is as good as once."""


class SessionViews(ABC):
    """Sessions as their user sees them."""

    @abstractmethod
    async def page(self, user_id: int, now: datetime, page: PageRequest) -> Page[SessionView]:
        """Return the user's sessions that stand at `now`, newest first."""


class UserViews(ABC):
    """People as others see them."""

    @abstractmethod
    async def one(self, user_id: int) -> UserView:
        """Return the user; raise NoSuchUser when there is none."""

    @abstractmethod
    async def page(self, wanted: UserFilter, page: PageRequest) -> Page[UserView]:
        """Return the users that pass the filter, newest first."""


class PasswordHasher(ABC):
    """Hashes passwords slowly, away from the event loop and so many at once as the machine bears."""

    @abstractmethod
    async def hash(self, password: str) -> str:
        """Return a salted hash with its parameters; raise HashingBusy when too many wait."""

    @abstractmethod
    async def check(self, password: str, stored: str | None) -> PasswordCheck:
        """Tell whether the password fits; raise HashingBusy when too many wait.

        With no stored hash the work is done all the same and the answer is no, so that the time tells nothing.
        """
