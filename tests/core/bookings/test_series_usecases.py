"""Appointments that recur: whole, without what clashes, or beside it; and changes of this, the following and all."""

from datetime import date, timedelta

import pytest

from core.bookings.builders import ADMIN, CLIENT, DAY, HOUR, NOW, STAFF, hours, office_hours
from core.bookings.salon import Salon
from opora.core.bookings import errors
from opora.core.bookings.model.appointments import Wish
from opora.core.bookings.model.hours import DayException
from opora.core.bookings.model.series import BookedSeries, Extent, OnConflict

pytestmark = pytest.mark.anyio

TEN = NOW + DAY + HOUR
WEEK = timedelta(days=7)


async def series(
    salon: Salon, rule: str = "FREQ=WEEKLY;COUNT=4", how: OnConflict = OnConflict.FAIL, **more: object
) -> BookedSeries:
    return await salon.book_series(CLIENT, Wish(service_id=1, starts_at=TEN), rule, how, **more)  # type: ignore[arg-type]


async def test_a_series_is_booked_whole_with_one_letter_and_its_reminders(salon: Salon) -> None:
    await salon.open()
    booked = await series(salon)
    assert [one.starts_at for one in booked.appointments] == [TEN + number * WEEK for number in range(4)]
    assert {one.series_id for one in booked.appointments} == {booked.series.id}
    assert (booked.series.rrule, booked.series.timezone) == ("FREQ=WEEKLY;COUNT=4", "Europe/Moscow")
    assert await salon.letters() == [("confirmed", 1)]
    assert len(await salon.letters(waiting=True)) == 8
    assert await salon.topics() == ["appointment.booked"] * 4


async def test_a_series_that_must_be_whole_is_not_booked_in_part(salon: Salon) -> None:
    await salon.open()
    await salon.booked(CLIENT, TEN + WEEK)
    with pytest.raises(errors.SlotTaken) as refused:
        await series(salon)
    assert refused.value.facts["conflicts"] == [{"starts_at": "2030-01-15T07:00:00Z", "code": "slot_taken"}]
    assert TEN in await salon.starts(NOW + DAY)


async def test_what_clashes_is_left_out_where_that_is_asked_for(salon: Salon) -> None:
    await salon.open(hours(*((day, 540, 1080) for day in range(5)), exceptions=(DayException(date(2030, 1, 22)),)))
    await salon.booked(CLIENT, TEN + WEEK)
    booked = await series(salon, how=OnConflict.SKIP)
    assert [one.starts_at for one in booked.appointments] == [TEN, TEN + 3 * WEEK]
    assert [(one.starts_at, one.code, one.moved_to) for one in booked.conflicts] == [
        (TEN + WEEK, "slot_taken", None),
        (TEN + 2 * WEEK, "slot_not_offered", None),
    ]


async def test_what_clashes_goes_to_the_nearest_free_time_where_that_is_asked_for(salon: Salon) -> None:
    await salon.open()
    await salon.booked(CLIENT, TEN + WEEK)
    await salon.booked(CLIENT, TEN + WEEK - HOUR)
    booked = await series(salon, how=OnConflict.NEAREST)
    (clash,) = booked.conflicts
    assert (clash.starts_at, clash.moved_to) == (TEN + WEEK, TEN + WEEK + HOUR)
    assert [one.starts_at for one in booked.appointments] == [TEN, TEN + WEEK + HOUR, TEN + 2 * WEEK, TEN + 3 * WEEK]


async def test_two_that_clash_do_not_go_to_the_same_time(salon: Salon) -> None:
    await salon.open(hours((1, 540, 780)), capacity=1)
    await salon.booked(CLIENT, TEN)
    booked = await salon.book_series(
        ADMIN, Wish(service_id=1, starts_at=TEN, client_id=1), "FREQ=DAILY;COUNT=2", OnConflict.NEAREST
    )
    assert len({one.starts_at for one in booked.appointments}) == 2


async def test_a_series_may_come_twice_to_one_group(salon: Salon) -> None:
    await salon.open(hours((1, 600, 660)), capacity=3)
    booked = await series(salon, "FREQ=DAILY;COUNT=3", OnConflict.NEAREST)
    assert [one.starts_at for one in booked.appointments] == [TEN] * 3
    assert {one.place for one in booked.appointments} == {0, 1, 2}


async def test_a_series_of_which_nothing_is_left_is_refused(salon: Salon) -> None:
    await salon.open(hours((1, 600, 660)))
    await salon.booked(CLIENT, TEN)
    with pytest.raises(errors.SlotTaken):
        await series(salon, "FREQ=DAILY;COUNT=2", OnConflict.SKIP)
    with pytest.raises(errors.SlotTaken):
        await salon.book_series(CLIENT, Wish(service_id=1, starts_at=TEN), "FREQ=YEARLY;COUNT=2", OnConflict.SKIP)


async def test_whoever_has_the_fewest_clashes_gives_the_series(salon: Salon) -> None:
    await salon.open(office_hours(10), office_hours(11), staff_ids=(10, 11))
    await salon.booked(CLIENT, TEN + WEEK, staff_id=10)
    assert {one.staff_id for one in (await series(salon)).appointments} == {11}


