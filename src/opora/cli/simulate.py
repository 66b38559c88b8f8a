"""`opora simulate`: the real job engine in simulated processes, under seeded faults, with its promises checked."""

import tempfile
from argparse import ArgumentParser
from pathlib import Path

from opora.adapters.sql.migrations import upgrade
from opora.bootstrap.simulation.runs import prepare, runs
from opora.bootstrap.simulation.world import Run
from opora.cli.command import Call, Command
from opora.cli.exits import Exit
from opora.cli.values import whole


def simulate(call: Call) -> Exit:
    """Play seeds and tell which of them broke a promise, and how to play those again."""
    first, count = call.arguments.first, call.arguments.seeds
    with tempfile.TemporaryDirectory() as folder, call.output.progress("seeds") as steps:
        template = Path(folder) / "template.db"
        upgrade(f"sqlite:///{template}")
        prepare(template)
        played: list[Run] = []
        for run in runs(range(first, first + count), template):
            played.append(run)
            steps(len(played), count)
    broken = [run for run in played if run.broken]
    jobs, calls, deaths = (sum(getattr(run, name) for run in played) for name in ("jobs", "calls", "deaths"))
    failures = [{"seed": run.seed, "broken": list(run.broken), "repeat": repeat(run.seed)} for run in broken]
    call.output.document({"seeds": count, "jobs": jobs, "calls": calls, "crashes": deaths, "failures": failures})
    for run in broken:
        call.output.line(f"seed {run.seed}: {'; '.join(run.broken)}")
        call.output.line(f"  → {repeat(run.seed)}")
    call.output.line(
        f"{count} seeds: {calls} calls, {jobs} jobs, {deaths} crashed processes, {len(broken)} seeds broke a promise."
    )
    return Exit.FINDINGS if broken else Exit.OK


def repeat(seed: int) -> str:
    """Return the command that plays one seed again."""
    return f"opora simulate --first {seed} --seeds 1"


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--seeds", type=whole(1, 10_000_000), default=1000, metavar="N", help="how many seeds, 1000")
    parser.add_argument("--first", type=whole(0, 2**62), default=0, metavar="S", help="the first seed, 0")


COMMANDS = {
    "": Command(
        "Run the job engine under seeded faults and check its promises",
        simulate,
        _arguments,
        "opora simulate --seeds 100",
    )
}
