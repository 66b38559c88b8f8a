"""`opora numbers registry`: the regulator's ranges, loaded from files that the operator brings."""

from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from opora.bootstrap.sources import load
from opora.cli.command import Call, Command
from opora.cli.exits import CommandFailed, Exit
from opora.cli.running import run
from opora.core.kernel.model import SYSTEM
from opora.core.numbers.errors.calls import InvalidRegistry
from opora.core.numbers.ports.numbers import NumberingRegistry
from opora.core.numbers.rules.registry import joined, ranges_of
from opora.core.numbers.usecases.registry import LoadRegistry

ENCODINGS = ("utf-8-sig", "cp1251")


def registry(call: Call) -> None:
    """Load files of ranges in place of those there are, or tell what is loaded."""
    given = call.arguments
    if given.what == "load":
        bring(call)
        return

    async def look(app: Any) -> tuple[int, int]:
        plan = await (await app.get(NumberingRegistry)).newest()
        return plan.version, len(plan.firsts)

    version, ranges = run(look, load())
    call.output.document({"version": version, "ranges": ranges})
    call.output.line(f"Version {version} of {ranges} ranges is loaded." if version else "No registry is loaded.")


def bring(call: Call) -> None:
    """Read every file whole, then replace the registry in one transaction."""
    files: list[Path] = call.arguments.files
    if not files:
        raise CommandFailed(Exit.USAGE, "name the files to load", "opora numbers registry load DEF-9xx.csv ABC-3xx.csv")
    for file in files:
        if not file.is_file():
            raise CommandFailed(Exit.NO_INPUT, f"there is no file {file}", "Check the path")
    try:
        ranges = joined(one for file in files for one in ranges_of(lines(file), file.name))
    except InvalidRegistry as fault:
        raise CommandFailed(Exit.DATA, str(fault), "Load the files as the regulator publishes them") from None
    placed = sum(bool(one.zones) for one in ranges)

    async def work(app: Any) -> int:
        return int(await (await app.get(LoadRegistry))(SYSTEM, ranges))

    version = run(work, load())
    call.output.document({"version": version, "ranges": len(ranges), "with_zone": placed})
    call.output.line(f"{len(ranges)} ranges loaded as version {version}; the zones of {placed} are known.")


def lines(file: Path) -> Iterator[str]:
    """Yield the lines of a file in UTF-8 or CP1251; raises InvalidRegistry for any other."""
    content = file.read_bytes()
    for encoding in ENCODINGS:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        return iter(text.splitlines(keepends=True))
    raise InvalidRegistry(f"{file.name} is no text in UTF-8 or CP1251")


def arguments(parser: ArgumentParser) -> None:
    """Add what is to be done and the files."""
    parser.add_argument("what", choices=("load", "show"), help="load files, or show what is loaded")
    parser.add_argument("files", type=Path, nargs="*", metavar="FILE", help="a CSV file with semicolons")


COMMAND = Command(
    "Load the regulator's numbering ranges, which tell operator, region and zone",
    registry,
    arguments,
    "opora numbers registry load DEF-9xx.csv ABC-3xx.csv ABC-4xx.csv ABC-8xx.csv",
)
