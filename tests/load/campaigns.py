"""What is put on a set-up: steps up to the knee, and, where asked for, a soak, too much, and generation alone."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from random import Random
from time import perf_counter

from journeys import API, CALLS_MEAN, Cast, Journey, by_key, chosen, sent
from journeys import Call as Request

from bench.staging import rows_of
from load import judging
from load.driving import Outcome, arrivals, opened
from load.judging import Figures, figures
from load.setups import Running

FIRST_HZ = 40.0
STEPS_MAX = 16
CALM_S = 3.0
SAMPLE_S = 5.0
OVERLOAD = 3.0
NORMAL_WITHIN_S = 10.0
MEMORY_GROWTH_MAX_BYTES = 24 * 2**20
DESCRIPTORS_GROWTH_MAX = 16
GENERATE_HZ = 100.0
GENERATE_P99_MAX_S = 0.1

type Told = Callable[[str, float], None]
"""Hears what happens, and which part of it is over."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that was put to the test beside the steps."""

    what: str
    measured: str
    goal: str
    met: bool


@dataclass(slots=True)
class Report:
    """All that was found on one set-up."""

    name: str
    steps: list[Figures] = field(default_factory=list)
    by_name: dict[str, Figures] = field(default_factory=dict)
    """The step of the knee, by what was called."""
    findings: list[Finding] = field(default_factory=list)

    @property
    def knee(self) -> Figures | None:
        """The last step that held."""
        return judging.knee(self.steps)


async def mixed(
    one: Running, chance: Random, rate_hz: float, seconds: float, told: Callable[[float], None]
) -> list[Outcome]:
    """Put journeys of every kind on a set-up, at so many calls a second."""
    due = list(arrivals(chance, rate_hz / CALLS_MEAN, seconds))
    return await opened(one.pool, due, partial(chosen, one.cast, chance), told)


async def stepped(one: Running, chance: Random, step_s: float, told: Told) -> Report:
    """Ask for more and more until the service does not keep up."""
    report, rate_hz = Report(one.name), FIRST_HZ
    await mixed(one, chance, FIRST_HZ / 2, step_s / 2, lambda at_s: told("warming up", at_s / step_s * 2))
    for _ in range(STEPS_MAX):
        what = f"{one.name}: {rate_hz:.0f} calls/s"
        outcomes = await mixed(one, chance, rate_hz, step_s, lambda at_s, what=what: told(what, at_s / step_s))  # type: ignore[misc]
        report.steps.append(figures(outcomes, rate_hz, step_s))
        if not report.steps[-1].holds:
            break
        report.by_name = {name: figures(some, rate_hz, step_s) for name, some in judging.by_name(outcomes).items()}
        rate_hz *= judging.GROWTH
        await asyncio.sleep(CALM_S)
    return report


async def soaked(one: Running, chance: Random, rate_hz: float, seconds: float, told: Told) -> list[Finding]:
    """Put half the knee on a set-up for long; memory and descriptors must be flat."""
    memory, descriptors = list[float](), list[float]()

    async def sample() -> None:
        while True:
            memory.append(one.resident_bytes())
            descriptors.append(one.descriptors())
            await asyncio.sleep(SAMPLE_S)

    sampling = asyncio.create_task(sample())
    what = f"{one.name}: soak at {rate_hz:.0f} calls/s"
    outcomes = await mixed(one, chance, rate_hz, seconds, lambda at_s: told(what, at_s / seconds))
    sampling.cancel()
    found = figures(outcomes, rate_hz, seconds)
    more = judging.grown(memory, 0.0)
    files = judging.grown(descriptors, 0.0)
    p99 = f"{found.good:,} of {found.calls:,} good, p99 {found.p99_s * 1000:.0f} ms"
    return [
        Finding(f"{what}, {seconds / 60:g} min: answers", p99, "as at the knee", found.holds),
        Finding(
            "the same: growth of memory after the first quarter",
            f"{more / 2**20:.1f} MiB over {memory[0] / 2**20:.0f}",
            f"≤ {MEMORY_GROWTH_MAX_BYTES / 2**20:.0f} MiB",
            more <= MEMORY_GROWTH_MAX_BYTES,
        ),
        Finding(
            "the same: growth of open files",
            f"{files:.0f} over {descriptors[0]:.0f}",
            f"≤ {DESCRIPTORS_GROWTH_MAX}",
            files <= DESCRIPTORS_GROWTH_MAX,
        ),
    ]


