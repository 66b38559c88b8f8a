"""Tells connected readers what is new in their lists, each entry once and in order.

The rows are the truth: an announcement says only where to look, and where it is lost a look twice a second finds the
news, in whichever process the reader is.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import monotonic

import structlog

from opora.api import rate_headers
from opora.core.kernel.errors import LimitExceeded
from opora.core.notifications.model.inbox import Entry
from opora.core.notifications.ports.channels import Live
from opora.core.notifications.ports.people import InboxViews, Recipients

LOOK_S = 0.5
GATHER_S = 0.005
"""How long announcements are gathered before a look, so that many at once cost one."""
STANDING_S = 2.0
"""How often it is asked whether readers may still read."""
ENTRIES_AT_ONCE = 1000
WAITING_MAX = 100
"""Entries that may wait for a reader."""
SLOW_S = 10.0
"""How long a reader may leave its room full before it is dropped."""
READERS_MAX = 5000
"""Readers of one process."""
READERS_OF_ONE_MAX = 600
"""Readers of one person in one process."""

LOG = structlog.get_logger("opora.live")


class TooManyReaders(LimitExceeded):
    """As many streams are open as there may be; close one first."""

    code = "too_many_streams"


def too_many(limit: int) -> TooManyReaders:
    """Return the refusal of one stream more than `limit`: when one ends nobody knows, so a soon look is advised."""
    told = rate_headers.reset_at(datetime.now(UTC), STANDING_S)
    return TooManyReaders(limit=limit, remaining=0, reset_at=told, retry_after_s=STANDING_S)


@dataclass(frozen=True, slots=True)
class Told:
    """An entry as it goes over the wire; encoded once for all its readers."""

    number: int
    text: str


@dataclass(slots=True, eq=False)
class Reader:
    """One open stream: what waits for it, and why it must end once it must.

    `number` is the last entry it was given; `more` is called when there is room again after there was none.
    """

    user_id: int
    since: datetime
    number: int
    more: Callable[[Collection[int]], None]
    end: str = ""
    _waiting: list[Told] = field(default_factory=list)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _full_since_s: float | None = None

    def give(self, told: Told) -> None:
        """Put an entry where the reader takes it. What finds no room is given later, or the reader is dropped."""
        if self.end or told.number <= self.number:
            return
        if len(self._waiting) >= WAITING_MAX:
            now_s = monotonic()
            self._full_since_s = self._full_since_s or now_s
            if now_s - self._full_since_s > SLOW_S:
                self.stop("slow")
            return
        self.number = told.number
        self._waiting.append(told)
        self._wake.set()

    def stop(self, why: str) -> None:
        """End the stream: `slow`, `lapsed` or `closing`."""
        self.end = self.end or why
        self._wake.set()

    async def take(self, wait_s: float) -> list[Told]:
        """Return what is new, waiting for it so long; nothing where nothing came or the stream has ended."""
        if not self._waiting and not self.end:
            try:
                async with asyncio.timeout(wait_s):
                    await self._wake.wait()
            except TimeoutError:
                return []
        self._wake.clear()
        taken, self._waiting = self._waiting, []
        if self._full_since_s is not None:
            self._full_since_s = None
            self.more([self.user_id])
        return taken


class LiveHub:
    """Every reader of this process; it works while there is one."""

    def __init__(self, views: InboxViews, recipients: Recipients, news: Live, encode: Callable[[Entry], str]) -> None:
        self._views = views
        self._recipients = recipients
        self._news = news
        self._encode = encode
        self._readers: dict[int, set[Reader]] = {}
        self._count = 0
        self._dirty: set[int] = set()
        self._wake = asyncio.Event()
        self._running: asyncio.Task[None] | None = None
        self._is_listening = False

    async def open(self, user_id: int, since: datetime, after: int | None) -> Reader:
        """Let a reader in, who was last known to be signed in at `since` and has read up to `after`.

        Without `after`, or with one past the end, it begins with what comes next.
        """
        mine = self._readers.get(user_id, set())
        if self._count >= READERS_MAX or len(mine) >= READERS_OF_ONE_MAX:
            raise too_many(READERS_MAX if self._count >= READERS_MAX else READERS_OF_ONE_MAX)
        head = (await self._views.heads([user_id]))[user_id]
        reader = Reader(user_id, since, head if after is None else min(after, head), self.hear)
        self._readers.setdefault(user_id, set()).add(reader)
        self._count += 1
        if not self._is_listening:
            self._is_listening = True
            self._news.listen(self.hear)
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._run(), name="telling readers")
        if reader.number < head:
            self.hear([user_id])
        return reader

    def close(self, reader: Reader) -> None:
        """Let a reader go."""
        mine = self._readers.get(reader.user_id, set())
        if reader in mine:
            mine.remove(reader)
            self._count -= 1
        if not mine:
            self._readers.pop(reader.user_id, None)
        if not self._readers and self._running is not None:
            self._running.cancel()
            self._running = None

    def hear(self, user_ids: Collection[int]) -> None:
        """Look soon at the lists of these users, those of them who read."""
        met = self._readers.keys() & set(user_ids)
        if met:
            self._dirty |= met
            self._wake.set()

    async def _run(self) -> None:
        judged_s = looked_s = monotonic()
        while True:
            try:
                async with asyncio.timeout(LOOK_S):
                    await self._wake.wait()
                await asyncio.sleep(GATHER_S)
            except TimeoutError:
                pass
            try:
                now_s = monotonic()
                if now_s - looked_s >= LOOK_S:
                    looked_s = now_s
                    await self._look()
                await self._tell()
                if now_s - judged_s >= STANDING_S:
                    judged_s = now_s
                    await self._judge()
            except Exception as error:  # a store that is away: readers wait, and hear all when it is back
                LOG.warning("telling readers failed", error=type(error).__name__)
                await asyncio.sleep(LOOK_S)

    async def _look(self) -> None:
        """Find lists that grew and were not announced."""
        known = {user_id: self._lowest(user_id) for user_id in self._readers}
        heads = await self._views.heads(known.keys()) if known else {}
        self._dirty |= {user_id for user_id, head in heads.items() if head > known.get(user_id, head)}

    def _lowest(self, user_id: int) -> int:
        return min((one.number for one in self._readers.get(user_id, ()) if not one.end), default=2**62)

    async def _tell(self) -> None:
        self._wake.clear()
        dirty, self._dirty = self._dirty, set()
        numbers: Mapping[int, int] = {one: self._lowest(one) for one in dirty if one in self._readers}
        if not numbers:
            return
        entries = await self._views.after(numbers, ENTRIES_AT_ONCE)
        for entry in entries:
            told = Told(entry.number, self._encode(entry))
            for reader in tuple(self._readers.get(entry.user_id, ())):
                reader.give(told)
        if len(entries) == ENTRIES_AT_ONCE:
            self._dirty |= numbers.keys()
            self._wake.set()

    async def _judge(self) -> None:
        """End the streams of those who were blocked or signed out meanwhile."""
        since = {user_id: min(one.since for one in readers) for user_id, readers in self._readers.items()}
        for user_id in await self._recipients.lapsed(since) if since else ():
            for reader in tuple(self._readers.get(user_id, ())):
                reader.stop("lapsed")
