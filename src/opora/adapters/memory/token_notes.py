"""Notes of access tokens: none where there is no Redis, and nobody kept waiting where it is away."""

import time
from collections.abc import Awaitable, Callable, Sequence

from opora.adapters.memory.rate_guard import Breaker
from opora.core.access.model.notes import TokenNote
from opora.core.access.ports.identities import TokenNotes
from opora.core.kernel.errors import Unavailable


class NoTokenNotes(TokenNotes):
    """Keeps nothing: where no other service could read it."""

    async def keep(self, note: TokenNote) -> None:
        """Keep nothing."""

    async def of(self, user_id: int) -> Sequence[TokenNote]:
        del user_id
        return []

    async def renew(self, note: TokenNote) -> None:
        """Renew nothing."""

    async def drop(self, user_id: int, token_id: str) -> None:
        """Drop nothing."""


class GuardedTokenNotes(TokenNotes):
    """After three silences in a row the store is asked once a second; meanwhile it is Unavailable at once."""

    def __init__(self, store: TokenNotes, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._breaker = Breaker(clock_s)

    async def keep(self, note: TokenNote) -> None:
        await self._asked(lambda: self._store.keep(note))

    async def of(self, user_id: int) -> Sequence[TokenNote]:
        return await self._asked(lambda: self._store.of(user_id))

    async def renew(self, note: TokenNote) -> None:
        await self._asked(lambda: self._store.renew(note))

    async def drop(self, user_id: int, token_id: str) -> None:
        await self._asked(lambda: self._store.drop(user_id, token_id))

    async def _asked[T](self, question: Callable[[], Awaitable[T]]) -> T:
        if not self._breaker.may_ask():
            raise Unavailable("the notes of tokens cannot be written just now")
        try:
            answer = await question()
        except Unavailable:
            self._breaker.failed()
            raise
        self._breaker.succeeded()
        return answer
