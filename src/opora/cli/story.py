"""A tour under way: steps taken, what has to come back of each, who takes them, and what is waited for."""

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from secrets import token_hex, token_urlsafe
from typing import Any, Protocol

from opora.cli.web import Answer, Web

WAIT_S = 60.0
POLL_S = 0.1
POLL_MAX_S = 3.0
"""Waits between questions grow to this, so that asking spends none of the caller's own limit."""
CREDENTIALS = {"Authorization", "X-API-Key"}
FORBIDDEN = 403
REVOKED = 204


class StoryBroken(Exception):
    """A step did not end as the contract says."""


class NotAllowed(StoryBroken):
    """Whoever took the step may not."""


class Told(Protocol):
    """Hears of each step."""

    def __call__(self, number: int, about: str, call: str, status: int, took_ms: float, shown: str) -> None:
        """Show the step."""
        ...


@dataclass(slots=True)
class Story:
    """A walk under way: the service, the key it holds and the steps behind it."""

    web: Web
    told: Told
    headers: dict[str, str] = field(default_factory=dict)
    steps: list[dict[str, object]] = field(default_factory=list)
    keys: list[int] = field(default_factory=list)
    """The keys that were made for it; they are taken back at its end."""

    def step(
        self,
        about: str,
        method: str,
        path: str,
        body: object = None,
        *,
        expect: Sequence[int] = (200,),
        headers: Mapping[str, str] | None = None,
        show: Callable[[Answer], str] = lambda _: "",
    ) -> Answer:
        """Take one step; raise StoryBroken unless the answer has one of the expected statuses.

        Headers that say who is calling take the place of the story's own.
        """
        given = dict(headers or {})
        sent = given if CREDENTIALS & given.keys() else {**self.headers, **given}
        call = f"{method} {unsigned(path)}"
        begun = time.perf_counter()
        answer = self.web.call(method, path, body, sent)
        took_ms = (time.perf_counter() - begun) * 1000
        if answer.status not in expect:
            told = answer.json or {}
            detail = told.get("detail") or told.get("title") or answer.body[:200].decode("utf-8", "replace")
            wanted = " or ".join(map(str, expect))
            broken = NotAllowed if answer.status == FORBIDDEN else StoryBroken
            raise broken(f"{about}: {call} answered {answer.status}, not {wanted}: {detail}")
        shown = show(answer)
        self.steps.append(
            {
                "about": about,
                "call": call,
                "status": answer.status,
                "ms": round(took_ms, 1),
                "shown": shown,
            }
        )
        self.told(len(self.steps), about, call, answer.status, took_ms, shown)
        return answer

    def hold(self, holds: bool, promise: str) -> None:
        """Raise StoryBroken unless what was promised is so."""
        if not holds:
            raise StoryBroken(f"not so: {promise}")


def unsigned(link: str) -> str:
    """Return a link as it may be shown: its signature lets nobody in."""
    return re.sub(r"(signature=\w{6})\w+", r"\1…", link)


def maker(story: Story, opener: Mapping[str, str], local_key: Callable[[], str]) -> dict[str, str]:
    """Return the headers of somebody who may make keys, and perhaps people."""
    if "email" in opener:
        return signed_in(story, "Sign in as the admin", opener)
    return {"X-API-Key": opener.get("key") or local_key()}


def take_back(story: Story, made_by: Mapping[str, str]) -> None:
    """Revoke every key that the tour made; one that its maker may not see again ends by its own time."""
    while story.keys:
        id = story.keys.pop()
        story.step(
            f"Revoke key {id}: none of the tour stays", "DELETE", f"/api/v1/admin/api-keys/{id}", expect=(204, 404),
            headers=made_by, show=lambda a: "" if a.status == REVOKED else "not seen by its maker; it ends in an hour",
        )  # fmt: skip


def signed_in(story: Story, about: str, opener: Mapping[str, str]) -> dict[str, str]:
    """Sign somebody in by password and return the headers of their calls."""
    answer = story.step(about, "POST", "/api/v1/auth/login", dict(opener))
    return {"Authorization": f"Bearer {answer.json['access_token']}"}


def key(
    story: Story, made_by: Mapping[str, str], label: str, scopes: Sequence[str], limit_per_min: int | None = None
) -> dict[str, str]:
    """Make a key for an hour and return the headers of its calls."""
    end = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    body: dict[str, Any] = {"label": label, "scopes": list(scopes), "environment": "test", "expires_at": end}
    if limit_per_min is not None:
        body["rate_limit_per_min"] = limit_per_min
    answer = story.step(
        "Make a key" if limit_per_min is None else f"Make a key for {limit_per_min} requests a minute",
        "POST",
        "/api/v1/admin/api-keys",
        body,
        expect=(201,),
        headers=made_by,
        show=lambda a: f"key {a.json['id']}: {a.json['key'][:14]}… (shown this once)",
    )
    story.keys.append(int(answer.json["id"]))
    return {"X-API-Key": str(answer.json["key"])}


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody made for the tour, signed in: `headers` are those of their calls."""

    id: int
    role: str
    headers: Mapping[str, str]


def person(story: Story, made_by: Mapping[str, str], role: str) -> Person:
    """Make somebody of that role, with a password that nobody else learns, and sign them in."""
    opener = {"email": f"tour-{role}-{token_hex(6)}@example.org", "password": token_urlsafe(24)}
    made = story.step(
        f"Make a user who is {role}", "POST", "/api/v1/users", {**opener, "roles": [role]},
        expect=(201,), headers=made_by, show=lambda a: f"user {a.json['id']}: {a.json['email']}",
    )  # fmt: skip
    return Person(int(made.json["id"]), role, signed_in(story, f"Sign in as {role}", opener))


def dismiss(story: Story, made_by: Mapping[str, str], *people: Person) -> None:
    """Block those who were made for the tour: their sessions end."""
    for one in people:
        story.step(
            f"Block the {one.role}: nobody of the tour stays", "PATCH", f"/api/v1/users/{one.id}",
            {"is_active": False}, headers=made_by, show=lambda a: f"is_active: {a.json['is_active']}",
        )  # fmt: skip


def wait(story: Story, path: str, is_done: Callable[[Any], bool], what: str) -> None:
    """Ask until what a worker does is done; raise StoryBroken where that takes too long."""
    if not until(lambda: is_done(story.web.call("GET", path, headers=story.headers).json or {})):
        raise StoryBroken(f"{what} within {WAIT_S:.0f} s; does a worker run?")


def until(is_done: Callable[[], bool]) -> bool:
    """Ask until it is done; False where that takes too long."""
    end = time.monotonic() + WAIT_S
    pause_s = POLL_S
    while time.monotonic() < end:
        if is_done():
            return True
        time.sleep(pause_s)
        pause_s = min(pause_s * 1.5, POLL_MAX_S)
    return False
