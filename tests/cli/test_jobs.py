"""What an operator is told of a job."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from cli.conftest import Opora, on_file
from opora.cli.exits import Exit
from opora.cli.jobs import explained
from opora.core.jobs.model import Job, JobState, Priority

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
A_JOB = Job(
    id=UUID(int=7),
    kind="exports.render",
    state=JobState.QUEUED,
    payload={},
    priority=Priority.NORMAL,
    attempt=0,
    attempts_max=5,
    run_at=NOW,
    created_at=NOW - timedelta(minutes=5),
)


@pytest.mark.parametrize(
    ("job", "told"),
    [
        (replace(A_JOB, run_at=NOW + timedelta(minutes=2)), "0:02:00 from now"),
        (replace(A_JOB, run_at=NOW - timedelta(minutes=2)), "due for 0:02:00"),
        (replace(A_JOB, attempt=2, error="the disk is full"), "The last attempt failed: the disk is full"),
        (replace(A_JOB, attempt=2), "Attempt 2 of 5"),
        (replace(A_JOB, request_id="r-1"), "by request r-1"),
        (replace(A_JOB, state=JobState.RUNNING, lease_until=NOW + timedelta(seconds=30)), "lease holds until"),
        (replace(A_JOB, state=JobState.RUNNING, lease_until=NOW - timedelta(seconds=1)), "fell silent"),
        (replace(A_JOB, state=JobState.RUNNING, lease_until=NOW, progress_done=3, progress_total=9), "3/9"),
        (replace(A_JOB, state=JobState.RUNNING, lease_until=NOW, cancel_requested=True), "asked to stop"),
        (replace(A_JOB, state=JobState.DEAD, finished_at=NOW), f"opora jobs retry {A_JOB.id}"),
        (replace(A_JOB, state=JobState.SUCCEEDED, finished_at=NOW), "It ended at 2026-03-01T12:00:00Z"),
    ],
)
def test_a_job_says_why_it_stands_where_it_stands(job: Job, told: str) -> None:
    assert told in " ".join(explained(job, NOW))


@pytest.fixture
def home(opora: Opora, installation: Path) -> Path:
    """An installation with one job that waits, one that runs and one that is dead."""
    assert opora("db", "upgrade").code == Exit.OK
    for number, state in enumerate((JobState.QUEUED, JobState.RUNNING, JobState.DEAD), 1):
        on_file(installation / "home", A_ROW, str(UUID(int=number)), str(state))
    return installation / "home"


A_ROW = (
    "INSERT INTO jobs (id, kind, state, payload, priority, attempt, attempts_max, cancel_requested, progress_done, "
    "progress_total, request_id, run_at, created_at, error) VALUES (?, 'tests.none', ?, '{}', 0, 1, 5, 0, 0, 0, '', "
    "'2020-01-01T00:00:00.000000Z', '2020-01-01T00:00:00.000000Z', 'the disk is full')"
)


@pytest.mark.usefixtures("home")
def test_jobs_are_listed_by_state(opora: Opora) -> None:
    listed = opora("jobs", "list", "--json").json
    assert (listed["count"], listed["states"]) == (
        3,
        {"queued": 1, "running": 1, "dead": 1, "succeeded": 0, "cancelled": 0},
    )
    dead = opora("jobs", "list", "--state", "dead", "--json").json["results"]
    assert [one["id"] for one in dead] == [str(UUID(int=3))]
    assert "the disk is full" in opora("jobs", "list").out


@pytest.mark.usefixtures("home")
def test_a_dead_job_is_queued_again(opora: Opora) -> None:
    assert opora("jobs", "retry", str(UUID(int=3)), "--json").json["state"] == "queued"
    again = opora("jobs", "retry", str(UUID(int=3)))
    assert again.code == Exit.DATA
    assert "queued cannot become queued" in again.err


@pytest.mark.usefixtures("home")
def test_a_waiting_job_is_cancelled_and_a_running_one_is_asked_to_stop(opora: Opora) -> None:
    assert opora("jobs", "cancel", str(UUID(int=1)), "--json").json["state"] == "cancelled"
    assert "asked to stop" in opora("jobs", "cancel", str(UUID(int=2))).out


@pytest.mark.usefixtures("home")
def test_a_job_tells_why(opora: Opora) -> None:
    told = opora("jobs", "why", str(UUID(int=3)), "--json").json
    assert told["job"]["state"] == "dead"
    assert any("the disk is full" in reason for reason in told["why"])
    assert "is dead" in opora("jobs", "why", str(UUID(int=3))).out


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("command", ["why", "retry", "cancel"])
def test_a_job_that_does_not_exist_is_said_not_to(opora: Opora, command: str) -> None:
    assert opora("jobs", command, str(UUID(int=9))).code == Exit.NO_INPUT
    assert opora("jobs", command, "9").code == Exit.USAGE


def test_what_is_done_to_a_job_is_in_the_audit_log(opora: Opora, home: Path) -> None:
    opora("jobs", "retry", str(UUID(int=3)))
    assert on_file(home, "SELECT action, entity_id FROM audit_log") == [("job.retried", str(UUID(int=3)))]
    assert opora("audit", "verify", "--json").json == {
        "whole": True, "checked": 0, "unsealed": 1, "broken_at": None, "reason": None,
    }  # fmt: skip
    on_file(home, "UPDATE audit_log SET action = 'job.cancelled'")
    ended = opora("audit", "verify")
    assert ended.code == Exit.FINDINGS
    assert "altered" in ended.out
