"""Services, hours and calendars: who may change them, what is refused, and what is kept."""

from dataclasses import replace
from datetime import date, timedelta

import icalendar
import pytest

from core.bookings.builders import ADMIN, CLIENT, COLLEAGUE, DAY, HOUR, NOW, STAFF, STRANGER, an_offering, hours
from core.bookings.salon import Salon
from opora.core.bookings import errors
from opora.core.bookings.model.calendars import FEEDS_MAX
from opora.core.bookings.model.hours import Closure, DayException
from opora.core.bookings.model.offerings import Band
from opora.core.kernel.model import Actor

pytestmark = pytest.mark.anyio

TEN = NOW + DAY + HOUR
DRAFT = an_offering(id=0, staff_ids=())


async def test_staff_offer_what_they_give_themselves_and_an_admin_what_anybody_gives(salon: Salon) -> None:
    await salon.open()
    assert (await salon.add(STAFF, DRAFT)).staff_ids == (10,)
    assert (await salon.add(ADMIN, replace(DRAFT, staff_ids=(10, 11)))).staff_ids == (10, 11)
    assert (await salon.add(ADMIN, DRAFT)).staff_ids == ()
    for staff_ids in ((11,), (10, 11)):
        with pytest.raises(errors.NotYourOffering):
            await salon.add(STAFF, replace(DRAFT, staff_ids=staff_ids))
    for stranger in (1, 500):
        with pytest.raises(errors.InvalidOffering) as refused:
            await salon.add(ADMIN, replace(DRAFT, staff_ids=(10, stranger)))
        assert "staff_ids" in refused.value.errors


async def test_a_changed_service_leaves_what_is_booked_as_it_was(salon: Salon) -> None:
    await salon.open()
    booked = await salon.booked(CLIENT, TEN)
    changed = await salon.change(STAFF, 1, {"price_minor": 1, "policy.bands": (Band(0, 50), Band(5, 0))})
    assert (changed.price_minor, changed.policy.bands, changed.version) == (1, (Band(5, 0), Band(0, 50)), 2)
    salon.clock.at = TEN - HOUR
    assert (await salon.quote(CLIENT, booked.id)).amount_minor == 250_000


async def test_staff_change_and_retire_only_what_they_alone_give(salon: Salon) -> None:
    await salon.open()
    for call in (
        salon.change(COLLEAGUE, 1, {}),
        salon.retire(COLLEAGUE, 1),
        salon.change(STAFF, 1, {"staff_ids": (11,)}),
    ):
        with pytest.raises(errors.NotYourOffering):
            await call
    for call in (salon.change(ADMIN, 9, {}), salon.retire(ADMIN, 9)):
        with pytest.raises(errors.NoSuchOffering):
            await call
    with pytest.raises(errors.InvalidOffering):
        await salon.change(STAFF, 1, {"duration_min": 0})
    await salon.retire(STAFF, 1)
    with pytest.raises(errors.NoSuchOffering):
        await salon.change(STAFF, 1, {})
    with pytest.raises(errors.NoSuchOffering):
        await salon.booked(CLIENT, TEN)


async def test_hours_are_ones_own_or_an_admins_to_see_and_to_set(salon: Salon) -> None:
    await salon.open()
    mine = hours((1, 600, 720), (0, 540, 600), exceptions=(DayException(date(2030, 5, 9)),), closures=())
    assert [one.weekday for one in (await salon.set_hours(STAFF, mine)).weekly] == [0, 1]
    assert (await salon.read_hours(STAFF, 10)).exceptions == mine.exceptions
    assert (await salon.read_hours(ADMIN, 10)).user_id == 10
    for actor, user_id in ((STAFF, 11), (CLIENT, 10), (CLIENT, 1), (ADMIN, 1), (ADMIN, 500)):
        with pytest.raises(errors.NoSuchStaff):
            await salon.read_hours(actor, user_id)
        with pytest.raises(errors.NoSuchStaff):
            await salon.set_hours(actor, replace(mine, user_id=user_id))
    with pytest.raises(errors.InvalidZone):
        await salon.set_hours(STAFF, replace(mine, timezone="Mars/Olympus"))
    with pytest.raises(errors.InvalidAvailability):
        await salon.set_hours(STAFF, replace(mine, closures=(Closure(TEN, TEN),)))
    await salon.set_hours(ADMIN, hours(user_id=11))
    assert (await salon.read_hours(COLLEAGUE, 11)).weekly == ()


async def test_who_never_set_hours_has_none(salon: Salon) -> None:
    await salon.open(hours())
    assert (await salon.read_hours(COLLEAGUE, 11)).weekly == ()


async def test_an_invitation_is_ones_own_and_says_when_it_was_cancelled(salon: Salon) -> None:
    await salon.open()
    booked = await salon.booked(CLIENT, TEN)
    asked = icalendar.Calendar.from_ical(await salon.invitation(CLIENT, booked.id))
    (event,) = asked.walk("VEVENT")
    assert (asked["method"], event["summary"], event["sequence"]) == ("REQUEST", "Consultation", 0)
    assert event["attendee"] == "mailto:user1@example.org"
    await salon.move(CLIENT, booked.id, TEN + HOUR)
    await salon.cancel(CLIENT, booked.id)
    struck = icalendar.Calendar.from_ical(await salon.invitation(STAFF, booked.id))
    (again,) = struck.walk("VEVENT")
    assert (struck["method"], again["uid"], again["sequence"]) == ("CANCEL", event["uid"], 2)
    with pytest.raises(errors.NoSuchAppointment):
        await salon.invitation(STRANGER, booked.id)


async def test_a_private_calendar_opens_to_its_token_until_it_is_revoked(salon: Salon) -> None:
    await salon.open()
    booked = await salon.booked(CLIENT, TEN)
    await salon.booked(STRANGER, TEN + HOUR)
    feed, token = await salon.make_feed(CLIENT)
    _, of_staff = await salon.make_feed(STAFF)
    assert token.startswith("opc_") and len(token) == 68
    (event,) = icalendar.Calendar.from_ical(await salon.read_feed(token)).walk("VEVENT")
    assert event["uid"] == booked.uid
    assert len(icalendar.Calendar.from_ical(await salon.read_feed(of_staff)).walk("VEVENT")) == 2
    salon.clock.at += timedelta(days=40)
    assert icalendar.Calendar.from_ical(await salon.read_feed(token)).walk("VEVENT") == []
    with pytest.raises(errors.NoSuchCalendar):
        await salon.revoke_feed(STRANGER, feed.id)
    await salon.revoke_feed(CLIENT, feed.id)
    for spent in (token, "opc_" + "0" * 64, ""):
        with pytest.raises(errors.NoSuchCalendar):
            await salon.read_feed(spent)
    rows = await salon.database.read.fetch("SELECT digest FROM calendar_feeds")
    assert token.encode() not in {bytes(row["digest"]) for row in rows}


async def test_calendars_are_a_persons_and_not_without_number(salon: Salon) -> None:
    await salon.open()
    nobody = Actor(key_id=5, scopes=frozenset({"appointments:read"}))
    with pytest.raises(errors.NoSuchCalendar):
        await salon.make_feed(nobody)
    with pytest.raises(errors.NoSuchCalendar):
        await salon.revoke_feed(nobody, 1)
    for _ in range(FEEDS_MAX):
        await salon.make_feed(CLIENT)
    with pytest.raises(errors.TooManyCalendars):
        await salon.make_feed(CLIENT)
