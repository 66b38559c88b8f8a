"""Where calls are counted against their limits, and where it is kept how often that happened."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import datetime

from opora.core.access.model.rates import Admission, Decision, RateFigures


class RateGate(ABC):
    """The one question every call is asked: is the caller still who it was, and has it calls left?

    Exact over every process that shares the store: under any race no more than the quota is admitted.
    """

    @abstractmethod
    async def admit(self, admission: Admission) -> Decision:
        """Charge all policies or, when any refuses, none; revoked subjects are never charged.

        Raises Unavailable when the store does not answer and nothing else may decide.
        """

    @abstractmethod
    async def peek(self, admission: Admission) -> Decision:
        """Say what `admit` would, and charge nothing."""

    @abstractmethod
    async def deny(self, name: str, ttl_s: int) -> None:
        """Refuse a name (`key:7`, `user:3/jti:…`) from the next call on, on every process, for `ttl_s` seconds.

        Raises Unavailable when the store does not answer: then only this process knows.
        """

    @abstractmethod
    async def lift(self, name: str) -> None:
        """Take a denial back; a name that is not denied is left alone."""

    @abstractmethod
    async def end_before(self, subject: str, epoch: datetime, ttl_s: int) -> None:
        """Revoke every token of the subject that was issued before `epoch`, for `ttl_s` seconds; never moves back."""


class RateStats(ABC):
    """How often calls were let in and refused, over every process that shares the store."""

    @abstractmethod
    def count(self, subject: str, allowed: bool) -> None:
        """Note one call in memory: nothing is awaited, nothing is written."""

    @abstractmethod
    async def flush(self) -> None:
        """Hand over what was noted; what a store does not take is kept for the next time."""

    @abstractmethod
    async def figures(self, top: int = 10) -> Sequence[RateFigures]:
        """Return the last minute, hour and day, newest calls of this process included."""
