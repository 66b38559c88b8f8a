"""The waitlist: in the order of coming, with a hold and an end, and nobody in between."""

from dataclasses import replace
from datetime import timedelta

import pytest

from core.bookings.builders import ADMIN, CLIENT, DAY, HOUR, NOW, STAFF, STRANGER, hours
from core.bookings.salon import Salon
from opora.core.bookings import errors
from opora.core.bookings.model.appointments import Status, Wish
from opora.core.bookings.model.waiting import Entry, WaitStatus
from opora.core.kernel.model import Actor

pytestmark = pytest.mark.anyio

TEN = NOW + DAY + HOUR
THIRD = replace(CLIENT, user_id=3)
OFFER = timedelta(seconds=1800)


async def waits(salon: Salon, actor: Actor, **more: object) -> Entry:
    return await salon.join(actor, 1, TEN, TEN + HOUR, **more)  # type: ignore[arg-type]


async def status(salon: Salon, entry: Entry) -> tuple[WaitStatus, int | None]:
    found = await salon.entries.one(entry.id, None)
    assert found is not None
    return found.status, found.hold_id


async def test_what_frees_is_held_for_who_came_first_and_for_nobody_else(salon: Salon) -> None:
    await salon.open()
    booked = await salon.booked(CLIENT, TEN)
    first, second = await waits(salon, STRANGER), await waits(salon, THIRD)
    await salon.cancel(CLIENT, booked.id)
    state, hold_id = await status(salon, first)
    assert state is WaitStatus.OFFERED and hold_id is not None
    assert (await status(salon, second))[0] is WaitStatus.WAITING
    assert ("offered", 2) in await salon.letters()
    assert "waitlist.offered" in await salon.topics()
    for other in (CLIENT, THIRD):
        with pytest.raises(errors.SlotTaken):
            await salon.booked(other, TEN)
        with pytest.raises(errors.NoSuchHold):
            await salon.take_up(other, hold_id)
    taken = await salon.take_up(STRANGER, hold_id)
    assert (taken.status, taken.starts_at) == (Status.CONFIRMED, TEN)
    assert (await status(salon, first))[0] is WaitStatus.TAKEN


async def test_an_offer_that_is_not_taken_goes_to_the_next_in_line(salon: Salon) -> None:
    await salon.open()
    booked = await salon.booked(CLIENT, TEN)
    first, second = await waits(salon, STRANGER), await waits(salon, THIRD)
    await salon.cancel(CLIENT, booked.id)
    salon.clock.at += OFFER
    assert await salon.work() == 1
    assert (await status(salon, first))[0] is WaitStatus.LAPSED
    state, hold_id = await status(salon, second)
    assert state is WaitStatus.OFFERED
    salon.clock.at += OFFER
    await salon.work()
    assert (await status(salon, second))[0] is WaitStatus.LAPSED
    assert hold_id is not None
    with pytest.raises(errors.HoldSpent):
        await salon.take_up(THIRD, hold_id)
    assert (await salon.booked(CLIENT, TEN)).client_id == 1


async def test_whoever_finds_an_offer_past_its_end_does_not_come_before_the_next_in_line(salon: Salon) -> None:
    await salon.open()
    booked = await salon.booked(CLIENT, TEN)
    await waits(salon, STRANGER)
    second = await waits(salon, THIRD)
    await salon.cancel(CLIENT, booked.id)
    salon.clock.at += OFFER
    with pytest.raises(errors.SlotTaken):
        await salon.booked(CLIENT, TEN)  # before the job ran
    await salon.work()
    assert (await status(salon, second))[0] is WaitStatus.OFFERED


async def test_an_offer_does_not_count_among_the_holds_of_ones_own(salon: Salon) -> None:
    await salon.open()
    booked = await salon.booked(CLIENT, TEN)
    await waits(salon, STRANGER)
    await salon.cancel(CLIENT, booked.id)
    for number in range(1, 4):
        await salon.hold(STRANGER, Wish(service_id=1, starts_at=TEN + number * HOUR))


async def test_who_leaves_gives_the_offer_to_the_next(salon: Salon) -> None:
    await salon.open()
    booked = await salon.booked(CLIENT, TEN)
    first, second, third = await waits(salon, STRANGER), await waits(salon, THIRD), await waits(salon, CLIENT)
    await salon.cancel(CLIENT, booked.id)
    with pytest.raises(errors.NoSuchEntry):
        await salon.leave(THIRD, first.id)
    await salon.leave(STRANGER, first.id)
    assert (await status(salon, first))[0] is WaitStatus.WITHDRAWN
    assert (await status(salon, second))[0] is WaitStatus.OFFERED
    await salon.leave(ADMIN, third.id)
    await salon.leave(ADMIN, third.id)  # again changes nothing
    assert (await status(salon, third))[0] is WaitStatus.WITHDRAWN
    with pytest.raises(errors.NoSuchEntry):
        await salon.leave(ADMIN, 500)


async def test_what_a_move_frees_is_offered_as_well(salon: Salon) -> None:
    await salon.open()
    booked = await salon.booked(CLIENT, TEN)
    first = await waits(salon, STRANGER)
    await salon.move(CLIENT, booked.id, TEN + 2 * HOUR)
    assert (await status(salon, first))[0] is WaitStatus.OFFERED


