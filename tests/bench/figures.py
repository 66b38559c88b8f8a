"""One figure of the benchmarks, and how two or more ways are measured in the same run."""

import gc
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured path beside what it is held against.

    `path` is the row's name. `measured` and `against` are texts with their units (`29 µs`, `Faker: 412 µs`). `ratio`
    is what `goal` speaks of (`≥ 12×`, `≤ 1.5×`), `None` where there is no peer. `met` tells whether the goal is
    reached, `None` where the row is told and not judged.
    """

    path: str
    measured: str
    against: str = "–"
    ratio: float | None = None
    goal: str = "–"
    met: bool | None = None


def seconds_per_call(
    ways: Mapping[str, Callable[[], object]], rounds: int = 7, round_s: float = 0.2
) -> dict[str, float]:
    """Time every way in turn, round after round, and return the median CPU-bound wall time of one call of each.

    Interleaving keeps the ratios true on a machine that others use: whatever slows one way down slows its neighbours in
    the same round. Each way is called once before the clock starts.
    """
    counts = {name: calls_within(way, round_s) for name, way in ways.items()}
    samples: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            samples[name].append(timed(way, counts[name]) / counts[name])
    return {name: statistics.median(times) for name, times in samples.items()}


def calls_within(way: Callable[[], object], round_s: float) -> int:
    """Tell how many calls of `way` fill about `round_s`: at least one."""
    way()
    took_s = timed(way, 1)
    return max(1, int(round_s / max(took_s, 1e-7)))


def timed(way: Callable[[], object], count: int) -> float:
    """Return the seconds that `count` calls took, with the collector held still."""
    gc.collect()
    gc.disable()
    try:
        start = time.perf_counter()
        for _ in range(count):
            way()
        return time.perf_counter() - start
    finally:
        gc.enable()


def duration(seconds: float) -> str:
    """Write a duration in the unit that suits it: `29.4 µs`, `3.10 ms`, `1.25 s`."""
    for unit, scale in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= scale:
            return f"{seconds / scale:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


def at_least(path: str, ours_s: float, peer: str, peer_s: float, goal: float) -> Figure:
    """Build the row for "at least `goal` times as fast as `peer`"; both times are seconds per unit of work."""
    ratio = peer_s / ours_s
    return Figure(path, duration(ours_s), f"{peer}: {duration(peer_s)}", ratio, f"≥ {goal:g}×", ratio >= goal)


def at_most(path: str, ours_s: float, peer: str, peer_s: float, goal: float) -> Figure:
    """Build the row for "costs at most `goal` times what `peer` costs"; both times are seconds per unit of work."""
    ratio = ours_s / peer_s
    return Figure(path, duration(ours_s), f"{peer}: {duration(peer_s)}", ratio, f"≤ {goal:g}×", ratio <= goal)
