"""The HTTP edge as one function: Litestar's application in, the application a server runs out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from litestar import Litestar

from opora.api.addresses import Networks, Proxies
from opora.api.bodies import BODY_MAX_BYTES, BODY_TIMEOUT_S
from opora.api.crowd import REQUESTS_MAX, WAIT_MAX_S, Crowd
from opora.api.door import AUTH_FAILURES, OUR_KEYS, Authenticating, Door
from opora.api.gate import Gate
from opora.api.idempotency import Repetition
from opora.api.metrics import Metrics
from opora.api.problems import BASE_URL
from opora.api.routes import Routes
from opora.api.security import Cors, standing
from opora.api.versions import Versions
from opora.core.access.model.callers import Caller
from opora.core.access.model.keytext import KeyFormat
from opora.core.access.model.rates import RatePolicy
from opora.core.access.ports.rates import RateGate, RateStats
from opora.core.access.rules.stepup import COMMON, StepUpPolicy
from opora.core.kernel.ports import Clock, IdempotentCalls, VersionRegistry

INTERNAL_NETWORKS = ("127.0.0.0/8", "::1/128")


@dataclass(frozen=True, slots=True)
class EdgeSettings:
    """What an operator sets of the edge.

    `trusted_proxies` and `internal_networks` are CIDR ranges; an `hsts_max_age_s` of 0 sends no HSTS header.
    """

    trusted_proxies: Sequence[str] = ()
    internal_networks: Sequence[str] = INTERNAL_NETWORKS
    cors_origins: Sequence[str] = ()
    hsts_max_age_s: int = 0
    body_max_bytes: int = BODY_MAX_BYTES
    body_timeout_s: float = BODY_TIMEOUT_S
    requests_max: int = REQUESTS_MAX
    wait_max_s: float = WAIT_MAX_S
    problem_base_url: str = BASE_URL
    auth_failures: RatePolicy = AUTH_FAILURES
    step_up: StepUpPolicy = COMMON
    key_format: KeyFormat = OUR_KEYS


@dataclass(frozen=True, slots=True)
class EdgeParts:
    """What the edge needs from the rest of the program; what is None it does without.

    `on_fault` hears of every fault once, after it was logged.
    """

    authenticate: Authenticating
    rates: RateGate
    clock: Clock
    repetitions: IdempotentCalls | None = None
    versions: VersionRegistry | None = None
    stats: RateStats | None = None
    metrics: Metrics = field(default_factory=Metrics)
    on_fault: Callable[[BaseException], None] | None = None
    settings: EdgeSettings = EdgeSettings()
    forget: Callable[[Caller], None] | None = None


def wrap(app: Litestar, parts: EdgeParts) -> Gate:
    """Put the gate around an application; raises Undeclared when a handler does not say who may call it."""
    settings = parts.settings
    versions = Versions(parts.versions, parts.clock)
    app.state.versions = versions
    return Gate(
        app,
        routes=Routes(app, settings.body_max_bytes),
        door=Door(
            parts.authenticate,
            parts.rates,
            parts.clock,
            parts.metrics.requests,
            settings.auth_failures,
            parts.stats,
            settings.step_up,
            parts.forget,
            settings.key_format,
        ),
        versions=versions,
        metrics=parts.metrics.requests,
        standing=standing(settings.hsts_max_age_s),
        cors=Cors.of(settings.cors_origins),
        proxies=Proxies(settings.trusted_proxies),
        internal=Networks(settings.internal_networks),
        repetition=None if parts.repetitions is None else Repetition(parts.repetitions),
        problem_base_url=settings.problem_base_url,
        body_timeout_s=settings.body_timeout_s,
        crowd=Crowd(settings.requests_max, settings.wait_max_s),
        on_fault=parts.on_fault,
    )
