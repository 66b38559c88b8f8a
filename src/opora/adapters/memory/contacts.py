"""What a process has looked up a moment ago of people whom other services are told of."""

from collections.abc import Callable
from time import monotonic

from opora.adapters.memory.key_cache import keep
from opora.core.access.model.identities import Contact
from opora.core.access.ports.identities import Contacts

TTL_S = 0.5


class CachedContacts(Contacts):
    """Answers from memory for half a second."""

    def __init__(self, inner: Contacts, clock_s: Callable[[], float] = monotonic) -> None:
        self._inner = inner
        self._clock_s = clock_s
        self._entries: dict[int, tuple[Contact | None, float]] = {}

    async def find(self, user_id: int) -> Contact | None:
        entry = self._entries.get(user_id)
        if entry is None or entry[1] <= self._clock_s():
            entry = (await self._inner.find(user_id), self._clock_s() + TTL_S)
            keep(self._entries, user_id, entry)
        return entry[0]
