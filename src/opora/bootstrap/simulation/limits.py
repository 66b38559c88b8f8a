"""One seed of limits: several processes over one store that fails, lies about the time and is lost, beside a model.

The gates are the program's own; the model is a dictionary and the rule. What they decide has to be the same, and what
the callers were let do has to keep the promises, which are checked without the rule.
"""

import asyncio
import random
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from opora.adapters.memory.rate_guard import GuardedRateGate
from opora.adapters.sql.limits import EPOCH, Parameters, Rows, SqlRateGate
from opora.adapters.sql.limits_sqlite import SqliteLimits
from opora.bootstrap.simulation.faults import Rewrite, unchanged
from opora.bootstrap.simulation.runs import in_memory
from opora.core.access.model.rates import SECOND_US, Admission, Cell, Decision, FailureMode, RatePolicy
from opora.core.access.rules import rates
from opora.core.kernel.errors import Unavailable

BEGINNING_US = (datetime(2030, 1, 1, tzinfo=UTC) - EPOCH) // timedelta(microseconds=1)
EVENTS = 60
SUBJECTS = ("key:1", "key:2", "user:3")
LONGEST_S = 120
POLICIES = (
    RatePolicy("minute", quota=5, window_s=60),
    RatePolicy("burst", quota=2, window_s=3, on_store_failure=FailureMode.OPEN),
    RatePolicy("login", quota=3, window_s=LONGEST_S, on_store_failure=FailureMode.CLOSED),
)


@dataclass(slots=True)
class Weather:
    """What the processes of a seed share: the time that passed, what the store's clock says of it, and its health."""

    chance: random.Random
    passed_us: int = 0
    off_us: int = 0
    down: bool = False
    lost_answer: float = 0.0
    charged: bool = False
    """Whether the call at hand came as far as the store's cells."""
    denied: dict[str, int] = field(default_factory=dict)
    """Names that the store really took as denied, and until when by its clock."""

    def true_s(self) -> float:
        """Return the seconds that passed, as a process's own clock counts them."""
        return self.passed_us / SECOND_US

    def store_us(self) -> int:
        """Return what the store takes for the time; it may have been set wrong."""
        return BEGINNING_US + self.passed_us + self.off_us


class FaultyLimits(SqliteLimits):
    """The store of one process, through the weather: refused before its work, or cut off after it."""

    def __init__(self, path: Path, weather: Weather, rewrite: Rewrite) -> None:
        super().__init__(path, now_us=weather.store_us)
        self._weather = weather
        self._rewrite = rewrite

    async def fetch(self, sql: str, parameters: Parameters) -> Rows:
        """See LimitStore."""
        self._meet(sql)
        rows = await super().fetch(self._rewrite(sql), parameters)
        if sql.startswith("INSERT INTO rate_denials"):
            self._weather.denied[str(parameters["name"])] = self._weather.store_us() + int(str(parameters["ttl"]))
        return self._answered(rows)

    async def all_or_none(self, statements: Sequence[tuple[str, Parameters]]) -> Rows:
        """See LimitStore."""
        self._meet(statements[0][0])
        return self._answered(await super().all_or_none([(self._rewrite(sql), told) for sql, told in statements]))

    def _meet(self, sql: str) -> None:
        if self._weather.down:
            raise Unavailable("the store of limits is down")
        self._weather.charged |= sql.startswith("INSERT INTO rate_cells")

    def _answered(self, rows: Rows) -> Rows:
        if self._weather.chance.random() < self._weather.lost_answer:
            raise Unavailable("the answer was lost")
        return rows


@dataclass(slots=True)
class Model:
    """What the store should hold: cells by subject and policy, and denials."""

    denied: dict[str, int] = field(default_factory=dict)
    cells: dict[tuple[str, str], Cell] = field(default_factory=dict)

    def decide(self, admission: Admission, now_us: int) -> Decision:
        """Judge a call as the rule does, and keep what follows."""
        if any(self.denied.get(name, 0) > now_us for name in admission.revocation):
            return Decision((), revoked=True)
        names = [(admission.subject, policy.name) for policy in admission.policies]
        held = [self.cells.get(name) for name in names]
        verdicts, kept = rates.decide(admission.policies, held, now_us, admission.cost)
        self.cells.update(zip(names, kept, strict=False))
        return Decision(verdicts)


