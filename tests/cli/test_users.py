"""`opora users` and `opora admin`: people, and the way back in."""

from pathlib import Path

import pytest

from cli.conftest import Opora, on_file
from opora.cli.exits import Exit

PASSWORD = "correct horse battery staple"


@pytest.fixture(autouse=True)
def home(opora: Opora, installation: Path) -> Path:
    """An installation with its schema in place."""
    assert opora("db", "upgrade").code == Exit.OK
    return installation / "home"


def test_a_user_is_made_with_a_password_from_standard_input(opora: Opora, opora_process: Opora, home: Path) -> None:
    arguments = ("users", "create", "--email", "Ann@Example.org", "--role", "operator", "--full-name", "Ann")
    ended = opora_process(*arguments, given=PASSWORD + "\n")
    assert (ended.code, ended.out) == (Exit.OK, "User 1 (ann@example.org) is operator.\n")
    assert PASSWORD not in str(on_file(home, "SELECT * FROM users"))
    listed = opora("users", "list", "--json").json["results"][0]
    assert (listed["email"], listed["roles"], listed["full_name"]) == ("ann@example.org", ["operator"], "Ann")
    assert opora("users", "list", "--role", "admin", "--json").json["count"] == 0


def test_every_fault_of_a_user_is_named(opora: Opora) -> None:
    ended = opora("users", "create", "--email", "nobody", given="short\n")
    assert ended.code == Exit.DATA
    assert "email:" in ended.err
    assert "password:" in ended.err
    assert "short\n" not in ended.err


def test_an_address_is_taken_once(opora: Opora) -> None:
    arguments = ("users", "create", "--email", "ann@example.org", "--no-password")
    assert opora(*arguments, "--json").json["roles"] == ["client"]
    assert opora(*arguments).code == Exit.DATA


def test_users_are_listed_by_page(opora: Opora) -> None:
    for name in ("a", "b", "c"):
        opora("users", "create", "--email", f"{name}@example.org", "--no-password")
    ended = opora("users", "list", "--limit", "2")
    assert "c@example.org" in ended.out
    assert "3 in all" in ended.err


def test_the_first_admin_is_made_where_there_is_none(opora: Opora) -> None:
    ended = opora("admin", "reset", "--email", "root@example.org", "--json", given=PASSWORD + "\n")
    assert ended.code == Exit.OK
    assert (ended.json["email"], ended.json["roles"]) == ("root@example.org", ["admin"])
    again = opora("admin", "reset", "--email", "root@example.org", given=PASSWORD + "!\n")
    assert "can sign in with the new password" in again.out
    assert opora("users", "list", "--json").json["count"] == 1


def test_a_stranger_is_not_made_an_admin_beside_another(opora: Opora) -> None:
    opora("admin", "reset", given=PASSWORD + "\n")
    assert opora("admin", "reset", "--email", "eve@example.org", given=PASSWORD + "\n").code == Exit.NO_INPUT


def test_a_weak_password_changes_nothing(opora: Opora, home: Path) -> None:
    assert opora("admin", "reset", given="short\n").code == Exit.DATA
    assert on_file(home, "SELECT count(*) FROM users") == [(0,)]
