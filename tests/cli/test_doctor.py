"""`opora doctor` and `opora limits`: what is wrong and how to mend it, and how much there may be of everything."""

from pathlib import Path
from typing import Any
from uuid import UUID

import asyncssh
import pytest

from cli.conftest import Ended, Opora, on_file
from opora.adapters.sql.revisions import newest
from opora.cli.exits import Exit
from opora.core.kernel.model import PAGE_LIMIT_MAX
from servers.bucket import asked
from servers.processes import HOST, free_port

HOST_KEY = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode().strip()


def found(ended: Ended) -> dict[str, Any]:
    """Return the findings by name."""
    return {one["name"]: one for one in ended.json["findings"]}


@pytest.fixture
def started(opora: Opora, installation: Path) -> Path:
    """An installation that has been started once; returns its home folder."""
    (installation / "home").mkdir(mode=0o700)
    opora("db", "upgrade")
    assert opora("audit", "verify").code == Exit.OK
    return installation / "home"


def test_an_empty_machine_has_warnings_and_no_faults(opora: Opora) -> None:
    ended = opora("doctor", "--json")
    assert ended.code == Exit.OK
    assert (ended.json["faults"], found(ended)["database"]["health"]) == (0, "warning")


@pytest.mark.usefixtures("started")
def test_a_started_installation_is_well(opora: Opora) -> None:
    ended = opora("doctor", "--json")
    assert (ended.code, ended.json["faults"]) == (Exit.OK, 0)
    assert found(ended)["schema"]["seen"] == f"at {newest()}"
    assert {"clock", "jobs", "audit", "storage", "disk", "secrets", "core banking", "drop"} <= found(ended).keys()


def test_each_fault_comes_with_its_mending(opora: Opora, started: Path) -> None:
    (started / "secrets.json").chmod(0o644)
    (started / "files").rmdir() if (started / "files").is_dir() else None
    (started / "files").write_text("a file where a folder belongs")
    on_file(started, "UPDATE alembic_version SET version_num = '0000'")
    ended = opora("doctor", "--json")
    assert ended.code == Exit.FINDINGS
    ill = {name: one for name, one in found(ended).items() if one["health"] == "fault"}
    assert ill.keys() == {"secrets", "storage", "schema"}
    assert all(one["mend"] for one in ill.values())
    assert "→ chmod 600" in opora("doctor").out


@pytest.mark.usefixtures("started")
def test_a_bucket_is_tried_and_one_that_is_away_is_a_fault(
    opora: Opora, bucket_server: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPORA_STORAGE_ACCESS_KEY_ID", "a key")
    monkeypatch.setenv("OPORA_STORAGE_SECRET_ACCESS_KEY", "a secret")
    asked(bucket_server, "PUT", "/doctored")
    for bucket, health in (("doctored", "ok"), ("no-such-bucket", "fault")):
        monkeypatch.setenv("OPORA_STORAGE_URL", f"s3://{bucket}?endpoint=http://{HOST}:{bucket_server}")
        seen = found(opora("doctor", "--json"))["storage"]
        assert (seen["health"], bool(seen["mend"])) == (health, health == "fault"), seen
        assert "a secret" not in str(seen)
    assert b"<Key>" not in (asked(bucket_server, "GET", "/doctored") or b"")


@pytest.mark.usefixtures("started")
def test_a_drop_that_is_away_is_a_fault(opora: Opora, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPORA_SFTP_URL", f"sftp://opora:secret@{HOST}:{free_port()}/drop")
    monkeypatch.setenv("OPORA_SFTP_HOST_KEY", HOST_KEY)
    monkeypatch.setenv("OPORA_SFTP_NETWORKS", "127.0.0.0/8")
    seen = found(opora("doctor", "--json"))["drop"]
    assert (seen["health"], bool(seen["mend"])) == ("fault", True), seen
    assert "secret" not in str(seen)


def test_every_fault_of_the_settings_is_shown(opora: Opora, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPORA_HTTP_PROT", "80")
    monkeypatch.setenv("OPORA_WORKERS", "none")
    ended = opora("doctor")
    assert ended.code == Exit.FINDINGS
    assert "Did you mean OPORA_HTTP_PORT?" in ended.out
    assert "2 faults" in ended.out


def test_servers_that_do_not_answer_are_found(opora: Opora, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPORA_DATABASE_URL", "postgresql://opora:canary@127.0.0.1:1/opora")
    monkeypatch.setenv("OPORA_REDIS_URL", "redis://:canary@127.0.0.1:1")
    monkeypatch.setenv("OPORA_SECRET_KEY", "a root secret of forty characters or more")
    ended = opora("doctor", "--json")
    assert ended.code == Exit.FINDINGS
    assert {name for name, one in found(ended).items() if one["health"] == "fault"} == {"database", "redis"}
    assert "canary" not in ended.out


def test_a_schema_of_a_later_release_is_named(opora: Opora, started: Path) -> None:
    on_file(started, "UPDATE alembic_version SET version_num = '9999'")
    assert "does not know" in found(opora("doctor", "--json"))["schema"]["seen"]


def test_late_and_dead_jobs_and_unsealed_entries_are_found(opora: Opora, started: Path) -> None:
    on_file(started, A_JOB, str(UUID(int=1)), "queued")
    on_file(started, A_JOB, str(UUID(int=2)), "dead")
    on_file(started, AN_ENTRY)
    findings = found(opora("doctor", "--json"))
    assert findings["late jobs"]["health"] == "fault"
    assert findings["dead jobs"]["health"] == "warning"
    assert findings["audit"]["health"] == "warning"


LONG_AGO = "2020-01-01T00:00:00.000000Z"
A_JOB = (
    "INSERT INTO jobs (id, kind, state, payload, priority, attempt, attempts_max, cancel_requested, progress_done, "
    "progress_total, request_id, run_at, created_at) "
    f"VALUES (?, 'tests.none', ?, '{{}}', 0, 0, 5, 0, 0, 0, '', '{LONG_AGO}', '{LONG_AGO}')"
)
AN_ENTRY = (
    "INSERT INTO audit_log (id, created_at, action, entity_type, entity_id, address, user_agent, "
    "request_id, row_hash) "
    f"VALUES (1, '{LONG_AGO}', 'tests.none', 'test', '1', '', '', '', x'00')"
)


def test_every_bound_is_printed_with_the_setting_that_moves_it(opora: Opora, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPORA_RATE_LIMIT_PER_MIN", "250")
    bounds = {one["what"]: one for one in opora("limits", "--json").json}
    assert bounds["Records on a page"] == {
        "section": "lists", "what": "Records on a page", "value": PAGE_LIMIT_MAX, "unit": "", "setting": None,
    }  # fmt: skip
    assert [one["value"] for one in bounds.values() if one["setting"] == "OPORA_RATE_LIMIT_PER_MIN"] == [250]
    assert "OPORA_BODY_LIMIT_BYTES" in opora("limits").out
