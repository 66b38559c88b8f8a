"""Appointments written as iCalendar by the library of that name, which is loaded when the first file is asked for."""

from collections.abc import Sequence
from typing import Any

from opora.core.bookings.model.appointments import Status
from opora.core.bookings.model.calendars import Invitation, Method, Person
from opora.core.bookings.ports.calendars import CalendarFiles

STATUSES = {Status.PENDING: "TENTATIVE", Status.CANCELLED: "CANCELLED"}
NAME_LENGTH_MAX = 120


class IcalendarFiles(CalendarFiles):
    """Files of RFC 5545, with what RFC 5546 asks of an invitation: an organizer, an attendee, a sequence."""

    def __init__(self, product: str = "Opora") -> None:
        self._product = product

    def write(self, invitations: Sequence[Invitation], method: Method) -> bytes:
        import icalendar  # noqa: PLC0415  # a tenth of a second that no start needs to pay

        calendar = icalendar.Calendar()
        calendar.add("prodid", f"-//{self._product}//appointments//EN")
        calendar.add("version", "2.0")
        calendar.add("method", str(method))
        if method is Method.PUBLISH:
            calendar.add("x-wr-calname", self._product)
        for invitation in invitations:
            calendar.add_component(event(icalendar, invitation))
        return bytes(calendar.to_ical())


def event(icalendar: Any, invitation: Invitation) -> Any:
    """Return one appointment as an event; its text is escaped by the library."""
    one = invitation.appointment
    made = icalendar.Event()
    made.add("uid", one.uid)
    made.add("sequence", one.sequence)
    made.add("dtstamp", one.changed_at.replace(microsecond=0))
    made.add("last-modified", one.changed_at.replace(microsecond=0))
    made.add("dtstart", one.starts_at)
    made.add("dtend", one.ends_at)
    made.add("summary", plain(invitation.service) or "Appointment")
    made.add("status", STATUSES.get(one.status, "CONFIRMED"))
    made.add("transp", "TRANSPARENT" if one.status is Status.CANCELLED else "OPAQUE")
    if invitation.staff.email:
        made.add("organizer", address(icalendar, invitation.staff))
    if invitation.client.email:
        attendee = address(icalendar, invitation.client)
        attendee.params["partstat"] = icalendar.vText("ACCEPTED")
        made.add("attendee", attendee, encode=0)
    return made


def address(icalendar: Any, person: Person) -> Any:
    """Return a person as a calendar names them."""
    found = icalendar.vCalAddress(f"mailto:{plain(person.email)}")
    if person.name:
        found.params["cn"] = icalendar.vText(plain(person.name))
    return found


def plain(text: str) -> str:
    """Return a text that stays on its line and within quotes: without control characters and double quotes."""
    shown = "".join(letter if letter.isprintable() else " " for letter in text.replace('"', "'"))
    return " ".join(shown.split())[:NAME_LENGTH_MAX]
