"""Appointments over HTTP: statuses, bodies, codes, who may do what, and what is refused."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.program import Program
from opora.core.access.model.scopes import Role

pytestmark = pytest.mark.anyio

API = "/api/v1"
ZONE = "Europe/Moscow"
WEEK = [{"weekday": day, "start": "09:00", "end": "18:00"} for day in range(7)]


@dataclass
class Desk:
    """A program with a service, and clients of it for each part."""

    program: Program
    staff: httpx.AsyncClient
    client: httpx.AsyncClient
    other: httpx.AsyncClient
    admin: httpx.AsyncClient
    staff_id: int
    service_id: int
    day: datetime

    def at(self, hour: int, days: int = 0) -> str:
        """Return an hour of the day in Moscow as an instant."""
        return (self.day + timedelta(hours=hour - 3, days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")

    async def book(self, hour: int = 10, **more: Any) -> dict[str, Any]:
        """Book an hour for the client."""
        body = {"service_id": self.service_id, "starts_at": self.at(hour)} | more
        answer = await self.client.post(f"{API}/appointments", json=body)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    async def slots(self, **more: Any) -> list[dict[str, Any]]:
        """Return the free starts of the day."""
        day = self.day.date().isoformat()
        query = {"service_id": self.service_id, "from": day, "to": day, "tz": ZONE} | more
        answer = await self.client.get(f"{API}/slots", params=query)
        assert answer.status_code == 200, answer.text
        return list(answer.json()["results"])


@pytest.fixture
async def desk(anyio_backend: str, tmp_path: Path) -> AsyncIterator[Desk]:
    """A salon that opens in four days."""
    async with Program.over(tmp_path) as program:
        staff = program.client(token=await program.token(Role.STAFF))
        client = program.client(token=await program.token(Role.CLIENT))
        other = program.client(token=await program.token(Role.MANAGER))
        admin = program.client(token=await program.token(Role.ADMIN))
        staff_id = (await staff.get(f"{API}/users/me")).json()["id"]
        hours = {"timezone": ZONE, "weekly": WEEK}
        assert (await staff.put(f"{API}/staff/{staff_id}/availability", json=hours)).status_code == 200
        made = await staff.post(f"{API}/services", json={"name": "Cut", "duration_min": 60, "price_minor": 250_000})
        day = (program.clock.now() + timedelta(days=4)).replace(hour=0, minute=0, second=0, microsecond=0)
        yield Desk(program, staff, client, other, admin, staff_id, made.json()["id"], day)
        for one in (staff, client, other, admin):
            await one.aclose()


def code(answer: httpx.Response) -> tuple[int, str]:
    """Return status and code of a refusal."""
    return answer.status_code, answer.json()["code"]


async def test_a_service_is_made_read_changed_listed_and_retired(desk: Desk) -> None:
    body = {"name": "Dye", "duration_min": 90, "capacity": 2, "cancellation": [{"notice_hours": 5, "fee_percent": 10}]}
    made = await desk.staff.post(f"{API}/services", json=body)
    assert made.status_code == 201
    assert made.headers["location"] == f"{API}/services/{made.json()['id']}"
    assert made.json() == {
        "id": made.json()["id"],
        "name": "Dye",
        "duration_min": 90,
        "capacity": 2,
        "price_minor": 0,
        "currency": "RUB",
        "buffer_before_min": 0,
        "buffer_after_min": 0,
        "step_min": 90,
        "auto_confirm": True,
        "min_notice_min": 0,
        "horizon_days": 90,
        "cancellation": [{"notice_hours": 5, "fee_percent": 10}],
        "cancellation_grace_min": 0,
        "cancellation_exempt_roles": ["admin", "staff"],
        "staff_ids": [desk.staff_id],
    }
    await changed_and_retired(desk, made.headers["location"])


async def changed_and_retired(desk: Desk, place: str) -> None:
    """Change a service, find it in the list, retire it, and be refused others."""
    usual = (await desk.client.get(f"{API}/services/{desk.service_id}")).json()["cancellation"]
    assert usual == [{"notice_hours": 24, "fee_percent": 0}, {"notice_hours": 0, "fee_percent": 100}]
    changes = {"price_minor": 5, "cancellation": [], "cancellation_grace_min": 9, "cancellation_exempt_roles": []}
    changed = (await desk.staff.patch(place, json=changes)).json()
    assert (changed["price_minor"], changed["cancellation"], changed["cancellation_grace_min"]) == (5, [], 9)
    listed = (await desk.client.get(f"{API}/services", params={"q": "dy", "staff_id": desk.staff_id})).json()
    assert (listed["count"], listed["results"]) == (1, [changed])
    assert (await desk.staff.delete(place)).status_code == 204
    assert code(await desk.client.get(place)) == (404, "no_such_service")
    body = {"name": "Dye", "duration_min": 90}
    assert code(await desk.staff.post(f"{API}/services", json=body | {"staff_ids": [10**6]})) == (
        403,
        "not_your_service",
    )
    bad = await desk.admin.post(
        f"{API}/services", json=body | {"duration_min": 99_999, "cancellation_grace_min": 10**6}
    )
    assert code(bad) == (422, "invalid_service")
    assert sorted(bad.json()["errors"]) == ["cancellation_grace_min", "duration_min", "step_min"]
    unknown = await desk.admin.post(f"{API}/services", json=body | {"currency": "ZZZ"})
    assert code(unknown) == (422, "invalid_service")
    assert list(unknown.json()["errors"]) == ["currency"]


async def test_hours_are_set_and_read_by_who_may(desk: Desk) -> None:
    place = f"{API}/staff/{desk.staff_id}/availability"
    hours = {
        "timezone": ZONE,
        "weekly": [{"weekday": 0, "start": "09:00", "end": "24:00"}],
        "exceptions": [{"date": "2030-05-09"}, {"date": "2030-05-10", "start": "10:00", "end": "12:30"}],
        "blackouts": [{"starts_at": "2030-01-01T00:00:00Z", "ends_at": "2030-01-02T00:00:00Z"}],
    }
    kept = (await desk.staff.put(place, json=hours)).json()
    assert kept["weekly"] == hours["weekly"]
    assert kept["exceptions"][0] == {"date": "2030-05-09", "start": None, "end": None}
    assert (await desk.admin.get(place)).json() == kept
    assert code(await desk.client.get(place)) == (403, "insufficient_scope")
    assert code(await desk.admin.get(f"{API}/staff/{10**6}/availability")) == (404, "no_such_staff")
    for bad, fault in (
        ({"timezone": "Mars/Olympus"}, "invalid_timezone"),
        ({"weekly": [{"weekday": 0, "start": "18:00", "end": "09:00"}]}, "invalid_availability"),
        ({"weekly": [{"weekday": 0, "start": "9:00", "end": "10:00"}]}, "validation_failed"),
        ({"blackouts": [{"starts_at": "2030-01-01T00:00:00", "ends_at": "2030-01-02T00:00:00Z"}]}, "validation_failed"),
    ):
        assert code(await desk.staff.put(place, json=hours | bad)) == (422, fault)


async def test_free_times_are_listed_in_utc_and_on_wish_in_a_zone(desk: Desk) -> None:
    found = await desk.slots()
    assert len(found) == 9
    assert found[0]["starts_at"] == desk.at(9)
    assert found[0]["local_start"].endswith("T09:00:00+03:00")
    assert (found[0]["staff_id"], found[0]["places"]) == (desk.staff_id, 1)
    without_zone = await desk.slots(tz="UTC", **{"from": desk.at(9), "to": desk.at(11)}, staff_id=desk.staff_id)
    assert [one["starts_at"] for one in without_zone] == [desk.at(9), desk.at(10)]
    for bad in (
        {"from": "2030-01-07T09:00:00"},
        {"to": "soon"},
        {"tz": "Mars/Olympus"},
        {"from": "2030-01-01", "to": "2031-01-01"},
    ):
        day = desk.day.date().isoformat()
        query = {"service_id": desk.service_id, "from": day, "to": day} | bad
        assert (await desk.client.get(f"{API}/slots", params=query)).status_code == 422
    assert code(
        await desk.client.get(f"{API}/slots", params={"service_id": 10**6, "from": "2030-01-01", "to": "2030-01-02"})
    ) == (404, "no_such_service")


async def test_a_story_of_one_appointment(desk: Desk) -> None:
    booked = await desk.book(note="привет")
    place = f"{API}/appointments/{booked['id']}"
    assert (booked["status"], booked["starts_at"], booked["ends_at"]) == ("confirmed", desk.at(10), desk.at(11))
    assert (booked["fee"], booked["conflicts"], len(booked["appointments"])) == (None, [], 1)
    taken = await desk.client.post(
        f"{API}/appointments", json={"service_id": desk.service_id, "starts_at": desk.at(10)}
    )
    assert code(taken) == (409, "slot_taken")
    assert taken.json()["next_free"][0] == {"starts_at": desk.at(11), "staff_id": desk.staff_id}
    assert (await desk.client.get(f"{place}/cancellation-quote")).json() == {"fee_minor": 0, "currency": "RUB"}
    moved = await desk.client.post(f"{place}/reschedule", json={"starts_at": desk.at(12)})
    assert (moved.status_code, moved.json()["starts_at"], moved.json()["others"]) == (200, desk.at(12), [])
    file = await desk.client.get(f"{place}.ics")
    assert file.headers["content-type"].startswith("text/calendar")
    assert b"METHOD:REQUEST" in file.content and b"SEQUENCE:1" in file.content
    cancelled = (await desk.client.post(f"{place}/cancel", json={"reason": "ill"})).json()
    assert (cancelled["status"], cancelled["fee"]) == ("cancelled", {"fee_minor": 0, "currency": "RUB"})
    assert b"METHOD:CANCEL" in (await desk.client.get(f"{place}/ics")).content
    again = await desk.client.post(f"{place}/cancel")
    assert code(again) == (409, "illegal_move")
    assert again.json()["allowed"] == []
    listed = (await desk.client.get(f"{API}/appointments", params={"status": "cancelled"})).json()
    assert [one["id"] for one in listed["results"]] == [booked["id"]]


async def test_a_late_cancellation_costs_what_the_quote_says_and_no_show_as_much(desk: Desk) -> None:
    booked, missed = await desk.book(10), await desk.book(11)
    desk.program.clock.ahead += desk.day + timedelta(hours=6) - desk.program.clock.now()
    for actor in (desk.client, desk.staff, desk.admin):  # tokens live a quarter of an hour
        role = {desk.client: Role.CLIENT, desk.staff: Role.STAFF, desk.admin: Role.ADMIN}[actor]
        actor.headers["authorization"] = f"Bearer {await desk.program.token(role)}"
    place = f"{API}/appointments/{booked['id']}"
    assert (await desk.client.get(f"{place}/cancellation-quote")).json()["fee_minor"] == 250_000
    assert code(await desk.client.post(f"{place}/reschedule", json={"starts_at": desk.at(15)})) == (
        409,
        "too_late_to_move",
    )
    assert (await desk.client.post(f"{place}/cancel")).json()["fee"]["fee_minor"] == 250_000
    other = f"{API}/appointments/{missed['id']}"
    assert code(await desk.staff.post(f"{other}/no-show")) == (409, "appointment_not_started")
    desk.program.clock.ahead += timedelta(hours=2)
    for actor, role in ((desk.client, Role.CLIENT), (desk.staff, Role.STAFF)):
        actor.headers["authorization"] = f"Bearer {await desk.program.token(role)}"
    assert code(await desk.client.post(f"{other}/cancel")) == (409, "appointment_started")
    assert (await desk.staff.post(f"{other}/no-show")).json()["fee"]["fee_minor"] == 250_000
    assert code(await desk.staff.post(f"{other}/complete")) == (409, "illegal_move")


async def test_what_is_anothers_is_not_there(desk: Desk) -> None:
    booked = await desk.book()
    place = f"{API}/appointments/{booked['id']}"
    key = await desk.program.key("appointments:read", "appointments:write", "appointments:manage")
    async with desk.program.client(key=key.key) as stranger:
        for answer in (
            await stranger.get(place),
            await stranger.get(f"{place}.ics"),
            await stranger.get(f"{place}/cancellation-quote"),
            *[await stranger.post(f"{place}/{step}") for step in ("confirm", "cancel", "complete", "no-show")],
            await stranger.post(f"{place}/reschedule", json={"starts_at": desk.at(15)}),
        ):
            assert code(answer) == (404, "no_such_appointment")
        assert (await stranger.get(f"{API}/appointments")).json()["count"] == 0
    assert (await desk.staff.get(place)).status_code == 200
    assert (await desk.admin.get(place)).status_code == 200
    assert code(await desk.client.post(f"{place}/confirm")) == (403, "insufficient_scope")
    assert code(await desk.other.get(place)) == (403, "insufficient_scope")
    foreign = {"service_id": desk.service_id, "starts_at": desk.at(12), "client_id": desk.staff_id}
    assert code(await desk.client.post(f"{API}/appointments", json=foreign)) == (403, "not_for_others")


async def test_a_hold_is_taken_up_once(desk: Desk) -> None:
    body = {"service_id": desk.service_id, "staff_id": desk.staff_id, "starts_at": desk.at(10)}
    held = await desk.client.post(f"{API}/appointments/hold", json=body)
    assert held.status_code == 201
    hold_id = held.json()["hold_id"]
    assert held.json()["expires_at"] > desk.program.clock.now().isoformat()
    assert len(await desk.slots()) == 8
    assert (await desk.client.get(f"{API}/appointments")).json()["count"] == 0
    assert (await desk.book(hold_id=hold_id))["status"] == "confirmed"
    assert code(await desk.client.post(f"{API}/appointments", json={"hold_id": hold_id})) == (409, "hold_spent")
    assert code(await desk.admin.post(f"{API}/appointments", json={"hold_id": hold_id})) == (404, "no_such_hold")


async def test_a_series_is_whole_or_told_of_its_conflicts(desk: Desk) -> None:
    await desk.book(10)
    body = {"service_id": desk.service_id, "starts_at": desk.at(10), "rrule": "FREQ=DAILY;COUNT=3"}
    whole = await desk.client.post(f"{API}/appointments", json=body)
    assert code(whole) == (409, "slot_taken")
    assert whole.json()["conflicts"] == [{"starts_at": desk.at(10), "code": "slot_taken"}]
    skipped = await desk.client.post(f"{API}/appointments", json=body | {"on_conflict": "skip"})
    assert skipped.status_code == 201
    made = skipped.json()
    assert [one["starts_at"] for one in made["appointments"]] == [desk.at(10, 1), desk.at(10, 2)]
    assert made["conflicts"] == [{"starts_at": desk.at(10), "code": "slot_taken", "moved_to": None}]
    assert (made["id"], made["rrule"]) == (made["appointments"][0]["id"], "FREQ=DAILY;COUNT=3")
    cancelled = await desk.client.post(f"{API}/appointments/{made['id']}/cancel", json={"scope": "all"})
    assert [one["status"] for one in cancelled.json()["others"]] == ["cancelled"]
    for bad in ("FREQ=SECONDLY;COUNT=3", "FREQ=DAILY;COUNT=1000000", "FREQ=YEARLY;UNTIL=99991231", "nonsense"):
        assert code(await desk.client.post(f"{API}/appointments", json=body | {"rrule": bad})) == (422, "invalid_rrule")


@pytest.mark.parametrize(
    ("body", "fault", "field"),
    [
        ({}, "invalid_booking", "service_id"),
        ({"starts_at": "2030-01-07T09:00:00"}, "validation_failed", "starts_at"),
        ({"starts_at": "2030-01-07"}, "validation_failed", "starts_at"),
        ({"starts_at": "2020-01-07T09:00:00Z"}, "slot_not_offered", "starts_at"),
        ({"starts_at": "2090-01-07T09:00:00Z"}, "slot_not_offered", "starts_at"),
        (
            {"hold_id": 1, "rrule": "FREQ=DAILY;COUNT=2", "starts_at": "2030-01-07T09:00:00Z"},
            "invalid_booking",
            "hold_id",
        ),
        ({"starts_at": "2030-01-07T09:00:00Z", "on_conflict": "maybe"}, "validation_failed", "on_conflict"),
        ({"starts_at": "2030-01-07T09:00:00Z", "ends_at": "2030-01-07T08:00:00Z"}, "validation_failed", "ends_at"),
        ({"starts_at": "2030-01-07T09:00:00Z", "note": "\u202e"}, "validation_failed", "note"),
    ],
)
async def test_a_bad_booking_is_told_its_field(desk: Desk, body: dict[str, Any], fault: str, field: str) -> None:
    told = body if not body else {"service_id": desk.service_id} | body
    answer = await desk.client.post(f"{API}/appointments", json=told)
    assert code(answer) == (422, fault)
    assert field in answer.json()["errors"]


async def test_the_same_key_books_once(desk: Desk) -> None:
    body = {"service_id": desk.service_id, "starts_at": desk.at(10)}
    headers = {"idempotency-key": "k-1"}
    first = await desk.client.post(f"{API}/appointments", json=body, headers=headers)
    again = await desk.client.post(f"{API}/appointments", json=body, headers=headers)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.headers["idempotent-replayed"] == "true"
    assert again.json() == first.json()
    assert (await desk.client.get(f"{API}/appointments")).json()["count"] == 1


async def test_the_waitlist_is_ones_own_and_offers_in_order(desk: Desk) -> None:
    booked = await desk.book()
    wish = {"service_id": desk.service_id, "from": desk.at(10), "to": desk.at(11)}
    entry = await desk.client.post(f"{API}/waitlist", json=wish)
    assert (entry.status_code, entry.json()["status"]) == (201, "waiting")
    place = entry.headers["location"]
    assert code(await desk.client.post(f"{API}/waitlist", json=wish)) == (409, "already_waiting")
    assert code(await desk.client.post(f"{API}/waitlist", json=wish | {"to": desk.at(9)})) == (422, "invalid_period")
    assert code(await desk.staff.get(place)) == (404, "no_such_waitlist_entry")
    await desk.staff.post(f"{API}/appointments/{booked['id']}/cancel")
    offered = (await desk.client.get(place)).json()
    assert offered["status"] == "offered"
    assert (await desk.client.post(f"{API}/appointments", json={"hold_id": offered["hold_id"]})).status_code == 201
    assert (await desk.client.get(f"{API}/waitlist")).json()["results"][0]["status"] == "taken"
    second = await desk.client.post(f"{API}/waitlist", json=wish)
    assert (await desk.client.delete(second.headers["location"])).status_code == 204


async def test_a_private_calendar_is_made_read_by_anyone_who_has_it_and_revoked(desk: Desk) -> None:
    await desk.book()
    made = await desk.client.post(f"{API}/calendars")
    assert made.status_code == 201
    async with desk.program.client() as anyone:
        file = await anyone.get(made.json()["url"])
        assert (file.status_code, file.content.count(b"BEGIN:VEVENT")) == (200, 1)
        assert file.headers["cache-control"] == "private, no-store"
        listed = await desk.client.get(f"{API}/calendars")
        assert "token" not in listed.text and made.json()["token"] not in listed.text
        assert {name: listed.json()[name] for name in ("count", "next")} == {"count": 1, "next": None}
        assert [one["id"] for one in listed.json()["results"]] == [made.json()["id"]]
        assert code(await desk.staff.delete(f"{API}/calendars/{made.json()['id']}")) == (404, "no_such_calendar")
        assert (await desk.client.delete(f"{API}/calendars/{made.json()['id']}")).status_code == 204
        assert code(await anyone.get(made.json()["url"])) == (404, "no_such_calendar")


async def test_staff_confirm_what_waits_for_it(desk: Desk) -> None:
    body = {"name": "Talk", "duration_min": 60, "auto_confirm": False}
    service_id = (await desk.staff.post(f"{API}/services", json=body)).json()["id"]
    booked = await desk.book(14, service_id=service_id)
    assert booked["status"] == "pending"
    confirmed = await desk.staff.post(f"{API}/appointments/{booked['id']}/confirm")
    assert (confirmed.status_code, confirmed.json()["status"]) == (200, "confirmed")
