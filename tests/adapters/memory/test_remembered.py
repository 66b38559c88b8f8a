"""What a process remembers for half a second, and how a change overtakes it."""

import asyncio
from dataclasses import replace

import pytest

from opora.adapters.memory.key_cache import CHANGE_TTL_S, CachedKeyLookup, keep
from opora.adapters.memory.key_usage import KeyUsageLog
from opora.adapters.memory.token_standings import CachedStandings
from opora.core.access.model.keys import KeyDigest, KeyOwner, KeyRecord, KeyState
from opora.core.access.model.scopes import Role
from opora.core.access.model.tokens import TokenStanding
from opora.core.access.ports.keys import KeyLookup, KeyUsageStore
from opora.core.access.ports.tokens import TokenStandings
from opora.core.kernel.errors import DatabaseUnavailable
from opora.testing.access import NOON, SECOND, a_key

pytestmark = pytest.mark.anyio

DIGEST = [KeyDigest("hmac-sha256:p1", b"7")]
RECORD = KeyRecord(a_key(), "hmac-sha256:p1")
STANDING = TokenStanding(3, frozenset({Role.CLIENT}), is_active=True, epoch_at=None, revoked=False)


class Hand:
    """A clock that is moved by hand."""

    now_s = 100.0

    def __call__(self):
        return self.now_s


class Store(KeyLookup, TokenStandings):
    """Answers when told to, and counts how often it is asked."""

    def __init__(self, answer):
        self.answer = answer
        self.asked = 0
        self.open = asyncio.Event()
        self.open.set()

    async def find(self, *_):
        self.asked += 1
        answer = self.answer
        await self.open.wait()
        return answer

    by_id = find

    async def refused(self, token_id):
        return token_id == "taken back"

    async def imported(self, lookup_prefix):
        return [lookup_prefix]


async def test_a_key_is_remembered_by_its_id_apart_from_its_digest_and_so_are_changes_of_it():
    store, clock = Store(RECORD), Hand()
    keys = CachedKeyLookup(store, clock)
    assert await keys.by_id(7) == await keys.by_id(7) == await keys.find(DIGEST) == RECORD
    assert store.asked == 2
    newer = replace(RECORD.key, version=2)
    keys.replace(newer)
    assert (await keys.by_id(7)).key == newer


async def test_tokens_taken_back_are_asked_for_every_time():
    standings = CachedStandings(Store(None), Hand())
    assert await standings.refused("taken back") and not await standings.refused("another")


@pytest.mark.parametrize("answer", [RECORD, None])
async def test_an_answer_good_or_bad_is_remembered_for_half_a_second(answer):
    store, clock = Store(answer), Hand()
    keys = CachedKeyLookup(store, clock)
    assert [await keys.find(DIGEST) for _ in range(3)] == [answer] * 3
    assert store.asked == 1
    clock.now_s += 0.5
    assert await keys.find(DIGEST) == answer
    assert store.asked == 2


async def test_a_change_overtakes_what_is_remembered():
    keys = CachedKeyLookup(Store(RECORD), Hand())
    await keys.find(DIGEST)
    revoked = a_key().move(KeyState.REVOKED)
    keys.replace(revoked)
    assert (await keys.find(DIGEST)).key == revoked


async def test_a_lookup_under_way_does_not_bring_the_old_state_back():
    store, clock = Store(RECORD), Hand()
    store.open.clear()
    keys = CachedKeyLookup(store, clock)
    under_way = asyncio.ensure_future(keys.find(DIGEST))
    await asyncio.sleep(0)
    revoked = a_key().move(KeyState.REVOKED)
    keys.replace(revoked)
    store.open.set()
    assert (await under_way).key == revoked
    assert (await keys.find(DIGEST)).key == revoked


async def test_lookups_at_once_are_one_which_outlives_the_caller_who_began_it():
    store = Store(RECORD)
    store.open.clear()
    keys = CachedKeyLookup(store, Hand())
    asking = [asyncio.ensure_future(keys.find(DIGEST)) for _ in range(3)]
    for _ in range(3):
        await asyncio.sleep(0)
    asking[0].cancel()
    store.open.set()
    assert await asyncio.gather(*asking[1:]) == [RECORD, RECORD]
    assert store.asked == 1


async def test_a_change_is_forgotten_once_every_answer_is_newer():
    store, clock = Store(RECORD), Hand()
    keys = CachedKeyLookup(store, clock)
    keys.replace(a_key().move(KeyState.DISABLED))
    store.answer = replace(RECORD, key=a_key(version=3))
    assert (await keys.find(DIGEST)).key.version == 3
    clock.now_s += CHANGE_TTL_S
    assert (await keys.find(DIGEST)).key.version == 3


