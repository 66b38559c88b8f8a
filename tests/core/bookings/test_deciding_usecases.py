"""Confirming, cancelling and ending: by whom, when, at which fee, and what the store holds afterwards."""

from datetime import timedelta

import pytest

from core.bookings.builders import ADMIN, CLIENT, COLLEAGUE, DAY, HOUR, NOW, STAFF, STRANGER
from core.bookings.salon import Salon
from opora.core.bookings import errors
from opora.core.bookings.model.appointments import Status
from opora.core.bookings.rules.booking import EVERYONES
from opora.core.kernel.errors import IllegalMove, Stale
from opora.core.notifications.model.notices import KeptNotice, NoticeState

pytestmark = pytest.mark.anyio

TEN = NOW + 3 * DAY + HOUR


async def test_who_gives_it_confirms_and_the_client_is_told_and_reminded(salon: Salon) -> None:
    await salon.open(auto_confirm=False)
    booked = await salon.booked(CLIENT, TEN)
    for actor, refusal in (
        (CLIENT, errors.NotYoursToDecide),
        (STRANGER, errors.NoSuchAppointment),
        (COLLEAGUE, errors.NoSuchAppointment),
    ):
        with pytest.raises(refusal):
            await salon.confirm(actor, booked.id)
    assert (await salon.confirm(STAFF, booked.id)).status is Status.CONFIRMED
    assert await salon.letters() == [("requested", 1), ("confirmed", 1)]
    assert await salon.letters(waiting=True) == [("reminder_day", 1), ("reminder_hour", 1)]
    with pytest.raises(IllegalMove):
        await salon.confirm(STAFF, booked.id)
    assert await salon.audited() == ["appointment.booked", "appointment.confirmed"]


async def test_what_nobody_confirmed_in_time_is_cancelled_without_a_fee(salon: Salon) -> None:
    await salon.open(auto_confirm=False)
    booked = await salon.booked(CLIENT, TEN)
    salon.clock.at = TEN
    with pytest.raises(errors.AlreadyStarted):
        await salon.confirm(ADMIN, booked.id)
    assert await salon.work() == 1
    cancelled = await salon.views.one(booked.id, EVERYONES)
    assert cancelled is not None
    assert (cancelled.status, cancelled.fee_minor, cancelled.cancelled_by) == (Status.CANCELLED, 0, "anonymous")


async def test_what_was_confirmed_in_time_stays(salon: Salon) -> None:
    await salon.open(auto_confirm=False)
    booked = await salon.booked(CLIENT, TEN)
    await salon.confirm(STAFF, booked.id)
    salon.clock.at = TEN
    assert await salon.work() == 1
    kept = await salon.views.one(booked.id, EVERYONES)
    assert kept is not None and kept.status is Status.CONFIRMED


@pytest.mark.parametrize(
    ("notice", "fee_minor"),
    [(timedelta(hours=24), 0), (timedelta(hours=23, minutes=59), 250_000), (timedelta(minutes=1), 250_000)],
)
async def test_the_quote_is_the_fee_of_the_cancellation(salon: Salon, notice: timedelta, fee_minor: int) -> None:
    await salon.open()
    booked = await salon.booked(CLIENT, TEN)
    salon.clock.at = TEN - notice
    quote = await salon.quote(CLIENT, booked.id)
    (cancelled,) = await salon.cancel(CLIENT, booked.id, "ill")
    assert (quote.amount_minor, quote.currency) == (fee_minor, "RUB")
    assert (cancelled.fee_minor, cancelled.reason, cancelled.status) == (fee_minor, "ill", Status.CANCELLED)
    assert cancelled.cancelled_by == "user:1"


