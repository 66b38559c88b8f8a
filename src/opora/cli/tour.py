"""`opora tour`: walks the API of a running service, over HTTP, and shows each step."""

import os
from argparse import ArgumentParser, Namespace

from opora.cli.command import Call, Command
from opora.cli.exits import CommandFailed, Exit
from opora.cli.output import Output
from opora.cli.story import Story, StoryBroken, Told, profiles_story
from opora.cli.values import service_url
from opora.cli.web import Web, WebFailed


def walk(call: Call) -> None:
    """Run every story to its end; stop at the first step that is not as the contract says."""
    given = call.arguments
    story = Story(Web(given.url), told=_teller(call.output))
    try:
        with story.web:
            profiles_story(story, _opener(given), _local_key)
    except (StoryBroken, WebFailed) as fault:
        call.output.document({"ok": False, "steps": story.steps, "fault": str(fault)})
        away = isinstance(fault, WebFailed)
        exit_code, following = (Exit.UNAVAILABLE, AWAY) if away else (Exit.SOFTWARE, BROKEN)
        raise CommandFailed(exit_code, str(fault), following) from fault
    call.output.document({"ok": True, "steps": story.steps})
    call.output.line(f"\n{len(story.steps)} steps, all as the contract says.")


AWAY = "Is it up? `opora serve` starts it, --url says where it is"
BROKEN = "The service's log says more; `opora doctor` looks at what stands behind it"


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


def _local_key() -> str:
    """Make a key on this machine, as `opora keys create` does, for a tour that was given no credentials."""
    from opora.cli.keys import issue_for_tour  # noqa: PLC0415 — only a tour without credentials opens the database

    return issue_for_tour()


def _arguments(parser: ArgumentParser) -> None:
    default = f"http://127.0.0.1:{os.environ.get('OPORA_HTTP_PORT') or 8000}"
    parser.add_argument("--url", type=service_url, default=default, help="where the service is; http://127.0.0.1:8000")
    parser.add_argument("--key", help="an API key with keys:write; else OPORA_ADMIN_EMAIL and _PASSWORD sign in, "
                        "else a key is made on this machine")  # fmt: skip
    parser.add_argument("--email", help="an admin who makes the key, with OPORA_ADMIN_PASSWORD")


COMMANDS = {"": Command("Walk through the API of a running service and show each step", walk, _arguments,
                        "opora tour --url http://127.0.0.1:8000")}  # fmt: skip
