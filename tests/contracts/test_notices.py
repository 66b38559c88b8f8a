"""The stores of notices keep their contract."""

import json
from typing import Any
from uuid import uuid4

import pytest

from opora.adapters.sql.connection import Database
from opora.adapters.sql.notifications.inbox import SqlInboxViews
from opora.adapters.sql.notifications.recipients import SqlRecipients
from opora.adapters.sql.notifications.reports import SqlDeliveryViews, SqlNoticeHousekeeping
from opora.adapters.sql.unit import SqlUnitOfWork
from opora.core.access.model.people import User
from opora.core.access.model.tickets import StreamTicket
from opora.core.kernel.model import PageRequest
from opora.core.notifications.model.deliveries import Attempt, DeliveryFilter, DeliveryState
from opora.core.notifications.model.notices import NoticeState
from opora.core.notifications.model.places import PushSubscription, WebhookEndpoint
from opora.core.notifications.model.preferences import Preferences
from opora.testing.inboxes import InboxContract, StreamTicketContract, WishesContract, an_entry
from opora.testing.notices import HOUR, NOON, NoticeStoreContract, a_delivery, a_notice

pytestmark = pytest.mark.anyio


class TestSql(NoticeStoreContract):
    """Notices on each relational store in turn."""

    @pytest.fixture(autouse=True)
    def _store(self, unit: SqlUnitOfWork, database: Database) -> None:
        async def jobs_of(kind: str) -> list[dict[str, Any]]:
            rows = await database.read.fetch("SELECT payload FROM jobs WHERE kind = :kind ORDER BY id", kind=kind)
            return [json.loads(row["payload"]) for row in rows]

        self.unit = unit
        self.jobs_of = jobs_of


class TestSqlInbox(InboxContract):
    """People's lists on each relational store in turn."""

    @pytest.fixture(autouse=True)
    def _store(self, unit: SqlUnitOfWork, database: Database) -> None:
        self.unit = unit
        self.views = SqlInboxViews(database.read)


class TestSqlWishes(WishesContract):
    """Wishes and places on each relational store in turn."""

    @pytest.fixture(autouse=True)
    def _store(self, unit: SqlUnitOfWork) -> None:
        self.unit = unit


class TestSqlTickets(StreamTicketContract):
    """Tickets on each relational store in turn."""

    @pytest.fixture(autouse=True)
    def _store(self, unit: SqlUnitOfWork) -> None:
        self.unit = unit


async def a_user(unit: SqlUnitOfWork, **changes: Any) -> int:
    async with unit() as tx:
        user = User(id=await tx.users.next_id(), email=f"{uuid4()}@example.org", created_at=NOON, **changes)
        await tx.users.add(user)
    return user.id


async def test_a_recipient_is_known_with_wishes_and_places(unit: SqlUnitOfWork, database: Database) -> None:
    recipients = SqlRecipients(database.read)
    assert await recipients.one(99) is None
    user_id = await a_user(unit, locale="ru")
    bare = await recipients.one(user_id)
    assert bare is not None and (bare.locale, bare.preferences, bare.subscriptions) == ("ru", Preferences(), ())
    async with unit() as tx:
        await tx.preferences.put(user_id, Preferences(language="en"))
        subscription = PushSubscription(
            id=await tx.subscriptions.next_id(),
            user_id=user_id,
            endpoint="https://x",
            p256dh=bytes(65),
            auth=bytes(16),
            created_at=NOON,
        )
        await tx.subscriptions.put(subscription)
        endpoint = WebhookEndpoint(
            id=await tx.endpoints.next_id(),
            user_id=user_id,
            url="https://x",
            kinds=(),
            secret="whsec_AAAA",
            is_active=True,
            created_at=NOON,
        )
        await tx.endpoints.add(endpoint)
    whole = await recipients.one(user_id)
    assert whole is not None and whole.language == "en"
    assert (whole.subscriptions, [one.id for one in whole.endpoints]) == ((subscription.id,), [endpoint.id])


async def test_who_was_blocked_signed_out_or_is_gone_may_read_nothing_live(
    unit: SqlUnitOfWork, database: Database
) -> None:
    here, blocked = await a_user(unit), await a_user(unit, is_active=False)
    before, after = await a_user(unit, epoch_at=NOON), await a_user(unit, epoch_at=NOON + HOUR)
    since = dict.fromkeys((here, blocked, before, after, 99), NOON + HOUR / 2)
    assert await SqlRecipients(database.read).lapsed(since) == {blocked, after, 99}


async def test_old_rows_are_deleted_on_each_store(unit: SqlUnitOfWork, database: Database) -> None:
    async with unit() as tx:
        waiting = await tx.notices.add(a_notice(fire_at=NOON))
        id = await tx.notices.add(a_notice())
        notice = await tx.notices.get(id)
        assert notice is not None
        await tx.notices.move(notice, NoticeState.SKIPPED)
        await tx.inbox.add(an_entry(created_at=NOON - 100_000 * HOUR))
        await tx.stream_tickets.add(
            StreamTicket(digest=b"x", user_id=3, issued_at=NOON, expires_at=NOON - 99_999 * HOUR)
        )
    counts = await SqlNoticeHousekeeping(database.read).tidy(-60.0)
    assert counts == {"secrets": 0, "notices": 1, "entries": 1, "tickets": 1}
    async with unit() as tx:
        assert await tx.notices.get(waiting) is not None


async def test_deliveries_are_reported_on_each_store(unit: SqlUnitOfWork, database: Database) -> None:
    async with unit() as tx:
        delivery = a_delivery(await tx.notices.add(a_notice(about="a:1")))
        await tx.deliveries.add(delivery)
        await tx.deliveries.log(Attempt(delivery_id=delivery.id, number=1, started_at=NOON))
    views = SqlDeliveryViews(database.read)
    one = await views.one(delivery.id)
    assert one is not None and (one.delivery, one.about, len(one.attempts)) == (delivery, "a:1", 1)
    for wanted, count in (
        (DeliveryFilter(), 1),
        (DeliveryFilter(state=DeliveryState.SENT), 0),
        (DeliveryFilter(user_id=1), 0),
    ):
        assert (await views.page(wanted, PageRequest())).count == count