async def test_one_long_time_serves_two_short_wishes(salon: Salon) -> None:
    await salon.open()
    await salon.offered(name="Short", duration_min=30, step_min=30)
    booked = await salon.booked(CLIENT, TEN)
    entries = [
        await salon.join(STRANGER, 2, TEN, TEN + HOUR),
        await salon.join(THIRD, 2, TEN, TEN + HOUR),
        await salon.join(CLIENT, 2, TEN, TEN + HOUR),
    ]
    await salon.cancel(CLIENT, booked.id)
    states = [(await status(salon, one))[0] for one in entries]
    assert states == [WaitStatus.OFFERED, WaitStatus.OFFERED, WaitStatus.WAITING]


async def test_those_are_passed_over_whom_the_freed_time_does_not_serve(salon: Salon) -> None:
    await salon.open(staff_ids=(10, 11))
    await salon.offered(name="Long", duration_min=120)
    await salon.offered(name="Retired")
    await salon.offered(name="Noticed", min_notice_min=10_000)
    booked = await salon.booked(CLIENT, TEN, staff_id=10)
    await salon.booked(CLIENT, TEN + HOUR, staff_id=10)
    await salon.booked(CLIENT, TEN - HOUR, staff_id=10)
    passed = [
        await waits(salon, STRANGER, staff_id=11),
        await salon.join(STRANGER, 2, TEN, TEN + HOUR),
        await salon.join(STRANGER, 3, TEN, TEN + HOUR),
        await salon.join(STRANGER, 4, TEN, TEN + HOUR),
        await salon.join(STRANGER, 1, TEN + 5 * HOUR, TEN + 6 * HOUR),
    ]
    await salon.retire(ADMIN, 3)
    served = await waits(salon, THIRD)
    await salon.cancel(CLIENT, booked.id)
    assert {(await status(salon, one))[0] for one in passed} == {WaitStatus.WAITING}
    assert (await status(salon, served))[0] is WaitStatus.OFFERED


async def test_a_place_in_a_group_is_offered_too(salon: Salon) -> None:
    await salon.open(capacity=2)
    one = await salon.booked(CLIENT, TEN)
    await salon.booked(ADMIN, TEN, client_id=1)
    entry = await waits(salon, STRANGER)
    await salon.cancel(CLIENT, one.id)
    assert (await status(salon, entry))[0] is WaitStatus.OFFERED


async def test_one_waits_for_what_is_ahead_offered_and_not_waited_for_yet(salon: Salon) -> None:
    await salon.open()
    for begin, end in ((TEN, TEN), (NOW - DAY, NOW), (TEN, TEN + 400 * DAY)):
        with pytest.raises(errors.InvalidPeriod):
            await salon.join(CLIENT, 1, begin, end)
    with pytest.raises(errors.SlotNotOffered):
        await salon.join(CLIENT, 1, TEN, TEN + HOUR, staff_id=11)
    with pytest.raises(errors.NoSuchOffering):
        await salon.join(CLIENT, 7, TEN, TEN + HOUR)
    with pytest.raises(errors.NotForOthers):
        await waits(salon, CLIENT, client_id=2)
    with pytest.raises(errors.ClientUnknown):
        await waits(salon, STAFF, client_id=4)
    await waits(salon, CLIENT)
    with pytest.raises(errors.AlreadyWaiting):
        await waits(salon, CLIENT)
    for number in range(1, 20):
        await salon.join(CLIENT, 1, TEN + number * HOUR, TEN + 40 * HOUR)
    with pytest.raises(errors.AlreadyWaiting):
        await salon.join(CLIENT, 1, TEN, TEN + 3 * DAY)


async def test_nothing_is_offered_by_who_has_no_hours_any_more(salon: Salon) -> None:
    await salon.open()
    booked = await salon.booked(CLIENT, TEN)
    entry = await waits(salon, STRANGER)
    await salon.set_hours(ADMIN, hours())
    await salon.cancel(CLIENT, booked.id)
    assert (await status(salon, entry))[0] is WaitStatus.WAITING


async def test_a_hold_past_its_time_is_in_the_way_until_its_job_comes(salon: Salon) -> None:
    await salon.open()
    await salon.offered(name="Long", duration_min=120, step_min=60)
    await salon.hold(CLIENT, Wish(service_id=1, starts_at=TEN))
    booked = await salon.booked(CLIENT, TEN + HOUR)
    entry = await salon.join(STRANGER, 2, TEN, TEN + HOUR)
    salon.clock.at += timedelta(seconds=600)
    await salon.cancel(CLIENT, booked.id)
    assert (await status(salon, entry))[0] is WaitStatus.WAITING
    await salon.work()
    assert (await status(salon, entry))[0] is WaitStatus.OFFERED


async def test_what_frees_nothing_is_offered_to_nobody(salon: Salon) -> None:
    await salon.open()
    booked = await salon.booked(CLIENT, TEN)
    entry = await waits(salon, STRANGER)
    async with salon.unit() as tx:
        await salon.desk.vacate(tx, booked.cancel("user:1", None, 0, NOW), None, NOW)
    assert (await status(salon, entry))[0] is WaitStatus.WAITING
