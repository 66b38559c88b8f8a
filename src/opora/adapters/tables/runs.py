"""Numbers put in order with bounded memory: sorted runs in a file without a name, read back range by range."""

import os
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from tempfile import TemporaryFile

from opora.core.numbers.model.tables import SortedRange
from opora.core.numbers.rules.zone_runs import zone_runs

SAMPLE_EVERY = 256
WIDTH = 8
KIND = "q"


@dataclass(frozen=True, slots=True)
class Run:
    """One sorted run: where its first array begins in the file, how many rows it has, and each 256th number."""

    start: int
    rows: int
    sample: Sequence[int]


class Runs:
    """Sorted runs of rows. A row is a number, its line and further whole numbers that go with it.

    The file has no name, so that nothing is left behind however the process ends.
    """

    def __init__(self, further: int) -> None:
        """`further` is how many arrays go along beside numbers and lines."""
        self._file = TemporaryFile(buffering=0)  # noqa: SIM115  # closed by the end of the process, or by `close`
        self._arrays = 2 + further
        self._runs: list[Run] = []
        self._size = 0
        self.rows = 0

    def close(self) -> None:
        """Give the file up."""
        self._file.close()

    def add(self, *columns: Sequence[int]) -> None:
        """Keep rows in the order of the file, given column by column: numbers, lines, and what goes along."""
        numbers = columns[0]
        if not numbers:
            return
        order = sorted(range(len(numbers)), key=numbers.__getitem__)  # stable: equal numbers stay in the file's order
        ordered = [array(KIND, map(column.__getitem__, order)) for column in columns]
        self._runs.append(Run(self._size, len(order), ordered[0][::SAMPLE_EVERY]))
        for one in ordered:
            self._file.write(memoryview(one).cast("B"))
            self._size += len(one) * WIDTH
        self.rows += len(order)

    def ranges(self, target_rows: int, merged: Sequence[tuple[int, int]] = ()) -> Iterator[SortedRange]:
        """Yield everything in ascending order in ranges of about `target_rows`, without the spans already merged."""
        bounds = self._bounds(target_rows)
        places = [self._place(run, bounds[0]) for run in self._runs] if bounds else []
        for _, end in pairwise(bounds):
            ends = [self._place(run, end) for run in self._runs]
            columns = self._gather(places, ends)
            places = ends
            kept = outside(columns, merged)
            if len(kept[0]):
                yield sorted_range(kept)

    def _bounds(self, target_rows: int) -> list[int]:
        sample = sorted(number for run in self._runs for number in run.sample)
        if not sample:
            return []
        step = max(1, target_rows // SAMPLE_EVERY)
        return [*sorted({sample[0], *sample[step::step]}), 2**63 - 1]

    def _place(self, run: Run, bound: int) -> int:
        """Return how many rows of a run have a number below the bound."""
        after = bisect_left(run.sample, bound)
        if after == 0:
            return 0
        begin = (after - 1) * SAMPLE_EVERY
        end = min(begin + SAMPLE_EVERY, run.rows)
        return begin + bisect_left(self._read(run.start + begin * WIDTH, end - begin), bound)

    def _read(self, start: int, count: int) -> "array[int]":
        some: array[int] = array(KIND)
        some.frombytes(os.pread(self._file.fileno(), count * WIDTH, start))
        return some

    def _gather(self, places: Sequence[int], ends: Sequence[int]) -> "list[array[int]]":
        columns: list[array[int]] = [array(KIND) for _ in range(self._arrays)]
        for run, begin, end in zip(self._runs, places, ends, strict=True):
            for nth, column in enumerate(columns if end > begin else ()):
                column.extend(self._read(run.start + (nth * run.rows + begin) * WIDTH, end - begin))
        return columns


def outside(columns: "list[array[int]]", spans: Iterable[tuple[int, int]]) -> "list[array[int]]":
    """Leave out the rows whose number lies in one of the spans, both ends included."""
    numbers = columns[0]
    if not len(numbers):
        return columns
    low, high = min(numbers), max(numbers)
    touching = [(first, last) for first, last in spans if first <= high and last >= low]
    if not touching:
        return columns
    kept = [
        place for place, number in enumerate(numbers) if not any(first <= number <= last for first, last in touching)
    ]
    return [array(KIND, map(column.__getitem__, kept)) for column in columns]


def sorted_range(columns: "list[array[int]]") -> SortedRange:
    """Put the rows of one range in order, the first line of each number kept, later ones told apart."""
    order = sorted(range(len(columns[0])), key=columns[0].__getitem__)
    numbers, lines, *further = [array(KIND, map(column.__getitem__, order)) for column in columns]
    repeated: list[tuple[int, int]] = []
    if len(set(numbers)) < len(numbers):
        again = [place for place in range(1, len(numbers)) if numbers[place] == numbers[place - 1]]
        repeated = [(lines[place], numbers[place]) for place in again]
        dropped = set(again)
        kept = [place for place in range(len(numbers)) if place not in dropped]
        numbers, lines, *further = [array(KIND, map(column.__getitem__, kept)) for column in (numbers, lines, *further)]
    providers, geo = further if further else (array(KIND), array(KIND))
    return SortedRange(numbers, lines, providers, geo, zone_runs(numbers), repeated)