async def test_imported_keys_are_never_answered_from_memory():
    assert await CachedKeyLookup(Store(None), Hand()).imported("sk_live_4eC3") == ["sk_live_4eC3"]


async def test_what_is_remembered_is_bounded():
    entries = {}
    for name in "abcb":
        keep(entries, name, name.upper(), entries_max=2)
    assert entries == {"c": "C", "b": "B"}


async def test_a_standing_is_remembered_for_half_a_second():
    store, clock = Store(STANDING), Hand()
    standings = CachedStandings(store, clock)
    assert [await standings.find(3, 5, "one") for _ in range(3)] == [STANDING] * 3
    assert store.asked == 1
    clock.now_s += 0.5
    await standings.find(3, 5, "one")
    assert store.asked == 2


async def test_after_a_change_a_standing_is_looked_up_anew_also_when_one_was_under_way():
    store = Store(STANDING)
    standings = CachedStandings(store, Hand())
    await standings.find(3, 5, "one")
    store.open.clear()
    under_way = asyncio.ensure_future(standings.find(3, 5, "two"))
    await asyncio.sleep(0)
    standings.outdate(3)
    store.answer = blocked = replace(STANDING, is_active=False)
    store.open.set()
    assert await under_way == STANDING
    assert await standings.find(3, 5, "one") == blocked
    assert await standings.find(3, 5, "two") == blocked
    asked = store.asked
    await standings.find(3, 5, "two")
    assert store.asked == asked


class Pages(KeyUsageStore):
    """Keeps what is written, unless it is down."""

    def __init__(self):
        self.written = []
        self.down = False

    async def record(self, uses):
        if self.down:
            raise DatabaseUnavailable
        self.written.append(dict(uses))


async def test_a_hundred_thousand_uses_are_one_write():
    pages = Pages()
    log = KeyUsageLog(pages)
    for number in range(100_000):
        log.note(number % 3, NOON + number * SECOND)
    await log.flush()
    await log.flush()
    assert pages.written == [{number: NOON + (99_999 - (99_999 - number) % 3) * SECOND for number in range(3)}]


async def test_uses_that_could_not_be_written_are_kept_and_later_ones_go_before_them():
    pages = Pages()
    pages.down = True
    log = KeyUsageLog(pages)
    log.note(1, NOON)
    log.note(2, NOON)
    with pytest.raises(DatabaseUnavailable):
        await log.flush()
    log.note(2, NOON + SECOND)
    pages.down = False
    await log.flush()
    assert pages.written == [{1: NOON, 2: NOON + SECOND}]


async def test_uses_are_written_every_half_minute_and_once_more_at_the_end():
    pages = Pages()
    log = KeyUsageLog(pages)
    pauses = []

    async def pause(length_s):
        pauses.append(length_s)
        pages.down = len(pauses) == 2
        log.note(len(pauses), NOON)
        if len(pauses) == 3:
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await log.run(pause)
    assert pauses == [30.0] * 3
    assert pages.written == [{1: NOON}, {2: NOON, 3: NOON}]


OWNED = replace(RECORD, owner=KeyOwner(3, frozenset({Role.MANAGER}), is_active=True, version=1))
DEMOTED = replace(RECORD, owner=KeyOwner(3, frozenset({Role.CLIENT}), is_active=True, version=2))


async def test_what_is_outdated_is_looked_up_anew_under_every_name():
    store = Store(OWNED)
    keys = CachedKeyLookup(store, Hand())
    assert await keys.find(DIGEST) == await keys.by_id(7) == OWNED
    store.answer = DEMOTED
    assert await keys.find(DIGEST) == OWNED
    keys.outdate(7)
    assert await keys.find(DIGEST) == await keys.by_id(7) == DEMOTED
    assert store.asked == 4
    assert await keys.find(DIGEST) == DEMOTED and store.asked == 4


async def test_a_lookup_that_was_under_way_when_it_was_outdated_is_made_again():
    store = Store(OWNED)
    store.open.clear()
    keys = CachedKeyLookup(store, Hand())
    under_way = [asyncio.ensure_future(keys.find(DIGEST)) for _ in range(2)]
    while not store.asked:  # noqa: ASYNC110  # nobody tells
        await asyncio.sleep(0)
    store.answer = DEMOTED
    keys.outdate(7)
    store.open.set()
    assert [await one for one in under_way] == [DEMOTED, DEMOTED]
    assert store.asked == 2
