"""Shows Prometheus what waits in the store and which events were recorded."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Protocol

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from opora.core.jobs.model import JobState


class Waiting(Protocol):
    """What waits: jobs by state, and spans in seconds."""

    @property
    def jobs(self) -> Mapping[str, int]:
        """How many jobs are in each state."""
        ...

    @property
    def due_s(self) -> float:
        """How long the oldest job that could run has not."""
        ...

    @property
    def events(self) -> int:
        """How many events wait for the relay."""
        ...

    @property
    def events_s(self) -> float:
        """How long the oldest of them waits."""
        ...

    @property
    def unsealed_s(self) -> float:
        """How old the oldest entry of the audit log is that no seal covers."""
        ...


class WaitingFigures(Collector):
    """Gauges of what waits, the same from every process that reads the store: take their maximum, never their sum."""

    def __init__(self, last: Callable[[], Waiting | None]) -> None:
        self._last = last

    def collect(self) -> Iterator[Metric]:
        """Yield nothing before the first reading: a nought would be a claim."""
        now = self._last()
        if now is None:
            return
        jobs = GaugeMetricFamily("opora_jobs", "Jobs in the store, by state.", labels=("state",))
        for state in JobState:
            jobs.add_metric((str(state),), now.jobs.get(state, 0))
        yield jobs
        for name, about, value in (
            ("opora_jobs_due_seconds", "How long the oldest job that could run has been waiting.", now.due_s),
            ("opora_outbox_waiting", "Events that wait for the relay.", now.events),
            ("opora_outbox_waiting_seconds", "How long the oldest of them has been waiting.", now.events_s),
            ("opora_audit_unsealed_seconds", "Age of the oldest audit entry that no seal covers.", now.unsealed_s),
        ):
            yield GaugeMetricFamily(name, about, value=value)


class EventFigures(Collector):
    """Counts of recorded events by topic, of this process; what business did, in Prometheus's terms."""

    def __init__(self, counts: Mapping[str, int], topics: Iterable[str] = ()) -> None:
        """`topics` are shown from nought on: the first event of a series that is born with it is no increase."""
        self._counts = counts
        self._topics = frozenset(topics)

    def collect(self) -> Iterator[Metric]:
        """Yield one counter."""
        family = CounterMetricFamily("opora_events", "Events recorded, by topic.", labels=("topic",))
        for topic in sorted(self._topics | self._counts.keys()):
            family.add_metric((topic,), self._counts.get(topic, 0))
        yield family
