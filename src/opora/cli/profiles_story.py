"""The story of document 0: a key, people made, kept, listed and deleted, a PDF of one, and the limit met."""

from collections.abc import Mapping
from secrets import token_hex
from typing import Any

from opora.cli.story import Story, StoryBroken, key, wait

PEOPLE = 100
SMALL_LIMIT = 5
SCOPES = ["profiles:read", "profiles:write", "profiles:delete", "exports:read", "exports:write"]


def profiles_story(story: Story, maker: Mapping[str, str]) -> None:
    """Walk it under a key of its own."""
    story.headers = key(story, maker, "tour", SCOPES)
    people = _generate(story)
    _read(story, people[0])
    _export(story, people[0]["id"])
    _delete(story, people[-1]["id"])
    _limit(story, maker)


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
    wait(story, path, _is_drawn, "the export was not drawn")
    story.step("It is drawn", "GET", path, show=lambda a: f"status: {a.json['status']}")
    file = story.step(
        "Download it", "GET", f"{path}/download",
        show=lambda a: f"{len(a.body)} bytes, {a.headers.get('content-disposition', '')}",
    )  # fmt: skip
    story.hold(file.body.startswith(b"%PDF-"), "the file is a PDF")


def _is_drawn(export: Mapping[str, Any]) -> bool:
    if export.get("status") == "failed":
        raise StoryBroken("the export failed; `opora jobs list --state dead` shows why")
    return export.get("status") == "completed"


def _delete(story: Story, profile_id: int) -> None:
    story.step("Delete one", "DELETE", f"/api/v1/profiles/{profile_id}", expect=(204,))
    story.step(
        "It is gone", "GET", f"/api/v1/profiles/{profile_id}", expect=(404,), show=lambda a: f"code: {a.json['code']}"
    )


def _limit(story: Story, maker: Mapping[str, str]) -> None:
    mine = key(story, maker, "tour: a small limit", SCOPES, SMALL_LIMIT)
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
