"""`python -m load`: journeys in an open loop on both set-ups; exit status 1 where a goal that was put is not met."""

import argparse
import contextlib
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict
from random import Random

import uvloop

from load import campaigns, page
from load.campaigns import Report, Told, generated, overloaded, soaked, stepped
from load.judging import Figures
from load.setups import EMBEDDED, PRODUCTION, running
from opora.cli.output import Output
from servers.fleet import Absent


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="make load", description=__doc__)
    parser.add_argument("--setup", choices=[EMBEDDED, PRODUCTION], help="one set-up; both unless given")
    parser.add_argument("--step", type=float, default=15.0, metavar="SECONDS", help="how long a step lasts (15)")
    parser.add_argument("--soak", type=float, default=0.0, metavar="MINUTES", help="half the knee for so long")
    parser.add_argument("--overload", type=float, nargs="?", const=60.0, default=0.0, metavar="SECONDS",
                        help="three times the knee for so long (60)")  # fmt: skip
    parser.add_argument("--generate", type=float, nargs="?", const=60.0, default=0.0, metavar="SECONDS",
                        help="100 generations with persist a second for so long (60)")  # fmt: skip
    parser.add_argument("--knee", type=float, default=0.0, metavar="CALLS", help="the knee where it is known: no steps")
    parser.add_argument("--seed", type=int, default=1, help="decides who arrives when (1)")
    parser.add_argument("--dry", action="store_true", help="write no page")
    parser.add_argument("--json", action="store_true", help="one JSON document in place of text")
    return parser.parse_args()


@contextlib.contextmanager
def showing(output: Output) -> Iterator[Told]:
    """Show a bar on a terminal; elsewhere, a line for each thing that begins."""
    if output.as_json or not sys.stderr.isatty():
        last = [""]

        def told(what: str, part: float) -> None:
            if what != last[0]:
                last[0] = what
                output.note(what)

        yield told
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    with Progress(TextColumn("{task.description:40}"), BarColumn(), TimeElapsedColumn(), transient=True) as bar:
        task = bar.add_task("", total=1.0)
        yield lambda what, part: bar.update(task, description=what, completed=part)


async def measured(given: argparse.Namespace, name: str, told: Told) -> Report:
    """Measure one set-up."""
    chance = Random(given.seed)
    told(f"{name}: the stage is set", 0.0)
    async with running(name) as one:
        report = Report(name) if given.knee else await stepped(one, chance, given.step, told)
        knee_hz = given.knee or (report.knee.offered_hz if report.knee else 0.0)
        if given.generate:
            report.findings += await generated(one, chance, given.generate, told)
        if given.soak and knee_hz:
            report.findings += await soaked(one, chance, knee_hz / 2, given.soak * 60, told)
        if given.overload and knee_hz:
            report.findings += await overloaded(one, chance, knee_hz, given.overload, told)
    return report


def step_line(step: Figures) -> list[object]:
    """Return a step as a row of the table on the terminal."""
    times = [round(one * 1000, 1) for one in (step.p50_s, step.p90_s, step.p99_s, step.longest_s)]
    return [round(step.offered_hz), round(step.answered_hz), *times, step.holds, str(step.statuses)]


def show(output: Output, reports: list[Report]) -> None:
    """Tell what was found."""
    output.document([{**asdict(report), "knee_hz": report.knee and report.knee.offered_hz} for report in reports])
    for report in reports:
        output.line(f"\n{page.title(report.name)}")
        if report.steps:
            heads = ["OFFERED/S", "GOOD/S", "P50 MS", "P90 MS", "P99 MS", "LONGEST MS", "HOLDS", "ANSWERS"]
            output.table(heads, [step_line(step) for step in report.steps])
        for one in report.findings:
            output.line(f"{'met' if one.met else 'NOT MET'}: {one.what}: {one.measured} (goal: {one.goal})")


def main() -> int:
    """Measure, tell, write."""
    given = arguments()
    output = Output(as_json=given.json)
    reports = []
    try:
        with showing(output) as told:
            for name in [given.setup] if given.setup else [EMBEDDED, PRODUCTION]:
                reports.append(uvloop.run(measured(given, name, told)))
    except Absent as absence:
        output.note(str(absence))
        return os.EX_UNAVAILABLE
    show(output, reports)
    if not given.dry:
        page.write(reports)
        output.note("written to docs/load.md")
    return int(bool(campaigns.missed(reports)))


if __name__ == "__main__":
    sys.exit(main())
