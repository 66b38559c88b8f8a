"""The contract of the stores that keep notices and their deliveries."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from opora.core.kernel.errors import IllegalMove, Stale
from opora.core.kernel.ports import UnitOfWork
from opora.core.notifications.model.deliveries import FIRE, Attempt, Delivery, DeliveryState, Outcome
from opora.core.notifications.model.kinds import Channel
from opora.core.notifications.model.notices import KeptNotice, Notice, NoticeState
from opora.core.notifications.ports.notices import DeliveryTx

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
TRIAL = "notifications.trial"


def a_notice(**changes: Any) -> Notice:
    """Return a notice to somebody with an address alone."""
    given: dict[str, Any] = {"kind": TRIAL, "data": {"sent_at": NOON.isoformat()}, "email": "anna@example.org"}
    if "user_id" in changes:
        del given["email"]
    return Notice(**given | changes)


def a_delivery(notice_id: UUID, **changes: Any) -> Delivery:
    """Return a queued letter of a notice."""
    delivery = Delivery(
        id=uuid4(),
        notice_id=notice_id,
        channel=Channel.EMAIL,
        target="anna@example.org",
        state=DeliveryState.QUEUED,
        attempt=0,
        created_at=NOON,
    )
    return replace(delivery, **changes)


class NoticeStoreContract:
    """What every store of notices promises."""

    unit: UnitOfWork[DeliveryTx]
    jobs_of: Callable[[str], Coroutine[Any, Any, list[dict[str, Any]]]]
    """Returns the payloads of the waiting jobs of a kind."""

    async def kept(self, **changes: Any) -> UUID:
        """Keep a notice."""
        async with self.unit() as tx:
            return await tx.notices.add(a_notice(**changes))

    async def found(self, id: UUID) -> KeptNotice:
        """Return a notice that is there."""
        async with self.unit() as tx:
            notice = await tx.notices.get(id)
        assert notice is not None
        return notice

    async def test_gives_back_what_was_added_and_starts_one_job(self) -> None:
        id = await self.kept(fire_at=NOON, about="appointment:5", locale="ru")
        notice = await self.found(id)
        assert (notice.kind, notice.email, notice.user_id) == (TRIAL, "anna@example.org", None)
        assert (notice.about, notice.locale, notice.fire_at) == ("appointment:5", "ru", NOON)
        assert notice.data == {"sent_at": NOON.isoformat()}
        assert notice.state is NoticeState.WAITING
        assert [job["notice_id"] for job in await self.jobs_of(FIRE)] == [str(id)]

    async def test_a_notice_without_a_time_fires_at_once(self) -> None:
        notice = await self.found(await self.kept())
        assert abs(notice.fire_at - notice.created_at) < timedelta(seconds=1)

    async def test_forgets_what_a_failed_block_added_with_its_job(self) -> None:
        with pytest.raises(ZeroDivisionError):
            async with self.unit() as tx:
                id = await tx.notices.add(a_notice())
                raise ZeroDivisionError
        async with self.unit() as tx:
            assert await tx.notices.get(id) is None
        assert await self.jobs_of(FIRE) == []

    async def test_equal_keys_make_one_notice_also_at_once(self) -> None:
        ids = await asyncio.gather(*(self.kept(dedup_key="letter:5") for _ in range(6)))
        assert len(set(ids)) == 1
        assert len(await self.jobs_of(FIRE)) == 1

    async def test_withdraws_by_cause_and_by_kind(self) -> None:
        one, other = await self.kept(about="appointment:5"), await self.kept(about="appointment:6")
        async with self.unit() as tx:
            assert await tx.notices.withdraw("appointment:5", ["some.other"]) == 0
            assert await tx.notices.withdraw("appointment:5", [TRIAL]) == 1
            assert await tx.notices.withdraw("appointment:5") == 0
        assert (await self.found(one)).state is NoticeState.WITHDRAWN
        assert (await self.found(other)).state is NoticeState.WAITING

    async def test_notices_about_nothing_are_not_withdrawn_together(self) -> None:
        id = await self.kept()
        async with self.unit() as tx:
            assert await tx.notices.withdraw("") == 0
        assert (await self.found(id)).state is NoticeState.WAITING

    async def test_withdraws_what_fired_and_has_not_left(self) -> None:
        queued, gone = await self.kept(about="a:1"), await self.kept(about="a:1")
        for id, state in ((queued, DeliveryState.QUEUED), (gone, DeliveryState.SENT)):
            async with self.unit() as tx:
                await tx.notices.move(await self.locked(tx, id), NoticeState.FIRED)
                await tx.deliveries.add(a_delivery(id, state=state))
        async with self.unit() as tx:
            assert await tx.notices.withdraw("a:1") == 1
        assert (await self.found(queued)).state is NoticeState.WITHDRAWN
        assert (await self.found(gone)).state is NoticeState.FIRED

    async def locked(self, tx: DeliveryTx, id: UUID) -> KeptNotice:
        """Return a notice inside a transaction."""
        notice = await tx.notices.get(id)
        assert notice is not None
        return notice

    async def test_refuses_to_move_what_moved_meanwhile_and_what_may_not_move(self) -> None:
        id = await self.kept(about="a:1")
        before = await self.found(id)
        async with self.unit() as tx:
            await tx.notices.withdraw("a:1")
        with pytest.raises(Stale):
            async with self.unit() as tx:
                await tx.notices.move(before, NoticeState.FIRED)
        with pytest.raises(IllegalMove):
            async with self.unit() as tx:
                await tx.notices.move(await self.locked(tx, id), NoticeState.FIRED)

    async def test_of_firing_and_withdrawing_at_once_one_wins(self) -> None:
        id = await self.kept(about="a:1")

        async def fire() -> bool:
            async with self.unit() as tx:
                notice = await self.locked(tx, id)
                if notice.state is not NoticeState.WAITING:
                    return False
                await tx.notices.move(notice, NoticeState.FIRED)
                return True

        async def withdraw() -> bool:
            async with self.unit() as tx:
                return await tx.notices.withdraw("a:1") == 1

        assert sum(await asyncio.gather(fire(), withdraw(), fire(), withdraw())) == 1

    async def test_keeps_deliveries_with_a_log_of_every_attempt(self) -> None:
        delivery = a_delivery(await self.kept())
        async with self.unit() as tx:
            await tx.deliveries.add(delivery)
        begun = replace(delivery, state=DeliveryState.SENDING, attempt=1)
        first = Attempt(delivery_id=delivery.id, number=1, started_at=NOON)
        ended = replace(first, ended_at=NOON + HOUR, outcome=Outcome.DEFERRED, answer="451 later")
        async with self.unit() as tx:
            await tx.deliveries.save(begun, DeliveryState.QUEUED)
            await tx.deliveries.log(first)
            assert await tx.deliveries.attempts(delivery.id) == [first]
            await tx.deliveries.log(ended)
        async with self.unit() as tx:
            assert await tx.deliveries.get(delivery.id) == begun
            assert await tx.deliveries.attempts(delivery.id) == [ended]
            assert await tx.deliveries.notice_of(delivery.id) == delivery.notice_id
        with pytest.raises(Stale):
            async with self.unit() as tx:
                await tx.deliveries.save(begun, DeliveryState.QUEUED)

    async def test_knows_no_delivery_of_another_id(self) -> None:
        async with self.unit() as tx:
            assert await tx.deliveries.get(uuid4()) is None
            assert await tx.deliveries.notice_of(uuid4()) is None
            assert await tx.notices.get(uuid4()) is None
