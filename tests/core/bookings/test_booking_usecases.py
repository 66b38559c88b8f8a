"""Holding, taking up and booking: who gets a time, who is refused it and why, and what is told of it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from core.bookings.builders import ADMIN, CLIENT, DAY, HOUR, NOW, STAFF, STRANGER, hours, office_hours
from core.bookings.salon import Salon
from opora.adapters.sql.bookings.appointments import SqlAppointmentRepository
from opora.core.bookings import errors
from opora.core.bookings.model.appointments import Status, Wish
from opora.core.kernel.model import Actor

pytestmark = pytest.mark.anyio

TEN = NOW + DAY + HOUR
"""Ten in the morning of the next day in Moscow."""
KEY = Actor(key_id=5, scopes=CLIENT.scopes)


async def test_a_booking_is_confirmed_announced_audited_told_and_reminded_of(salon: Salon) -> None:
    await salon.open()
    booked = await salon.booked(CLIENT, TEN, note="first visit")
    assert (booked.status, booked.staff_id, booked.client_id, booked.note) == (Status.CONFIRMED, 10, 1, "first visit")
    assert (booked.starts_at, booked.ends_at, booked.timezone) == (TEN, TEN + HOUR, "Europe/Moscow")
    assert (booked.price_minor, booked.currency, booked.fee_minor) == (250_000, "RUB", None)
    assert await salon.topics() == ["appointment.booked"]
    assert await salon.audited() == ["appointment.booked"]
    assert await salon.letters() == [("confirmed", 1)]
    assert await salon.letters(waiting=True) == [("reminder_day", 1), ("reminder_hour", 1)]


async def test_a_service_whose_staff_confirm_takes_wishes(salon: Salon) -> None:
    await salon.open(auto_confirm=False)
    assert (await salon.booked(CLIENT, TEN)).status is Status.PENDING
    assert await salon.letters() == [("requested", 1)]
    assert await salon.letters(waiting=True) == []


async def test_no_reminder_is_kept_whose_time_has_passed(salon: Salon) -> None:
    await salon.open()
    await salon.booked(CLIENT, NOW + 2 * HOUR)
    assert await salon.letters(waiting=True) == [("reminder_hour", 1)]


async def test_a_time_that_somebody_has_is_refused_with_the_next_ones(salon: Salon) -> None:
    await salon.open()
    await salon.booked(CLIENT, TEN)
    with pytest.raises(errors.SlotTaken) as refused:
        await salon.booked(STRANGER, TEN)
    assert refused.value.facts["next_free"][0] == {"starts_at": "2030-01-08T08:00:00Z", "staff_id": 10}  # type: ignore[index]
    assert TEN not in await salon.starts(NOW + DAY)


async def test_who_wants_a_time_that_is_gone_is_told_by_three_statements(
    salon: Salon, monkeypatch: pytest.MonkeyPatch
) -> None:
    await salon.open()
    await salon.booked(CLIENT, TEN)
    asked: list[str] = []
    real = salon.database.read.fetch

    async def fetch(sql: str, **parameters: object) -> object:
        asked.append(sql)
        return await real(sql, **parameters)

    monkeypatch.setattr(salon.database.read, "fetch", fetch)
    with pytest.raises(errors.SlotTaken) as refusal:
        await salon.booked(STRANGER, TEN)
    assert refusal.value.facts["next_free"]
    assert len(asked) == 3, asked


async def test_without_a_wish_for_somebody_whoever_is_free_and_least_busy_gives_it(salon: Salon) -> None:
    await salon.open(staff_ids=(10, 11))
    assert [(await salon.booked(CLIENT, at)).staff_id for at in (TEN, TEN, TEN + HOUR)] == [10, 11, 10]
    with pytest.raises(errors.SlotTaken):
        await salon.booked(CLIENT, TEN)
    assert (await salon.booked(CLIENT, TEN + 2 * HOUR, staff_id=11)).staff_id == 11


@pytest.mark.parametrize(
    "at",
    [
        TEN + timedelta(minutes=7),  # off the grid
        TEN + timedelta(seconds=1),
        TEN + 12 * HOUR,  # at night
        NOW - 7 * DAY,
        NOW + 91 * DAY,
    ],
)
async def test_a_time_that_nobody_offers_is_refused(salon: Salon, at: object) -> None:
    await salon.open()
    with pytest.raises(errors.SlotNotOffered):
        await salon.booked(CLIENT, at)  # type: ignore[arg-type]


async def test_notice_and_horizon_bind_clients_but_neither_staff_nor_admins(salon: Salon) -> None:
    await salon.open(min_notice_min=2 * 24 * 60, horizon_days=10)
    for at in (TEN, NOW + 14 * DAY):
        with pytest.raises(errors.SlotNotOffered):
            await salon.booked(CLIENT, at)
        assert (await salon.booked(STAFF, at, staff_id=10, client_id=1)).client_id == 1
    assert (await salon.booked(ADMIN, TEN + HOUR, client_id=1)).client_id == 1
    assert await salon.starts(NOW + DAY, actor=CLIENT) == []
    assert len(await salon.starts(NOW + DAY, actor=ADMIN)) > 0


async def test_only_who_gives_a_service_can_be_wished_for(salon: Salon) -> None:
    await salon.open()
    with pytest.raises(errors.SlotNotOffered) as refused:
        await salon.booked(CLIENT, TEN, staff_id=11)
    assert refused.value.errors == {"staff_id": ["does not give this service"]}
    with pytest.raises(errors.NoSuchOffering):
        await salon.booked(CLIENT, TEN, service_id=9)


async def test_clients_book_for_themselves_and_staff_for_active_users(salon: Salon) -> None:
    await salon.open()
    with pytest.raises(errors.NotForOthers):
        await salon.booked(CLIENT, TEN, client_id=2)
    assert (await salon.booked(CLIENT, TEN, client_id=1)).client_id == 1
    for unknown in (4, 500):
        with pytest.raises(errors.ClientUnknown):
            await salon.booked(STAFF, TEN + HOUR, client_id=unknown)
    with pytest.raises(errors.InvalidBooking):
        await salon.booked(KEY, TEN + HOUR)


async def test_a_group_has_its_places_and_no_other_service_comes_between(salon: Salon) -> None:
    await salon.open(capacity=2)
    await salon.offered(name="Other", duration_min=30, step_min=30)
    assert [(await salon.booked(who, TEN)).place for who in (CLIENT, STRANGER)] == [0, 1]
    with pytest.raises(errors.SlotTaken):
        await salon.booked(CLIENT, TEN)
    for at in (TEN, TEN + HOUR / 2):
        with pytest.raises(errors.SlotTaken):
            await salon.booked(CLIENT, at, service_id=2)
    assert (await salon.booked(CLIENT, TEN + HOUR, service_id=2)).service_id == 2


async def test_a_hold_keeps_a_time_for_its_holder_until_it_is_taken_up(salon: Salon) -> None:
    await salon.open()
    hold = await salon.hold(CLIENT, Wish(service_id=1, starts_at=TEN))
    assert (hold.status, hold.expires_at) == (Status.HELD, NOW + timedelta(seconds=600))
    with pytest.raises(errors.SlotTaken):
        await salon.booked(STRANGER, TEN)
    with pytest.raises(errors.SlotTaken):
        await salon.hold(STRANGER, Wish(service_id=1, starts_at=TEN))
    with pytest.raises(errors.NoSuchHold):
        await salon.take_up(STRANGER, hold.id)
    with pytest.raises(errors.NoSuchHold):
        await salon.take_up(CLIENT, 10**6)
    with pytest.raises(errors.InvalidBooking) as other:
        await salon.take_up(CLIENT, hold.id, service_id=2, staff_id=11, starts_at=TEN + HOUR)
    assert sorted(other.value.errors) == ["service_id", "staff_id", "starts_at"]
    booked = await salon.take_up(CLIENT, hold.id, service_id=1, staff_id=10, starts_at=TEN, note="x")
    assert (booked.id, booked.status, booked.note, booked.place) == (hold.id, Status.CONFIRMED, "x", 0)
    with pytest.raises(errors.HoldSpent):
        await salon.take_up(CLIENT, hold.id)
    assert await salon.topics() == ["appointment.booked"]
    assert await salon.letters() == [("confirmed", 1)]


async def test_staff_take_a_hold_up_for_a_client(salon: Salon) -> None:
    await salon.open(auto_confirm=False)
    hold = await salon.hold(STAFF, Wish(service_id=1, starts_at=TEN))
    booked = await salon.take_up(STAFF, hold.id, client_id=2)
    assert (booked.client_id, booked.status) == (2, Status.PENDING)


async def test_a_hold_past_its_time_is_spent_and_whoever_comes_gets_the_time(salon: Salon) -> None:
    await salon.open()
    hold = await salon.hold(CLIENT, Wish(service_id=1, starts_at=TEN))
    salon.clock.at += timedelta(seconds=600)
    with pytest.raises(errors.HoldSpent):
        await salon.take_up(CLIENT, hold.id)
    assert TEN in await salon.starts(NOW + DAY)
    assert (await salon.booked(STRANGER, TEN)).client_id == 2
    assert await salon.work() == 1  # the job finds the hold gone and lets it be
    assert TEN not in await salon.starts(NOW + DAY)


async def test_a_job_lets_a_hold_go_at_its_end_and_not_before(salon: Salon) -> None:
    await salon.open()
    hold = await salon.hold(CLIENT, Wish(service_id=1, starts_at=TEN))
    salon.clock.at += timedelta(seconds=600)
    assert hold.expires_at is not None
    await salon.database.read.execute("UPDATE appointments SET expires_at = :at", at=hold.expires_at + HOUR)
    assert await salon.work() == 1  # another clock was ahead: the job asks to come again
    salon.clock.at += HOUR
    assert await salon.work() == 1
    row = await salon.database.read.fetch_one("SELECT status, place FROM appointments")
    assert row is not None
    assert tuple(row) == ("lapsed", None)


async def test_nobody_holds_more_than_three_times(salon: Salon) -> None:
    await salon.open()
    for number in range(3):
        await salon.hold(CLIENT, Wish(service_id=1, starts_at=TEN + number * HOUR))
    with pytest.raises(errors.TooManyHolds):
        await salon.hold(CLIENT, Wish(service_id=1, starts_at=TEN + 4 * HOUR))
    assert await salon.hold(STRANGER, Wish(service_id=1, starts_at=TEN + 4 * HOUR))


async def test_a_hold_ends_with_the_start_at_the_latest(salon: Salon) -> None:
    await salon.open(hours((0, 543, 1080)))
    start = NOW + timedelta(minutes=3)
    hold = await salon.hold(replace(ADMIN, user_id=99), Wish(service_id=1, starts_at=start))
    assert hold.expires_at == start


async def test_who_is_overtaken_at_the_last_moment_is_told_the_time_is_taken(salon: Salon) -> None:
    await salon.open()
    stale = await salon.find.read([10], 31_600_000, 31_600_000, NOW)
    await salon.booked(CLIENT, TEN)

    async def as_it_was(*_: object) -> object:
        return stale if not seen.append(1) and len(seen) == 1 else await real(*_)  # type: ignore[func-returns-value, arg-type]

    seen: list[int] = []
    real = salon.diaries.read
    salon.diaries.read = as_it_was  # type: ignore[method-assign, assignment]  # a read before the other's commit
    with pytest.raises(errors.SlotTaken):
        await salon.booked(STRANGER, TEN)
    seen.clear()
    with pytest.raises(errors.SlotTaken):
        await salon.hold(STRANGER, Wish(service_id=1, starts_at=TEN))


async def test_a_hold_that_another_let_go_meanwhile_is_let_be(salon: Salon, monkeypatch: pytest.MonkeyPatch) -> None:
    await salon.open()
    booked = await salon.booked(CLIENT, TEN)
    stale = await salon.find.read([10], 31_600_000, 31_600_000, NOW)

    async def seen(*_: object) -> list[int]:
        return [booked.id, 10**6]

    async def as_it_was(*_: object) -> object:
        salon.diaries.read = real  # type: ignore[method-assign]
        return stale

    real = salon.diaries.read
    salon.diaries.read = as_it_was  # type: ignore[method-assign, assignment]  # a read before the other's commit
    monkeypatch.setattr(SqlAppointmentRepository, "holds_in_way", seen)  # a look before the other's commit
    with pytest.raises(errors.SlotTaken):
        await salon.booked(STRANGER, TEN)


async def test_people_without_hours_give_nothing(salon: Salon) -> None:
    await salon.open(office_hours(11))
    assert await salon.starts(NOW + DAY) == []
    with pytest.raises(errors.SlotNotOffered):
        await salon.booked(CLIENT, TEN)
    with pytest.raises(errors.NoSuchOffering):
        await salon.starts(NOW, service_id=5)
