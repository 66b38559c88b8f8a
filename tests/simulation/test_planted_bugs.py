"""The simulation sees it when the job engine would not keep a promise."""

from collections.abc import Callable
from pathlib import Path

import pytest

from opora.bootstrap.simulation.faults import Rewrite, unchanged
from opora.bootstrap.simulation.runs import runs

PLANTED_WITHIN = 150
FENCE = "AND attempt = :attempt AND lease_id = :lease_id AND state = 'running'"


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
    assert [run.broken for run in runs(range(3), template, unchanged) if run.broken] == []
