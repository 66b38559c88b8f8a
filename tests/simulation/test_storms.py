"""The job engine keeps its promises through seeded storms."""

from pathlib import Path

import pytest

from opora.bootstrap.simulation.life import Run
from opora.bootstrap.simulation.runs import runs
from opora.cli.simulate import repeat

SEEDS = 500
STRETCH = 100


def failures(played: list[Run]) -> str:
    """Tell of every seed that broke a promise, and how to play it again."""
    return "\n".join(f"{repeat(run.seed)}: {'; '.join(run.broken)}" for run in played if run.broken)


@pytest.mark.parametrize("first", range(0, SEEDS, STRETCH))
def test_no_promise_is_broken_in_any_storm(template: Path, first: int) -> None:
    played = list(runs(range(first, first + STRETCH), template))
    assert failures(played) == ""
    assert sum(run.deaths for run in played) > 20
    assert sum(run.calls for run in played) > 100


def test_a_seed_has_one_history(template: Path) -> None:
    once, again = (list(runs(range(7, 12), template)) for _ in range(2))
    assert once == again