async def test_a_cancelled_appointment_frees_its_time_and_reminds_of_nothing(salon: Salon) -> None:
    await salon.open()
    booked = await salon.booked(CLIENT, TEN)
    await salon.cancel(CLIENT, booked.id)
    assert await salon.letters() == [("cancelled", 1)]
    assert await salon.letters(waiting=True) == []
    assert (await salon.booked(STRANGER, TEN)).client_id == 2
    for again in (salon.cancel(CLIENT, booked.id), salon.quote(CLIENT, booked.id), salon.confirm(STAFF, booked.id)):
        with pytest.raises(IllegalMove):
            await again
    assert await salon.topics() == ["appointment.booked", "appointment.cancelled", "appointment.booked"]


async def test_staff_and_admins_cancel_without_a_fee_even_at_the_last_moment(salon: Salon) -> None:
    await salon.open()
    for number, actor in enumerate((STAFF, ADMIN)):
        booked = await salon.booked(CLIENT, TEN + number * HOUR)
        salon.clock.at = TEN - HOUR / 2
        assert (await salon.cancel(actor, booked.id))[0].fee_minor == 0
        salon.clock.at = NOW


async def test_others_can_neither_see_nor_cancel(salon: Salon) -> None:
    await salon.open()
    booked = await salon.booked(CLIENT, TEN)
    for actor in (STRANGER, COLLEAGUE):
        for call in (salon.cancel, salon.quote, salon.complete, salon.miss):
            with pytest.raises(errors.NoSuchAppointment):
                await call(actor, booked.id)


async def test_what_has_begun_is_completed_or_missed_and_no_longer_cancelled(salon: Salon) -> None:
    await salon.open()
    came, missed = await salon.booked(CLIENT, TEN), await salon.booked(CLIENT, TEN + HOUR)
    for early in (salon.complete(STAFF, came.id), salon.miss(STAFF, came.id)):
        with pytest.raises(errors.NotStarted):
            await early
    salon.clock.at = TEN + HOUR
    for late in (salon.cancel(CLIENT, came.id), salon.quote(CLIENT, came.id), salon.cancel(ADMIN, missed.id)):
        with pytest.raises(errors.AlreadyStarted):
            await late
    for mine in (salon.complete(CLIENT, came.id), salon.miss(CLIENT, came.id)):
        with pytest.raises(errors.NotYoursToDecide):
            await mine
    assert (await salon.complete(STAFF, came.id)).status is Status.COMPLETED
    assert (await salon.miss(ADMIN, missed.id)).fee_minor == 250_000
    with pytest.raises(IllegalMove):
        await salon.miss(STAFF, came.id)
    assert (await salon.topics())[-2:] == ["appointment.completed", "appointment.no_show"]


async def test_an_appointment_that_went_to_somebody_else_meanwhile_is_to_be_read_again(salon: Salon) -> None:
    await salon.open(staff_ids=(10, 11))
    booked = await salon.booked(CLIENT, TEN, staff_id=10)
    real = salon.views.one

    async def as_it_was(*_: object) -> object:
        found = await real(booked.id, EVERYONES)
        await salon.database.read.execute("UPDATE appointments SET staff_id = 11")
        return found

    salon.views.one = as_it_was  # type: ignore[method-assign, assignment]  # another moves it between look and lock
    with pytest.raises(Stale):
        await salon.cancel(CLIENT, booked.id)


async def test_a_reminder_holds_for_the_confirmed_appointment_at_its_time_alone(salon: Salon) -> None:
    await salon.open()
    booked = await salon.booked(CLIENT, TEN)

    async def holds(about: str = f"appointment:{booked.id}", starts_at: str = "2030-01-10T07:00:00Z") -> bool:
        return await salon.relevance(
            KeptNotice(
                id=salon.desk.identifiers.task_id(),
                kind="bookings.reminder_day",
                user_id=1,
                email=None,
                locale=None,
                data={"starts_at": starts_at},
                about=about,
                state=NoticeState.WAITING,
                fire_at=NOW,
                created_at=NOW,
            )
        )

    assert await holds()
    assert not await holds(about="appointment:999")
    assert not await holds(starts_at="2030-01-10T08:00:00Z")
    await salon.cancel(CLIENT, booked.id)
    assert not await holds()