async def test_bad_rules_zones_and_times_are_refused_and_so_is_who_has_no_hours(salon: Salon) -> None:
    await salon.open(office_hours(11))
    with pytest.raises(errors.InvalidRule):
        await series(salon, "FREQ=SECONDLY;COUNT=5")
    with pytest.raises(errors.InvalidZone):
        await series(salon, timezone="Mars/Olympus")
    with pytest.raises(errors.SlotNotOffered):
        await series(salon)
    with pytest.raises(errors.SlotNotOffered):
        await salon.book_series(CLIENT, Wish(service_id=1, starts_at=NOW - DAY), "FREQ=DAILY;COUNT=2", OnConflict.SKIP)


async def test_what_others_take_between_the_plan_and_the_booking_clashes_like_the_rest(salon: Salon) -> None:
    await salon.open()
    real = salon.diaries.read

    async def overtaken(*asked: object) -> object:
        found = await real(*asked)  # type: ignore[arg-type]
        salon.diaries.read = real  # type: ignore[method-assign]
        await salon.booked(CLIENT, TEN + WEEK)
        return found

    salon.diaries.read = overtaken  # type: ignore[method-assign, assignment]
    booked = await series(salon, how=OnConflict.SKIP)
    assert [one.starts_at for one in booked.conflicts] == [TEN + WEEK]
    assert len(booked.appointments) == 3
    salon.clock.at += timedelta(seconds=1)


async def test_a_change_is_about_this_one_the_following_or_all(salon: Salon) -> None:
    await salon.open()
    first, second, third, fourth = (await series(salon)).appointments
    assert [one.id for one in await salon.cancel(CLIENT, second.id)] == [second.id]
    assert [one.id for one in await salon.cancel(CLIENT, third.id, None, Extent.FOLLOWING)] == [third.id, fourth.id]
    assert await salon.letters() == [("confirmed", 1), ("cancelled", 1), ("cancelled", 1)]
    assert [one.id for one in await salon.cancel(STAFF, first.id, None, Extent.ALL)] == [first.id]


async def test_a_single_appointment_has_no_following_ones(salon: Salon) -> None:
    await salon.open()
    one, other = await salon.booked(CLIENT, TEN), await salon.booked(CLIENT, TEN + HOUR)
    assert len(await salon.move(CLIENT, one.id, TEN + 2 * HOUR, None, Extent.ALL)) == 1
    assert len(await salon.cancel(CLIENT, other.id, None, Extent.ALL)) == 1


async def test_all_move_together_even_into_one_anothers_times(salon: Salon) -> None:
    await salon.open()
    booked = (await series(salon, "FREQ=DAILY;COUNT=3")).appointments
    moved = await salon.move(CLIENT, booked[1].id, TEN + 2 * DAY + HOUR, None, Extent.ALL)
    assert moved[0].id == booked[1].id
    assert sorted(one.starts_at for one in moved) == [TEN + number * DAY + HOUR for number in (1, 2, 3)]
    assert await salon.letters() == [("moved", 1)]
    with pytest.raises(errors.SlotNotOffered):
        await salon.move(CLIENT, booked[0].id, TEN + 3 * DAY, None, Extent.ALL)  # the last would be on a Sunday


async def test_the_following_ones_become_a_series_of_their_own(salon: Salon) -> None:
    await salon.open()
    booked = await series(salon)
    second = booked.appointments[1]
    moved = await salon.move(CLIENT, second.id, second.starts_at + DAY + HOUR, None, Extent.FOLLOWING)
    assert [one.starts_at for one in moved] == [TEN + number * WEEK + DAY + HOUR for number in (1, 2, 3)]
    (new_id,) = {one.series_id for one in moved}
    async with salon.unit() as tx:
        old, new = await tx.appointments.series(booked.series.id), await tx.appointments.series(new_id or 0)
    assert old is not None and new is not None
    assert old.rrule == "FREQ=WEEKLY;UNTIL=20300115T065959Z"
    assert (new.rrule, new.parent_id, new.starts_at) == ("FREQ=WEEKLY;COUNT=3", old.id, moved[0].starts_at)
    await salon.database.read.execute("DELETE FROM appointment_series WHERE id = :id", id=new_id)
    last = await salon.move(CLIENT, moved[2].id, moved[2].starts_at + HOUR, None, Extent.FOLLOWING)
    assert {one.series_id for one in last} == {new_id}  # where the rule is not kept there is nothing to split
    again = await salon.move(CLIENT, second.id, second.starts_at, None, Extent.FOLLOWING)
    assert {one.series_id for one in again} == {new_id}  # nothing comes before it: there is nothing to split


async def test_a_series_stays_at_its_local_time_when_it_moves_over_a_change_of_clocks(salon: Salon) -> None:
    await salon.open(hours(*((day, 0, 1440) for day in range(7)), zone="America/New_York"))
    start = NOW + timedelta(days=60, hours=8)  # nine in New York, two days before the clocks change
    booked = await salon.book_series(
        ADMIN, Wish(service_id=1, starts_at=start, client_id=1), "FREQ=DAILY;COUNT=4", OnConflict.FAIL
    )
    assert {one.starts_at.hour for one in booked.appointments} == {14, 13}
    moved = await salon.move(ADMIN, booked.appointments[0].id, start + HOUR, None, Extent.ALL)
    assert [one.starts_at - other.starts_at for one, other in zip(moved, booked.appointments, strict=True)] == [
        HOUR
    ] * 4
