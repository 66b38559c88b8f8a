"""Wires the HTTP edge: health, metrics, versions, and what the gate asks."""

from collections.abc import Callable

from dishka import Provider, Scope, provide

import opora
from opora.adapters.memory.event_counts import EventCounts
from opora.adapters.sql.connection import Database
from opora.adapters.sql.standing import StandingWork
from opora.adapters.sql.versions import SqlVersionRegistry
from opora.api import sentry
from opora.api.cookies import BrowserCookies, origin_of
from opora.api.edge import EdgeParts, EdgeSettings
from opora.api.health import HealthChecks
from opora.api.live import LiveHub
from opora.api.metrics import Metrics
from opora.api.pages import Cursors
from opora.api.v1.notifications import encoded_notice
from opora.bootstrap.limits import SharedStore
from opora.bootstrap.settings import Settings
from opora.bootstrap.watching import health_of, register
from opora.core.access.model.keytext import KeyFormat
from opora.core.access.ports.rates import RateGate, RateStats
from opora.core.access.rules.stepup import StepUpPolicy
from opora.core.access.usecases.authenticate import Authenticate, ForgetCaller
from opora.core.bus.ports import BusQueue
from opora.core.jobs.ports import JobViews
from opora.core.kernel.ports import Clock, IdempotentCalls, VersionRegistry
from opora.core.notifications.ports.channels import Live
from opora.core.notifications.ports.people import InboxViews, Recipients


class Edge(Provider):
    """What the gate and the service's own routes need."""

    scope = Scope.APP

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._settings = settings

    @provide
    def metrics(self, events: EventCounts, work: StandingWork) -> Metrics:
        metrics = Metrics()
        register(metrics.registry, events, work)
        return metrics

    @provide
    def cursors(self) -> Cursors:
        return Cursors(self._settings.cursor_key.encode())

    @provide
    def cookies(self) -> BrowserCookies:
        return BrowserCookies(
            enabled=self._settings.browser_cookies,
            max_age_s=self._settings.refresh_ttl_days * 86_400,
            origin=origin_of(self._settings.base_url),
        )

    @provide
    def live(self, views: InboxViews, recipients: Recipients, news: Live) -> LiveHub:
        return LiveHub(views, recipients, news, encoded_notice)

    @provide
    def versions(self, database: Database) -> VersionRegistry:
        return SqlVersionRegistry(database)

    @provide
    def health(self, database: Database, jobs: JobViews, shared: SharedStore, events: BusQueue) -> HealthChecks:
        return health_of(database, jobs, shared, events if self._settings.bus_chosen != "none" else None)

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
        forget: ForgetCaller,
        key_format: KeyFormat,
    ) -> EdgeParts:
        settings = self._settings
        edge = EdgeSettings(
            trusted_proxies=settings.trusted_proxies,
            internal_networks=settings.internal_networks,
            cors_origins=settings.cors_origins,
            hsts_max_age_s=settings.hsts_s,
            body_max_bytes=settings.body_limit_bytes,
            requests_max=settings.requests_at_once,
            wait_max_s=settings.wait_max_ms / 1000,
            problem_base_url=settings.problem_base_url,
            step_up=StepUpPolicy(settings.step_up_s),
            key_format=key_format,
        )
        told = reporter(settings)
        return EdgeParts(authenticate, rates, clock, repetitions, versions, stats, metrics, told, edge, forget)


def reporter(settings: Settings) -> Callable[[BaseException], None] | None:
    """Return who hears of faults beside the log: Sentry, where its address is set."""
    if not settings.sentry_dsn:
        return None
    sentry.start(settings.sentry_dsn, settings.environment, opora.__version__)
    return sentry.report
