"""Document 1 from its first call to its last: registration, a free time, a booking and its letters, as processes."""

import email
import email.policy
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import icalendar

from e2e.conftest import Setup
from e2e.test_people_story import letter

PASSWORD = "correct horse battery"
ZONE = "Europe/Moscow"
WEEK = [{"weekday": day, "start": "09:00", "end": "18:00"} for day in range(7)]


class People:
    """Calls the processes of an installation in turn, as whoever is named."""

    def __init__(self, setup: Setup) -> None:
        self._addresses = list(setup.addresses)
        self._tokens: dict[str, str] = {}
        self.http = httpx.Client(timeout=30)

    def call(self, who: str, method: str, path: str, **given: Any) -> httpx.Response:
        """Call the next process; which one answers must not matter."""
        self._addresses.append(self._addresses.pop(0))
        headers = {"authorization": f"Bearer {self._tokens[who]}"} if who else {}
        return self.http.request(method, f"{self._addresses[0]}/api/v1{path}", headers=headers, **given)

    def sign_in(self, who: str) -> int:
        """Sign somebody in and return their id."""
        body = {"email": f"{who}@example.org", "password": PASSWORD}
        self._tokens[who] = self.call("", "POST", "/auth/login", json=body).json()["access_token"]
        return int(self.call(who, "GET", "/users/me").json()["id"])


def test_the_story_of_an_appointment(setup: Setup) -> None:
    people = People(setup)
    with people.http:
        played(setup, people)


def played(setup: Setup, people: People) -> None:
    """Play it from registration to the offer of the waitlist."""
    call = people.call
    made = setup.installation.command(
        "users", "create", "--email", "boris@example.org", "--role", "staff", "--json", given=PASSWORD
    )
    staff_id = int(json.loads(made.stdout)["id"])
    for who in ("anna", "vera"):
        wanted = {"email": f"{who}@example.org", "password": PASSWORD, "locale": "ru"}
        assert call("", "POST", "/auth/register", json=wanted).status_code == 202
        people.sign_in(who)
    people.sign_in("boris")
    letter(setup, "anna@example.org", "Подтвердите адрес")

    hours = {"timezone": ZONE, "weekly": WEEK}
    assert call("boris", "PUT", f"/staff/{staff_id}/availability", json=hours).status_code == 200
    body = {"name": "Приём", "duration_min": 60, "price_minor": 250_000, "auto_confirm": False}
    service_id = call("boris", "POST", "/services", json=body).json()["id"]

    day = (datetime.now(UTC) + timedelta(days=3)).date().isoformat()
    query = {"service_id": service_id, "from": day, "to": day, "tz": ZONE}
    free = call("anna", "GET", "/slots", params=query).json()["results"]
    assert len(free) == 9
    wish = {"service_id": service_id, "starts_at": free[0]["starts_at"]}

    def attempt(number: int) -> int:
        return call("anna" if number % 2 else "vera", "POST", "/appointments", json=wish).status_code

    with ThreadPoolExecutor(8) as pool:
        answers = sorted(pool.map(attempt, range(16)))
    assert answers == [201] + [409] * 15

    (booked,) = call("boris", "GET", "/appointments", params={"status": "pending"}).json()["results"]
    confirmed_and_cancelled(setup, people, service_id, booked)


def attached(setup: Setup, to: str, subject: str) -> Any:
    """Return the calendar that came with a letter, which has arrived."""
    for path in (setup.installation.home / "mail").glob("*.eml"):
        found = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        if found["To"] == to and subject in found["Subject"]:
            (file,) = found.iter_attachments()
            assert file.get_content_type() == "text/calendar"
            return icalendar.Calendar.from_ical(file.get_payload(decode=True))
    raise AssertionError(f"no letter about {subject!r} for {to}")


def confirmed_and_cancelled(setup: Setup, people: People, service_id: int, booked: dict[str, Any]) -> None:
    """Confirm what was booked, read it as a calendar, cancel it, and serve who waited."""
    call, place = people.call, f"/appointments/{booked['id']}"
    client = next(who for who in ("anna", "vera") if call(who, "GET", place).status_code == 200)
    other = {"anna": "vera", "vera": "anna"}[client]
    assert call(other, "GET", place).status_code == 404
    letter(setup, f"{client}@example.org", "Заявка на запись")
    assert call("boris", "POST", f"{place}/confirm").json()["status"] == "confirmed"
    assert "за сутки и за час" in letter(setup, f"{client}@example.org", "Запись подтверждена")
    kept = attached(setup, f"{client}@example.org", "Запись подтверждена")
    assert (kept["method"], kept.walk("VEVENT")[0]["status"]) == ("REQUEST", "CONFIRMED")

    invitation = icalendar.Calendar.from_ical(call(client, "GET", f"{place}.ics").content)
    assert invitation["method"] == "REQUEST"
    feed = call(client, "POST", "/calendars").json()["url"].removeprefix("/api/v1")
    assert call("", "GET", feed).content.count(b"BEGIN:VEVENT") == 1

    span = {"service_id": service_id, "from": booked["starts_at"], "to": booked["ends_at"]}
    entry = call(other, "POST", "/waitlist", json=span)
    assert entry.status_code == 201
    assert call(client, "GET", f"{place}/cancellation-quote").json() == {"fee_minor": 0, "currency": "RUB"}
    cancelled = call(client, "POST", f"{place}/cancel", json={"reason": "заболела"}).json()
    assert (cancelled["status"], cancelled["fee"]["fee_minor"]) == ("cancelled", 0)
    letter(setup, f"{client}@example.org", "Запись отменена")
    struck = attached(setup, f"{client}@example.org", "Запись отменена")
    assert struck["method"] == "CANCEL" and struck.walk("VEVENT")[0]["uid"] == kept.walk("VEVENT")[0]["uid"]
    assert struck.walk("VEVENT")[0]["sequence"] > kept.walk("VEVENT")[0]["sequence"]
    assert call("", "GET", feed).content.count(b"BEGIN:VEVENT") == 0

    letter(setup, f"{other}@example.org", "Освободилось время")
    offer = call(other, "GET", f"/waitlist/{entry.json()['id']}").json()
    taken = call(other, "POST", "/appointments", json={"hold_id": offer["hold_id"]})
    assert (taken.status_code, taken.json()["starts_at"]) == (201, booked["starts_at"])
    verified = json.loads(setup.installation.command("audit", "verify", "--json").stdout)
    assert verified["whole"]
