"""Keys that a process has looked up a moment ago."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from time import monotonic

from opora.core.access.model.keys import ApiKey, ImportedKey, KeyDigest, KeyRecord
from opora.core.access.ports.keys import KeyLookup, RememberedKeys

TTL_S = 0.5
ENTRIES_MAX = 10_000
CHANGE_TTL_S = 5.0
"""Longer than any look-up takes that began before the change and ends after it."""


class CachedKeyLookup(KeyLookup, RememberedKeys):
    """Answers from memory for half a second, also that there is no such key.

    A change made in this process is laid over every answer whose version is older, so that neither what is remembered
    nor a look-up that is still under way can bring the older state back.
    """

    def __init__(self, inner: KeyLookup, clock_s: Callable[[], float] = monotonic) -> None:
        self._inner = inner
        self._clock_s = clock_s
        self._entries: dict[bytes, tuple[KeyRecord | None, float]] = {}
        self._changes: dict[int, tuple[ApiKey, float]] = {}

    async def find(self, digests: Sequence[KeyDigest]) -> KeyRecord | None:
        name = digests[0].value
        entry = self._entries.get(name)
        if entry is None or entry[1] <= self._clock_s():
            found = await self._inner.find(digests)
            now_s = self._clock_s()
            entry = self._entries.get(name)
            if entry is None or entry[1] <= now_s:
                entry = (found, now_s + TTL_S)
                keep(self._entries, name, entry)
        return self._newest(entry[0])

    async def imported(self, lookup_prefix: str) -> Sequence[ImportedKey]:
        return await self._inner.imported(lookup_prefix)

    def replace(self, key: ApiKey) -> None:
        keep(self._changes, key.id, (key, self._clock_s() + CHANGE_TTL_S))

    def _newest(self, record: KeyRecord | None) -> KeyRecord | None:
        change = self._changes.get(record.key.id) if record and self._changes else None
        if record is None or change is None:
            return record
        key, until_s = change
        if until_s <= self._clock_s():
            del self._changes[key.id]
            return record
        return replace(record, key=key) if record.key.version < key.version else record


def keep[K, V](entries: dict[K, V], name: K, value: V, entries_max: int = ENTRIES_MAX) -> None:
    """Put an entry last, and drop the first when there are too many."""
    entries.pop(name, None)
    if len(entries) >= entries_max:
        del entries[next(iter(entries))]
    entries[name] = value
