"""`opora check`: a sound installation has no faults; what was planted is named with the step that comes next."""

import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from cli.conftest import Opora, on_file
from opora.cli.exits import Exit

WHOLE, MISSING, ALTERED, CUT = (UUID(f"018f0000-0000-7000-8000-{number:012}") for number in range(1, 5))
ORPHAN = UUID("018f0000-0000-7000-8000-00000000000a")
CONTENT = b'[{"id":1}]'
EXPORT = (
    "INSERT INTO exports (id, job_id, owner, profile_ids, format, status, requested_at, completed_at, expires_at, size,"
    " sha256, is_file_removed) VALUES (?, ?, 'key:1', '[]', 'json', 'completed', '2030-01-01T00:00:00.000000Z',"
    " '2030-01-01T00:00:00.000000Z', '2999-01-01T00:00:00.000000Z', ?, ?, false)"
)


def put(home: Path, id: UUID, content: bytes) -> None:
    """Lay a file into the store of exports."""
    place = home / "files" / "exports" / str(id)[-2:] / str(id)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content)


@pytest.fixture
def home(opora: Opora, installation: Path) -> Path:
    """An installation with one export whose file is there."""
    opora("db", "upgrade")
    home = installation / "home"
    on_file(home, EXPORT, str(WHOLE), str(WHOLE), len(CONTENT), hashlib.sha256(CONTENT).hexdigest())
    put(home, WHOLE, CONTENT)
    return home


def by_name(found: Any) -> dict[str, list[dict[str, str]]]:
    """Return the findings that are not well, by name."""
    named: dict[str, list[dict[str, str]]] = {}
    for one in found["findings"]:
        if one["health"] != "ok":
            named.setdefault(one["name"], []).append(one)
    return named


@pytest.mark.usefixtures("home")
def test_a_sound_installation_has_no_finding(opora: Opora) -> None:
    ended = opora("check", "--json")
    assert (ended.code, ended.json["ok"], by_name(ended.json)) == (Exit.OK, True, {})
    files = next(one for one in ended.json["findings"] if one["name"] == "files")
    assert files["seen"] == "1 are named by rows, 1 of them read, 1 stored"


def test_files_that_are_missing_altered_cut_or_nobodys_are_named(opora: Opora, home: Path) -> None:
    digest = hashlib.sha256(CONTENT).hexdigest()
    for id in (MISSING, ALTERED, CUT):
        on_file(home, EXPORT, str(id), str(id), len(CONTENT), digest)
    put(home, ALTERED, CONTENT.replace(b"1", b"2"))
    put(home, CUT, CONTENT[:-1])
    put(home, ORPHAN, b"left behind")
    ended = opora("check", "--json")
    found = by_name(ended.json)
    assert ended.code == Exit.FINDINGS
    assert found.keys() == {"missing or altered", "orphans"}
    assert {one["seen"].partition(" exports/")[0] + one["seen"][-30:] for one in found["missing or altered"]} == {
        f"export {MISSING}:" + f"exports/{MISSING} is missing"[-30:],
        f"export {ALTERED}:" + f"exports/{ALTERED} holds other bytes than were stored"[-30:],
        f"export {CUT}:" + f"exports/{CUT} has 9 bytes, not 10"[-30:],
    }
    assert found["orphans"][0]["seen"] == f"exports/{ORPHAN}"
    assert all(one["mend"] for several in found.values() for one in several)
    unread = opora("check", "--sample", "0", "--json")
    assert len(by_name(unread.json)["missing or altered"]) == 2, "what is altered in place shows by reading alone"


def test_rows_that_were_altered_are_named(opora: Opora, home: Path) -> None:
    assert opora("keys", "create", "--label", "QA", "--scope", "profiles:read", "--json").code == Exit.OK
    assert by_name(opora("check", "--json").json) == {}
    with closing(sqlite3.connect(home / "opora.db", isolation_level=None)) as base:
        for statement in (
            "UPDATE audit_log SET action = 'another'",
            "INSERT INTO user_roles (user_id, role) VALUES (99, 'admin')",
            "DROP TRIGGER ledger_balance_follows",
            "INSERT INTO ledger_accounts (name, currency, kind, user_id, has_balance, created_at)"
            " VALUES ('person:7', 'RUB', 'person', 7, true, '2030-01-01T00:00:00.000000Z')",
            "UPDATE ledger_balances SET posted_minor = 5",
            "INSERT INTO second_factors (user_id, sealed, created_at, last_step) VALUES (9, X'01', '2030-01-01', 0)",
            "UPDATE id_sequences SET value = 0 WHERE name = 'api_keys'",
            "INSERT INTO jobs (id, kind, state, priority, run_at, attempt, attempts_max, lease_id, lease_until,"
            " cancel_requested, progress_done, progress_total, payload, request_id, created_at) VALUES"
            " ('018f0000-0000-7000-8000-000000000009', 'k', 'running', 0, '2020-01-01T00:00:00.000000Z', 1, 3, 'l',"
            " '2020-01-01T00:00:00.000000Z', false, 0, 0, '{}', '', '2020-01-01T00:00:00.000000Z')",
        ):
            base.execute(statement)
    ended = opora("check", "--json")
    found = by_name(ended.json)
    assert ended.code == Exit.FINDINGS
    assert found.keys() == {"audit", "references", "triggers", "ledger", "counts", "stuck", "sealed"}
    assert found["audit"][0]["seen"].endswith(": altered or inserted")
    assert found["references"][0]["seen"].endswith("of user_roles names no row of users")
    assert found["triggers"][0]["seen"] == "ledger_balance_follows"
    assert found["counts"][0]["seen"] == "ids: api_keys, kept 0, counted 1"
    assert found["stuck"][0]["seen"].startswith("1 leases that ran out")
    assert all(one["mend"] for several in found.values() for one in several)
    assert "→ Start a worker" in opora("check").out


def test_a_database_whose_pages_are_torn_is_told_of(opora: Opora, home: Path) -> None:
    on_file(home, "PRAGMA wal_checkpoint(TRUNCATE)")
    with closing(sqlite3.connect(home / "opora.db")) as base:
        page = base.execute("SELECT rootpage FROM sqlite_master WHERE name = 'ix_audit_log_created_at'").fetchone()[0]
        size = base.execute("PRAGMA page_size").fetchone()[0]
    with (home / "opora.db").open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * 64)
    assert "pages" in by_name(opora("check", "--json").json)


def test_a_database_that_is_not_there_or_of_another_release_is_not_looked_through(opora: Opora) -> None:
    ended = opora("check")
    assert ended.code == Exit.UNAVAILABLE
    assert "does not exist" in ended.err
