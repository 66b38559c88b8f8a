"""The rate rule is written four times: each store must say, microsecond for microsecond, what the pure rule says."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from opora.adapters.memory.rates import MemoryRateGate
from opora.adapters.redis.connection import RedisConnection
from opora.adapters.redis.rates import RedisRateGate, Script
from opora.adapters.sql.limits import SqlRateGate
from opora.adapters.sql.limits_postgres import PostgresLimits
from opora.adapters.sql.limits_sqlite import SqliteLimits
from opora.core.access.model.rates import Admission, Cell, Decision, RatePolicy
from opora.core.access.ports.rates import RateGate
from opora.core.access.rules import rates

pytestmark = pytest.mark.anyio

START_US = 1_800_000_000_000_000
SECOND_US = 1_000_000
CALLS = 400


class SetClock:
    """A clock that history sets, backwards as well."""

    def __init__(self) -> None:
        self.us = START_US

    def now_us(self) -> int:
        return self.us


class ToldPostgres(PostgresLimits):
    """The same statements, told the time instead of asking the server."""

    now_us = "CAST(:now AS bigint)"

    def __init__(self, database, clock: SetClock) -> None:
        super().__init__(database, timeout_s=10)
        self._clock = clock

    def clock(self) -> Mapping[str, object]:
        return {"now": self._clock.us}


class ToldScript(Script):
    """The same script, told the time instead of asking the server."""

    ASKS = "redis.call('TIME')"

    def __init__(self, connection: RedisConnection, clock: SetClock) -> None:
        super().__init__(connection, "admit.lua")
        assert self._text.count(self.ASKS) == 1
        self._clock = clock
        self._asking = self._text

    async def __call__(self, keys, *arguments):
        seconds, rest_us = divmod(self._clock.us, SECOND_US)
        told = self._asking.replace(self.ASKS, f"{{'{seconds}', '{rest_us}'}}").replace(
            "'PX', math.ceil", "'PX', 9e6 + math.ceil"
        )
        return await self._connection.call("EVAL", told, len(keys), *keys, *arguments)


class Reference:
    """What the pure rule says of a history."""

    def __init__(self) -> None:
        self.cells: dict[tuple[str, str], Cell] = {}

    def admit(self, admission: Admission, now_us: int) -> Decision:
        names = [(admission.subject, policy.name) for policy in admission.policies]
        held = [self.cells.get(name) for name in names]
        verdicts, kept = rates.decide(admission.policies, held, now_us, admission.cost)
        self.cells.update(zip(names, kept, strict=False))
        return Decision(verdicts)


def a_call(random: Random) -> tuple[Admission, int]:
    """Return a call of one of a few subjects, under policies that change all the time, and how long after the last."""
    policies = []
    for name in ("minute", "day")[: random.choice([1, 1, 2])]:
        window_s = random.choice([1, 7, 60, 61])
        step_s = random.choice([None, 0, 1, window_s // 2])
        policies.append(RatePolicy(name, random.choice([1, 2, 3, 7, 30]), window_s, step_s=step_s))
    longest_us = random.choice([0, 10, SECOND_US, 5 * SECOND_US, 90 * SECOND_US])
    gap_us = random.randint(-longest_us // 10, longest_us)
    return Admission(f"key:{random.randint(1, 2)}", tuple(policies), cost=random.choice([0, 1, 1, 1, 2, 5])), gap_us


async def agrees(gate: RateGate, clock: SetClock, seed: int) -> None:
    """Play one history on a store and on the rule, and compare every decision."""
    random, reference = Random(seed), Reference()  # noqa: S311 - repeatable on purpose
    for number in range(CALLS):
        admission, gap_us = a_call(random)
        clock.us += gap_us
        expected = reference.admit(admission, clock.us)
        assert await gate.admit(admission) == expected, (number, admission, clock.us)


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


SEEDS = pytest.mark.parametrize("seed", range(3))


@SEEDS
async def test_memory_counts_as_the_rule_does(clock, seed):
    await agrees(MemoryRateGate(clock.now_us), clock, seed)


@SEEDS
async def test_sqlite_counts_as_the_rule_does(clock, seed, tmp_path: Path):
    store = SqliteLimits(tmp_path / "limits.db", now_us=clock.now_us)
    await agrees(SqlRateGate(store), clock, seed)
    store.close()


@SEEDS
async def test_postgres_counts_as_the_rule_does(clock, seed, postgres_database):
    await agrees(SqlRateGate(ToldPostgres(postgres_database, clock)), clock, seed)


@SEEDS
async def test_redis_counts_as_the_rule_does(clock, seed, redis_url, redis_prefix):
    connection = RedisConnection(redis_url, timeout_s=2)
    gate = RedisRateGate(connection, prefix=redis_prefix)
    gate._judge = ToldScript(connection, clock)
    await agrees(gate, clock, seed)
    await connection.close()


async def test_a_history_holds_what_it_should(clock):
    random, reference, told = Random(0), Reference(), []  # noqa: S311 - as above
    for _ in range(CALLS):
        admission, gap_us = a_call(random)
        clock.us += gap_us
        told.append(reference.admit(replace(admission), clock.us).allowed)
    assert 0.2 < sum(told) / CALLS < 0.9
