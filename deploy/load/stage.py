"""Sets the stage for journeys: people, services with their hours, a project with its numbers; driven as they are."""

import json
from collections.abc import Generator, Mapping
from typing import Any

from journeys import API, PASSWORD, ZONE, Answer, Call, Cast

HOURS = [{"weekday": day, "start": "09:00", "end": "18:00"} for day in range(7)]
NUMBERS = 2_000
PEOPLE, STAFF = 20, 6


class NotSet(Exception):
    """A call that sets the stage was refused; the message says which and why."""


type Setting[T] = Generator[Call, Answer, T]


def asked(method: str, path: str, headers: Mapping[str, str], body: object = None) -> Setting[Any]:
    """Make one call and return what it answers; anything but success raises NotSet."""
    said = {"content-type": "application/json"} if body is not None else {}
    content = json.dumps(body).encode() if body is not None else b""
    answer = yield Call(method, f"{API}{path}", f"stage: {path.split('/')[1]}", {**headers, **said}, content)
    if not 200 <= answer.status < 300:  # noqa: PLR2004
        raise NotSet(f"{method} {path}: {answer.status} {answer.body[:300].decode('utf-8', 'replace')}")
    return answer.json() if answer.body else {}


def somebody(admin: Mapping[str, str], email: str, role: str) -> Setting[tuple[int, str]]:
    """Make a person and sign them in; returns their id and token."""
    made = yield from asked("POST", "/users", admin, {"email": email, "password": PASSWORD, "roles": [role]})
    pair = yield from asked("POST", "/auth/login", {}, {"email": email, "password": PASSWORD})
    return int(made["id"]), str(pair["access_token"])


def stage(key: str, name: str, people: int = PEOPLE, staff: int = STAFF) -> Setting[Cast]:
    """Make everything under an admin's key; `name` is in every address, so that several stages may stand at once."""
    cast, admin = Cast(key), {"x-api-key": key}
    for number in range(people):
        _, token = yield from somebody(admin, f"client-{number}.{name}@example.org", "client")
        cast.people.append(token)
    for number in range(staff):
        id, token = yield from somebody(admin, f"staff-{number}.{name}@example.org", "staff")
        hours = {"timezone": ZONE, "weekly": HOURS}
        yield from asked("PUT", f"/staff/{id}/availability", {"authorization": f"Bearer {token}"}, hours)
        wanted = {"name": f"Visit {number} ({name})", "duration_min": 30, "staff_ids": [id]}
        made = yield from asked("POST", "/services", admin, wanted)
        cast.services.append(int(made["id"]))
    project = yield from asked("POST", "/projects", admin, {"name": f"Campaign {name}"})
    cast.project_id = int(project["id"])
    cast.phones = [f"+7903{number:07d}" for number in range(1, NUMBERS + 1)]
    items = [{"phone_number": phone, "project_id": cast.project_id} for phone in cast.phones]
    yield from asked("POST", "/phone-numbers/bulk", admin, {"items": items})
    return cast
