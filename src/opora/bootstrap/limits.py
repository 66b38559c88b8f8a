"""Where calls are counted: Redis where it is given, else the database's own machine."""

from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from dishka import Provider, Scope, provide

from opora.adapters.memory.rate_guard import GuardedRateGate
from opora.adapters.redis.connection import RedisConnection
from opora.adapters.redis.opening import connection_to
from opora.adapters.redis.rate_stats import RedisRateStats
from opora.adapters.redis.rates import RedisRateGate
from opora.adapters.sql.connection import Database
from opora.adapters.sql.limit_stats import SqlRateStats
from opora.adapters.sql.limits import LimitStore, SqlRateGate
from opora.adapters.sql.limits_postgres import PostgresLimits
from opora.adapters.sql.limits_sqlite import SqliteLimits
from opora.bootstrap.settings import Settings
from opora.core.access.ports.rates import RateGate, RateStats
from opora.worker.journal import LoggedJournal


@dataclass(frozen=True, slots=True)
class SharedStore:
    """The store that processes of several machines share for limits, where there is one beside the database."""

    redis: RedisConnection | None = None


class Limits(Provider):
    """The rate gate behind its guard, and the figures of it."""

    scope = Scope.APP

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._settings = settings

    def guarded(self, gate: RateGate) -> RateGate:
        """Let limits go on by their own modes while their store is away."""
        instances = self._settings.instances_expected
        return GuardedRateGate(gate, instances=instances, on_switch=LoggedJournal().switched)


class RedisLimits(Limits):
    """Counted in Redis."""

    @property
    def prefix(self) -> str:
        """What every key begins with."""
        return f"{self._settings.redis_prefix}:"

    @provide
    async def redis(self) -> AsyncIterator[RedisConnection]:
        connection = connection_to(self._settings.redis_url, timeout_s=self._settings.redis_timeout_ms / 1000)
        yield connection
        await connection.close()

    @provide
    def shared(self, redis: RedisConnection) -> SharedStore:
        return SharedStore(redis)

    @provide
    def gate(self, redis: RedisConnection) -> RateGate:
        return self.guarded(RedisRateGate(redis, prefix=self.prefix))

    @provide
    def stats(self, redis: RedisConnection) -> RateStats:
        return RedisRateStats(redis, prefix=self.prefix)


class SqlLimits(Limits):
    """Counted in a table."""

    @provide
    def shared(self) -> SharedStore:
        return SharedStore()

    @provide
    def store(self, database: Database) -> Iterator[LimitStore]:
        if not self._settings.embedded:
            yield PostgresLimits(database)
            return
        with closing(SqliteLimits(Path(self._settings.home) / "limits.db")) as store:
            yield store

    @provide
    def gate(self, store: LimitStore) -> RateGate:
        return self.guarded(SqlRateGate(store))

    @provide
    def stats(self, store: LimitStore) -> RateStats:
        return SqlRateStats(store)


def limits(settings: Settings) -> Limits:
    """Choose where calls are counted."""
    return RedisLimits(settings) if settings.redis_url else SqlLimits(settings)
