"""Writes docs/load.md: a part for each set-up, with its picture; a run of one leaves the others as they are."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from journeys import WAYS

from bench.__main__ import machine
from bench.figures import duration
from load.campaigns import Report
from load.judging import GOOD_PART_MIN, P99_MAX_S, Figures
from load.picture import picture

DOCS = Path(__file__).parents[2] / "docs"
PAGE = DOCS / "load.md"
SECTION = "## "
HEAD = f"""# Load

Written by `make load`. Journeys of every document ([deploy/load](../deploy/load/journeys.py)) arrive at times that are
fixed beforehand, whatever became of those before them; a call's time counts from when it was meant to be sent. Each
step asks for 1.3 times as many calls a second, until not {GOOD_PART_MIN:.1%} of them are answered well or their 99th
percentile is above {P99_MAX_S * 1000:.0f} ms; the last step that held is the knee. The generator runs on the same
machine and takes its share of it.

`make load ARGS="--soak 30 --overload --generate 300"` adds half the knee for 30 minutes, three times the knee for a
minute, and 100 generations a second for 300 seconds; `--setup embedded` measures one set-up. Against a service that
runs elsewhere the same journeys are Locust's: see [deploy](../deploy/README.md#load).
"""


def title(name: str) -> str:
    """Name a set-up as a heading does."""
    return {"embedded": "Embedded: one process, SQLite", "production": "Production: two API processes, a worker"}[name]


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Write a table."""
    return [
        f"| {' | '.join(heads)} |",
        "|" + " --- |" * len(heads),
        *(f"| {' | '.join(row)} |" for row in rows),
        "",
    ]


def step_row(step: Figures) -> list[str]:
    """Write a step."""
    statuses = ", ".join(f"{count:,} × {status}" for status, count in sorted(step.statuses.items()))
    times = [duration(one) for one in (step.p50_s, step.p90_s, step.p99_s, step.longest_s)]
    return [f"{step.offered_hz:.0f}", f"{step.answered_hz:.0f}", *times, statuses, "yes" if step.holds else "no"]


def name_row(name: str, found: Figures) -> list[str]:
    """Write what one kind of call took at the knee."""
    return [
        name,
        f"{found.calls:,}",
        *(duration(one) for one in (found.p50_s, found.p90_s, found.p99_s, found.longest_s)),
    ]


def section(report: Report) -> str:
    """Write the part of a set-up."""
    when = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
    knee = f"{report.knee.offered_hz:.0f} calls a second" if report.knee else "below the first step"
    lines = [f"{SECTION}{title(report.name)}", "", f"Measured {when}. The knee: {knee}.", ""]
    if report.steps:
        lines += [f"![Times by rate](load-{report.name}.svg)", ""]
        heads = ["offered, calls/s", "good, calls/s", "p50", "p90", "p99", "longest", "answers", "holds"]
        lines += table(heads, [step_row(step) for step in report.steps])
    if report.by_name:
        heads = ["at the knee", "calls", "p50", "p90", "p99", "longest"]
        lines += table(heads, [name_row(*one) for one in report.by_name.items()])
    if report.findings:
        rows = [[one.what, one.measured, one.goal, "yes" if one.met else "no"] for one in report.findings]
        lines += table(["put to the test", "measured", "goal", "met"], rows)
    return "\n".join(lines)


def sections(page: str) -> dict[str, str]:
    """Split a page written earlier by the headings of set-ups."""
    parts = ("\n" + page).split("\n" + SECTION)[1:]
    found = {part.partition("\n")[0]: SECTION + part.strip("\n") + "\n" for part in parts}
    return {name: text for name, text in found.items() if name in {title("embedded"), title("production")}}


def as_page(written: Mapping[str, str], facts: Mapping[str, str]) -> str:
    """Put the page together."""
    mix = table(["journey", "of all", "calls"], [
        [(way.journey.__doc__ or "").rstrip("."), f"{way.weight / sum(one.weight for one in WAYS):.0%}", str(way.calls)]
        for way in WAYS
    ])  # fmt: skip
    about = table(["", ""], [[name, value] for name, value in facts.items() if name != "libraries"])
    return "\n".join([HEAD, *mix, *about]) + "\n" + "\n".join(written[one] for one in sorted(written))


def write(reports: Sequence[Report]) -> None:
    """Write the page and the pictures of these set-ups."""
    written = sections(PAGE.read_text("utf-8")) if PAGE.exists() else {}
    for report in reports:
        written[title(report.name)] = section(report)
        if report.steps:
            (DOCS / f"load-{report.name}.svg").write_text(
                picture(title(report.name), report.steps, report.knee), "utf-8"
            )
    PAGE.write_text(as_page(written, machine()), encoding="utf-8")
