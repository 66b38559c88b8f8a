"""`opora copy`: an operator moves an installation to PostgreSQL and is told what differs and what comes next."""

import sqlite3
from contextlib import closing
from pathlib import Path

from cli.conftest import Opora, on_file
from opora.cli.exits import Exit
from servers.full import fill


def test_moves_an_installation_and_says_what_comes_next(opora: Opora, installation: Path, postgres_url: str) -> None:
    opora("db", "upgrade")
    fill(installation / "home" / "opora.db")
    moved = opora("copy", "--to", "-", given=postgres_url + "\n")
    assert moved.code == Exit.OK, moved.err
    assert "users" in moved.out
    assert "equal." in moved.out
    assert "set OPORA_SECRET_KEY to the secret_key in" in moved.out
    again = opora("copy", "--to", postgres_url, "--json")
    assert (again.code, again.out) == (Exit.DATA, "")
    assert "not empty" in again.err
    on_file(installation / "home", "UPDATE contracts SET description = 'another' WHERE id = 1001")
    differs = opora("copy", "--to", postgres_url, "--compare", "--json")
    assert differs.code == Exit.FINDINGS
    assert [one["table"] for one in differs.json["tables"] if not one["equal"]] == ["contracts"]
    assert (differs.json["copied"], differs.json["counters_behind"]) == (False, {})


def test_refuses_what_is_no_other_database(opora: Opora, installation: Path) -> None:
    assert opora("copy", "--to", "mysql://db/opora").code == Exit.USAGE
    assert opora("copy", "--to", f"sqlite:///{installation}/home/opora.db").code == Exit.USAGE
    opora("db", "upgrade")
    nowhere = opora("copy", "--to", f"sqlite:///{installation}/other.db")
    assert (nowhere.code, "opora db upgrade" in nowhere.err) == (Exit.DATA, True)
    with closing(sqlite3.connect(installation / "other.db")) as other:
        other.execute("CREATE TABLE anything (id INTEGER)")
    assert "at nothing" in opora("copy", "--to", f"sqlite:///{installation}/other.db").err
