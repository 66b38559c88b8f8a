"""`opora db`: the schema up, down and looked at."""

from pathlib import Path

import pytest

from cli.conftest import Opora, on_file
from opora.adapters.sql.revisions import newest
from opora.cli.exits import Exit
from servers.plugin import APP_ROLE, READER_ROLE


def test_an_empty_machine_is_brought_to_this_release_and_back(opora: Opora, installation: Path) -> None:
    planned = opora("db", "upgrade", "--plan", "--json").json
    assert planned["current"] is None
    assert opora("db", "upgrade", "--json").json == {"applied": planned["pending"], "current": newest()}
    assert opora("db", "current").out == f"{newest()}\n"
    assert opora("db", "upgrade").out.endswith("Nothing to do.\n")
    assert opora("db", "downgrade", "--to", "base", "--yes", "--json").json == {"before": newest(), "current": None}
    assert opora("db", "current").out == "nothing\n"
    assert on_file(installation / "home", "SELECT name FROM sqlite_master WHERE name LIKE 'job%'") == []


def test_a_schema_as_it_should_be_is_said_to_be(opora: Opora) -> None:
    opora("db", "upgrade")
    ended = opora("db", "check", "--json")
    assert ended.code == Exit.OK
    assert ended.json == {"current": newest(), "head": newest(), "up_to_date": True, "drift": []}


def test_an_old_schema_is_found_and_the_next_step_named(opora: Opora) -> None:
    ended = opora("db", "check")
    assert ended.code == Exit.FINDINGS
    assert "opora db upgrade" in ended.err


def test_a_table_that_differs_is_found(opora: Opora, installation: Path) -> None:
    opora("db", "upgrade")
    on_file(installation / "home", "ALTER TABLE jobs ADD COLUMN stray TEXT")
    ended = opora("db", "check", "--json")
    assert ended.code == Exit.FINDINGS
    assert "stray" in ended.json["drift"][0]
    assert "differs:" in opora("db", "check").out


@pytest.mark.parametrize("command", [("upgrade",), ("downgrade", "--to", "base", "--yes")])
def test_a_schema_of_a_later_release_is_left_alone(opora: Opora, installation: Path, command: tuple[str, ...]) -> None:
    opora("db", "upgrade")
    on_file(installation / "home", "UPDATE alembic_version SET version_num = '9999'")
    ended = opora("db", *command)
    assert ended.code == Exit.CONFIG
    assert "does not know" in ended.err
    assert "older" in opora("db", "check").err


def test_going_back_wants_a_yes(opora: Opora) -> None:
    opora("db", "upgrade")
    ended = opora("db", "downgrade", "--to", "base")
    assert ended.code == Exit.USAGE
    assert "--yes" in ended.err
    assert opora("db", "current").out == f"{newest()}\n"


def test_an_unknown_revision_is_refused(opora: Opora) -> None:
    ended = opora("db", "upgrade", "--to", "nowhere")
    assert ended.code == Exit.DATA


def test_a_server_that_does_not_answer_is_unavailable(opora: Opora, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPORA_DATABASE_URL", "postgresql://opora:canary@127.0.0.1:1/opora")
    monkeypatch.setenv("OPORA_SECRET_KEY", "a root secret of forty characters or more")
    ended = opora("db", "current")
    assert ended.code == Exit.UNAVAILABLE
    assert "opora doctor" in ended.err
    assert "canary" not in ended.err


def test_roles_are_printed_for_whoever_is_named(opora: Opora) -> None:
    sql = opora("db", "roles", "--sql", "--app", "shop_app").out
    assert sql.startswith("BEGIN;\n")
    assert 'GRANT SELECT, INSERT ON ledger_entries TO "shop_app";' in sql
    assert 'GRANT SELECT ON schema_history TO "shop_app";' in sql
    assert opora("db", "roles", "--json").json["applied"] is False


@pytest.mark.parametrize("name", ["Shop", 'a"; DROP TABLE users; --', ""])
def test_a_role_is_named_so_that_it_needs_no_quotes(opora: Opora, name: str) -> None:
    assert opora("db", "roles", "--app", name).code == Exit.USAGE


def test_sqlite_has_no_roles_to_apply(opora: Opora) -> None:
    assert opora("db", "roles", "--apply").code == Exit.USAGE


def test_roles_are_granted_on_a_server(opora: Opora, postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPORA_DATABASE_URL", postgres_url)
    monkeypatch.setenv("OPORA_SECRET_KEY", "a root secret of forty characters or more")
    ended = opora("db", "roles", "--apply", "--app", APP_ROLE, "--reader", READER_ROLE)
    assert (ended.code, ended.out) == (Exit.OK, f"{APP_ROLE} may work, {READER_ROLE} may read.\n")


def test_a_schema_that_a_newer_release_only_expanded_is_good_enough(opora: Opora, installation: Path) -> None:
    opora("db", "upgrade")
    home = installation / "home"
    on_file(home, "UPDATE alembic_version SET version_num = '9999'")
    on_file(home, "INSERT INTO schema_history VALUES ('9999', 'expand', '2030-01-01T00:00:00.000000Z')")
    ended = opora("db", "check")
    assert ended.code == Exit.OK
    assert "beside" in ended.out
