"""Limits in one SQL statement: a row a cell, changed only where there is room for the call.

The same text runs on SQLite (a file of its own, see limits_sqlite) and on PostgreSQL (unlogged tables, see
limits_postgres). The statement holds the arithmetic of opora.core.access.rules.rates; the store's lock on the row is
what makes it exact. In an upsert `excluded` is the row that would have been inserted, whose anchor is now.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from opora.core.access.model.rates import SECOND_US, Admission, Cell, Decision, RatePolicy
from opora.core.access.ports.rates import RateGate
from opora.core.access.rules import rates
from opora.core.kernel.errors import Unavailable

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
SWEEP_EVERY = 1_024
SWEEP_ROWS = 500
TRIES = 3

type Parameters = Mapping[str, object]
type Rows = Sequence[Sequence[Any]]


class LimitStore(ABC):
    """A store that runs the statements below; every method raises Unavailable when it does not answer in time."""

    now_us: str
    """SQL for this instant in microseconds since 1970."""
    least: str
    """The function of the smallest of its arguments."""
    greatest: str

    @abstractmethod
    def clock(self) -> Parameters:
        """Return what the SQL of `now_us` needs to be given."""

    @abstractmethod
    async def fetch(self, sql: str, parameters: Parameters) -> Rows:
        """Run one statement in a transaction of its own and return its rows."""

    @abstractmethod
    async def all_or_none(self, statements: Sequence[tuple[str, Parameters]]) -> Rows:
        """Run statements in one transaction and return their rows; when one gives none, undo all and return none."""

    @abstractmethod
    def unfolded(self, name: str) -> str:
        """Return the table function whose column `value` holds the items of the JSON list bound as `:name`."""


class LimitSql:
    """The statements, in the dialect of a store."""

    names_after = "SELECT name FROM rate_cells WHERE name > :after ORDER BY name LIMIT :rows"
    lift = "DELETE FROM rate_denials WHERE name = :name RETURNING 1"

    def __init__(self, store: LimitStore) -> None:
        now = store.now_us
        self._charge = charging(store)
        self._denied = f"(SELECT 1 FROM rate_denials WHERE until_us > {now} AND name IN ({{names}}))"
        self._outdated = (
            f"(SELECT 1 FROM rate_epochs WHERE subject = :epoch_subject AND until_us > {now} AND epoch_us > :issued_at)"
        )
        self._read = (
            f"SELECT name, anchor_us, spent_us, interval_us, {now} AS now_us FROM rate_cells WHERE name IN ({{names}})"
        )
        until = f"{now} + CAST(:ttl AS bigint)"
        self.deny = (
            f"INSERT INTO rate_denials (name, until_us) VALUES (:name, {until})"
            " ON CONFLICT (name) DO UPDATE SET until_us = excluded.until_us RETURNING 1"
        )
        self.end_before = (
            "INSERT INTO rate_epochs AS kept (subject, epoch_us, until_us)"
            f" VALUES (:subject, CAST(:epoch AS bigint), {until}) ON CONFLICT (subject) DO UPDATE SET"
            f" epoch_us = {store.greatest}(kept.epoch_us, excluded.epoch_us), until_us = excluded.until_us RETURNING 1"
        )
        self.sweep_cells = (
            f"DELETE FROM rate_cells WHERE name > :after AND name <= :last AND dead_at_us <= {now} RETURNING 1"
        )
        self.sweep_denials = f"DELETE FROM rate_denials WHERE until_us <= {now} RETURNING 1"
        self.sweep_epochs = f"DELETE FROM rate_epochs WHERE until_us <= {now} RETURNING 1"
        self.charge = lru_cache(64)(self._charge_unless)
        self.revoked = lru_cache(64)(self._revoked)
        self.read = lru_cache(64)(self._read_some)

    def _charge_unless(self, names: int, dated: bool) -> str:
        tests = self._tests(names, dated)
        return self._charge.format(unless="".join(f" AND NOT EXISTS {test}" for test in tests))

    def _revoked(self, names: int, dated: bool) -> str:
        return f"SELECT 1 WHERE {' OR '.join(f'EXISTS {test}' for test in self._tests(names, dated))}"

    def _read_some(self, names: int) -> str:
        return self._read.format(names=listed("cell", names))

    def _tests(self, names: int, dated: bool) -> list[str]:
        tests = [self._denied.format(names=listed("denied", names))] if names else []
        return [*tests, self._outdated] if dated else tests


def charging(store: LimitStore) -> str:
    """Return the statement that charges a cell where there is room, and gives no row where there is none.

    `{unless}` in it is the place of what must not be. Each of the named parts is a step of the decision record.
    """
    least, greatest, now = store.least, store.greatest, store.now_us
    charge, tolerance, step, life = (f"CAST(:{word} AS bigint)" for word in ("charge", "tolerance", "step", "life"))
    counted = (
        f"{least}({tolerance}, cell.spent_us / cell.interval_us * excluded.interval_us"
        f" + {least}(cell.spent_us % cell.interval_us, excluded.interval_us))"
    )
    begun = f"{greatest}(cell.anchor_us, excluded.anchor_us - (excluded.anchor_us - cell.anchor_us) % {step})"
    left = f"{greatest}(0, cell.anchor_us + {counted} - {begun})"
    anchor = f"(CASE WHEN {left} = 0 THEN {greatest}(excluded.anchor_us, {begun}) ELSE {begun} END)"
    return (
        "INSERT INTO rate_cells AS cell (name, anchor_us, spent_us, interval_us, dead_at_us)"
        f" SELECT :name, {now}, {charge}, CAST(:interval AS bigint), {now} + {life}"
        f" WHERE {charge} <= {tolerance}{{unless}}"
        f" ON CONFLICT (name) DO UPDATE SET anchor_us = {anchor}, spent_us = {left} + {charge},"
        " interval_us = excluded.interval_us, dead_at_us = excluded.dead_at_us"
        f" WHERE {left} + {charge} <= {tolerance}"
        f" RETURNING anchor_us, spent_us, {now} AS now_us"
    )


def listed(word: str, count: int) -> str:
    """Return `count` parameters: `:word_a, :word_b`, …"""
    return ", ".join(f":{word}_{index}" for index in range(count))


def cell_name(subject: str, policy: RatePolicy) -> str:
    """Return a cell's name; no policy's name holds a space."""
    return f"{subject} {policy.name}"


class SqlRateGate(RateGate):
    """Cells, denials and epochs as rows; dead ones are swept a few hundred at a time, once in a thousand calls."""

    def __init__(self, store: LimitStore) -> None:
        self._store = store
        self._sql = LimitSql(store)
        self._until_sweep = SWEEP_EVERY
        self._swept_to = ""

    async def admit(self, admission: Admission) -> Decision:
        """See RateGate."""
        self._until_sweep -= 1
        if self._until_sweep <= 0:
            self._until_sweep = SWEEP_EVERY
            await self.sweep()
        if not admission.policies or not admission.cost:
            return await self.peek(admission)
        for _ in range(TRIES):
            rows = await self._charge(admission)
            if rows:
                return decided(admission, rows)
            decision = await self.peek(admission)
            if not decision.allowed:
                return decision
        raise Unavailable("limits change faster than they can be read")

    async def peek(self, admission: Admission) -> Decision:
        """See RateGate."""
        clock = self._store.clock()
        revocable = revocation(admission)
        if revocable:
            sql = self._sql.revoked(len(admission.revocation), "epoch_subject" in revocable)
            if await self._store.fetch(sql, {**clock, **revocable}):
                return Decision((), revoked=True)
        names = {f"cell_{index}": cell_name(admission.subject, one) for index, one in enumerate(admission.policies)}
        if not names:
            return Decision(())
        rows = await self._store.fetch(self._sql.read(len(names)), {**clock, **names})
        now_us = max((row[4] for row in rows), default=0)
        held = {row[0]: Cell(row[1], row[2], row[3]) for row in rows}
        cells = [held.get(name) for name in names.values()]
        verdicts, _ = rates.decide(admission.policies, cells, now_us, admission.cost, charge=False)
        return Decision(verdicts)

    async def deny(self, name: str, ttl_s: int) -> None:
        """See RateGate."""
        await self._store.fetch(self._sql.deny, {**self._store.clock(), "name": name, "ttl": ttl_s * SECOND_US})

    async def lift(self, name: str) -> None:
        """See RateGate."""
        await self._store.fetch(self._sql.lift, {"name": name})

    async def end_before(self, subject: str, epoch: datetime, ttl_s: int) -> None:
        """See RateGate."""
        kept = {"subject": subject, "epoch": (epoch - EPOCH) // MICROSECOND, "ttl": ttl_s * SECOND_US}
        await self._store.fetch(self._sql.end_before, {**self._store.clock(), **kept})

    async def sweep(self) -> None:
        """Forget what is dead among the next few hundred cells, and every denial and epoch that has ended."""
        clock = self._store.clock()
        names = await self._store.fetch(self._sql.names_after, {"after": self._swept_to, "rows": SWEEP_ROWS})
        if names:
            stretch = {"after": self._swept_to, "last": names[-1][0]}
            await self._store.fetch(self._sql.sweep_cells, {**clock, **stretch})
        if len(names) == SWEEP_ROWS:
            self._swept_to = names[-1][0]
            return
        self._swept_to = ""
        await self._store.fetch(self._sql.sweep_denials, clock)
        await self._store.fetch(self._sql.sweep_epochs, clock)

    async def _charge(self, admission: Admission) -> Rows:
        told = revocation(admission)
        sql = self._sql.charge(len(admission.revocation), "epoch_subject" in told)
        told |= self._store.clock()
        policies = admission.policies
        if len(policies) == 1:
            return await self._store.fetch(sql, told | charge(admission, policies[0]))
        # Always in one order, so that two calls never wait for each other's rows.
        ranked = sorted(range(len(policies)), key=lambda place: policies[place].name)
        rows = await self._store.all_or_none([(sql, told | charge(admission, policies[place])) for place in ranked])
        return [row for _, row in sorted(zip(ranked, rows, strict=False), key=lambda pair: pair[0])]


def charge(admission: Admission, policy: RatePolicy) -> dict[str, object]:
    """Return what charging one policy is told."""
    interval_us, tolerance_us, step_us = policy.interval_us, policy.tolerance_us, policy.step_us
    return {
        "name": cell_name(admission.subject, policy),
        "charge": admission.cost * interval_us,
        "interval": interval_us,
        "tolerance": tolerance_us,
        "step": step_us,
        "life": tolerance_us + step_us,  # from now: never less than what the cell has to say
    }


def revocation(admission: Admission) -> dict[str, object]:
    """Return what looking for denials and epochs is told; empty when there is nothing to look for."""
    told: dict[str, object] = {}
    for index, name in enumerate(admission.revocation):
        told[f"denied_{index}"] = name
    if admission.epoch_subject is not None and admission.issued_at is not None:
        told["epoch_subject"] = admission.epoch_subject
        told["issued_at"] = (admission.issued_at - EPOCH) // MICROSECOND
    return told


def decided(admission: Admission, rows: Rows) -> Decision:
    """Return the decision on a call that was charged: one row for each policy, in their order."""
    cost = admission.cost
    if len(rows) == 1:  # nearly always: half the price of the general way
        anchor_us, spent_us, now_us = rows[0]
        return Decision((rates.verdict(admission.policies[0], anchor_us, spent_us, now_us, cost, taken=True),))
    verdicts = [
        rates.verdict(policy, row[0], row[1], row[2], cost, taken=True)
        for policy, row in zip(admission.policies, rows, strict=True)
    ]
    return Decision(tuple(verdicts))
