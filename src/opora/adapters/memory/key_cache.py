"""Keys that a process has looked up a moment ago."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from time import monotonic

from opora.core.access.model.keys import ApiKey, ImportedKey, KeyDigest, KeyRecord
from opora.core.access.ports.keys import KeyLookup, RememberedKeys

TTL_S = 0.5
ENTRIES_MAX = 10_000
CHANGE_TTL_S = 5.0
"""Longer than any look-up takes that began before the change and ends after it."""


type Ask = Callable[[], Awaitable[KeyRecord | None]]
type Entry = tuple[KeyRecord | None, float, int]
"""What was found, until when it counts, and the number under which the look-up was begun."""


class CachedKeyLookup(KeyLookup, RememberedKeys):
    """Answers from memory for half a second, also that there is no such key; calls at once share one look-up.

    A change made in this process is laid over every answer whose version is older, so that neither what is remembered
    nor a look-up that is still under way can bring the older state back.
    """

    def __init__(self, inner: KeyLookup, clock_s: Callable[[], float] = monotonic) -> None:
        self._inner = inner
        self._clock_s = clock_s
        self._entries: dict[bytes, Entry] = {}
        self._asking: dict[bytes, asyncio.Task[Entry]] = {}
        self._changes: dict[int, tuple[ApiKey, float]] = {}
        self._outdated: dict[int, int] = {}
        # Numbers look-ups and what outdates them, since two of them may share an instant of the clock.
        self._count = 0

    async def find(self, digests: Sequence[KeyDigest]) -> KeyRecord | None:
        return await self._remembered(digests[0].value, lambda: self._inner.find(digests))

    async def by_id(self, key_id: int) -> KeyRecord | None:
        return await self._remembered(b"id:%d" % key_id, lambda: self._inner.by_id(key_id))

    async def _remembered(self, name: bytes, ask: Ask) -> KeyRecord | None:
        entry = self._entries.get(name)
        if entry is None or entry[1] <= self._clock_s():
            entry = await self._shared(name, ask)
        while self._is_outdated(entry):
            entry = await self._shared(name, ask)
        return self._newest(entry[0])

    def _is_outdated(self, entry: Entry) -> bool:
        record, _, begun = entry
        return record is not None and begun <= self._outdated.get(record.key.id, 0)

    async def _shared(self, name: bytes, ask: Ask) -> Entry:
        """Join the look-up of this key that is under way, or begin it; who leaves does not end it for the others."""
        task = self._asking.get(name)
        if task is None:
            task = self._asking[name] = asyncio.create_task(self._look(name, ask))
        return await asyncio.shield(task)

    async def _look(self, name: bytes, ask: Ask) -> Entry:
        self._count += 1
        begun = self._count
        try:
            entry = (await ask(), self._clock_s() + TTL_S, begun)
        finally:
            del self._asking[name]
        keep(self._entries, name, entry)
        return entry

    async def imported(self, lookup_prefix: str) -> Sequence[ImportedKey]:
        return await self._inner.imported(lookup_prefix)

    def replace(self, key: ApiKey) -> None:
        keep(self._changes, key.id, (key, self._clock_s() + CHANGE_TTL_S))

    def outdate(self, key_id: int) -> None:
        self._count += 1
        keep(self._outdated, key_id, self._count)

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
