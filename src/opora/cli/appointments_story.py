"""The story of document 1: a service and its hours, free times, an appointment booked and cancelled."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from opora.cli.story import Person, Story, dismiss, person

ZONE = "Europe/Moscow"
WEEK = [{"weekday": day, "start": "09:00", "end": "18:00"} for day in range(7)]
AHEAD = timedelta(days=3)


def appointments_story(story: Story, maker: Mapping[str, str]) -> None:
    """Walk it as one of the staff and a client made for it."""
    staff, client = person(story, maker, "staff"), person(story, maker, "client")
    service_id = _offer(story, staff)
    free = _slots(story, client, service_id)
    _book(story, client, {"service_id": service_id, "starts_at": free[0]["starts_at"]})
    story.step("Withdraw the service", "DELETE", f"/api/v1/services/{service_id}", expect=(204,), headers=staff.headers)
    dismiss(story, maker, staff, client)


def _offer(story: Story, staff: Person) -> int:
    """Set the hours and make the service."""
    story.step(
        "Set one's working hours", "PUT", f"/api/v1/staff/{staff.id}/availability",
        {"timezone": ZONE, "weekly": WEEK}, headers=staff.headers,
        show=lambda a: f"{len(a.json['weekly'])} days a week, {a.json['timezone']}",
    )  # fmt: skip
    made = story.step(
        "Make a service of an hour", "POST", "/api/v1/services",
        {"name": "Приём", "duration_min": 60, "price_minor": 250_000}, expect=(201,), headers=staff.headers,
        show=lambda a: f"service {a.json['id']}: {a.json['name']}, {a.json['duration_min']} min",
    )  # fmt: skip
    return int(made.json["id"])


def _slots(story: Story, client: Person, service_id: int) -> list[dict[str, Any]]:
    day = (datetime.now(UTC) + AHEAD).date().isoformat()
    query = urlencode({"service_id": service_id, "from": day, "to": day, "tz": ZONE})
    answer = story.step(
        "The client asks for the free times of a day", "GET", f"/api/v1/slots?{query}", headers=client.headers,
        show=lambda a: f"{len(a.json['results'])} times: " + ", ".join(one["starts_at"] for one in a.json["results"]),
    )  # fmt: skip
    free: list[dict[str, Any]] = answer.json["results"]
    story.hold(bool(free), "a day with working hours has free times")
    return free


def _book(story: Story, client: Person, wish: Mapping[str, Any]) -> None:
    """Book the time, fail to book it again, and cancel."""
    path = "/api/v1/appointments"
    booked = story.step(
        "The client books the first", "POST", path, dict(wish), expect=(201,), headers=client.headers,
        show=lambda a: f"appointment {a.json['id']}: {a.json['status']}, {a.json['starts_at']}",
    )  # fmt: skip
    story.step(
        "The same time is not given twice", "POST", path, dict(wish), expect=(409,), headers=client.headers,
        show=lambda a: f"code: {a.json['code']}",
    )  # fmt: skip
    place = f"{path}/{booked.json['id']}"
    story.step(
        "What a cancellation would cost", "GET", f"{place}/cancellation-quote", headers=client.headers,
        show=lambda a: f"{a.json['fee_minor']} {a.json['currency']}",
    )  # fmt: skip
    cancelled = story.step(
        "The client cancels", "POST", f"{place}/cancel", {"reason": "заболела"}, headers=client.headers,
        show=lambda a: f"status: {a.json['status']}",
    )  # fmt: skip
    story.hold(cancelled.json["status"] == "cancelled", "a cancelled appointment says so")
