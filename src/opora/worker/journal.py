"""Tells the log and the metrics how attempts end."""

import time

import structlog
from prometheus_client import Counter, Gauge, Histogram

from opora.core.bus.model import Backlog
from opora.core.jobs.model import Claim
from opora.worker.engine import Journal

LOG = structlog.get_logger("opora.worker")
ENDED = Counter("opora_jobs_ended_total", "Attempts of jobs that ended, by kind and outcome.", ["kind", "outcome"])
SECONDS = Histogram("opora_job_seconds", "How long attempts of jobs took.", ["kind"])
RUNNING = Gauge("opora_jobs_running", "Attempts running in this process.")
UNANNOUNCED = Counter("opora_jobs_unannounced_total", "Wake-ups that could not be sent; the sweep found the work.")
PUBLISHED = Counter("opora_bus_published_total", "Events that the bus has taken.")
UNCONFIRMED = Counter("opora_bus_unconfirmed_total", "Events that the bus did not confirm; they are sent again.")
REFILLED = Counter("opora_bus_refilled_total", "Events sent again because the bus had lost them.")
BUS_WAITING = Gauge("opora_bus_waiting", "Events that wait for the bus, counted up to 100,000.")
BUS_LAG = Gauge("opora_bus_lag_seconds", "How long the oldest event has waited for the bus.")
SWITCHED = Counter("opora_rate_limit_switches_total", "Times the limits changed their mode.", ["mode"])
QUIET_S = 30.0


class LoggedJournal(Journal):
    """One line an attempt that did not succeed, one line every half minute while a store is away."""

    def __init__(self) -> None:
        self._said_s: dict[str, float] = {}

    def started(self, claim: Claim) -> None:  # noqa: ARG002  # the end tells of it
        RUNNING.inc()

    def ended(self, claim: Claim, outcome: str, duration_s: float, error: BaseException | None) -> None:
        RUNNING.dec()
        ENDED.labels(claim.kind, outcome).inc()
        SECONDS.labels(claim.kind).observe(duration_s)
        facts = {
            "job_id": str(claim.id),
            "kind": claim.kind,
            "attempt": claim.attempt,
            "outcome": outcome,
            "duration_ms": round(duration_s * 1000, 1),
            "request_id": claim.request_id,
        }
        if outcome in ("succeeded", "cancelled", "released"):
            LOG.info("job ended", **facts)
        else:
            LOG.warning("job failed", **facts, error=type(error).__name__, exc_info=error)

    def troubled(self, what: str, error: BaseException) -> None:
        now_s = time.monotonic()
        if now_s - self._said_s.get(what, float("-inf")) >= QUIET_S:
            self._said_s[what] = now_s
            LOG.warning("trouble", what=what, error=type(error).__name__, exc_info=error)

    def switched(self, mode: str) -> None:
        """The limits' store went away or came back; they go on in this mode."""
        SWITCHED.labels(mode).inc()
        LOG.warning("limits switched", mode=mode)

    def published(self, count: int) -> None:
        """The bus has taken so many events."""
        PUBLISHED.inc(count)

    def refused(self, count: int) -> None:
        """The bus did not confirm so many events."""
        UNCONFIRMED.inc(count)

    def refilled(self, count: int) -> None:
        """The bus had lost events, and gets so many again."""
        REFILLED.inc(count)
        LOG.warning("the bus lost events", sent_again=count)

    def waited(self, backlog: Backlog) -> None:
        """So much waits for the bus now."""
        BUS_WAITING.set(backlog.waiting)
        BUS_LAG.set(backlog.oldest_s)

    def unannounced(self, error: BaseException) -> None:
        """A wake-up could not be sent."""
        UNANNOUNCED.inc()
        self.troubled("announcing work", error)


class QuietJournal(Journal):
    """Says nothing: for a command that tells its user itself."""

    def started(self, claim: Claim) -> None:
        """Say nothing."""

    def ended(self, claim: Claim, outcome: str, duration_s: float, error: BaseException | None) -> None:
        """Say nothing."""

    def troubled(self, what: str, error: BaseException) -> None:
        """Say nothing."""
