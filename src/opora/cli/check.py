"""`opora check`: is everything there, whole and agreed upon, of rows and of files."""

from argparse import ArgumentParser

from opora.bootstrap.sources import read
from opora.cli.checks import Finding, Health, schema
from opora.cli.command import Call, Command
from opora.cli.doctor import report
from opora.cli.exits import CommandFailed, Exit
from opora.cli.integrity import Looked, examined
from opora.cli.running import run
from opora.cli.values import whole

HASHED = 1_000


def check(call: Call) -> Exit:
    """Look through every row and file that another one relies on; exit 1 where something is missing or differs."""
    settings, given = read(), call.arguments
    stands = [one for one in schema(settings) if one.health is not Health.WELL]
    if stands:
        raise CommandFailed(Exit.UNAVAILABLE, f"{stands[0].name}: {stands[0].seen}", stands[0].mend)
    hashed = None if given.all_files else given.sample
    with call.output.progress("Checking") as told:
        looked: Looked = run(lambda app: examined(app, settings, hashed, told), settings)
    files = Finding(
        "files", Health.WELL, f"{looked.files} are named by rows, {looked.hashed} of them read, {looked.stored} stored"
    )
    return report(call.output, [files, *looked.findings])


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--sample", type=whole(0, 1_000_000_000), default=HASHED, metavar="N",
                        help=f"read so many files, by chance, and compare their hashes; {HASHED}. "
                        "That they are there, and their sizes, is looked at for all")  # fmt: skip
    parser.add_argument("--all-files", action="store_true", help="read every file")


COMMANDS = {"": Command("Find what is missing, orphaned, corrupted or miscounted, in rows and in files", check,
                        _arguments, "opora check --all-files --json")}  # fmt: skip
