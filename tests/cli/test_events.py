"""`opora events`: what waits for the bus, which types there are, and sending events again."""

from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from cli.conftest import Opora, on_file
from opora.cli.events import instant
from opora.cli.exits import Exit

EVENT = "INSERT INTO outbox (id, topic, subject, payload, at, dispatched_at) VALUES (?, ?, '7', '{}', ?, ?)"
QUEUED = "INSERT INTO bus_queue (event_id, sent) VALUES (?, true)"


@pytest.fixture
def home(opora: Opora, installation: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation whose bus is away, and from which two events left before."""
    monkeypatch.setenv("OPORA_AMQP_URL", "amqp://127.0.0.1:9/")
    assert opora("db", "upgrade").code == Exit.OK
    for number, topic in enumerate(("user.created", "key.issued"), 1):
        at = f"2026-03-01T1{number}:00:00.000000Z"
        on_file(installation / "home", EVENT, str(UUID(int=number)), topic, at, at)
        on_file(installation / "home", QUEUED, str(UUID(int=number)))
    return installation / "home"


def test_the_state_of_a_bus_that_is_away_is_told_with_what_waits(opora: Opora, home: Path) -> None:
    ended = opora("events", "status", "--json")
    assert ended.code == Exit.UNAVAILABLE
    assert ended.json == {"answers": False, "bus": "RabbitMQ does not answer", "waiting": 0, "oldest_s": 0.0}
    assert opora("events", "republish", "--since", "2026-03-01T00:00:00Z").code == Exit.OK
    ended = opora("events", "status")
    assert "2 events wait, the oldest for" in ended.out


def test_without_a_bus_all_is_well(opora: Opora, installation: Path) -> None:
    opora("db", "upgrade")
    ended = opora("events", "status")
    assert (ended.code, ended.out) == (Exit.OK, "Bus: none: events stay in the house.\n0 events wait.\n")


@pytest.mark.parametrize(
    ("arguments", "queued"),
    [
        (["--since", "2026-03-01T00:00:00Z"], 2),
        (["--since", "2026-03-01T11:30:00"], 1),
        (["--since", "2026-03-01T00:00:00Z", "--type", "user.created"], 1),
        (["--since", "2026-03-02"], 0),
    ],
)
def test_events_are_queued_again_and_that_is_on_record(
    opora: Opora, home: Path, arguments: list[str], queued: int
) -> None:
    ended = opora("events", "republish", *arguments, "--json")
    assert (ended.code, ended.json) == (Exit.OK, {"queued": queued})
    assert on_file(home, "SELECT count(*) FROM bus_queue WHERE NOT sent") == [(queued,)]
    assert on_file(home, "SELECT count(*) FROM audit_log WHERE action = 'events.republished'") == [(1,)]


def test_a_type_that_does_not_exist_and_a_time_that_is_none_are_refused(opora: Opora, home: Path) -> None:
    assert opora("events", "republish", "--since", "2026-03-01", "--type", "user.typo").code == Exit.DATA
    assert opora("events", "republish", "--since", "yesterday").code == Exit.USAGE
    assert instant("2026-03-01T11:30:00") == datetime(2026, 3, 1, 11, 30, tzinfo=UTC)


def test_every_type_is_listed_with_what_it_says(opora: Opora, home: Path) -> None:
    told = {one["type"]: one["says"] for one in opora("events", "types", "--json").json}
    assert told["user.created"] == "A user came to be."


def test_the_doctor_tells_of_the_bus_and_of_what_waits_for_long(opora: Opora, home: Path) -> None:
    opora("users", "create", "--email", "a@example.org", "--role", "admin", given="fourteen shoes and a lamp\n")
    opora("events", "republish", "--since", "2026-03-01T00:00:00Z")
    findings = {one["name"]: one for one in opora("doctor", "--json").json["findings"]}
    assert findings["event bus"]["health"] == "fault"
    assert findings["late events"]["health"] == "warning"
