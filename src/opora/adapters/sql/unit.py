"""One transaction over every repository, and what happens after its commit."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cached_property

from opora.adapters.sql.audit import AuditKey, SqlAuditTrail
from opora.adapters.sql.connection import Connection, Database
from opora.adapters.sql.exports import SqlExportRepository
from opora.adapters.sql.idempotency import PARKING
from opora.adapters.sql.jobs import SqlJobQueue
from opora.adapters.sql.keys import SqlKeyRepository
from opora.adapters.sql.outbox import SqlOutbox, SqlRelay, Subscriptions
from opora.adapters.sql.people import SqlUserRepository
from opora.adapters.sql.profiles import SqlProfileRepository
from opora.adapters.sql.sessions import SqlSessionRepository
from opora.adapters.sql.signing_keys import SqlSigningKeyRepository
from opora.adapters.sql.versions import SqlVersionRows
from opora.core.jobs.ports import Announcer
from opora.core.kernel.ports import Identifiers


@dataclass(frozen=True, slots=True)
class SqlParts:
    """What every transaction is given besides its connection."""

    identifiers: Identifiers
    audit_key: AuditKey
    announcer: Announcer
    subscriptions: Subscriptions


class SqlTx:
    """Every repository, bound to one open transaction; it satisfies every context's bundle."""

    def __init__(self, connection: Connection, parts: SqlParts) -> None:
        self._connection = connection
        self._parts = parts

    @cached_property
    def jobs(self) -> SqlJobQueue:
        return SqlJobQueue(self._connection, self._parts.identifiers)

    @cached_property
    def outbox(self) -> SqlOutbox:
        return SqlOutbox(self._connection, self._parts.identifiers, self._parts.subscriptions)

    @cached_property
    def audit(self) -> SqlAuditTrail:
        return SqlAuditTrail(self._connection, self._parts.audit_key)

    @cached_property
    def keys(self) -> SqlKeyRepository:
        return SqlKeyRepository(self._connection)

    @cached_property
    def users(self) -> SqlUserRepository:
        return SqlUserRepository(self._connection)

    @cached_property
    def sessions(self) -> SqlSessionRepository:
        return SqlSessionRepository(self._connection)

    @cached_property
    def signing_keys(self) -> SqlSigningKeyRepository:
        return SqlSigningKeyRepository(self._connection)

    @cached_property
    def exports(self) -> SqlExportRepository:
        return SqlExportRepository(self._connection)

    @cached_property
    def profiles(self) -> SqlProfileRepository:
        return SqlProfileRepository(self._connection)

    @cached_property
    def versions(self) -> SqlVersionRows:
        return SqlVersionRows(self._connection)

    def announce(self) -> None:
        """Say what the commit made runnable."""
        added = self.jobs.added if "jobs" in self.__dict__ else []
        if added or ("outbox" in self.__dict__ and self.outbox.filled):
            self._parts.announcer.announce(added)


class SqlUnitOfWork:
    """Opens transactions: commits on leaving, rolls back on any exception, never nests.

    Inside an idempotent call the commit waits for the answer, so that both are kept or lost together.
    """

    def __init__(self, database: Database, parts: SqlParts) -> None:
        self._database = database
        self._parts = parts
        self._relay = SqlRelay(parts.subscriptions)

    @asynccontextmanager
    async def __call__(self) -> AsyncIterator[SqlTx]:
        parking = PARKING.get()
        if parking is not None:
            await parking.commit_earlier()
        transaction = await self._database.begin()
        tx = SqlTx(transaction.connection, self._parts)
        try:
            yield tx
        except BaseException:
            await transaction.rollback()
            raise
        if parking is not None:
            parking.park(transaction, tx.announce)
            return
        await transaction.commit()
        tx.announce()

    async def relay(self, limit: int = 200) -> int:
        """Turn up to `limit` committed events into their subscribers' jobs; returns how many events."""
        async with self() as tx:
            return await self._relay.dispatch(tx._connection, tx.jobs, limit)

    async def prune_outbox(self, keep_s: float, limit: int) -> int:
        """Delete up to `limit` events dispatched more than `keep_s` ago."""
        async with self() as tx:
            return await self._relay.prune(tx._connection, keep_s, limit)
