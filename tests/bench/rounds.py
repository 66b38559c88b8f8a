"""Processor seconds a request, of servers measured in turn on a machine that others use too."""

import statistics
from collections.abc import Mapping
from dataclasses import dataclass

import psutil

from bench.load import Generator, Order
from bench.staging import Process, ordered


@dataclass(frozen=True, slots=True)
class Round:
    """One round of one server: seconds of its processor a request, and the processors that others kept busy."""

    cpu_s: float
    others: float
    requests: int


def busy_s() -> float:
    """Return the seconds that all processors have worked."""
    times = psutil.cpu_times()
    return float(times.user + times.system + times.nice + times.softirq + times.irq)


def one_round(generator: Generator, process: Process, order: Order) -> Round:
    """Measure one server once."""
    driver = psutil.Process(generator.pid)
    before = process.cpu_s(), busy_s(), sum(driver.cpu_times()[:2])
    tally = ordered(generator, order)
    after = process.cpu_s(), busy_s(), sum(driver.cpu_times()[:2])
    server_s, all_s, driver_s = (later - earlier for earlier, later in zip(before, after, strict=True))
    return Round(server_s / tally.good, (all_s - server_s - driver_s) / tally.seconds, tally.good)


def in_turn(generator: Generator, ways: Mapping[str, tuple[Process, Order]], rounds: int = 8) -> dict[str, float]:
    """Measure every way in every round; return each one's median CPU seconds a request in its quieter half."""
    for process, order in ways.values():
        one_round(generator, process, order)
    found: dict[str, list[Round]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, (process, order) in ways.items():
            found[name].append(one_round(generator, process, order))
    return {name: quiet(some) for name, some in found.items()}


def quiet(rounds: list[Round]) -> float:
    """Return the median of the half of the rounds in which others were busy least."""
    half = sorted(rounds, key=lambda one: one.others)[: max(1, (len(rounds) + 1) // 2)]
    return statistics.median(one.cpu_s for one in half)
