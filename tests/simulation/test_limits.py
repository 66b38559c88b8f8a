"""The limits keep their promises over processes that die and a store that fails, and the simulation would see it."""

import pytest

from opora.adapters.memory.rate_guard import GuardedRateGate
from opora.bootstrap.simulation.faults import Rewrite
from opora.bootstrap.simulation.limits import limit_runs
from opora.cli.simulate import repeat
from opora.core.access.model.rates import Admission, Decision
from opora.core.access.rules import rates

SEEDS = 1000
PLANTED_WITHIN = 300


def test_no_promise_of_the_limits_is_broken_whatever_fails() -> None:
    played = list(limit_runs(range(SEEDS)))
    assert [f"{repeat(run.seed)}: {run.broken}" for run in played if run.broken] == []
    assert min(sum(getattr(run, name) for run in played) for name in ("admitted", "refused", "alone")) > 5 * SEEDS


def test_a_seed_of_the_limits_has_one_history() -> None:
    once, again = (list(limit_runs(range(20, 30))) for _ in range(2))
    assert once == again


def promises_broken(rewrite: Rewrite = lambda sql: sql) -> set[str]:
    """Return the promises that some seed found broken."""
    return {one.partition(":")[0] for run in limit_runs(range(PLANTED_WITHIN), rewrite) for one in run.broken}


@pytest.mark.parametrize(
    ("old", "new", "promise"),
    [
        ("<= CAST(:tolerance AS bigint)", "<= 2 * CAST(:tolerance AS bigint)", "L2"),
        ("dead_at_us <= :now", "dead_at_us <= :now + 60000000", "L1"),
        ("until_us > :now", "until_us < :now", "L3"),
        ("max(cell.anchor_us, excluded.anchor_us", "min(cell.anchor_us, excluded.anchor_us", "L1"),
    ],
)
def test_a_planted_bug_of_the_store_is_found(old: str, new: str, promise: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("opora.adapters.sql.limits.SWEEP_EVERY", 4)
    assert promise in promises_broken(lambda sql: sql.replace(old, new))


def test_with_sweeps_at_every_turn_nothing_else_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("opora.adapters.sql.limits.SWEEP_EVERY", 4)
    assert promises_broken() == set()


async def passed_alone(gate: GuardedRateGate, admission: Admission, *, charge: bool) -> Decision:
    """Plant the bug of letting everybody pass while the store is down."""
    del gate, charge
    return Decision(tuple(rates.verdict(one, 0, 0, 0, 1, taken=True) for one in admission.policies), degraded=True)


def test_letting_everybody_pass_when_alone_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(GuardedRateGate, "_decide_alone", passed_alone)
    assert {"L3", "L5"} <= promises_broken()