@dataclass(slots=True)
class Gatekeeper:
    """One process: its connection to the store and its gate."""

    store: FaultyLimits
    gate: GuardedRateGate
    denied: dict[str, int] = field(default_factory=dict)
    """Names it was told to deny, and until when by its own clock."""


@dataclass(frozen=True, slots=True)
class Calls:
    """What one seed came to."""

    seed: int
    broken: tuple[str, ...]
    admitted: int
    refused: int
    alone: int


class LimitWorld:
    """Everything of one seed."""

    def __init__(self, seed: int, file: Path, rewrite: Rewrite) -> None:
        self._chance = random.Random(seed)  # noqa: S311  # a simulation is to be repeated
        self._weather = Weather(self._chance)
        self._file, self._rewrite = file, rewrite
        self._model = Model()
        self._count = self._chance.choice((1, 2, 3, 4))
        self._processes = [self._process() for _ in range(self._count)]
        self._forgiving = self._chance.random() < 0.1  # noqa: PLR2004  # in a tenth of the seeds the file is lost too
        self._steady = self._chance.random() < 0.5  # noqa: PLR2004  # in half of them the clock is right
        self._counted: dict[tuple[str, RatePolicy], list[tuple[int, int]]] = defaultdict(list)
        self._alone: dict[tuple[int, str, RatePolicy], list[tuple[int, int]]] = defaultdict(list)
        self.broken: list[str] = []
        self.admitted = self.refused = self.alone = 0

    async def run(self) -> None:
        """Let things happen, then let the store be well again and ask whether everybody is served."""
        acts: list[Callable[[], object]] = [self._wait, self._crash, self._turn_weather, self._set_clock_wrong]
        for _ in range(EVENTS):
            draw = self._chance.random()
            if draw < 0.7:  # noqa: PLR2004  # most of what happens are calls
                await self._call()
            elif draw < 0.76:  # noqa: PLR2004  # and some are denials
                await self._deny()
            else:
                self._chance.choice(acts)()
        self._weather.down, self._weather.lost_answer = False, 0.0
        await self._recover()
        for one in self._processes:
            one.store.close()
        self._check_windows()

    def _process(self) -> Gatekeeper:
        store = FaultyLimits(self._file, self._weather, self._rewrite)
        gate = GuardedRateGate(SqlRateGate(store), instances=self._count, clock_s=self._weather.true_s)
        return Gatekeeper(store, gate)

    def _wait(self) -> None:
        self._weather.passed_us += int(self._chance.expovariate(1 / self._chance.choice((0.2, 5.0, 40.0))) * SECOND_US)

    def _crash(self) -> None:
        place = self._chance.randrange(self._count)
        self._processes[place].store.close()
        self._processes[place] = self._process()
        self._alone = defaultdict(list, {key: calls for key, calls in self._alone.items() if key[0] != place})
        if self._forgiving and self._chance.random() < 0.3:  # noqa: PLR2004  # power was lost, and the file with it
            self._lose_file()

    def _lose_file(self) -> None:
        for one in self._processes:
            one.store.close()
        for left in self._file.parent.glob(f"{self._file.name}*"):
            left.unlink()
        self._weather.denied.clear()
        self._model = Model()
        self._check_windows()
        self._counted.clear()

    def _turn_weather(self) -> None:
        self._weather.down = self._chance.random() < 0.4  # noqa: PLR2004  # outages are long enough to open a breaker
        self._weather.lost_answer = self._chance.choice((0.0, 0.0, 0.2))

    def _set_clock_wrong(self) -> None:
        if not self._steady:
            self._weather.off_us += int(self._chance.uniform(-5.0, 5.0) * SECOND_US)

    async def _deny(self) -> None:
        name, ttl_s = self._chance.choice(SUBJECTS), self._chance.choice((2, 30))
        one = self._chance.choice(self._processes)
        one.denied[name] = self._weather.passed_us + ttl_s * SECOND_US
        with suppress(Unavailable):  # the process that was told knows it all the same
            await one.gate.deny(name, ttl_s)

    async def _call(self) -> None:
        place = self._chance.randrange(self._count)
        subject = self._chance.choice(SUBJECTS)
        policies = tuple(self._chance.sample(POLICIES, self._chance.choice((1, 1, 2))))
        call = Admission(subject, policies, cost=self._chance.choice((1, 1, 1, 2)), revocation=(subject,))
        self._weather.charged = False
        self._model.denied = dict(self._weather.denied)  # what a gate hands over with this call comes after its answer
        try:
            decision = await self._processes[place].gate.admit(call)
        except Unavailable:
            decision = None
        self._judge(place, call, decision)

    def _judge(self, place: int, call: Admission, decision: Decision | None) -> None:
        """Compare what one call was told with what it should have been."""
        closed = any(policy.on_store_failure is FailureMode.CLOSED for policy in call.policies)
        expected = self._model.decide(call, self._weather.store_us()) if self._weather.charged else None
        # Where the answer was lost on its way, what the store did is known of the model alone.
        known = expected if decision is None or decision.degraded else decision
        if known is not None and known.allowed:
            for policy in call.policies:
                self._counted[call.subject, policy].append((self._weather.passed_us, call.cost))
        if decision is None:
            self.alone += 1
            if not closed:
                self.broken.append(f"L5: {call.subject} got 503 though no policy of the call is closed")
        elif decision.degraded:
            self.alone += 1
            self._judge_alone(place, call, decision)
        elif expected is None:
            self.broken.append(f"L1: {call.subject} was decided upon and the store not asked")
        else:
            self._judge_counted(call, decision, expected)

    def _judge_counted(self, call: Admission, decision: Decision, expected: Decision) -> None:
        if decision.revoked != expected.revoked:
            self.broken.append(f"L3: {call.subject} was {'' if decision.revoked else 'not '}taken for denied")
        told = [(one.allowed, one.remaining) for one in decision.verdicts]
        right = [(one.allowed, one.remaining) for one in expected.verdicts]
        if told != right:
            self.broken.append(f"L1: {call.subject} was told {told}, and {right} is right")
        self.admitted += decision.allowed
        self.refused += not decision.allowed

    def _judge_alone(self, place: int, call: Admission, decision: Decision) -> None:
        if any(one.policy.on_store_failure is FailureMode.CLOSED for one in decision.verdicts):
            self.broken.append(f"L5: {call.subject} passed a closed policy that nobody counted")
        if decision.allowed and self._processes[place].denied.get(call.subject, 0) > self._weather.passed_us:
            self.broken.append(f"L3: {call.subject} was let in by the process that denied it")
        if decision.allowed:
            for policy in call.policies:
                if policy.on_store_failure is FailureMode.LOCAL:
                    self._alone[place, call.subject, policy].append((self._weather.passed_us, call.cost))

    def _check_windows(self) -> None:
        """Check, knowing nothing of cells, that no window held more than its quota."""
        for (subject, policy), calls in self._counted.items():
            if self._steady and fullest(calls, policy.window_s) > policy.quota:
                self.broken.append(f"L2: {subject} was let in too often under {policy.name}")
        for (_, subject, policy), calls in self._alone.items():
            if fullest(calls, policy.window_s) > rates.share(policy, self._count).quota:
                self.broken.append(f"L5: {subject} had more than a process's share of {policy.name}")

    async def _recover(self) -> None:
        """After the longest window and the breaker's second everybody has the whole quota again, in every process."""
        self._weather.passed_us += (LONGEST_S + 60) * SECOND_US
        for one in self._processes:
            for _ in range(2):  # the first may only find that the store is well
                self._weather.passed_us += 2 * SECOND_US
                found = await one.gate.peek(Admission(SUBJECTS[0], POLICIES))
            if found.degraded or [verdict.remaining for verdict in found.verdicts] != [one.quota for one in POLICIES]:
                self.broken.append(f"L6: a process did not recover: {found}")


def fullest(calls: Sequence[tuple[int, int]], window_s: int) -> int:
    """Return the most that any window held, each beginning with the first call after the one before it."""
    most = held = 0
    ends_us = -1
    for at_us, cost in calls:
        if at_us >= ends_us:
            ends_us, held = at_us + window_s * SECOND_US, 0
        held += cost
        most = max(most, held)
    return most


async def limited(seed: int, file: Path, rewrite: Rewrite = unchanged) -> Calls:
    """Play one seed on a file that is not there yet."""
    world = LimitWorld(seed, file, rewrite)
    await world.run()
    return Calls(seed, tuple(world.broken), world.admitted, world.refused, world.alone)


def limit_runs(seeds: range, rewrite: Rewrite = unchanged) -> Iterator[Calls]:
    """Play seeds, each on a file of its own."""
    with tempfile.TemporaryDirectory(dir=in_memory()) as folder, asyncio.Runner() as runner:
        for seed in seeds:
            yield runner.run(limited(seed, Path(folder) / "limits.db", rewrite))
            for left in Path(folder).iterdir():
                left.unlink()
