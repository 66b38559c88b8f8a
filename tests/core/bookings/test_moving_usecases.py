"""Moving appointments: in one step, at no way around a fee, and never reminded of the old time."""

import asyncio
from dataclasses import replace

import pytest

from core.bookings.builders import ADMIN, CLIENT, DAY, HOUR, NOW, STAFF, STRANGER, hours, office_hours
from core.bookings.salon import Salon
from opora.core.bookings import errors
from opora.core.bookings.model.appointments import Status
from opora.core.kernel.errors import IllegalMove

pytestmark = pytest.mark.anyio

TEN = NOW + 3 * DAY + HOUR


async def test_a_moved_appointment_has_its_new_time_and_gives_the_old_one_free(salon: Salon) -> None:
    await salon.open()
    booked = await salon.booked(CLIENT, TEN)
    (moved,) = await salon.move(CLIENT, booked.id, TEN + 2 * HOUR)
    assert (moved.id, moved.starts_at, moved.ends_at) == (booked.id, TEN + 2 * HOUR, TEN + 3 * HOUR)
    assert (moved.status, moved.sequence, moved.uid) == (Status.CONFIRMED, 1, booked.uid)
    free = await salon.starts(NOW + 3 * DAY)
    assert TEN in free
    assert TEN + 2 * HOUR not in free
    assert await salon.topics() == ["appointment.booked", "appointment.moved"]


async def test_a_moved_appointment_never_reminds_of_its_old_time(salon: Salon) -> None:
    await salon.open()
    booked = await salon.booked(CLIENT, TEN)
    await salon.move(CLIENT, booked.id, TEN + 2 * HOUR)
    assert await salon.letters() == [("moved", 1)]
    rows = await salon.database.read.fetch(
        "SELECT state, fire_at FROM notices WHERE kind LIKE '%reminder%' ORDER BY fire_at"
    )
    told = [(row["state"], str(row["fire_at"])[:16]) for row in rows]
    assert [one for one in told if one[0] == "waiting"] == [
        ("waiting", "2030-01-09T09:00"),
        ("waiting", "2030-01-10T08:00"),
    ]
    assert [state for state, _ in told].count("withdrawn") == 2


async def test_a_time_that_overlaps_the_old_one_can_be_had(salon: Salon) -> None:
    await salon.open(step_min=30)
    booked = await salon.booked(CLIENT, TEN)
    (moved,) = await salon.move(CLIENT, booked.id, TEN + HOUR / 2)
    assert moved.starts_at == TEN + HOUR / 2
    (same,) = await salon.move(CLIENT, booked.id, TEN + HOUR / 2)
    assert same.starts_at == moved.starts_at


async def test_who_cannot_have_the_new_time_keeps_the_old_one(salon: Salon) -> None:
    await salon.open()
    booked, other = await salon.booked(CLIENT, TEN), await salon.booked(STRANGER, TEN + HOUR)
    with pytest.raises(errors.SlotTaken) as refused:
        await salon.move(CLIENT, booked.id, other.starts_at)
    assert refused.value.facts["next_free"]
    with pytest.raises(errors.SlotNotOffered):
        await salon.move(CLIENT, booked.id, TEN + HOUR / 4)
    with pytest.raises(errors.SlotNotOffered):
        await salon.move(CLIENT, booked.id, NOW - DAY)
    with pytest.raises(errors.SlotNotOffered):
        await salon.move(CLIENT, booked.id, TEN, staff_id=11)
    assert TEN not in await salon.starts(NOW + 3 * DAY)
    assert await salon.letters() == [("confirmed", 1), ("confirmed", 2)]


