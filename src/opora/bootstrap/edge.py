"""Wires the HTTP edge: health, metrics, versions, and what the gate asks."""

from collections.abc import Callable, Mapping

from dishka import Provider, Scope, provide
from prometheus_client import REGISTRY

import opora
from opora.adapters.sql import revisions
from opora.adapters.sql.connection import Database
from opora.adapters.sql.versions import SqlVersionRegistry
from opora.api import sentry
from opora.api.edge import EdgeParts, EdgeSettings
from opora.api.health import Check, HealthChecks
from opora.api.metrics import Metrics
from opora.api.pages import Cursors
from opora.bootstrap.limits import SharedStore
from opora.bootstrap.settings import Settings
from opora.core.access.ports.rates import RateGate, RateStats
from opora.core.access.usecases.authenticate import Authenticate
from opora.core.jobs.ports import JobViews
from opora.core.kernel.ports import Clock, IdempotentCalls, VersionRegistry


class Edge(Provider):
    """What the gate and the service's own routes need."""

    scope = Scope.APP

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._settings = settings

    @provide
    def metrics(self) -> Metrics:
        metrics = Metrics()
        metrics.registry.register(REGISTRY)  # the process's own and the worker's
        return metrics

    @provide
    def cursors(self) -> Cursors:
        return Cursors(self._settings.cursor_key.encode())

    @provide
    def versions(self, database: Database) -> VersionRegistry:
        return SqlVersionRegistry(database)

    @provide
    def health(self, database: Database, jobs: JobViews, shared: SharedStore) -> HealthChecks:
        async def answers() -> Mapping[str, object]:
            return {"schema": await revisions.current(database.read)}

        async def waiting() -> Mapping[str, object]:
            return {"dead": (await jobs.counts())["dead"]}

        checks: dict[str, Check] = {"database": answers, "jobs": waiting}
        if shared.redis is not None:
            redis = shared.redis

            async def pings() -> None:
                await redis.call("PING")

            checks["redis"] = pings
        return HealthChecks(checks, frozenset({"redis"}))

    @provide
    def parts(
        self,
        authenticate: Authenticate,
        rates: RateGate,
        stats: RateStats,
        clock: Clock,
        repetitions: IdempotentCalls,
        versions: VersionRegistry,
        metrics: Metrics,
    ) -> EdgeParts:
        settings = self._settings
        edge = EdgeSettings(
            trusted_proxies=settings.trusted_proxies,
            internal_networks=settings.internal_networks,
            cors_origins=settings.cors_origins,
            hsts_max_age_s=settings.hsts_s,
            problem_base_url=settings.problem_base_url,
        )
        told = reporter(settings)
        return EdgeParts(authenticate, rates, clock, repetitions, versions, stats, metrics, told, edge)


def reporter(settings: Settings) -> Callable[[BaseException], None] | None:
    """Return who hears of faults beside the log: Sentry, where its address is set."""
    if not settings.sentry_dsn:
        return None
    sentry.start(settings.sentry_dsn, settings.environment, opora.__version__)
    return sentry.report
