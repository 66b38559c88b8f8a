"""`make bench`: measures every topic, prints one table and writes it to docs/benchmarks.md with the machine's facts."""

import importlib
import os
import platform
import statistics
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from bench.figures import Figure, timed
from bench.picture import picture

FOLDER = Path(__file__).parent
NOTES = FOLDER / "notes.md"
SECTION = "## "
PAGE = FOLDER.parents[1] / "docs" / "benchmarks.md"
PICTURE = PAGE.with_suffix(".svg")
LIBRARIES = """
    asyncpg faker fastapi fpdf2 litestar mimesis msgspec pyjwt redis reportlab slowapi sqlalchemy taskiq typst
    uvicorn uvloop
"""
VERDICT = {True: "yes", False: "no", None: "–"}


def topics(only: Sequence[str]) -> list[str]:
    """Name the topics there are, or those among them that were asked for."""
    there = sorted(file.stem.removeprefix("bench_") for file in FOLDER.glob("bench_*.py"))
    unknown = set(only) - set(there)
    if unknown:
        sys.exit(f"no bench named {', '.join(sorted(unknown))}; there are {', '.join(there)}")
    return [topic for topic in there if not only or topic in only]


def measured(names: Sequence[str], console: Console) -> Iterator[tuple[str, list[Figure]]]:
    """Run topic after topic behind a progress bar; a topic that fails is told, and the others go on."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("", total=len(names))
        for name in names:
            progress.update(task, description=name)
            try:
                yield name, importlib.import_module(f"bench.bench_{name}").figures()
            except Exception:  # whatever a topic needs may be missing here
                console.print_exception(max_frames=4)
                yield name, [Figure(name, "failed", met=False)]
            progress.advance(task)


def machine() -> dict[str, str]:
    """Tell what the figures were measured on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "processor": f"{processor()}, {os.cpu_count()} logical",
        "speed": f"a million turns of an empty Python loop take {loop_s() * 1000:.0f} ms",
        "memory": f"{memory:.0f} GiB",
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "Python": f"{platform.python_implementation()} {platform.python_version()}",
        "libraries": ", ".join(f"{name} {found}" for name in LIBRARIES.split() if (found := installed(name))),
    }


def processor() -> str:
    """Name the processor as the system knows it."""
    facts = Path("/proc/cpuinfo")
    lines = facts.read_text().splitlines() if facts.exists() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())


def loop_s() -> float:
    """Return the seconds of a million turns of an empty loop, the median of nine: how fast the machine is just now."""
    return statistics.median(timed(lambda: [None for _ in range(1_000_000)], 1) for _ in range(9))


def installed(name: str) -> str:
    """Give a package's version, or an empty text."""
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def cells(figure: Figure) -> tuple[str, ...]:
    """Write one figure as the cells of a row."""
    ratio = "–" if figure.ratio is None else f"{figure.ratio:.3g}×"
    return figure.path, figure.measured, figure.against, ratio, figure.goal, VERDICT[figure.met]


HEADINGS = ("path", "measured", "against, in the same run", "ratio", "goal", "met")


def on_terminal(found: Mapping[str, Sequence[Figure]]) -> Table:
    """Lay the figures out for a terminal."""
    table = Table(*HEADINGS, row_styles=("", "dim"))
    for figures in found.values():
        for figure in figures:
            table.add_row(*cells(figure))
        table.add_section()
    return table


def as_section(topic: str, figures: Sequence[Figure], load: float) -> str:
    """Write one topic's part of the page, with how busy the machine was just before it."""
    rule = "| " + " | ".join("---" for _ in HEADINGS) + " |"
    when = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
    lines = [f"{SECTION}{title(topic)}", "", f"Measured {when}; load at the start {load:.1f}.", ""]
    lines += [f"| {' | '.join(HEADINGS)} |", rule]
    lines += [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells(one))} |" for one in figures]
    return "\n".join(lines) + "\n"


def title(topic: str) -> str:
    """Write a topic as a heading."""
    return topic.replace("_", " ").capitalize()


def sections(page: str) -> dict[str, str]:
    """Split a page written earlier into the parts of those topics that there are, by their headings."""
    there = {title(topic) for topic in topics([])}
    parts = ("\n" + page).split("\n" + SECTION)[1:]
    found = {part.partition("\n")[0]: SECTION + part.strip("\n") + "\n" for part in parts}
    return {name: text for name, text in found.items() if name in there}


def as_page(written: Mapping[str, str], facts: Mapping[str, str]) -> str:
    """Write docs/benchmarks.md: its head, the notes and every topic's part."""
    head = [
        "# Benchmarks", "",
        "Written by `make bench`; `make bench ONLY=service` measures one topic anew and leaves the others as they are.",
        "Each figure stands beside a peer or a limit measured in the same run, interleaved with it, so that the ratio",
        "holds where the absolute numbers do not. A goal that is not met says so.", "",
        "| | |", "| --- | --- |", *(f"| {name} | {value} |" for name, value in facts.items()), "",
        f"![How far each ratio stands from its goal]({PICTURE.name})",
    ]  # fmt: skip
    return "\n".join(head) + "\n\n" + NOTES.read_text("utf-8") + "".join("\n" + written[one] for one in sorted(written))


def main(only: Sequence[str]) -> int:
    """Measure, print and write, topic by topic; a goal that is not met is told, not failed."""
    console = Console()
    facts = machine()
    found: dict[str, list[Figure]] = {}
    load = os.getloadavg()[0]
    for topic, figures in measured(topics(only), console):
        found[topic] = figures
        written = sections(PAGE.read_text("utf-8")) if PAGE.exists() else {}
        written[title(topic)] = as_section(topic, figures, load)
        page = as_page(written, facts)
        PAGE.write_text(page, encoding="utf-8")
        PICTURE.write_text(picture(page), encoding="utf-8")
        load = os.getloadavg()[0]
    console.print(on_terminal(found))
    console.print(f"written to {PAGE.relative_to(FOLDER.parents[1])}")
    missed = [figure.path for figures in found.values() for figure in figures if figure.met is False]
    if missed:
        console.print(f"[yellow]not met:[/] {'; '.join(missed)}")
    return int(any(figure.measured == "failed" for figures in found.values() for figure in figures))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
