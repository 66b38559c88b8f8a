"""The contract of a store of the waitlist and of private calendars."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Any

import pytest

from opora.core.bookings.errors import AlreadyWaiting
from opora.core.bookings.model.calendars import Feed
from opora.core.bookings.model.waiting import Entry, Freed, WaitStatus
from opora.core.bookings.ports.calendars import FeedTx, FeedViews
from opora.core.bookings.ports.waiting import WaitlistViews
from opora.core.kernel.errors import Stale
from opora.core.kernel.model import PageRequest
from opora.testing.bookings import HOUR, NOON, START, Unit
from opora.testing.offerings import an_offering


def an_entry(**changes: Any) -> Entry:
    """Return user 3 waiting for service 1 with anybody, from noon on for two hours."""
    plain: dict[str, Any] = {
        "id": 1,
        "client_id": 3,
        "service_id": 1,
        "starts_from": NOON,
        "starts_before": NOON + 2 * HOUR,
        "created_at": NOON,
    }
    return Entry(**(plain | changes))


class WaitlistRepositoryContract:
    """What every store of the waitlist holds: give it `unit`, and `views` on the same store."""

    unit: Unit
    views: WaitlistViews

    async def kept(self, *entries: Entry) -> None:
        """Keep entries for a service that users 10 and 11 give."""
        async with self.unit() as tx:
            await tx.offerings.add(an_offering())
            for entry in entries:
                await tx.waitlist.add(entry)

    async def test_gives_back_what_was_added_and_what_was_saved(self) -> None:
        await self.kept(an_entry(), an_entry(id=2, client_id=4, staff_id=10))
        async with self.unit() as tx:
            assert await tx.waitlist.next_id() != await tx.waitlist.next_id()
            assert await tx.waitlist.get(1) == an_entry()
            assert await tx.waitlist.get(9) is None
            await tx.waitlist.save(an_entry().offer(77))
            assert await tx.waitlist.of_hold(77) == an_entry().offer(77)
            assert await tx.waitlist.of_hold(78) is None
            with pytest.raises(Stale):
                await tx.waitlist.save(an_entry().withdraw())
        assert await self.views.one(1, 3) == an_entry().offer(77)
        assert await self.views.one(1, None) is not None
        assert await self.views.one(1, 4) is None

    async def test_nobody_waits_twice_for_the_same(self) -> None:
        await self.kept(an_entry())
        with pytest.raises(AlreadyWaiting):
            async with self.unit() as tx:
                await tx.waitlist.add(an_entry(id=2))
        async with self.unit() as tx:
            await tx.waitlist.save(an_entry().withdraw())
            await tx.waitlist.add(an_entry(id=2))
            assert await tx.waitlist.open_entries(3) == 1
            assert await tx.waitlist.open_entries(4) == 0

    async def test_those_come_next_whom_the_freed_time_may_serve_in_the_order_of_coming(self) -> None:
        await self.kept(
            an_entry(id=5),
            an_entry(id=2, client_id=4, staff_id=10),
            an_entry(id=3, client_id=5, staff_id=11),
            an_entry(id=4, client_id=6, service_id=9),
            an_entry(id=6, client_id=7, starts_from=NOON + 9 * HOUR, starts_before=NOON + 10 * HOUR),
            an_entry(id=7, client_id=8, status=WaitStatus.WITHDRAWN),
        )
        freed = Freed(10, START, START + 60)
        async with self.unit() as tx:
            assert [one.id for one in await tx.waitlist.next_for(freed, NOON, 9)] == [2, 5]
            assert [one.id for one in await tx.waitlist.next_for(freed, NOON, 1)] == [2]
            assert await tx.waitlist.next_for(freed, NOON + 2 * HOUR, 9) == []
            assert await tx.waitlist.next_for(replace(freed, staff_id=12), NOON, 9) == []

    async def test_a_list_is_ones_own_or_everyones(self) -> None:
        await self.kept(an_entry(), an_entry(id=2, client_id=4))
        assert [one.id for one in (await self.views.page(3, PageRequest())).items] == [1]
        page = await self.views.page(None, PageRequest(1))
        assert ([one.id for one in page.items], page.count, page.more) == ([2], 2, True)


class FeedRepositoryContract:
    """What every store of private calendars holds: give it `unit`, `views` and `user_id`, a user that is there."""

    unit: Callable[[], AbstractAsyncContextManager[FeedTx]]
    views: FeedViews
    user_id: int

    async def test_a_token_leads_to_its_owner_until_it_is_revoked(self) -> None:
        feed = Feed(id=1, user_id=self.user_id, digest=b"1" * 32, created_at=NOON)
        async with self.unit() as tx:
            assert await tx.feeds.next_id() != await tx.feeds.next_id()
            await tx.feeds.add(feed)
            await tx.feeds.add(replace(feed, id=2, digest=b"2" * 32))
            assert await tx.feeds.count(self.user_id) == 2
        assert await self.views.of_person(self.user_id) == [feed, replace(feed, id=2, digest=b"2" * 32)]
        assert await self.views.owner(b"1" * 32) == self.user_id
        assert await self.views.owner(b"3" * 32) is None
        async with self.unit() as tx:
            assert not await tx.feeds.revoke(1, self.user_id + 1, NOON)
            assert await tx.feeds.revoke(1, self.user_id, NOON)
            assert not await tx.feeds.revoke(1, self.user_id, NOON)
            assert await tx.feeds.count(self.user_id) == 1
        assert await self.views.owner(b"1" * 32) is None
        assert [one.id for one in await self.views.of_person(self.user_id)] == [2]

    async def test_a_feed_of_nobody_has_no_owner(self) -> None:
        async with self.unit() as tx:
            await tx.feeds.add(Feed(id=1, user_id=10**6, digest=b"1" * 32, created_at=NOON))
        assert await self.views.owner(b"1" * 32) is None
