"""`opora simulate`: the job engine, the limits and every context in simulated processes, under seeded faults."""

import shutil
import tempfile
from argparse import ArgumentParser
from pathlib import Path

from opora.adapters.sql.migrations import upgrade
from opora.bootstrap.simulation.composition import composition
from opora.bootstrap.simulation.founding import found
from opora.bootstrap.simulation.life import Run
from opora.bootstrap.simulation.limits import Calls, limit_runs
from opora.bootstrap.simulation.runs import prepare, runs, town_runs
from opora.cli.command import Call, Command
from opora.cli.exits import Exit
from opora.cli.values import whole


def simulate(call: Call) -> Exit:
    """Play seeds of the engine, of the limits and of the contexts; tell which broke a promise, and how to repeat it."""
    first, count = call.arguments.first, call.arguments.seeds
    seeds = range(first, first + count)
    engine: list[Run] = []
    limits: list[Calls] = []
    town: list[Run] = []
    with tempfile.TemporaryDirectory() as folder, call.output.progress("seeds") as steps:
        plain, founded = templates(Path(folder))
        for run, calls, lived in zip(runs(seeds, plain), limit_runs(seeds), town_runs(seeds, founded), strict=True):
            engine.append(run)
            limits.append(calls)
            town.append(lived)
            steps(len(engine), count)
    told = {
        "seeds": count,
        "jobs": sum(run.jobs for run in (*engine, *town)),
        "calls": sum(run.calls for run in (*engine, *town)),
        "crashes": sum(run.deaths for run in (*engine, *town)),
        "limited_calls": sum(one.admitted + one.refused + one.alone for one in limits),
    }
    played: list[Run | Calls] = [*engine, *limits, *town]
    failures = [
        {"seed": one.seed, "broken": list(one.broken), "repeat": repeat(one.seed)} for one in played if one.broken
    ]
    call.output.document({**told, "failures": failures})
    for one in played:
        if one.broken:
            call.output.line(f"seed {one.seed}: {'; '.join(one.broken)}")
            call.output.line(f"  → {repeat(one.seed)}")
    call.output.line(
        f"{count} seeds: {told['calls']} calls, {told['jobs']} jobs, {told['crashes']} crashed processes, "
        f"{told['limited_calls']} calls under a limit; {len(failures)} broke a promise."
    )
    return Exit.FINDINGS if failures else Exit.OK


def templates(folder: Path) -> tuple[Path, Path]:
    """Make the files that seeds begin with: one of the engine, and one where a town is founded."""
    plain, founded = folder / "plain.db", folder / "founded.db"
    upgrade(f"sqlite:///{plain}")
    shutil.copy(plain, founded)
    found(founded, composition())
    for file in (plain, founded):
        prepare(file)
    return plain, founded


def repeat(seed: int) -> str:
    """Return the command that plays one seed again."""
    return f"opora simulate --first {seed} --seeds 1"


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--seeds", type=whole(1, 10_000_000), default=1000, metavar="N", help="how many seeds, 1000")
    parser.add_argument("--first", type=whole(0, 2**62), default=0, metavar="S", help="the first seed, 0")


COMMANDS = {
    "": Command(
        "Run the job engine, the limits and every context under seeded faults and check their promises",
        simulate,
        _arguments,
        "opora simulate --seeds 100",
    )
}
