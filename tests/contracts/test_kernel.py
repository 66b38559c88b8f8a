"""The kernel's stores keep their contracts: outbox, idempotent calls, audit log, versions."""

from collections.abc import Mapping
from typing import Any

import pytest

from opora.adapters.crypto.sealing import AnswerVault
from opora.adapters.sql import audit
from opora.adapters.sql.connection import Database
from opora.adapters.sql.idempotency import ParkedCheckpoint, SqlIdempotentCalls
from opora.adapters.sql.jobs import SqlJobViews
from opora.adapters.sql.leases import SqlJobLeases
from opora.adapters.sql.outbox import Subscription, Subscriptions
from opora.adapters.sql.repositories import SqlParts
from opora.adapters.sql.unit import SqlUnitOfWork
from opora.adapters.sql.versions import SqlVersionRegistry
from opora.adapters.system.clock import SystemClock
from opora.adapters.system.identifiers import TimeOrderedIdentifiers
from opora.adapters.system.randomness import SystemRandomness
from opora.core.kernel.errors import AnswerLost, StillRunning
from opora.core.kernel.model import IdempotentCall, StoredAnswer
from opora.core.kernel.ports import Started
from opora.testing.audit import AuditContract, Verdict
from opora.testing.idempotency import ANSWER, IdempotentCallsContract, a_call, apart
from opora.testing.outbox import FIRST, SECOND, Happened, OutboxContract
from opora.testing.versions import VersionRegistryContract
from servers.stores import KeptAnnouncements

AS_OWNER = {
    "test_an_unsealed_entry_that_was_altered_is_named",
    "test_removing_everything_is_seen",
    "test_removing_the_end_is_seen",
    "test_the_entry_after_a_removed_one_is_named",
    "test_the_first_altered_entry_is_named",
}
"""Tests that play an owner who tampers."""


pytestmark = pytest.mark.anyio

VAULT = AnswerVault(b"a" * 32, b"b" * 32)


@pytest.fixture
def subscriptions() -> Subscriptions:
    return {Happened.topic: [Subscription("first", FIRST), Subscription("second", SECOND)]}


class TestOutbox(OutboxContract):
    """Events on each relational store in turn."""

    @pytest.fixture(autouse=True)
    def _store(self, unit: SqlUnitOfWork, database: Database, announcements: KeptAnnouncements) -> None:
        self.unit = unit
        self.relay = unit.relay
        self.prune = unit.prune_outbox
        self.leases = SqlJobLeases(database, TimeOrderedIdentifiers(), SystemRandomness(), SystemClock())
        self.views = SqlJobViews(database.read)
        self.announced = announcements.ids


class TestIdempotentCalls(IdempotentCallsContract):
    """Idempotency keys on each relational store in turn."""

    @pytest.fixture(autouse=True)
    def _store(self, unit: SqlUnitOfWork, database: Database, announcements: KeptAnnouncements) -> None:
        self.unit = unit
        self.calls = SqlIdempotentCalls(database, SystemRandomness(), VAULT)
        self.views = SqlJobViews(database.read)
        self.announced = announcements.ids
        self._database = database

    async def lapse(self) -> None:
        await self._database.read.execute("UPDATE idempotency_keys SET lease_until = later(:s)", s=-1.0)

    async def expire(self) -> None:
        await self._database.read.execute("UPDATE idempotency_keys SET expires_at = later(:s)", s=-1.0)

    async def test_a_checkpoint_keeps_what_was_done_and_never_does_it_again(self) -> None:
        call = a_call()
        started = await self.begun(call)
        await self.effect()
        assert await self.effects() == 0
        await ParkedCheckpoint()()
        assert await self.effects() == 1
        with pytest.raises(StillRunning):
            await apart(self.calls.open(call))
        await self.effect()
        await self.calls.abandon(started)  # the second block goes, what the checkpoint kept stays
        assert await self.effects() == 1
        await self.lapse()
        with pytest.raises(AnswerLost):
            await apart(self.calls.open(call))

    async def test_a_checkpoint_on_the_way_leaves_the_answer_as_it_is(self) -> None:
        await ParkedCheckpoint()()
        call = a_call()
        started = await self.begun(call)
        await ParkedCheckpoint()()
        await self.effect()
        await ParkedCheckpoint()()
        await self.effect()
        await self.calls.settle(started, ANSWER)
        assert await self.effects() == 2
        assert await apart(self.calls.open(call)) == ANSWER

    async def test_spent_keys_are_pruned(self) -> None:
        calls = SqlIdempotentCalls(self._database, SystemRandomness(), VAULT)
        await self.test_a_call_without_any_unit_keeps_its_answer()
        assert await calls.prune() == 0
        await self.expire()
        assert await calls.prune() == 1


class TestAudit(AuditContract):
    """The audit log on each relational store in turn."""

    @pytest.fixture(autouse=True)
    def _store(self, unit: SqlUnitOfWork, database: Database, sql_parts: SqlParts) -> None:
        self.unit = unit
        self._database = database
        self._key = sql_parts.audit_key

    async def seal(self) -> int:
        return await audit.seal(self._database, self._key)

    async def verify(self) -> Verdict:
        found = await audit.verify(self._database, self._key)
        assert found.whole == (found.reason is None)
        return Verdict(found.whole, found.checked, found.unsealed, found.broken_at)

    async def rows(self) -> list[Mapping[str, Any]]:
        rows = await self._database.read.fetch("SELECT * FROM audit_log ORDER BY COALESCE(seal_number, 999999), id")
        return [{name: row[name] for name in row.keys()} for row in rows]  # noqa: SIM118  # a Row is no mapping

    async def write(self, sql: str) -> None:
        await self._database.read.execute(sql)


class TestVersions(VersionRegistryContract):
    """The version registry on each relational store in turn."""

    @pytest.fixture(autouse=True)
    def _store(self, unit: SqlUnitOfWork, database: Database) -> None:
        self.unit = unit
        self.registry = SqlVersionRegistry(database)


async def test_the_database_alone_shows_neither_the_answer_nor_what_was_asked(database: Database) -> None:
    calls = SqlIdempotentCalls(database, SystemRandomness(), VAULT)
    call = IdempotentCall("user:1", "once", b"f" * 32)
    started = await calls.open(call)
    assert isinstance(started, Started)
    await calls.settle(started, StoredAnswer(201, (), b'{"key":"opk_live_secret"}'))
    row = await database.read.fetch_one("SELECT fingerprint, body FROM idempotency_keys")
    assert row is not None
    assert b"secret" not in bytes(row["body"])
    assert bytes(row["fingerprint"]) != call.fingerprint
    assert await calls.open(call) == StoredAnswer(201, (), b'{"key":"opk_live_secret"}')
