"""The journal tells the log and the metrics how attempts end, and does not shout."""

from uuid import UUID

import pytest
import structlog
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from opora.core.jobs.model import Claim
from opora.worker.journal import LoggedJournal

CLAIM = Claim(
    id=UUID(int=7), kind="journal.test", payload={"passport": "4509"}, attempt=2, attempts_max=5, lease_id="l",
    request_id="r1",
)  # fmt: skip


@pytest.fixture(autouse=True)
def _log() -> None:
    structlog.reset_defaults()


def ended(outcome: str) -> float:
    labels = {"kind": CLAIM.kind, "outcome": outcome}
    return REGISTRY.get_sample_value("opora_jobs_ended_total", labels) or 0.0


@pytest.mark.parametrize(
    ("outcome", "level"),
    [("succeeded", "info"), ("cancelled", "info"), ("released", "info"), ("retried", "warning"), ("dead", "warning"),
     ("lost", "warning")],
)  # fmt: skip
def test_an_attempts_end_is_one_line_and_one_count(outcome: str, level: str) -> None:
    before = ended(outcome)
    running = REGISTRY.get_sample_value("opora_jobs_running")
    with capture_logs() as lines:
        journal = LoggedJournal()
        journal.started(CLAIM)
        journal.ended(CLAIM, outcome, 0.25, ConnectionError())
    (line,) = lines
    assert (line["log_level"], line["job_id"], line["attempt"]) == (level, str(CLAIM.id), 2)
    assert (line["request_id"], line["duration_ms"]) == ("r1", 250.0)
    assert "4509" not in str(line)
    assert ended(outcome) == before + 1
    assert REGISTRY.get_sample_value("opora_jobs_running") == running


def test_the_same_trouble_is_told_once_in_a_while() -> None:
    with capture_logs() as lines:
        journal = LoggedJournal()
        for _ in range(100):
            journal.troubled("claiming jobs", ConnectionError())
        journal.troubled("sealing", ConnectionError())
    assert [line["what"] for line in lines] == ["claiming jobs", "sealing"]


def test_a_wake_up_that_was_not_sent_is_counted() -> None:
    before = REGISTRY.get_sample_value("opora_jobs_unannounced_total") or 0.0
    with capture_logs():
        LoggedJournal().unannounced(ConnectionError())
    assert REGISTRY.get_sample_value("opora_jobs_unannounced_total") == before + 1


def test_a_switch_of_the_limits_is_told() -> None:
    with capture_logs() as lines:
        LoggedJournal().switched("local")
    assert lines[0]["mode"] == "local"
