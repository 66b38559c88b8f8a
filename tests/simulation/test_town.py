"""Every context keeps its promises through seeded storms, and the simulation would see it if one did not."""

from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from opora.bootstrap.simulation.faults import FaultyTransaction, Rewrite, unchanged
from opora.bootstrap.simulation.life import Run
from opora.bootstrap.simulation.runs import town_runs
from opora.bootstrap.simulation.town import DISTRICTS
from opora.cli.simulate import repeat

SEEDS = 500
STRETCH = 100
PLANTED_WITHIN = 80
NAMES = [one.name for one in DISTRICTS]

type Plant = Callable[[pytest.MonkeyPatch], Rewrite]


def failures(played: Sequence[Run]) -> str:
    """Tell of every seed that broke a promise, and how to play it again."""
    return "\n".join(f"{repeat(run.seed)}: {'; '.join(run.broken)}" for run in played if run.broken)


@pytest.mark.parametrize("first", range(0, SEEDS, STRETCH))
def test_no_promise_of_any_context_is_broken_in_any_storm(town: Path, first: int) -> None:
    played = list(town_runs(range(first, first + STRETCH), town))
    assert failures(played) == ""
    assert sum(run.calls for run in played) > 3 * STRETCH
    assert sum(run.jobs for run in played) > 3 * STRETCH


@pytest.mark.parametrize("name", NAMES)
def test_every_context_alone_has_one_history_a_seed(town: Path, name: str) -> None:
    once, again = (list(town_runs(range(40, 43), town, names=[name])) for _ in range(2))
    assert once == again
    assert failures(once) == ""


def in_sql(old: str, new: str) -> Plant:
    """Plant another piece of SQL."""
    return lambda _: lambda sql: sql.replace(old, new)


def in_place_of(place: str, other: Any) -> Plant:
    """Plant another function."""

    def plant(monkeypatch: pytest.MonkeyPatch) -> Rewrite:
        monkeypatch.setattr(place, other)
        return unchanged

    return plant


async def nothing(*_: object, **__: object) -> None:
    """Do nothing and say so."""


def forgetful(monkeypatch: pytest.MonkeyPatch) -> Rewrite:
    """Plant a store that says yes to every fifth commit and keeps nothing of it."""
    numbers, kept = count(1), FaultyTransaction.commit

    async def commit(self: FaultyTransaction) -> None:
        await (self.rollback() if next(numbers) % 5 == 0 else kept(self))

    monkeypatch.setattr(FaultyTransaction, "commit", commit)
    return unchanged


COUNTED = "held = held - :units, used = used + :used"


@pytest.mark.parametrize(
    ("name", "plant", "promise"),
    [
        ("payments", in_sql("next_check_at <= :now", "next_check_at < '2000'"), "B6"),
        ("payments", in_place_of("opora.core.billing.usecases.entering.void", nothing), "B8"),
        ("plans", in_place_of("opora.core.billing.usecases.renewing.pay", nothing), "S2"),
        ("plans", in_place_of("opora.core.billing.usecases.subscribing.credit", nothing), "S3"),
        ("texts", in_sql(COUNTED, "held = held - :units, used = used + 2 * :used"), "P2"),
        ("texts", in_sql(COUNTED, "used = used + :used"), "Q2"),
        ("texts", in_place_of("opora.core.billing.usecases.quotas.Quotas.release", nothing), "T1"),
        ("bookings", in_sql("CAST(:busy_until_min AS bigint), CAST", "CAST(:start_min AS bigint) + 1, CAST"), "P3"),
        *((name, forgetful, "P2" if name == "numbers" else "P1") for name in NAMES),
    ],
)
def test_a_planted_bug_is_found(
    town: Path, name: str, plant: Plant, promise: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: set[str] = set()
    for run in town_runs(range(PLANTED_WITHIN), town, plant(monkeypatch), [name]):
        found |= {one.split(":")[0] for one in run.broken}
        if promise in found:
            return
    raise AssertionError(f"{promise} was never seen broken, only {sorted(found)}")
