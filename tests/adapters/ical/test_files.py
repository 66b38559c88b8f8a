"""Calendar files read back by a parser: what they say, and what no text can make them say."""

from dataclasses import replace

import icalendar

from core.bookings.builders import DAY, HOUR, NOW, an_appointment
from opora.adapters.ical.files import IcalendarFiles
from opora.core.bookings.model.appointments import Status
from opora.core.bookings.model.calendars import Invitation, Method, Person

ANNA = Person("Анна Дёмина", "anna@example.org")
BORIS = Person("Борис", "boris@example.org")
FILES = IcalendarFiles()


def an_invitation(**changes: object) -> Invitation:
    return Invitation(an_appointment(**changes), "Стрижка; мытьё, укладка", BORIS, ANNA)


def read(content: bytes) -> icalendar.Event:
    (event,) = icalendar.Calendar.from_ical(content).walk("VEVENT")
    return event


def test_an_invitation_says_when_what_with_whom_and_under_which_name() -> None:
    content = FILES.write([an_invitation(sequence=2)], Method.REQUEST)
    assert icalendar.Calendar.from_ical(content)["method"] == "REQUEST"
    event = read(content)
    assert (event["uid"], event["sequence"], event["status"]) == ("5@opora", 2, "CONFIRMED")
    assert (event["dtstart"].dt, event["dtend"].dt) == (NOW + 2 * DAY, NOW + 2 * DAY + HOUR)
    assert event["dtstamp"].dt == NOW
    assert event["summary"] == "Стрижка; мытьё, укладка"
    assert event["organizer"] == "mailto:boris@example.org"
    assert (event["attendee"], event["attendee"].params["CN"]) == ("mailto:anna@example.org", "Анна Дёмина")


def test_a_cancellation_keeps_the_name_and_says_so_in_calendar_and_event() -> None:
    content = FILES.write([an_invitation(status=Status.CANCELLED, sequence=3)], Method.CANCEL)
    assert b"METHOD:CANCEL\r\n" in content
    assert (read(content)["status"], read(content)["uid"], read(content)["sequence"]) == ("CANCELLED", "5@opora", 3)


def test_what_waits_for_confirmation_is_tentative() -> None:
    assert read(FILES.write([an_invitation(status=Status.PENDING)], Method.REQUEST))["status"] == "TENTATIVE"


def test_the_same_appointments_give_the_same_bytes() -> None:
    several = [an_invitation(), an_invitation(id=6, uid="6@opora")]
    assert FILES.write(several, Method.PUBLISH) == FILES.write(several, Method.PUBLISH)
    assert len(icalendar.Calendar.from_ical(FILES.write(several, Method.PUBLISH)).walk("VEVENT")) == 2
    assert icalendar.Calendar.from_ical(FILES.write([], Method.PUBLISH)).walk("VEVENT") == []


def test_no_text_can_add_a_line_or_a_parameter() -> None:
    evil = 'x"\r\nATTENDEE:mailto:evil@example.org\r\nX;CN=y:\u2028\u0000'
    hostile = replace(an_invitation(), service=evil, client=Person(evil, "anna@example.org"), staff=Person(evil, evil))
    content = FILES.write([hostile], Method.REQUEST).replace(b"\r\n ", b"")
    assert content.count(b"\r\nATTENDEE") == 1
    assert b"\x00" not in content
    assert read(FILES.write([hostile], Method.REQUEST))["attendee"] == "mailto:anna@example.org"


def test_who_has_no_address_is_not_named() -> None:
    nobody = Person("", "")
    event = read(FILES.write([Invitation(an_appointment(), "", nobody, nobody)], Method.REQUEST))
    assert "attendee" not in event
    assert "organizer" not in event
    assert event["summary"] == "Appointment"
