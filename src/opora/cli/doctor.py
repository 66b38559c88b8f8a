"""`opora doctor`: what is wrong, and how to mend it."""

from collections.abc import Iterator, Sequence

from opora.bootstrap.faults import SettingsInvalid
from opora.bootstrap.settings import Settings
from opora.bootstrap.sources import read
from opora.cli.checks import Finding, Health, adapters, counters, home, inside, schema, storage
from opora.cli.command import Call, Command
from opora.cli.exits import Exit, failure
from opora.cli.output import Output
from opora.cli.running import run

MARKS = {Health.WELL: "✓", Health.WARN: "!", Health.ILL: "✗"}


def examine(call: Call) -> Exit:
    """Look at everything, show each finding, and fail when one is a fault."""
    return report(call.output, list(_findings()))


def report(output: Output, findings: Sequence[Finding]) -> Exit:
    """Show findings with their next steps; the exit code tells whether one is a fault."""
    ill = sum(one.health is Health.ILL for one in findings)
    warned = sum(one.health is Health.WARN for one in findings)
    output.document({"ok": ill == 0, "faults": ill, "warnings": warned, "findings": findings})
    width = max(len(one.name) for one in findings)
    for one in findings:
        output.line(f"{MARKS[one.health]} {one.name.ljust(width)}  {one.seen}")
        if one.mend:
            output.line(f"  {' ' * width}  → {one.mend}")
    output.line(f"\n{ill} faults, {warned} warnings")
    return Exit.FINDINGS if ill else Exit.OK


def _findings() -> Iterator[Finding]:
    try:
        settings = read()
    except SettingsInvalid as invalid:
        for fault in invalid.faults:
            yield Finding("settings", Health.ILL, f"{fault.name} {fault.fault}", fault.mend)
        return
    set_up = "embedded" if settings.embedded else "server"
    yield Finding("settings", Health.WELL, f"sound; {set_up} set-up")
    yield from home(settings)
    yield from storage(settings)
    reached = list(schema(settings))
    yield from reached
    yield from counters(settings)
    yield from adapters(settings)
    if settings.secret_key and len(reached) > 1 and all(one.health is Health.WELL for one in reached):
        yield from _inside(settings)


def _inside(settings: Settings) -> Iterator[Finding]:
    """Open the program and look at what only it can see."""
    try:
        yield from run(inside, settings)
    except Exception as fault:  # a doctor tells what it met; it does not fall over it
        end = failure(fault)
        yield Finding("program", Health.ILL, f"does not start: {end}", end.following)


COMMANDS = {"": Command("Say what is wrong and how to mend it", examine)}
