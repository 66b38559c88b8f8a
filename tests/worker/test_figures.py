"""The figures of what waits and of events, as Prometheus reads them."""

from collections import Counter

from prometheus_client import CollectorRegistry, generate_latest

from opora.adapters.sql.standing import Standing
from opora.core.jobs.model import JobState
from opora.worker.figures import EventFigures, WaitingFigures


def test_nothing_is_claimed_before_the_first_reading() -> None:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(WaitingFigures(lambda: None))
    assert generate_latest(registry) == b""


def test_every_state_has_a_figure_also_where_no_job_is_in_it() -> None:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(WaitingFigures(lambda: Standing({"queued": 3}, 1.5, 2, 0.5, 9.0)))
    shown = {state: registry.get_sample_value("opora_jobs", {"state": str(state)}) for state in JobState}
    assert shown == {state: 3.0 if state == "queued" else 0.0 for state in JobState}
    names = ("opora_jobs_due_seconds", "opora_outbox_waiting", "opora_outbox_waiting_seconds")
    assert [registry.get_sample_value(name) for name in names] == [1.5, 2.0, 0.5]
    assert registry.get_sample_value("opora_audit_unsealed_seconds") == 9.0


def test_events_are_counted_by_topic_as_they_come() -> None:
    registry, counts = CollectorRegistry(auto_describe=False), Counter[str]()
    registry.register(EventFigures(counts, ["session.reused"]))
    counts["user.created"] += 2
    assert registry.get_sample_value("opora_events_total", {"topic": "user.created"}) == 2.0
    assert registry.get_sample_value("opora_events_total", {"topic": "session.reused"}) == 0.0