async def test_it_may_go_to_somebody_else_who_gives_the_service(salon: Salon) -> None:
    await salon.open(office_hours(10), replace(office_hours(11), timezone="Europe/Berlin"), staff_ids=(10, 11))
    booked = await salon.booked(CLIENT, TEN, staff_id=10)
    (moved,) = await salon.move(STAFF, booked.id, TEN + 3 * HOUR, staff_id=11)
    assert (moved.staff_id, moved.timezone) == (11, "Europe/Berlin")
    with pytest.raises(errors.NoSuchAppointment):
        await salon.confirm(STAFF, booked.id)  # it is not theirs any more


async def test_moving_is_no_way_around_the_fee(salon: Salon) -> None:
    await salon.open()
    booked = await salon.booked(CLIENT, TEN)
    salon.clock.at = TEN - HOUR
    with pytest.raises(errors.TooLateToMove) as refused:
        await salon.move(CLIENT, booked.id, TEN + 2 * HOUR)
    assert refused.value.facts == {"fee_minor": 250_000, "currency": "RUB"}
    assert (await salon.move(STAFF, booked.id, TEN + 2 * HOUR))[0].starts_at == TEN + 2 * HOUR


async def test_only_what_is_to_come_is_moved_and_by_those_who_have_a_part_in_it(salon: Salon) -> None:
    await salon.open()
    booked = await salon.booked(CLIENT, TEN)
    with pytest.raises(errors.NoSuchAppointment):
        await salon.move(STRANGER, booked.id, TEN + HOUR)
    overseer = replace(CLIENT, user_id=3, scopes=CLIENT.scopes | {"appointments:read_all"})
    for call in (salon.move(overseer, booked.id, TEN + HOUR), salon.cancel(overseer, booked.id)):
        with pytest.raises(errors.NotYoursToDecide):
            await call
    salon.clock.at = TEN
    with pytest.raises(errors.AlreadyStarted):
        await salon.move(ADMIN, booked.id, TEN + 2 * HOUR)
    salon.clock.at = NOW
    await salon.cancel(CLIENT, booked.id)
    with pytest.raises(IllegalMove):
        await salon.move(CLIENT, booked.id, TEN + HOUR)
    await salon.retire(ADMIN, 1)
    with pytest.raises(errors.NoSuchOffering):
        await salon.move(CLIENT, booked.id, TEN + HOUR)


async def test_where_staff_confirm_a_clients_move_is_a_wish_again(salon: Salon) -> None:
    await salon.open(auto_confirm=False)
    booked = await salon.booked(CLIENT, TEN)
    assert (await salon.move(CLIENT, booked.id, TEN + HOUR))[0].status is Status.PENDING
    await salon.confirm(STAFF, booked.id)
    assert (await salon.move(STAFF, booked.id, TEN))[0].status is Status.CONFIRMED
    assert (await salon.move(CLIENT, booked.id, TEN + HOUR))[0].status is Status.PENDING
    assert await salon.letters(waiting=True) == []
    salon.clock.at = TEN
    await salon.work()  # the job of the first time finds that it is another
    assert (await salon.confirm(STAFF, booked.id)).status is Status.CONFIRMED


async def test_two_who_want_each_others_times_do_not_wait_for_each_other(salon: Salon) -> None:
    await salon.open()
    one, other = await salon.booked(CLIENT, TEN), await salon.booked(STRANGER, TEN + HOUR)
    found = await asyncio.gather(
        salon.move(CLIENT, one.id, TEN + HOUR), salon.move(STRANGER, other.id, TEN), return_exceptions=True
    )
    assert all(isinstance(answer, errors.SlotTaken) for answer in found)


async def test_a_group_may_be_joined_by_moving_into_it(salon: Salon) -> None:
    await salon.open(hours(*((day, 540, 1080) for day in range(7))), capacity=2)
    one, other = await salon.booked(CLIENT, TEN), await salon.booked(STRANGER, TEN + HOUR)
    (moved,) = await salon.move(CLIENT, one.id, TEN + HOUR)
    assert moved.starts_at == other.starts_at
    with pytest.raises(errors.SlotTaken):
        await salon.booked(CLIENT, TEN + HOUR)
