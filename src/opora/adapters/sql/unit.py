"""One transaction over every repository, and what happens after its commit."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cached_property

from opora.adapters.sql.audit import SqlAuditTrail
from opora.adapters.sql.banking.repositories import BankingRepositories
from opora.adapters.sql.billing.repositories import BillingRepositories
from opora.adapters.sql.bookings.repositories import BookingRepositories
from opora.adapters.sql.connection import Database
from opora.adapters.sql.documents.repositories import DocumentRepositories
from opora.adapters.sql.exports import SqlExportRepository
from opora.adapters.sql.generation.repositories import GenerationRepositories
from opora.adapters.sql.idempotency import PARKING
from opora.adapters.sql.keys import SqlKeyRepository
from opora.adapters.sql.notifications.repositories import NotificationRepositories
from opora.adapters.sql.numbers.repositories import NumberRepositories
from opora.adapters.sql.outbox import SqlOutbox, SqlRelay
from opora.adapters.sql.people import SqlUserRepository
from opora.adapters.sql.profiles import SqlProfileRepository
from opora.adapters.sql.proofs import SqlDeviceRepository, SqlOneTimeTokenRepository, SqlSecondFactorRepository
from opora.adapters.sql.repositories import SqlParts
from opora.adapters.sql.sessions import SqlSessionRepository
from opora.adapters.sql.signing_keys import SqlSigningKeyRepository
from opora.adapters.sql.transfers.repositories import TransferRepositories
from opora.adapters.sql.versions import SqlVersionRows


class SqlTx(
    BillingRepositories,
    BookingRepositories,
    DocumentRepositories,
    BankingRepositories,
    GenerationRepositories,
    NotificationRepositories,
    NumberRepositories,
    TransferRepositories,
):
    """Every repository, bound to one open transaction; it satisfies every context's bundle."""

    @cached_property
    def outbox(self) -> SqlOutbox:
        parts = self._parts
        return SqlOutbox(self._connection, parts.identifiers, parts.subscriptions, to_bus=parts.to_bus)

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
    def one_time_tokens(self) -> SqlOneTimeTokenRepository:
        return SqlOneTimeTokenRepository(self._connection)

    @cached_property
    def second_factors(self) -> SqlSecondFactorRepository:
        return SqlSecondFactorRepository(self._connection)

    @cached_property
    def devices(self) -> SqlDeviceRepository:
        return SqlDeviceRepository(self._connection)

    @cached_property
    def signing_keys(self) -> SqlSigningKeyRepository:
        return SqlSigningKeyRepository(self._connection)

    @cached_property
    def exports(self) -> SqlExportRepository:
        return SqlExportRepository(self._connection)

    @cached_property
    def profiles(self) -> SqlProfileRepository:
        return SqlProfileRepository(self._connection, self._parts.seal if self._parts.seal_profiles else None)

    @cached_property
    def versions(self) -> SqlVersionRows:
        return SqlVersionRows(self._connection)

    def announce(self) -> None:
        """Say what the commit made runnable, and which events it recorded."""
        jobs = self.__dict__.get("jobs")
        if jobs is not None and jobs.added:
            self._parts.announcer.announce(jobs.added, jobs.kinds)
        elif "outbox" in self.__dict__ and self.outbox.filled:
            self._parts.announcer.announce([])
        if "outbox" in self.__dict__:
            self._parts.noted(self.outbox.topics)


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
