"""Counts and times of requests for Prometheus, in plain dictionaries: a request costs two look-ups and a bisection."""

from bisect import bisect_left
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "WEBSOCKET"})
MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class RequestMetrics(Collector):
    """What happened to requests, by route template, method and status; one process's share."""

    def __init__(self) -> None:
        self.in_flight = 0
        self.degraded = 0
        self._counts: dict[tuple[str, str, int], int] = {}
        self._times: dict[tuple[str, str], list[float]] = {}

    def observe(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count one request; methods nobody knows share one label."""
        if method not in METHODS:
            method = "OTHER"
        counted, timed = (route, method, status), (route, method)
        self._counts[counted] = self._counts.get(counted, 0) + 1
        row = self._times.get(timed)
        if row is None:
            row = self._times[timed] = [0.0] * (len(BUCKETS_S) + 2)
        row[bisect_left(BUCKETS_S, seconds)] += 1
        row[-1] += seconds

    def collect(self) -> Iterator[Metric]:
        """Yield the families as Prometheus wants them: buckets summed up, the last one without bound."""
        counts = CounterMetricFamily("opora_http_requests", "Requests answered.", labels=("route", "method", "status"))
        for (route, method, status), count in self._counts.items():
            counts.add_metric((route, method, str(status)), count)
        yield counts
        times = HistogramMetricFamily(
            "opora_http_request_duration_seconds", "Time to the end of the answer.", labels=("route", "method")
        )
        for (route, method), row in self._times.items():
            times.add_metric((route, method), _cumulated(row), row[-1])
        yield times
        yield GaugeMetricFamily("opora_http_requests_in_flight", "Requests being answered.", value=self.in_flight)
        yield CounterMetricFamily(
            "opora_rate_limit_degraded", "Decisions made without the shared store.", value=self.degraded
        )


def _cumulated(row: list[float]) -> list[tuple[str, float]]:
    total, buckets = 0.0, []
    for bound, count in zip((*map(str, BUCKETS_S), "+Inf"), row[:-1], strict=True):
        total += count
        buckets.append((bound, total))
    return buckets


class Metrics:
    """All that `GET /metrics` shows: the edge's own and whatever collectors other parts register."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry(auto_describe=False)
        self.requests = RequestMetrics()
        self.registry.register(self.requests)

    def render(self) -> bytes:
        """Return the text of all families."""
        return generate_latest(self.registry)
