"""What becomes of appointments when somebody has themselves erased: what is to come is cancelled, what was stays."""

import pytest

from core.bookings.builders import ADMIN, CLIENT, DAY, HOUR, NOW, STRANGER
from core.bookings.salon import Salon
from opora.core.bookings.model.appointments import Appointment, Status, Wish
from opora.core.bookings.rules.booking import EVERYONES
from opora.core.kernel.errors import Stale

pytestmark = pytest.mark.anyio

TEN = NOW + 3 * DAY + HOUR


async def now_of(salon: Salon, one: Appointment) -> Appointment:
    found = await salon.views.one(one.id, EVERYONES)
    assert found is not None
    return found


async def test_what_a_client_would_have_come_to_is_cancelled_at_the_price_of_cancelling_and_its_time_is_free(
    salon: Salon,
) -> None:
    await salon.open()
    was, soon, later = [await salon.booked(CLIENT, TEN + number * HOUR) for number in (0, 2, 28 * 24)]
    salon.clock.at = TEN + HOUR
    await salon.complete(ADMIN, was.id)
    await salon.records.erase(1)
    assert (await now_of(salon, was)).status is Status.COMPLETED
    ended = [await now_of(salon, one) for one in (soon, later)]
    assert [(one.status, one.fee_minor) for one in ended] == [(Status.CANCELLED, 250_000), (Status.CANCELLED, 0)]
    assert soon.starts_at in await salon.starts(TEN)
    assert await salon.letters(waiting=True) == [] and "cancelled" not in [kind for kind, _ in await salon.letters()]
    assert (await salon.topics()).count("appointment.cancelled") == 2
    assert (await salon.audited()).count("appointment.cancelled") == 2
    await salon.records.erase(1)
    assert (await salon.topics()).count("appointment.cancelled") == 2


async def test_who_waits_is_offered_the_time_of_who_left(salon: Salon) -> None:
    await salon.open()
    booked = await salon.booked(CLIENT, TEN)
    await salon.join(STRANGER, 1, TEN, TEN + HOUR)
    await salon.records.erase(1)
    assert ("offered", 2) in await salon.letters()
    assert (await now_of(salon, booked)).status is Status.CANCELLED


async def test_clients_of_who_left_are_told_pay_nothing_and_nobody_is_offered_that_time(salon: Salon) -> None:
    await salon.open(staff_ids=(10, 11))
    with_leaver = await salon.booked(CLIENT, TEN, staff_id=10)
    with_other = await salon.booked(STRANGER, TEN, staff_id=11)
    await salon.join(STRANGER, 1, TEN, TEN + HOUR)
    salon.clock.at = TEN - HOUR / 2
    await salon.records.erase(10)
    ended = await now_of(salon, with_leaver)
    assert (ended.status, ended.fee_minor) == (Status.CANCELLED, 0)
    assert (await now_of(salon, with_other)).status is Status.CONFIRMED
    letters = await salon.letters()
    assert ("cancelled", 1) in letters and "offered" not in [kind for kind, _ in letters]


async def test_what_changed_hands_meanwhile_is_looked_at_again(salon: Salon) -> None:
    await salon.open(staff_ids=(10, 11))
    booked = await salon.booked(CLIENT, TEN, staff_id=10)
    real = salon.views.of_person

    async def as_it_was(*given: object) -> object:
        found = await real(*given)  # type: ignore[arg-type]
        await salon.database.read.execute("UPDATE appointments SET staff_id = 11")
        return found

    salon.views.of_person = as_it_was  # type: ignore[method-assign, assignment]  # another moves it in between
    with pytest.raises(Stale):
        await salon.records.erase(1)
    salon.views.of_person = real  # type: ignore[method-assign]
    await salon.records.erase(1)
    assert (await now_of(salon, booked)).status is Status.CANCELLED


async def test_records_are_shown_as_the_rows_hold_them(salon: Salon) -> None:
    await salon.open()
    await salon.book(CLIENT, Wish(service_id=1, starts_at=TEN))
    assert [one["record"] async for one in salon.records.held(1)] == ["appointment"]
    assert salon.records.section == "bookings"