async def overloaded(one: Running, chance: Random, knee_hz: float, seconds: float, told: Told) -> list[Finding]:
    """Put three times the knee on a set-up, then half of it: only 429 and 503, and soon normal again."""
    rate_hz = OVERLOAD * knee_hz
    what = f"{one.name}: overload at {rate_hz:.0f} calls/s"
    outcomes = await mixed(one, chance, rate_hz, seconds, lambda at_s: told(what, at_s / seconds))
    odd, found = judging.unshed(outcomes), figures(outcomes, rate_hz, seconds)
    began_s, after_s = perf_counter(), 2 * NORMAL_WITHIN_S
    calm = await mixed(one, chance, knee_hz / 2, after_s, lambda at_s: told(f"{one.name}: after it", at_s / after_s))
    normal_s = judging.normal_after_s(calm, began_s)
    good = f"{found.good:,} of {found.calls:,} good ({found.answered_hz:.0f}/s), p99 {found.p99_s:.2f} s"
    others = ", ".join(f"{count:,} × {status}" for status, count in odd.items()) or "none"
    return [
        Finding(f"{what}, {seconds:g} s: answers but good ones, 429 and 503", f"{others}; {good}", "none", not odd),
        Finding("the same: normal again", f"{normal_s:.1f} s", f"≤ {NORMAL_WITHIN_S:g} s", normal_s <= NORMAL_WITHIN_S),
    ]


def keeps(cast: Cast, chance: Random, count: int) -> Journey:
    """Document 0's call alone."""
    wanted = sent(by_key(cast), chance, {"count": count, "persist": True})
    yield Request("POST", f"{API}/profiles/generate", "profiles: made", **wanted, good=(201,))


async def generated(one: Running, chance: Random, seconds: float, told: Told) -> list[Finding]:
    """Have one to ten people made and kept, 100 times a second: all must be stored."""
    before = await kept(one)
    asked = round(GENERATE_HZ * seconds)
    due = [number / GENERATE_HZ for number in range(asked)]
    counts = [number % 10 + 1 for number in range(asked)]
    waiting = iter(counts)
    what = f"{one.name}: {GENERATE_HZ:.0f} generations/s"
    outcomes = await opened(
        one.pool, due, lambda: keeps(one.cast, chance, next(waiting)), lambda at_s: told(what, at_s / seconds)
    )
    found, stored = figures(outcomes, GENERATE_HZ, seconds), await kept(one) - before
    is_whole = found.good == asked and stored == sum(counts)
    p99 = f"p50 {found.p50_s * 1000:.1f} ms, p99 {found.p99_s * 1000:.1f} ms, longest {found.longest_s * 1000:.0f} ms"
    limit = f"p99 ≤ {GENERATE_P99_MAX_S * 1000:.0f} ms"
    return [
        Finding(
            f"{what} with persist, {seconds:g} s: answered, people stored",
            f"{found.good:,} of {asked:,}, {stored:,} of {sum(counts):,}",
            "all",
            is_whole,
        ),
        Finding("the same: times", p99, limit, found.p99_s <= GENERATE_P99_MAX_S),
    ]


async def kept(one: Running) -> int:
    """Count the people in the store: a list counts no further than is cheap."""
    (row,) = await rows_of(one.installation, "SELECT count(*) AS kept FROM profiles")
    return int(row["kept"])


def missed(reports: Sequence[Report]) -> list[str]:
    """Name what did not reach its goal."""
    return [finding.what for report in reports for finding in report.findings if not finding.met]
