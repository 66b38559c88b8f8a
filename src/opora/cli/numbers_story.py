"""The story of document 2: a project with its hours, numbers added to it, and claimed for calling."""

from collections.abc import Mapping
from secrets import randbelow, token_hex

from opora.cli.story import Story, key

SCOPES = ["projects:read", "projects:read_all", "projects:write", "numbers:read", "numbers:write", "numbers:claim"]
WEEK = [{"weekday": day, "start_time": "00:00", "end_time": "24:00"} for day in range(7)]
NUMBERS, CLAIMED = 3, 2
NUMBERS_PATH = "/api/v1/phone-numbers"


def numbers_story(story: Story, maker: Mapping[str, str]) -> None:
    """Walk it under a key of its own; nobody is called."""
    story.headers = key(story, maker, "tour: a campaign", SCOPES)
    project_id = _project(story)
    _add(story, project_id)
    _claim(story, project_id)
    story.step("Delete the project", "DELETE", f"/api/v1/projects/{project_id}", expect=(204,))


def _project(story: Story) -> int:
    """Make a project that calls at any hour."""
    body = {"name": f"Tour {token_hex(4)}", "zone_mode": "project", "timezone": "UTC"}
    made = story.step(
        "Make a project", "POST", "/api/v1/projects", body, expect=(201,),
        show=lambda a: f"project {a.json['id']}: {a.json['name']}",
    )  # fmt: skip
    project_id = int(made.json["id"])
    story.step("Set its calling hours", "PUT", f"/api/v1/projects/{project_id}/schedules", {"items": WEEK})
    return project_id


def _add(story: Story, project_id: int) -> None:
    first = 9_000_000 - NUMBERS - randbelow(8_000_000)
    items = [{"phone_number": f"8 (916) {first + n}", "project_id": project_id} for n in range(NUMBERS)]
    added = story.step(
        f"Add {NUMBERS} numbers", "POST", f"{NUMBERS_PATH}/bulk", {"items": items},
        show=lambda a: f"created: {a.json['created']}",
    )  # fmt: skip
    story.hold(added.json["created"] == NUMBERS, f"{NUMBERS} numbers were sent and added")
    story.step(
        "List them", "GET", f"{NUMBERS_PATH}?project_id={project_id}&status=new",
        show=lambda a: f"{a.json['count']} new: " + ", ".join(one["phone_number"] for one in a.json["results"]),
    )  # fmt: skip


def _claim(story: Story, project_id: int) -> None:
    """Claim some of the numbers, then the rest: none is handed out twice."""
    wish = {"project_id": project_id, "limit": CLAIMED}
    claimed: set[int] = set()
    for about in (f"Claim {CLAIMED} for calling", "Claim again: only what is left"):
        answer = story.step(
            about, "POST", f"{NUMBERS_PATH}/claim", wish,
            show=lambda a: ", ".join(f"{one['phone_number']} ({one['status']})" for one in a.json["results"]),
        )  # fmt: skip
        given = {int(one["id"]) for one in answer.json["results"]}
        story.hold(not given & claimed, "a number is handed to one caller")
        claimed |= given
    story.hold(len(claimed) == NUMBERS, "every number is handed out")
