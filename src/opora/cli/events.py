"""`opora events`: the event bus as an operator sees it."""

from argparse import ArgumentParser, ArgumentTypeError
from datetime import UTC, datetime
from typing import Any

from opora.cli.command import Call, Command
from opora.cli.exits import CommandFailed, Exit
from opora.cli.running import run
from opora.core.bus.errors import BusUnavailable
from opora.core.bus.model import Backlog, EventCatalogue
from opora.core.bus.ports import BusQueue, EventBus
from opora.core.bus.rules.json_schema import first_sentence
from opora.core.bus.usecases import RepublishEvents
from opora.core.kernel.model import SYSTEM


def status(call: Call) -> Exit:
    """Say which bus there is, whether it answers, and what waits for it."""

    async def work(app: Any) -> tuple[bool, str, Backlog]:
        backlog = await (await app.get(BusQueue)).backlog()
        try:
            return True, await (await app.get(EventBus)).check(), backlog
        except BusUnavailable as fault:
            return False, str(fault), backlog

    answers, told, backlog = run(work)
    call.output.document(
        {"answers": answers, "bus": told, "waiting": backlog.waiting, "oldest_s": round(backlog.oldest_s, 1)}
    )
    call.output.line(f"Bus: {told}.")
    late = f", the oldest for {backlog.oldest_s:.0f} s" if backlog.waiting else ""
    call.output.line(f"{backlog.waiting} events wait{late}.")
    return Exit.OK if answers else Exit.UNAVAILABLE


def types(call: Call) -> None:
    """List every type of event."""

    async def work(app: Any) -> EventCatalogue:
        found: EventCatalogue = await app.get(EventCatalogue)
        return found

    catalogue = run(work)
    rows = [[topic, first_sentence(kind)] for topic, kind in catalogue.types.items()]
    call.output.document([{"type": topic, "says": says} for topic, says in rows])
    call.output.table(["TYPE", "SAYS"], rows)


def republish(call: Call) -> None:
    """Send events once more that happened since a time; listeners with an inbox have no second effect."""
    given = call.arguments

    async def work(app: Any) -> int:
        catalogue: EventCatalogue = await app.get(EventCatalogue)
        if given.type is not None and given.type not in catalogue.types:
            raise CommandFailed(Exit.DATA, f"there is no event of type {given.type}", "opora events types")
        return int(await (await app.get(RepublishEvents))(SYSTEM, given.since, given.type))

    count = run(work)
    call.output.document({"queued": count})
    call.output.line(f"{count} events are queued for the bus again; a worker sends them.")


def instant(text: str) -> datetime:
    """Read a time as RFC 3339; one without a zone is UTC."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is no time; write 2026-11-21T08:00:00Z") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _republish_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--since", type=instant, required=True, metavar="TIME", help="events that happened since then")
    parser.add_argument("--type", metavar="TYPE", help="only events of this type, such as user.created")


COMMANDS = {
    "status": Command("Say which bus there is and what waits for it", status),
    "types": Command("List every type of event", types),
    "republish": Command(
        "Send events once more",
        republish,
        _republish_arguments,
        "opora events republish --since 2026-11-21T08:00:00Z --type user.created",
    ),
}
