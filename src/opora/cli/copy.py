"""`opora copy`: a whole installation's rows, moved from SQLite to PostgreSQL or back, and compared."""

import asyncio
import sys
import time
from argparse import ArgumentParser, ArgumentTypeError

from opora.adapters.sql.moving.ends import MoveRefused
from opora.adapters.sql.moving.move import Comparison, compare, copy
from opora.bootstrap.settings import Settings
from opora.bootstrap.sources import read
from opora.cli.command import Call, Command
from opora.cli.exits import CommandFailed, Exit

FROM_INPUT = "-"
KINDS = ("sqlite:///", "postgresql://")


def move(call: Call) -> Exit:
    """Copy all rows of this installation's database into another, or compare the two; all of it or nothing."""
    settings = read()
    to = from_input() if call.arguments.to == FROM_INPUT else call.arguments.to
    if to == settings.database_url:
        raise CommandFailed(Exit.USAGE, "both sides are the same database", "`opora copy --help`")
    work, about = (compare, "Comparing") if call.arguments.compare else (copy, "Copying")
    begun = time.perf_counter()
    try:
        with call.output.progress(about) as told:
            found = asyncio.run(work(settings.database_url, to, told))
    except MoveRefused as refused:
        raise CommandFailed(Exit.DATA, str(refused), refused.following) from refused
    tell(call, found, time.perf_counter() - begun)
    if not call.arguments.compare:
        follow(call, settings)
    return Exit.OK if found.is_equal else Exit.FINDINGS


def tell(call: Call, found: Comparison, took_s: float) -> None:
    """Show every table with rows, its count and its hash, and where the sides differ."""
    call.output.document(
        {
            "equal": found.is_equal,
            "copied": not call.arguments.compare,
            "rows": found.rows,
            "took_s": round(took_s, 1),
            "tables": [
                {"table": one.table, "rows": one.rows, "hash": one.hash, "rows_there": one.rows_there,
                 "hash_there": one.hash_there, "equal": one.is_equal}
                for one in found.tables
            ],
            "counters_behind": {name: list(both) for name, both in found.counters_behind.items()},
        }
    )  # fmt: skip
    shown = [one for one in found.tables if one.rows or not one.is_equal]
    call.output.table(
        ["TABLE", "ROWS", "THERE", "HASH", "SAME"],
        [[one.table, one.rows, one.rows_there, one.hash[:16], one.is_equal] for one in shown],
    )
    for name, (here, there) in found.counters_behind.items():
        call.output.line(f"ids of {name} go on after {there}, here after {here}: they would be given twice")
    told = "equal" if found.is_equal else f"{len(found.different)} tables differ"
    call.output.line(f"\n{found.rows} rows in {len(found.tables)} tables, {took_s:.1f} s: {told}.")


def follow(call: Call, settings: Settings) -> None:
    """Say what is to be done before the other side serves."""
    call.output.line("Before the new one serves:")
    call.output.line("  set OPORA_DATABASE_URL to it, on every machine")
    if settings.embedded:
        call.output.line(f"  set OPORA_SECRET_KEY to the secret_key in {settings.home}/secrets.json: else no key fits")
        call.output.line("  `opora db roles --apply` as the owner, then serve as opora_app")
    call.output.line(f"  leave OPORA_STORAGE_URL at {settings.storage_url}: files are not moved")
    call.output.line("  `opora check` and `opora audit verify` there; then let nobody start the old one again")


def from_input() -> str:
    """Read the address on standard input; raises CommandFailed for what is none."""
    text = sys.stdin.readline().strip()
    if not text.startswith(KINDS):
        raise CommandFailed(Exit.USAGE, "standard input gave no address of a database", "`opora copy --help`")
    return text


def database_url(text: str) -> str:
    """Read the address of a database, or the sign that it comes on standard input."""
    if text != FROM_INPUT and not text.startswith(KINDS):
        raise ArgumentTypeError("an address begins with postgresql:// or sqlite:///, or is -")
    return text


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--to", required=True, type=database_url, metavar="URL",
        help="the database to fill: migrated by this release, and empty; `-` reads it from standard input, "
        "where no list of processes shows its password",
    )  # fmt: skip
    parser.add_argument("--compare", action="store_true", help="copy nothing; tell in which tables the two differ")


COMMANDS = {"": Command("Move all rows into another database, SQLite or PostgreSQL, and compare them", move, _arguments,
                        "opora copy --to postgresql://opora_owner@db/opora")}  # fmt: skip
