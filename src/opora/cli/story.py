"""The stories that a tour walks: what is called, what has to come back, what is worth showing."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from secrets import token_hex
from typing import Any, Protocol

from opora.cli.web import Answer, Web

PEOPLE = 100
SMALL_LIMIT = 5
EXPORT_WAIT_S = 60.0
POLL_S = 0.1
CREDENTIALS = {"Authorization", "X-API-Key"}
TOUR_SCOPES = ["profiles:read", "profiles:write", "profiles:delete", "exports:read", "exports:write"]


class StoryBroken(Exception):
    """A step did not end as the contract says."""


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
        begun = time.perf_counter()
        answer = self.web.call(method, path, body, sent)
        took_ms = (time.perf_counter() - begun) * 1000
        if answer.status not in expect:
            told = answer.json or {}
            detail = told.get("detail") or told.get("title") or answer.body[:200].decode("utf-8", "replace")
            wanted = " or ".join(map(str, expect))
            raise StoryBroken(f"{about}: {method} {path} answered {answer.status}, not {wanted}: {detail}")
        shown = show(answer)
        self.steps.append(
            {
                "about": about,
                "call": f"{method} {path}",
                "status": answer.status,
                "ms": round(took_ms, 1),
                "shown": shown,
            }
        )
        self.told(len(self.steps), about, f"{method} {path}", answer.status, took_ms, shown)
        return answer

    def hold(self, holds: bool, promise: str) -> None:
        """Raise StoryBroken unless what was promised is so."""
        if not holds:
            raise StoryBroken(f"not so: {promise}")


def profiles_story(story: Story, opener: Mapping[str, str], local_key: Callable[[], str]) -> None:
    """Document 0: a key, people made, kept, listed and deleted, a PDF of one, and the limit met."""
    story.step("The service is ready", "GET", "/health/ready", show=lambda a: f"status: {a.json['status']}")
    maker = _maker(story, opener, local_key)
    story.headers = {"X-API-Key": _key(story, maker, "tour", None)}
    people = _generate(story)
    _read(story, people[0])
    _export(story, people[0]["id"])
    _delete(story, people[-1]["id"])
    _limit(story, maker)


def _maker(story: Story, opener: Mapping[str, str], local_key: Callable[[], str]) -> dict[str, str]:
    """Return the headers of somebody who may make keys."""
    if "email" in opener:
        answer = story.step("Sign in as the admin", "POST", "/api/v1/auth/login", dict(opener))
        return {"Authorization": f"Bearer {answer.json['access_token']}"}
    return {"X-API-Key": opener.get("key") or local_key()}


def _key(story: Story, maker: Mapping[str, str], label: str, limit_per_min: int | None) -> str:
    body: dict[str, Any] = {"label": label, "scopes": TOUR_SCOPES, "environment": "test"}
    if limit_per_min is not None:
        body["rate_limit_per_min"] = limit_per_min
    answer = story.step(
        "Make a key" if limit_per_min is None else f"Make a key for {limit_per_min} requests a minute",
        "POST",
        "/api/v1/admin/api-keys",
        body,
        expect=(201,),
        headers=maker,
        show=lambda a: f"key {a.json['id']}: {a.json['key'][:14]}… (shown this once)",
    )
    return str(answer.json["key"])


def _generate(story: Story) -> list[dict[str, Any]]:
    once = {"Idempotency-Key": f"tour-{token_hex(8)}"}
    wanted = {"count": PEOPLE, "persist": True, "locale": "ru_RU"}
    path = "/api/v1/profiles/generate"
    answer = story.step(
        f"Make {PEOPLE} people and keep them", "POST", path, wanted, expect=(201,), headers=once,
        show=lambda a: _person(a.json["profiles"][0]),
    )  # fmt: skip
    people: list[dict[str, Any]] = answer.json["profiles"]
    story.hold(len(people) == PEOPLE, f"{PEOPLE} people were asked for and made")
    again = story.step(
        "Ask again under the same Idempotency-Key: the same people, none made twice", "POST", path, wanted,
        expect=(201,), headers=once, show=lambda a: f"Idempotent-Replayed: {a.headers.get('idempotent-replayed')}",
    )  # fmt: skip
    story.hold(again.body == answer.body, "a repeated request gets the first answer")
    return people


def _read(story: Story, person: Mapping[str, Any]) -> None:
    story.step(
        "List them, three on a page", "GET", "/api/v1/profiles?locale=ru_RU&limit=3",
        show=lambda a: f"{a.json['count']} in all; " + ", ".join(one["full_name"] for one in a.json["results"]),
    )  # fmt: skip
    read = story.step("Read one", "GET", f"/api/v1/profiles/{person['id']}", show=lambda a: _person(a.json))
    story.hold(read.json["full_name"] == person["full_name"], "what was kept is what was made")


def _export(story: Story, profile_id: int) -> None:
    asked = story.step(
        "Ask for a PDF of one", "POST", "/api/v1/exports", {"profile_id": profile_id, "format": "pdf"},
        expect=(202,), show=lambda a: f"export {a.json['export_id']}: {a.json['status']}",
    )  # fmt: skip
    path = f"/api/v1/exports/{asked.json['export_id']}"
    _wait(story, path)
    story.step("It is drawn", "GET", path, show=lambda a: f"status: {a.json['status']}")
    file = story.step(
        "Download it", "GET", f"{path}/download",
        show=lambda a: f"{len(a.body)} bytes, {a.headers.get('content-disposition', '')}",
    )  # fmt: skip
    story.hold(file.body.startswith(b"%PDF-"), "the file is a PDF")


def _wait(story: Story, path: str) -> None:
    """Ask until the export is drawn."""
    end = time.monotonic() + EXPORT_WAIT_S
    while time.monotonic() < end:
        status = (story.web.call("GET", path, headers=story.headers).json or {}).get("status")
        if status == "completed":
            return
        if status == "failed":
            raise StoryBroken("the export failed; `opora jobs list --state dead` shows why")
        time.sleep(POLL_S)
    raise StoryBroken(f"the export was not drawn within {EXPORT_WAIT_S:.0f} s; does a worker run?")


def _delete(story: Story, profile_id: int) -> None:
    story.step("Delete one", "DELETE", f"/api/v1/profiles/{profile_id}", expect=(204,))
    story.step(
        "It is gone", "GET", f"/api/v1/profiles/{profile_id}", expect=(404,), show=lambda a: f"code: {a.json['code']}"
    )


def _limit(story: Story, maker: Mapping[str, str]) -> None:
    mine = {"X-API-Key": _key(story, maker, "tour: a small limit", SMALL_LIMIT)}
    for _ in range(SMALL_LIMIT):
        story.web.call("GET", "/api/v1/profiles?limit=1", headers=mine)
    refused = story.step(
        f"The {SMALL_LIMIT + 1}th call in a minute is refused", "GET", "/api/v1/profiles?limit=1", expect=(429,),
        headers=mine, show=lambda a: f"Retry-After: {a.headers.get('retry-after')}, code: {a.json['code']}",
    )  # fmt: skip
    story.hold("retry-after" in refused.headers, "a refusal says when to come back")


def _person(profile: Mapping[str, Any]) -> str:
    """Return one line about a person."""
    return f"{profile['full_name']}, {profile['birth_date']}, {profile['address']['city']}"
