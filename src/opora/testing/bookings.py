"""Appointments of tests, and the contract of a store that keeps them and sells no time twice."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from opora.core.bookings.model.appointments import (
    Appointment,
    AppointmentFilter,
    Reach,
    Session,
    Status,
)
from opora.core.bookings.model.hours import Busy, minute_of
from opora.core.bookings.model.offerings import Band, CancellationPolicy
from opora.core.bookings.model.series import Series
from opora.core.bookings.ports.appointments import AppointmentViews, BookingTx
from opora.core.bookings.ports.diaries import DiaryViews
from opora.core.kernel.errors import Stale
from opora.core.kernel.model import Interval, PageRequest

NOON = datetime(2030, 1, 7, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
START = minute_of(NOON)
EVERYONES = Reach(is_everyones=True)


def a_session(start_min: int = START, length_min: int = 60, **changes: Any) -> Session:
    """Return a session of service 1 with user 10, without buffers."""
    plain: dict[str, Any] = {
        "staff_id": 10,
        "service_id": 1,
        "start_min": start_min,
        "busy_from_min": start_min,
        "busy_until_min": start_min + length_min,
        "capacity": 1,
    }
    return Session(**(plain | changes))


def an_appointment(**changes: Any) -> Appointment:
    """Return a confirmed appointment of user 3 with user 10, without a place."""
    plain: dict[str, Any] = {
        "id": 5,
        "uid": "5@opora",
        "service_id": 1,
        "staff_id": 10,
        "client_id": 3,
        "status": Status.CONFIRMED,
        "starts_at": NOON,
        "ends_at": NOON + HOUR,
        "timezone": "Europe/Moscow",
        "price_minor": 250_000,
        "currency": "RUB",
        "policy": CancellationPolicy(),
        "created_at": NOON,
        "changed_at": NOON,
    }
    return Appointment(**(plain | changes))


def a_series(**changes: Any) -> Series:
    """Return a weekly series of user 3 with user 10."""
    plain: dict[str, Any] = {
        "id": 1,
        "client_id": 3,
        "service_id": 1,
        "staff_id": 10,
        "rrule": "FREQ=WEEKLY;COUNT=3",
        "timezone": "Europe/Moscow",
        "starts_at": NOON,
        "created_at": NOON,
    }
    return Series(**(plain | changes))


type Unit = Callable[[], AbstractAsyncContextManager[BookingTx]]


class AppointmentRepositoryContract:
    """What every store of appointments holds: give it `unit`, and `views` and `diaries` on the same store."""

    unit: Unit
    views: AppointmentViews
    diaries: DiaryViews

    async def booked(self, session: Session | None = None, **changes: Any) -> Appointment | None:
        """Book a place of a session in a transaction of its own; None where there is none."""
        session = session or a_session()
        async with self.unit() as tx:
            seat = await tx.appointments.claim(session)
            if seat is None:
                return None
            (id,) = await tx.appointments.next_ids(1)
            starts_at = datetime.fromtimestamp(session.start_min * 60, UTC)
            length = timedelta(minutes=session.busy_until_min - session.busy_from_min)
            told = {"id": id, "uid": f"{id}@opora", "starts_at": starts_at, "ends_at": starts_at + length}
            made = an_appointment(**(told | {"staff_id": session.staff_id} | changes)).seated(seat)
            await tx.appointments.add(made)
            return made

    async def freed(self, appointment: Appointment) -> None:
        """Cancel an appointment in a transaction of its own."""
        async with self.unit() as tx:
            await tx.appointments.save(appointment.cancel("user:3", None, 0, NOON))
            await tx.appointments.leave(appointment.engagement_id or 0)

    async def busy(self, staff_id: int = 10, now: datetime = NOON) -> tuple[Busy, ...]:
        """Return the sessions of a diary around the start."""
        (diary,) = await self.diaries.read([staff_id], START - 5000, START + 5000, now)
        return diary.busy

    async def test_gives_back_what_was_added_and_what_was_saved(self) -> None:
        plain = await self.booked()
        assert plain is not None
        full = await self.booked(
            a_session(START + 60),
            status=Status.HELD,
            note="«привет»",
            expires_at=NOON,
            series_id=4,
            fee_minor=7,
            policy=CancellationPolicy((Band(1, 3),), 5, ()),
        )
        assert full is not None
        async with self.unit() as tx:
            assert await tx.appointments.get(plain.id) == plain
            assert await tx.appointments.get(full.id) == full
            assert await tx.appointments.get(10**9) is None
            cancelled = plain.cancel("user:3", "no", 0, NOON)
            await tx.appointments.save(cancelled)
            with pytest.raises(Stale):
                await tx.appointments.save(cancelled)
        assert await self.views.one(plain.id, EVERYONES) == cancelled

    async def test_a_failed_block_takes_no_place(self) -> None:
        with pytest.raises(ZeroDivisionError):
            async with self.unit() as tx:
                assert await tx.appointments.claim(a_session()) is not None
                _ = 1 / 0
        assert await self.booked() is not None

    async def test_a_time_is_given_once_and_again_when_it_is_free(self) -> None:
        first = await self.booked()
        assert first is not None
        assert await self.booked() is None
        assert await self.booked(a_session(START + 59)) is None
        assert await self.booked(a_session(START - 59)) is None
        assert await self.booked(a_session(START + 10, 5)) is None
        assert await self.booked(a_session(START - 60, 180)) is None
        assert await self.booked(a_session(staff_id=11)) is not None
        assert await self.booked(a_session(START + 60)) is not None
        assert await self.booked(a_session(START - 60)) is not None
        await self.freed(first)
        assert await self.booked() is not None

    async def test_a_session_gives_each_of_its_places_once_the_lowest_first(self) -> None:
        group = a_session(capacity=3)
        taken = [await self.booked(group) for _ in range(4)]
        assert [one.place if one else None for one in taken] == [0, 1, 2, None]
        assert taken[1] is not None
        await self.freed(taken[1])
        again = await self.booked(replace(group, capacity=9))
        assert again is not None
        assert (again.place, again.capacity) == (1, 3)  # a session keeps the places it was opened with
        assert await self.booked(group) is None

    async def test_nobody_joins_a_session_of_another_service_start_or_length(self) -> None:
        group = a_session(capacity=3)
        assert await self.booked(group) is not None
        for other in (
            replace(group, service_id=2),
            a_session(START + 30, capacity=3),
            a_session(START, 90, capacity=3),
            a_session(),
        ):
            assert await self.booked(other) is None

    async def test_leaving_closes_a_session_only_when_nobody_is_left_in_it(self) -> None:
        first, second = await self.booked(a_session(capacity=2)), await self.booked(a_session(capacity=2))
        assert first is not None and second is not None
        await self.freed(first)
        assert [(one.taken, one.capacity) for one in await self.busy()] == [(1, 2)]
        await self.freed(second)
        assert await self.busy() == ()
        async with self.unit() as tx:
            assert await tx.appointments.leave(second.engagement_id or 0) is None
        assert await self.booked(a_session(START + 30)) is not None

    async def test_a_place_can_be_settled_after_it_was_left(self) -> None:
        one = await self.booked()
        assert one is not None
        moved = one.moved(11, NOON + 2 * HOUR, "UTC", NOON)
        async with self.unit() as tx:
            await tx.appointments.save(moved)
            await tx.appointments.leave(one.engagement_id or 0)
            seat = await tx.appointments.claim(a_session(START + 120, staff_id=11))
            assert seat is not None
            await tx.appointments.settle(one.id, seat)
            with pytest.raises(Stale):
                await tx.appointments.settle(one.id, seat)
        assert await self.views.one(one.id, EVERYONES) == moved.seated(seat)
        assert await self.busy() == ()
        assert len(await self.busy(11)) == 1

    async def test_a_hold_takes_its_time_until_it_ends_and_is_found_when_it_is_in_the_way(self) -> None:
        hold = await self.booked(status=Status.HELD, expires_at=NOON + HOUR)
        assert hold is not None
        assert len(await self.busy()) == 1
        assert await self.busy(now=NOON + HOUR) == ()
        async with self.unit() as tx:
            assert await tx.appointments.holds_in_way(a_session(START + 30), NOON) == []
            assert await tx.appointments.holds_in_way(a_session(START + 30), NOON + HOUR) == [hold.id]
            assert await tx.appointments.holds_in_way(a_session(START + 60), NOON + HOUR) == []
            assert await tx.appointments.open_holds(3, NOON) == 1
            assert await tx.appointments.open_holds(3, NOON + HOUR) == 0
            assert await tx.appointments.open_holds(4, NOON) == 0
        assert await self.views.one(hold.id, EVERYONES) is None

    async def test_a_series_is_told_by_what_is_still_to_come_of_it(self) -> None:
        async with self.unit() as tx:
            await tx.appointments.add_series(a_series())
            assert await tx.appointments.series(1) == a_series()
            assert await tx.appointments.series(2) is None
            await tx.appointments.change_rule(1, "FREQ=DAILY;COUNT=1")
            assert await tx.appointments.series(1) == a_series(rrule="FREQ=DAILY;COUNT=1")
            assert await tx.appointments.next_series_id() != await tx.appointments.next_series_id()
            assert await tx.appointments.next_ids(0) == []
        first = await self.booked(series_id=1)
        second = await self.booked(a_session(START + 120, staff_id=11), series_id=1)
        third = await self.booked(a_session(START + 240), series_id=1)
        assert first is not None and second is not None and third is not None
        await self.freed(third)
        async with self.unit() as tx:
            assert await tx.appointments.givers(1) == [10, 11]
            coming = await tx.appointments.coming(1, NOON - HOUR)
            assert [one.id for one in coming] == [first.id, second.id]
            assert [one.id for one in await tx.appointments.coming(1, NOON)] == [second.id]

    async def test_a_list_holds_what_is_within_reach_and_asked_for_in_the_order_of_time(self) -> None:
        late = await self.booked(a_session(START + 120), client_id=3)
        early = await self.booked(client_id=4, status=Status.PENDING)
        other = await self.booked(a_session(staff_id=11), client_id=4)
        assert late is not None and early is not None and other is not None

        async def ids(reach: Reach = EVERYONES, **wanted: Any) -> list[int]:
            found = await self.views.page(reach, AppointmentFilter(**wanted), PageRequest())
            assert found.count == len(found.items)
            return [one.id for one in found.items]

        assert await ids() == [early.id, other.id, late.id]
        assert await ids(Reach(client_id=3)) == [late.id]
        assert await ids(Reach(client_id=3, staff_id=11)) == [other.id, late.id]
        assert await ids(Reach(client_id=0)) == []
        assert await ids(starts_from=NOON + HOUR) == [late.id]
        assert await ids(starts_before=NOON + HOUR) == [early.id, other.id]
        assert await ids(status=Status.PENDING) == [early.id]
        assert await ids(staff_id=11, client_id=4, service_id=1) == [other.id]
        assert await ids(series_id=8) == []
        assert await self.views.one(late.id, Reach(client_id=4)) is None
        page = await self.views.page(EVERYONES, AppointmentFilter(), PageRequest(2))
        assert (len(page.items), page.count, page.more) == (2, 3, True)
        span = Interval(NOON, NOON + 3 * HOUR)
        assert [one.id for one in await self.views.of_person(10, span, 9)] == [early.id, late.id]
        assert [one.id for one in await self.views.of_person(4, span, 1)] == [early.id]
        assert await self.views.of_person(5, span, 9) == []


class AppointmentRacesContract(AppointmentRepositoryContract):
    """What holds when many come at once; `raw` runs SQL past every repository and tells whether it was let through."""

    async def raw(self, sql: str) -> bool:
        """Run a statement; False where the store refused or ignored it."""
        raise NotImplementedError

    async def overlaps(self) -> int:
        """Count the pairs of sessions that one member of staff has at once."""
        raise NotImplementedError

    async def test_of_many_at_once_one_gets_the_time_and_the_others_are_told_so(self) -> None:
        found = await asyncio.gather(*(self.booked() for _ in range(40)))
        assert sum(one is not None for one in found) == 1

    async def test_of_many_at_once_as_many_get_in_as_there_are_places(self) -> None:
        found = await asyncio.gather(*(self.booked(a_session(capacity=5)) for _ in range(30)))
        assert sorted(one.place or 0 for one in found if one is not None) == [0, 1, 2, 3, 4]

    async def test_whoever_comes_with_whatever_span_nobody_has_two_sessions_at_once(self) -> None:
        spans = [(START + 7 * (one % 23), 20 + 13 * (one % 5)) for one in range(60)]
        found = await asyncio.gather(*(self.booked(a_session(*span)) for span in spans))
        assert any(found)
        assert await self.overlaps() == 0

    async def test_places_left_and_taken_at_once_are_never_lost(self) -> None:
        group = a_session(capacity=2)

        async def come_and_go(times: int) -> None:
            for _ in range(times):
                one = await self.booked(group)
                if one is not None:
                    await self.freed(one)

        await asyncio.gather(*(come_and_go(4) for _ in range(8)))
        assert await self.busy() == ()
        assert [one.place for one in [await self.booked(group), await self.booked(group)] if one] == [0, 1]

    async def test_the_store_itself_refuses_a_second_session_and_a_place_given_twice(self) -> None:
        one = await self.booked()
        assert one is not None
        columns = "staff_id, service_id, start_min, busy_from_min, busy_until_min, capacity"
        values = f"10, 2, {START + 30}, {START + 30}, {START + 45}"
        assert not await self.raw(f"INSERT INTO engagements ({columns}) VALUES ({values}, 1)")
        free = await self.booked(a_session(START + 60))
        assert free is not None
        moved = f"busy_from_min = {START + 30}, start_min = {START + 60}"
        assert not await self.raw(f"UPDATE engagements SET {moved} WHERE id = {free.engagement_id}")
        seat = f"engagement_id = {one.engagement_id}"
        assert not await self.raw(f"UPDATE appointments SET {seat} WHERE id = {free.id}")
        assert not await self.raw(f"UPDATE appointments SET place = 1 WHERE id = {free.id}")
        assert not await self.raw(f"UPDATE appointments SET place = NULL WHERE id = {free.id}")
        assert not await self.raw(f"UPDATE appointments SET status = 'cancelled' WHERE id = {free.id}")
        assert not await self.raw(f"DELETE FROM engagements WHERE id = {one.engagement_id}")
        assert await self.overlaps() == 0
