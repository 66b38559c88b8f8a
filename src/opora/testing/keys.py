"""The contract of a store of API keys: subclass it and give it what it asks for."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Any

import pytest

from opora.core.access.errors import KeyTaken, NoSuchKey
from opora.core.access.model.keys import (
    ApiKey,
    ImportedKey,
    KeyDigest,
    KeyFilter,
    KeyOwner,
    KeyReach,
    KeyRecord,
    KeyState,
)
from opora.core.access.model.scopes import Role
from opora.core.access.ports.keys import KeyLookup, KeyUsageStore, KeyViews
from opora.core.access.ports.transaction import AccessTx
from opora.core.kernel.errors import Stale
from opora.core.kernel.model import PageRequest
from opora.testing.access import HOUR, NOON, a_digest, a_key, a_user


class KeyRepositoryContract:
    """What every store of API keys holds: give it `unit`, and `lookup`, `usage` and `views` on the same store."""

    unit: Callable[[], AbstractAsyncContextManager[AccessTx]]
    lookup: KeyLookup
    usage: KeyUsageStore
    views: KeyViews

    async def kept(self, key: ApiKey, digest: KeyDigest | None = None, lookup_prefix: str | None = None) -> ApiKey:
        """Keep a key in a transaction of its own."""
        async with self.unit() as tx:
            await tx.keys.add(key, digest or a_digest(key.id), lookup_prefix)
        return key

    async def stored(self, key_id: int) -> ApiKey | None:
        """Read a key in a transaction of its own."""
        async with self.unit() as tx:
            return await tx.keys.get(key_id)

    async def test_gives_back_what_was_added(self) -> None:
        plain = await self.kept(a_key())
        full = a_key(
            id=8,
            label="Ключ «QA»",
            allowed_ips=("10.0.0.0/8",),
            rate_limit_per_min=600,
            rotated_from=7,
            rotated_at=NOON,
            sunset_at=NOON + HOUR,
            expires_at=NOON + HOUR + timedelta(microseconds=7),
            last_used_at=NOON,
            state=KeyState.DISABLED,
        )
        await self.kept(full)
        assert await self.stored(7) == plain
        assert await self.stored(8) == full
        assert await self.stored(9) is None

    async def test_forgets_what_a_failed_block_added(self) -> None:
        with pytest.raises(ZeroDivisionError):
            async with self.unit() as tx:
                await tx.keys.add(a_key(), a_digest())
                _ = 1 / 0
        assert await self.stored(7) is None
        assert await self.lookup.find([a_digest()]) is None

    async def test_refuses_to_save_over_a_newer_version(self) -> None:
        key = await self.kept(a_key())
        async with self.unit() as tx:
            await tx.keys.save(key.move(KeyState.REVOKED))
        with pytest.raises(Stale):
            async with self.unit() as tx:
                await tx.keys.save(key.move(KeyState.DISABLED))
        assert await self.stored(7) == key.move(KeyState.REVOKED)

    async def test_takes_one_of_many_keys_of_one_digest_that_come_at_once(self) -> None:
        async def take(number: int) -> bool:
            try:
                await self.kept(a_key(id=number), a_digest(1))
            except KeyTaken:
                return False
            return True

        assert sum(await asyncio.gather(*(take(number) for number in range(1, 9)))) == 1

    async def test_hands_out_every_id_once(self) -> None:
        async def take() -> int:
            async with self.unit() as tx:
                return await tx.keys.next_id()

        assert len(set(await asyncio.gather(*(take() for _ in range(8))))) == 8

    async def test_finds_a_key_by_any_of_its_digests_with_its_owner_of_now(self) -> None:
        async with self.unit() as tx:
            await tx.users.add(a_user())
        key = await self.kept(a_key(owner_id=3))
        await self.kept(a_key(id=8))
        owned = KeyRecord(key, "hmac-sha256:p1", KeyOwner(3, frozenset({Role.CLIENT}), is_active=True, version=1))
        assert await self.lookup.find([a_digest(99), a_digest(7)]) == owned
        assert await self.lookup.find([a_digest(8)]) == KeyRecord(a_key(id=8), "hmac-sha256:p1")
        async with self.unit() as tx:
            await tx.users.save(a_user(roles=frozenset({Role.ADMIN, Role.STAFF}), is_active=False, version=2))
        after = await self.lookup.find([a_digest(7)])
        assert after is not None
        assert after.owner == KeyOwner(3, frozenset({Role.ADMIN, Role.STAFF}), is_active=False, version=2)

    async def test_an_imported_key_is_found_by_its_start_until_its_digest_is_replaced(self) -> None:
        slow = KeyDigest("bcrypt", b"$2b$hash")
        key = await self.kept(a_key(), slow, "sk_live_4eC3")
        assert list(await self.lookup.imported("sk_live_4eC3")) == [ImportedKey(KeyRecord(key, "bcrypt"), slow)]
        assert list(await self.lookup.imported("sk_live_0000")) == []
        async with self.unit() as tx:
            assert await tx.keys.replace_digest(7, slow, a_digest())
            assert not await tx.keys.replace_digest(7, slow, a_digest(8))
        assert list(await self.lookup.imported("sk_live_4eC3")) == []
        assert await self.lookup.find([a_digest()]) == KeyRecord(key, "hmac-sha256:p1")

    async def test_last_use_moves_forward_only_and_leaves_the_version_alone(self) -> None:
        await self.kept(a_key())
        await self.kept(a_key(id=8, last_used_at=NOON))
        await self.usage.record({7: NOON, 8: NOON - HOUR, 999: NOON})
        assert await self.stored(7) == a_key(last_used_at=NOON)
        assert await self.stored(8) == a_key(id=8, last_used_at=NOON)
        await self.usage.record({7: NOON + HOUR})
        async with self.unit() as tx:
            await tx.keys.save(a_key(label="renamed", version=2))
        assert await self.stored(7) == a_key(label="renamed", version=2, last_used_at=NOON + HOUR)

    async def test_uses_written_from_two_sides_at_once_do_not_deadlock(self) -> None:
        numbers = range(1, 40)
        for number in numbers:
            await self.kept(a_key(id=number))
        forward = dict.fromkeys(numbers, NOON)
        await asyncio.gather(*(self.usage.record(dict(sorted(forward.items(), reverse=bool(i % 2)))) for i in range(8)))
        assert (await self.stored(39)) == a_key(id=39, last_used_at=NOON)

    async def test_lists_what_is_within_reach_newest_first_in_stable_pages(self) -> None:
        async with self.unit() as tx:
            await tx.users.add(a_user())
        await self.kept(a_key(id=1, owner_id=3, label="Касса 100%"))
        await self.kept(a_key(id=2, state=KeyState.REVOKED, label="касса"))
        await self.kept(a_key(id=3, created_by="user:3"))
        everything = KeyReach(everything=True, owner_id=None, maker="user:9")
        own = KeyReach(everything=False, owner_id=3, maker="user:3")
        assert await self.listed(everything) == [3, 2, 1]
        assert await self.listed(own) == [3, 1]
        assert await self.listed(KeyReach(everything=False, owner_id=None, maker="user:9")) == []
        assert await self.listed(everything, state=KeyState.REVOKED) == [2]
        assert await self.listed(everything, text="КАССА") == [2, 1]
        assert await self.listed(everything, text="0%") == [1]
        assert await self.listed(everything, text="_") == []
        assert await self.listed(everything, owner_id=3) == [1]
        page = await self.views.page(everything, KeyFilter(), PageRequest(limit=2, number=2), NOON)
        assert ([view.id for view in page.items], page.count, page.more) == ([1], 3, False)

    async def listed(self, reach: KeyReach, **wanted: Any) -> list[int]:
        """Name the keys of the first page; `more` and `count` must agree with it."""
        page = await self.views.page(reach, KeyFilter(**wanted), PageRequest(limit=50), NOON)
        assert (page.count, page.more) == (len(page.items), False)
        return [view.id for view in page.items]

    async def test_shows_one_key_within_reach_as_it_is_now(self) -> None:
        await self.kept(a_key(expires_at=NOON))
        everything = KeyReach(everything=True, owner_id=None, maker="")
        assert (await self.views.one(everything, 7, NOON)).status == "expired"
        assert (await self.views.one(everything, 7, NOON - HOUR)).status == "active"
        for reach, key_id in ((everything, 8), (KeyReach(everything=False, owner_id=None, maker=""), 7)):
            with pytest.raises(NoSuchKey):
                await self.views.one(reach, key_id, NOON)
