"""`opora db`: the schema of the database, brought to a release and looked at."""

import asyncio
import re
from argparse import ArgumentParser, ArgumentTypeError
from pathlib import Path

from opora.adapters.sql.migrations import SchemaState, downgrade, plan, state, upgrade
from opora.adapters.sql.revisions import newest
from opora.adapters.sql.roles import RoleNames, apply, script
from opora.bootstrap.settings import Settings
from opora.bootstrap.sources import read
from opora.cli.command import Call, Command
from opora.cli.exits import CommandFailed, Exit


def migrate(call: Call) -> None:
    """Apply the migrations this release has and the database has not, all or none, one process at a time."""
    settings = ready()
    url, target = settings.database_url, call.arguments.to
    refuse_newer(state(url))
    pending = plan(url, target)
    if not call.arguments.plan and pending:
        upgrade(url, target)
    now_at = state(url).current
    call.output.document({"pending" if call.arguments.plan else "applied": pending, "current": now_at})
    for line in pending:
        call.output.line(f"{'would apply' if call.arguments.plan else 'applied'} {line}")
    call.output.line(f"The schema is at {now_at or 'nothing'}." + ("" if pending else " Nothing to do."))


def revert(call: Call) -> None:
    """Take migrations back to a revision; what they added is lost."""
    settings = ready()
    url, target = settings.database_url, call.arguments.to
    before = state(url)
    refuse_newer(before)
    if not call.arguments.yes:
        raise CommandFailed(
            Exit.USAGE, f"going back to {target} deletes what later migrations added", "Back up, then add --yes"
        )
    downgrade(url, target)
    after = state(url).current
    call.output.document({"before": before.current, "current": after})
    call.output.line(f"The schema went from {before.current or 'nothing'} back to {after or 'nothing'}.")


def check(call: Call) -> Exit:
    """Tell whether the database is what this release needs."""
    found = stands(read(), with_drift=True)
    call.output.document(
        {"current": found.current, "head": found.head, "up_to_date": found.up_to_date, "drift": list(found.drift)}
    )
    if found.expanded:
        call.output.line(f"The schema is at {found.current}, expanded by a newer release; this one may run beside it.")
        return Exit.OK
    if not found.up_to_date:
        call.output.line(f"The schema is at {found.current or 'nothing'}, this release needs {found.head}.")
        call.output.note("  → " + ("`opora db upgrade`" if found.known else NEWER))
    for line in found.drift if found.up_to_date else ():
        call.output.line(f"differs: {line}")
    if not found.up_to_date or found.drift:
        return Exit.FINDINGS
    call.output.line(f"The schema is at {found.head}, as this release needs it.")
    return Exit.OK


def current(call: Call) -> None:
    """Print the database's revision."""
    found = stands(read())
    call.output.document({"current": found.current, "head": found.head})
    call.output.line(found.current or "nothing")


def roles(call: Call) -> None:
    """Print the SQL of the roles, or run it as the owner of the schema."""
    given = call.arguments
    sql = script(RoleNames(given.app, given.reader))
    if given.apply:
        settings = ready()
        if settings.embedded:
            raise CommandFailed(Exit.USAGE, "SQLite has no roles", "They are for PostgreSQL: OPORA_DATABASE_URL")
        if not stands(settings).up_to_date:
            raise CommandFailed(Exit.FINDINGS, "the schema is not this release's", "`opora db upgrade` first")
        asyncio.run(apply(settings.database_url, sql))
    call.output.document({"app": given.app, "reader": given.reader, "applied": given.apply, "sql": sql})
    call.output.line(f"{given.app} may work, {given.reader} may read." if given.apply else sql.rstrip())


NEWER = "Install the release that made it: this one is older and does not know that schema"


def stands(settings: Settings, *, with_drift: bool = False) -> SchemaState:
    """Return where the schema stands; looking at a SQLite file that is not there does not make it."""
    if settings.embedded and not Path(settings.sqlite_path).is_file():
        return SchemaState(current=None, head=newest(), known=True)
    return state(settings.database_url, with_drift=with_drift)


def refuse_newer(found: SchemaState) -> None:
    """Raise CommandFailed where a later release has migrated the database."""
    if not found.known:
        raise CommandFailed(Exit.CONFIG, f"the schema is at {found.current}, which this release does not know", NEWER)


def ready() -> Settings:
    """Return the settings with the folder of a SQLite database made."""
    settings = read()
    if settings.embedded:
        Path(settings.sqlite_path).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return settings


def _upgrade_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--to", default="head", metavar="REVISION", help="where to stop; the newest")
    parser.add_argument("--plan", action="store_true", help="print what would be applied and apply nothing")


def _downgrade_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--to", required=True, metavar="REVISION", help="where to go back to; `base` is the empty database"
    )
    parser.add_argument("--yes", action="store_true", help="really: what later migrations added is deleted")


def role(text: str) -> str:
    """Read the name of a role: one that needs no quotes anywhere."""
    if not re.fullmatch(r"[a-z_][a-z0-9_]{0,62}", text):
        raise ArgumentTypeError("a role is named with small letters, digits and underscores")
    return text


def _roles_arguments(parser: ArgumentParser) -> None:
    usual = RoleNames()
    parser.add_argument("--sql", action="store_true", help="print the SQL and change nothing: what it does anyhow")
    parser.add_argument("--apply", action="store_true", help="run it on OPORA_DATABASE_URL, as the owner of the schema")
    parser.add_argument("--app", type=role, default=usual.app, metavar="ROLE", help=f"who works; {usual.app}")
    parser.add_argument("--reader", type=role, default=usual.reader, metavar="ROLE", help=f"who reads; {usual.reader}")


COMMANDS = {
    "upgrade": Command("Apply the migrations that the database lacks, under a lock, all or none", migrate,
                       _upgrade_arguments, "opora db upgrade --plan"),
    "downgrade": Command("Take migrations back to a revision", revert, _downgrade_arguments,
                         "opora db downgrade --to 0001 --yes"),
    "check": Command("Tell whether the schema is what this release needs", check),
    "current": Command("Print the schema's revision", current),
    "roles": Command("Print or grant the roles of least privilege (PostgreSQL)", roles, _roles_arguments,
                     "opora db roles --sql | psql"),
}  # fmt: skip
