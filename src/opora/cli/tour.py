"""`opora tour`: walks the API of a running service, over HTTP, and shows each step."""

import os
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from opora.cli.appointments_story import appointments_story
from opora.cli.command import Call, Command
from opora.cli.documents_story import documents_story
from opora.cli.exits import CommandFailed, Exit
from opora.cli.numbers_story import numbers_story
from opora.cli.output import Output
from opora.cli.profiles_story import profiles_story
from opora.cli.story import NotAllowed, Story, StoryBroken, Told, maker, take_back
from opora.cli.texts_story import texts_story
from opora.cli.values import service_url
from opora.cli.web import Web, WebFailed

STORIES: dict[int, tuple[str, Callable[[Story, Mapping[str, str]], None]]] = {
    0: ("test people, their PDF, a limit", profiles_story),
    1: ("a service, its free times, an appointment", appointments_story),
    2: ("a project, its numbers, a claim", numbers_story),
    3: ("a plan, texts at once, later and streamed", texts_story),
    4: ("a paper between client, bank and contract", documents_story),
}
"""The chapters of a tour by the document they follow."""


def walk(call: Call) -> None:
    """Run the stories to their end; stop at the first step that is not as the contract says."""
    given = call.arguments
    story = Story(Web(given.url), told=_teller(call.output))
    left_out: dict[int, str] = {}
    try:
        with story.web:
            left_out = _chapters(story, given, call.output)
    except (StoryBroken, WebFailed) as fault:
        call.output.document({"ok": False, "steps": story.steps, "fault": str(fault)})
        exit_code, following = _ending(fault)
        raise CommandFailed(exit_code, str(fault), following) from fault
    call.output.document({"ok": True, "steps": story.steps, "left_out": {str(n): why for n, why in left_out.items()}})
    call.output.line(f"\n{len(story.steps)} steps, all as the contract says.")


def _chapters(story: Story, given: Namespace, output: Output) -> dict[int, str]:
    """Walk what was asked for; without a wish, everything but what may not be begun. Return that, and why."""
    wanted = sorted(set(given.story or STORIES))
    story.step("The service is ready", "GET", "/health/ready", show=lambda a: f"status: {a.json['status']}")
    local = LocalKeys()
    made_by = maker(story, _opener(given), local.make)
    try:
        left_out = _walked(story, wanted, made_by, given, output)
    except (StoryBroken, WebFailed):
        local.revoke(story)
        with suppress(StoryBroken, WebFailed):  # what broke the tour is what is told
            take_back(story, made_by)
        raise
    local.revoke(story)
    take_back(story, made_by)
    return left_out


def _walked(
    story: Story, wanted: Sequence[int], made_by: Mapping[str, str], given: Namespace, output: Output
) -> dict[int, str]:
    left_out: dict[int, str] = {}
    for number in wanted:
        name, chapter = STORIES[number]
        output.line(f"\nDocument {number}: {name}")
        before = len(story.steps)
        try:
            chapter(story, made_by)
        except NotAllowed as fault:
            if given.story or number == 0 or len(story.steps) > before:
                raise
            left_out[number] = str(fault)
            output.line(f"     left out: {fault}\n     {RIGHTS}")
    return left_out


def _ending(fault: StoryBroken | WebFailed) -> tuple[Exit, str]:
    """Return how a tour ends that was broken off, and what to do next."""
    if isinstance(fault, WebFailed):
        return Exit.UNAVAILABLE, AWAY
    return Exit.SOFTWARE, RIGHTS if isinstance(fault, NotAllowed) else BROKEN


AWAY = "Is it up? `opora serve` starts it, --url says where it is"
BROKEN = "The service's log says more; `opora doctor` looks at what stands behind it"
RIGHTS = "Give the key of an admin (`opora keys create --scope admin`) by --key, or sign in as one by --email"


def _teller(output: Output) -> Told:
    """Return what shows each step as it is done: what it was for, the call, its answer and a piece of it."""

    def tell(number: int, about: str, call: str, status: int, took_ms: float, shown: str) -> None:
        output.line(f"{number:>3}  {about}")
        output.line(f"     {call} → {status}  ({took_ms:.0f} ms)")
        if shown:
            output.line(f"     {shown}")

    return tell


def _opener(given: Namespace) -> dict[str, str]:
    """Return what lets the tour make a key: a key that may, or a person who may; nothing where neither is given."""
    if given.key:
        return {"key": given.key}
    email, password = given.email or os.environ.get("OPORA_ADMIN_EMAIL"), os.environ.get("OPORA_ADMIN_PASSWORD")
    return {"email": email, "password": password} if email and password else {}


class LocalKeys:
    """The keys of a tour that was given no credentials: this machine makes the first, and takes all of them back."""

    def __init__(self) -> None:
        self.maker: int | None = None

    def make(self) -> str:
        """Make a key that makes the others, and return its text."""
        from opora.cli.keys import issue_for_tour  # noqa: PLC0415 — only such a tour opens the database

        self.maker, text = issue_for_tour()
        return text

    def revoke(self, story: Story) -> None:
        """Revoke every key of the tour, where this machine made the first."""
        if self.maker is None:
            return
        from opora.cli.keys import revoke_after_tour  # noqa: PLC0415 — as above

        revoke_after_tour([*story.keys, self.maker])
        story.keys.clear()


def _arguments(parser: ArgumentParser) -> None:
    default = f"http://127.0.0.1:{os.environ.get('OPORA_HTTP_PORT') or 8000}"
    parser.add_argument("--url", type=service_url, default=default, help="where the service is; http://127.0.0.1:8000")
    parser.add_argument("--key", help="an API key with keys:write; else OPORA_ADMIN_EMAIL and _PASSWORD sign in, "
                        "else a key is made on this machine")  # fmt: skip
    parser.add_argument("--email", help="an admin who makes the key, with OPORA_ADMIN_PASSWORD")
    parser.add_argument("--story", action="append", type=int, choices=STORIES, metavar="N",
                        help="only the story of document N, 0 to 4; may be given again; "
                        "else every one that the rights allow")  # fmt: skip


COMMANDS = {"": Command("Walk through the API of a running service and show each step", walk, _arguments,
                        "opora tour --url http://127.0.0.1:8000 --story 4")}  # fmt: skip
