"""What the outcomes of a load say: percentiles, whether a step held, where the knee is. Pure."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from load.driving import Outcome

P99_MAX_S = 0.25
"""A step whose 99th percentile is above this has passed the knee."""
GOOD_PART_MIN = 0.999
GROWTH = 1.3
"""Each step asks for so much more than the one before."""
SHED = {429, 503}


@dataclass(frozen=True, slots=True)
class Figures:
    """A step in numbers: what was offered a second, what came back well, and how long calls took."""

    offered_hz: float
    calls: int
    good: int
    statuses: dict[str, int]
    p50_s: float
    p90_s: float
    p99_s: float
    longest_s: float
    seconds: float

    @property
    def answered_hz(self) -> float:
        """Good answers a second."""
        return self.good / self.seconds

    @property
    def holds(self) -> bool:
        """Tell whether the service kept up."""
        return self.calls > 0 and self.good >= GOOD_PART_MIN * self.calls and self.p99_s <= P99_MAX_S


def quantile(values: Sequence[float], part: float) -> float:
    """Return the value that this part of all lies below; 0 of none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))] if ordered else 0.0


def figures(outcomes: Sequence[Outcome], offered_hz: float, seconds: float) -> Figures:
    """Sum a step up."""
    took_s = [one.took_s for one in outcomes]
    statuses = Counter(str(one.status) for one in outcomes)
    good = sum(one.is_good for one in outcomes)
    quantiles = [quantile(took_s, part) for part in (0.5, 0.9, 0.99)]
    longest_s = max(took_s, default=0.0)
    return Figures(offered_hz, len(outcomes), good, dict(statuses), *quantiles, longest_s, seconds)


def by_name(outcomes: Iterable[Outcome]) -> dict[str, list[Outcome]]:
    """Sort outcomes by what was called."""
    found: dict[str, list[Outcome]] = {}
    for one in outcomes:
        found.setdefault(one.name, []).append(one)
    return dict(sorted(found.items()))


def knee(steps: Sequence[Figures]) -> Figures | None:
    """Return the last step that held before one did not; None where not even the first did."""
    held = None
    for step in steps:
        if not step.holds:
            break
        held = step
    return held


def unshed(outcomes: Iterable[Outcome]) -> Counter[int]:
    """Count the answers under too much load that are neither good nor a refusal for that reason."""
    return Counter(one.status for one in outcomes if not one.is_good and one.status not in SHED)


def normal_after_s(outcomes: Iterable[Outcome], began_s: float) -> float:
    """Return how long after `began_s` the last call was meant to be sent that was refused or slow."""
    bad = [one.at_s - began_s for one in outcomes if not one.is_good or one.took_s > P99_MAX_S]
    return max(bad, default=0.0)


def grown(samples: Sequence[float], allowance: float) -> float:
    """Return by how much the last quarter of samples lies above the second, where it is more than the allowance.

    The first quarter is left out: caches fill in it.
    """
    quarter = len(samples) // 4
    if not quarter:
        return 0.0
    growth = quantile(samples[-quarter:], 0.5) - quantile(samples[quarter : 2 * quarter], 0.5)
    return growth if growth > allowance else 0.0
