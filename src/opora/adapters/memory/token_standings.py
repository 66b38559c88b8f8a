"""What a process has looked up a moment ago of tokens and their owners."""

from collections.abc import Callable
from time import monotonic

from opora.adapters.memory.key_cache import keep
from opora.core.access.model.tokens import TokenStanding
from opora.core.access.ports.tokens import RememberedStandings, TokenStandings

TTL_S = 0.5


class CachedStandings(TokenStandings, RememberedStandings):
    """Answers from memory for half a second; what was read before a change in this process is not used after it."""

    def __init__(self, inner: TokenStandings, clock_s: Callable[[], float] = monotonic) -> None:
        self._inner = inner
        self._clock_s = clock_s
        self._entries: dict[tuple[int, int | None, str], tuple[TokenStanding | None, int, float]] = {}
        self._changes: dict[int, int] = {}
        # Numbers every change and every look-up begun, since two of them may share an instant of the clock.
        self._count = 0

    async def find(self, user_id: int, session_id: int | None, token_id: str) -> TokenStanding | None:
        name = (user_id, session_id, token_id)
        entry = self._entries.get(name)
        if entry is not None and entry[2] > self._clock_s() and entry[1] > self._changes.get(user_id, 0):
            return entry[0]
        self._count += 1
        begun = self._count
        found = await self._inner.find(user_id, session_id, token_id)
        keep(self._entries, name, (found, begun, self._clock_s() + TTL_S))
        return found

    async def refused(self, token_id: str) -> bool:
        return await self._inner.refused(token_id)

    def outdate(self, user_id: int) -> None:
        self._count += 1
        keep(self._changes, user_id, self._count)
