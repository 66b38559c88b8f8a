"""The contracts of the stores that keep people's lists, wishes, places and tickets."""

import asyncio
from dataclasses import replace
from datetime import time, timedelta
from typing import Any
from uuid import UUID, uuid4

from opora.core.access.model.tickets import StreamTicket
from opora.core.access.ports.tickets import TicketTx
from opora.core.kernel.model import PageRequest
from opora.core.kernel.ports import UnitOfWork
from opora.core.notifications.model.deliveries import DigestItem
from opora.core.notifications.model.inbox import Entry, EntryFilter
from opora.core.notifications.model.notices import NoticeState
from opora.core.notifications.model.places import PushSubscription, WebhookEndpoint
from opora.core.notifications.model.preferences import Digest, Preferences, QuietHours
from opora.core.notifications.ports.notices import DeliveryTx
from opora.core.notifications.ports.people import InboxViews
from opora.testing.notices import HOUR, NOON, a_notice

ANNA, BOB = 3, 4


def an_entry(**changes: Any) -> Entry:
    """Return an entry of Anna's list."""
    entry = Entry(
        user_id=ANNA,
        number=0,
        notice_id=uuid4(),
        kind="notifications.trial",
        title="Проверка",
        text="Уведомления доходят",
        data={"sent_at": NOON.isoformat()},
        created_at=NOON,
    )
    return replace(entry, **changes)


class InboxContract:
    """What every store of people's lists promises."""

    unit: UnitOfWork[DeliveryTx]
    views: InboxViews

    async def kept(self, user_id: int = ANNA) -> int:
        """Keep an entry and return its number."""
        async with self.unit() as tx:
            return await tx.inbox.add(an_entry(user_id=user_id))

    async def test_numbers_of_each_person_grow_by_one_also_at_once(self) -> None:
        numbers = await asyncio.gather(*(self.kept(user_id) for user_id in (ANNA, BOB) for _ in range(8)))
        assert sorted(numbers) == sorted([*range(1, 9)] * 2)
        assert await self.views.heads([ANNA, BOB, 99]) == {ANNA: 8, BOB: 8, 99: 0}

    async def test_gives_back_what_was_added(self) -> None:
        entry = an_entry()
        async with self.unit() as tx:
            number = await tx.inbox.add(entry)
        assert await self.views.one(ANNA, number) == replace(entry, number=number)
        assert await self.views.one(BOB, number) is None

    async def test_a_number_of_a_failed_block_is_given_again(self) -> None:
        try:
            async with self.unit() as tx:
                await tx.inbox.add(an_entry())
                raise ZeroDivisionError
        except ZeroDivisionError:
            pass
        assert await self.kept() == 1

    async def test_what_comes_after_a_number_is_found_for_many_at_once(self) -> None:
        for user_id in (ANNA, BOB, ANNA, BOB, ANNA):
            await self.kept(user_id)
        found = await self.views.after({ANNA: 1, BOB: 0, 99: 0}, 10)
        assert [(one.user_id, one.number) for one in found] == [(ANNA, 2), (ANNA, 3), (BOB, 1), (BOB, 2)]
        assert len(await self.views.after({ANNA: 0}, 2)) == 2
        assert await self.views.after({ANNA: 2**62}, 2) == []

    async def test_reading_counts_once(self) -> None:
        first, second = await self.kept(), await self.kept()
        async with self.unit() as tx:
            assert await tx.inbox.read(ANNA, first, NOON)
            assert await tx.inbox.read(ANNA, first, NOON + HOUR)
            assert not await tx.inbox.read(BOB, second, NOON)
        entry = await self.views.one(ANNA, first)
        assert entry is not None and entry.read_at == NOON
        assert await self.views.unread(ANNA) == 1
        page = await self.views.page(EntryFilter(ANNA, unread_only=True), PageRequest())
        assert [one.number for one in page.items] == [second]
        async with self.unit() as tx:
            assert (await tx.inbox.read_all(ANNA, NOON), await tx.inbox.read_all(ANNA, NOON)) == (1, 0)

    async def test_a_list_is_read_from_the_newest(self) -> None:
        for _ in range(3):
            await self.kept()
        page = await self.views.page(EntryFilter(ANNA), PageRequest(limit=2))
        assert ([one.number for one in page.items], page.count, page.more) == ([3, 2], 3, True)


