"""What letters about appointments carry: a calendar file each, a request or a cancellation under one name for good."""

import json
from collections.abc import Sequence

import icalendar
import pytest

from core.bookings.builders import CLIENT, DAY, HOUR, NOW, STAFF, STRANGER
from core.bookings.salon import Salon
from opora.core.bookings.model.appointments import Wish
from opora.core.bookings.model.series import Extent, OnConflict
from opora.core.notifications.model.letters import Attachment
from opora.core.notifications.model.notices import KeptNotice, NoticeState

pytestmark = pytest.mark.anyio

TEN = NOW + 3 * DAY + HOUR


async def attached(salon: Salon) -> Sequence[Attachment]:
    """Return the files of the newest letter at hand."""
    rows = await salon.database.read.fetch(
        "SELECT kind, user_id, about, data FROM notices WHERE state = 'waiting' AND kind NOT LIKE '%reminder%'"
        " ORDER BY id DESC LIMIT 1"
    )
    (row,) = rows
    notice = KeptNotice(
        id=salon.desk.identifiers.task_id(),
        kind=row["kind"],
        user_id=row["user_id"],
        email=None,
        locale=None,
        data=json.loads(row["data"]),
        about=row["about"],
        state=NoticeState.FIRED,
        fire_at=NOW,
        created_at=NOW,
    )
    return await salon.attached(notice)


async def read(salon: Salon) -> tuple[str, str, int, str]:
    """Return the method, UID, sequence and status of the one file of the newest letter."""
    (file,) = await attached(salon)
    calendar = icalendar.Calendar.from_ical(file.content)
    (event,) = calendar.walk("VEVENT")
    assert (file.media_type, file.parameters["method"]) == ("text/calendar", calendar["method"])
    return str(calendar["method"]), str(event["uid"]), int(event["sequence"]), str(event["status"])


async def test_letters_of_one_appointment_carry_one_uid_and_a_growing_sequence_to_its_cancellation(
    salon: Salon,
) -> None:
    await salon.open(auto_confirm=False)
    booked = await salon.booked(CLIENT, TEN)
    found = [await read(salon)]
    await salon.confirm(STAFF, booked.id)
    found.append(await read(salon))
    await salon.move(STAFF, booked.id, TEN + HOUR)
    found.append(await read(salon))
    await salon.cancel(CLIENT, booked.id)
    found.append(await read(salon))
    assert [(one[0], one[3]) for one in found] == [
        ("REQUEST", "TENTATIVE"),
        ("REQUEST", "CONFIRMED"),
        ("REQUEST", "CONFIRMED"),
        ("CANCEL", "CANCELLED"),
    ]
    assert {one[1] for one in found} == {booked.uid}
    assert [one[2] for one in found] == [0, 1, 2, 3]


async def test_a_letter_of_a_series_carries_a_file_for_each_appointment(salon: Salon) -> None:
    await salon.open()
    wish = Wish(service_id=1, starts_at=TEN, client_id=1)
    made = await salon.book_series(CLIENT, wish, "FREQ=DAILY;COUNT=2", OnConflict.FAIL)
    files = await attached(salon)
    assert [one.name for one in files] == [f"appointment-{one.id}.ics" for one in made.appointments]
    await salon.cancel(CLIENT, made.appointments[0].id, None, Extent.ALL)
    assert {one.parameters["method"] for one in await attached(salon)} == {"CANCEL"}


async def test_what_is_anothers_or_not_there_is_not_attached(salon: Salon) -> None:
    await salon.open()
    await salon.booked(STRANGER, TEN)
    await salon.booked(CLIENT, TEN + HOUR)
    await salon.database.read.execute("UPDATE notices SET data = :data", data='{"appointment_ids": [1, 2, 99]}')
    assert [one.name for one in await attached(salon)] == ["appointment-2.ics"]
