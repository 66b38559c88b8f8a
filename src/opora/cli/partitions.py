"""`opora numbers partition`: the table of numbers parted by project, on PostgreSQL."""

import asyncio
from argparse import ArgumentParser

from opora.adapters.sql.partitions import PARTS_MAX, PartingFailed, partition
from opora.bootstrap.sources import load
from opora.cli.command import Call, Command
from opora.cli.exits import CommandFailed, Exit
from opora.cli.values import whole


def part(call: Call) -> None:
    """Rebuild the table in as many parts as the settings say, or the call, while it is in use."""
    settings, given = load(), call.arguments
    parts = settings.number_partitions if given.parts is None else given.parts
    if not settings.database_url.startswith("postgresql"):
        raise CommandFailed(Exit.USAGE, "only PostgreSQL parts tables", "SQLite holds tens of millions in one")
    if not given.yes:
        raise CommandFailed(Exit.USAGE, "the table is written anew, and needs as much room again", "Add --yes")
    with call.output.progress("parting the table of numbers") as steps:
        try:
            is_done = asyncio.run(partition(settings.database_url, parts, steps))
        except PartingFailed as failure:
            raise CommandFailed(Exit.TEMPORARY, str(failure), "The table is as it was; run it again later") from failure
    call.output.document({"parts": parts, "rebuilt": is_done})
    call.output.line(
        f"The table of numbers is {f'in {parts} parts' if parts else 'whole'}{'' if is_done else ' already'}."
    )


def arguments(parser: ArgumentParser) -> None:
    """Add the number of parts, and the word that says it is meant."""
    parser.add_argument(
        "--parts", type=whole(0, PARTS_MAX), metavar="N", help="in place of OPORA_NUMBER_PARTITIONS; 0 is whole"
    )
    parser.add_argument("--yes", action="store_true", help="rebuild the table now")


COMMAND = Command(
    "Part the table of numbers by project (PostgreSQL)", part, arguments, "opora numbers partition --parts 16 --yes"
)