class WishesContract:
    """What every store of wishes and places promises."""

    unit: UnitOfWork[DeliveryTx]

    async def test_wishes_are_replaced_whole(self) -> None:
        wishes = Preferences(
            channels={"notifications.trial": {"email": False}},
            quiet_hours=QuietHours(time(22, 30), time(7)),
            timezone="Europe/Moscow",
            language="en",
            digest=Digest.DAILY,
            phone="+79120000000",
        )
        for one in (wishes, Preferences()):
            async with self.unit() as tx:
                await tx.preferences.put(ANNA, one)
            async with self.unit() as tx:
                assert await tx.preferences.get(ANNA) == one
                assert await tx.preferences.get(BOB) == Preferences()

    async def test_changes_that_look_before_they_write_never_lose_one_another(self) -> None:
        async def end(kind: str) -> None:
            async with self.unit() as tx:
                held = await tx.preferences.hold(ANNA)
                await tx.preferences.put(ANNA, replace(held, channels={**held.channels, kind: {"email": False}}))

        kinds = [f"trial.{number}" for number in range(8)]
        await asyncio.gather(*(end(kind) for kind in kinds))
        async with self.unit() as tx:
            assert set((await tx.preferences.get(ANNA)).channels) == set(kinds)
            assert await tx.preferences.hold(BOB) == await tx.preferences.get(BOB) == Preferences()

    async def fired(self, **changes: Any) -> UUID:
        """Keep a notice that fired."""
        async with self.unit() as tx:
            id = await tx.notices.add(a_notice(user_id=ANNA, **changes))
            notice = await tx.notices.get(id)
            assert notice is not None
            await tx.notices.move(notice, NoticeState.FIRED)
        return id

    async def test_each_item_of_a_digest_is_taken_once_in_order_and_not_when_withdrawn(self) -> None:
        items = []
        for number in range(4):
            id = await self.fired(about=f"a:{number}")
            items.append(DigestItem(notice_id=id, user_id=ANNA, due_at=NOON, title=f"№ {number}", text="x"))
        late = DigestItem(notice_id=await self.fired(), user_id=ANNA, due_at=NOON + HOUR, title="x", text="x")
        async with self.unit() as tx:
            for one in (*items, *items, late):
                await tx.digests.add(one)
            assert await tx.notices.withdraw("a:1") == 1

        async def take() -> list[str]:
            async with self.unit() as tx:
                return [one.title for one in await tx.digests.take(ANNA, NOON, 10)]

        taken = await asyncio.gather(*(take() for _ in range(4)))
        assert [one for one in taken if one] == [["№ 0", "№ 2", "№ 3"]]
        async with self.unit() as tx:
            assert await tx.digests.take(ANNA, NOON + HOUR, 10) == [late]

    async def test_a_browser_is_kept_once(self) -> None:
        async with self.unit() as tx:
            id = await tx.subscriptions.next_id()
            first = PushSubscription(
                id=id, user_id=ANNA, endpoint="https://x", p256dh=bytes(65), auth=bytes(16), created_at=NOON
            )
            assert await tx.subscriptions.put(first) == id
            other = replace(first, id=await tx.subscriptions.next_id(), user_id=BOB, auth=b"\xff" * 16)
            assert await tx.subscriptions.put(other) == id
        async with self.unit() as tx:
            assert await tx.subscriptions.get(id) == replace(other, id=id)
            assert await tx.subscriptions.of(ANNA) == []
            assert not await tx.subscriptions.remove(id, ANNA)
            assert await tx.subscriptions.remove(id)
            assert await tx.subscriptions.get(id) is None

    async def test_an_endpoint_is_kept_with_its_secret(self) -> None:
        async with self.unit() as tx:
            endpoint = WebhookEndpoint(
                id=await tx.endpoints.next_id(),
                user_id=ANNA,
                url="https://x.example/",
                kinds=("notifications.trial",),
                secret="whsec_AAAA",
                is_active=True,
                created_at=NOON,
            )
            await tx.endpoints.add(endpoint)
        off = replace(endpoint, is_active=False, kinds=())
        async with self.unit() as tx:
            assert list(await tx.endpoints.of(ANNA)) == [endpoint]
            await tx.endpoints.save(off)
            assert await tx.endpoints.get(endpoint.id) == off
            assert not await tx.endpoints.remove(endpoint.id, BOB)
            assert await tx.endpoints.remove(endpoint.id, ANNA)
            assert await tx.endpoints.get(endpoint.id) is None


class StreamTicketContract:
    """What every store of tickets promises."""

    unit: UnitOfWork[TicketTx]

    async def test_of_many_takers_one_gets_the_ticket(self) -> None:
        ticket = StreamTicket(digest=bytes(32), user_id=ANNA, issued_at=NOON, expires_at=NOON + timedelta(seconds=30))
        async with self.unit() as tx:
            await tx.stream_tickets.add(ticket)

        async def take() -> StreamTicket | None:
            async with self.unit() as tx:
                return await tx.stream_tickets.take(ticket.digest)

        taken = await asyncio.gather(*(take() for _ in range(8)))
        assert [one for one in taken if one is not None] == [ticket]

    async def test_a_ticket_taken_in_a_failed_block_is_there_again(self) -> None:
        ticket = StreamTicket(digest=bytes(32), user_id=ANNA, issued_at=NOON, expires_at=NOON)
        async with self.unit() as tx:
            await tx.stream_tickets.add(ticket)
        try:
            async with self.unit() as tx:
                await tx.stream_tickets.take(ticket.digest)
                raise ZeroDivisionError
        except ZeroDivisionError:
            pass
        async with self.unit() as tx:
            assert await tx.stream_tickets.take(ticket.digest) == ticket
            assert await tx.stream_tickets.take(b"x" * 32) is None
