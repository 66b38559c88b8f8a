"""The job engine keeps its promises through seeded storms, and the simulation sees it when it would not."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from opora.bootstrap.simulation.faults import Rewrite, unchanged
from opora.bootstrap.simulation.runs import prepare, runs
from opora.bootstrap.simulation.world import Run
from opora.cli.simulate import repeat

SEEDS = 300
PLANTED_WITHIN = 150
FENCE = "AND attempt = :attempt AND lease_id = :lease_id AND state = 'running'"


@pytest.fixture(scope="module")
def template(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = Path(shutil.copy(migrated_sqlite, tmp_path_factory.mktemp("simulation") / "template.db"))
    prepare(file)
    return file


def failures(played: list[Run]) -> str:
    """Tell of every seed that broke a promise, and how to play it again."""
    return "\n".join(f"{repeat(run.seed)}: {'; '.join(run.broken)}" for run in played if run.broken)


@pytest.mark.parametrize("first", range(0, SEEDS, 100))
def test_no_promise_is_broken_in_any_storm(template: Path, first: int) -> None:
    played = list(runs(range(first, first + 100), template))
    assert failures(played) == ""
    assert sum(run.deaths for run in played) > 20
    assert sum(run.calls for run in played) > 100


def test_a_seed_has_one_history(template: Path) -> None:
    once, again = (list(runs(range(7, 12), template)) for _ in range(2))
    assert once == again


def replacing(old: str, new: str) -> Rewrite:
    """Plant a bug: one piece of the engine's SQL in place of another."""
    return lambda sql: sql.replace(old, new)


def unfenced(sql: str) -> str:
    """Plant the bug of finishing a job without asking whether the claim still holds."""
    return sql.replace(FENCE, "") if "state = 'succeeded'" in sql else sql


def upside_down(sql: str) -> str:
    """Plant the bug of claiming the least urgent first."""
    swapped = sql.replace("priority = 1 ", "priority = high ").replace("priority = -1 ", "priority = 1 ")
    return swapped.replace("priority = high ", "priority = -1 ")


@pytest.mark.parametrize(
    ("bug", "promise"),
    [
        (unfenced, "J4"),
        (replacing(f"{FENCE} RETURNING state", "RETURNING state"), "J2"),
        (replacing("AND lease_until < now()", ""), "J3"),
        (replacing("WHEN attempt >= attempts_max THEN 'dead' ELSE 'queued'", "ELSE 'queued'"), "J5"),
        (replacing("attempt = attempt + 1, lease_id", "lease_id"), "J5"),
        (replacing("AND run_at <= now() AND kind", "AND kind"), "J6"),
        (upside_down, "J8"),
        (replacing("AND kind IN (SELECT CAST(value AS TEXT) FROM json_each(:kinds))", ""), "J13"),
    ],
)
def test_a_planted_bug_is_found(template: Path, bug: Callable[[str], str], promise: str) -> None:
    found: set[str] = set()
    for run in runs(range(PLANTED_WITHIN), template, bug):
        found |= {one.split(":")[0] for one in run.broken}
        if promise in found:
            return
    raise AssertionError(f"{promise} was never seen broken, only {sorted(found)}")


def test_without_a_planted_bug_the_same_seeds_are_whole(template: Path) -> None:
    assert failures(list(runs(range(3), template, unchanged))) == ""
