"""`python -m chaos`: a run of faults under load; exit status 1 where a promise was broken."""

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random, SystemRandom
from typing import Protocol

from chaos.ledger import Fate
from chaos.play import Result, whole
from chaos.town import town
from opora.cli.output import Output
from servers.fleet import Absent

CASES_SHOWN = 10


class Told(Protocol):
    """Something that is told what happens now."""

    def __call__(self, what: str) -> None:
        """Show it."""


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--seconds", type=float, default=120.0, help="how long faults are played (120)")
    parser.add_argument("--seed", type=int, help="decides which faults come when; a new one unless given")
    parser.add_argument("--api", type=int, default=2, help="API processes (2)")
    parser.add_argument("--workers", type=int, default=2, help="workers (2)")
    parser.add_argument("--logs", type=Path, help="a file to keep what the processes wrote")
    parser.add_argument("--json", action="store_true", help="one JSON document in place of text")
    return parser.parse_args()


@contextmanager
def showing(output: Output, seconds: float) -> Iterator[Told]:
    """Show a bar on a terminal; elsewhere, a line for each thing that happens."""
    began_s = time.monotonic()
    if output.as_json or not sys.stderr.isatty():
        yield lambda what: output.note(f"{time.monotonic() - began_s:6.1f} s  {what}") if what else None
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    with Progress(TextColumn("{task.description:42}"), BarColumn(), TimeElapsedColumn(), transient=True) as bar:
        task = bar.add_task("the stage is set", total=seconds)
        yield lambda what: bar.update(
            task, description=what or "nothing for a moment", completed=min(seconds, time.monotonic() - began_s)
        )


async def run(given: argparse.Namespace, seed: int, output: Output) -> Result:
    """Play one run in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="opora-chaos-") as folder, showing(output, given.seconds) as told:
        async with town(Path(folder), given.api, given.workers) as one:
            output.note(one.told())
            try:
                return await whole(one, Random(seed), given.seconds, told)
            finally:
                if given.logs is not None:
                    given.logs.write_text(one.installation.logs(), "utf-8")


def document(result: Result, seed: int) -> dict[str, object]:
    """Return all of a result."""
    return {
        "seed": seed,
        "faults": [{"name": one.name, "from_s": one.from_s, "until_s": one.until_s} for one in result.played],
        "deeds": {str(fate): len(result.book.of_fate(fate)) for fate in Fate},
        "answers": dict(result.book.answers),
        "probes": result.book.probes,
        "promises": {one.name: {"count": one.count, "cases": list(one.cases)} for one in result.promises},
    }


def show(output: Output, result: Result, seed: int) -> None:
    """Tell a result: what was done, and a line for each promise."""
    output.document(document(result, seed))
    faults = Counter(one.name for one in result.played)
    output.line(f"seed {seed}; {len(result.played)} faults: {', '.join(f'{n} × {name}' for name, n in faults.items())}")
    ends = ", ".join(f"{len(result.book.of_fate(fate))} {fate}" for fate in Fate)
    output.line(f"{len(result.book.deeds)} deeds: {ends}; {result.book.probes} tries to get in")
    output.line(f"answers: {', '.join(f'{n} × {status}' for status, n in result.book.answers.most_common())}")
    for promise in result.promises:
        output.line(f"{promise.name} = {promise.count}{f'  ({promise.meaning})' if promise.count else ''}")
        for case in promise.cases[:CASES_SHOWN]:
            output.line(f"    {case}")


def main() -> int:
    """Play, tell, and judge."""
    given = arguments()
    seed = given.seed if given.seed is not None else SystemRandom().randrange(10**6)
    output = Output(as_json=given.json)
    try:
        result = asyncio.run(run(given, seed, output))
    except Absent as absence:
        output.note(str(absence))
        return os.EX_UNAVAILABLE
    show(output, result, seed)
    if any(promise.count for promise in result.promises):
        output.note(f'a promise is broken; `make chaos ARGS="--seed {seed}"` plays the same faults')
        return 1
    return os.EX_OK


if __name__ == "__main__":
    sys.exit(main())
