"""`opora keys`: made, listed, withdrawn, replaced and taken over on the machine itself."""

import re
from datetime import UTC, datetime
from pathlib import Path

import bcrypt
import pytest

from cli.conftest import Opora, on_file
from opora.cli.exits import Exit

KEY = re.compile(r"opk_live_[0-9A-Za-z]{49}\n")
OLD_KEY = "sk_live_0123456789abcdef"


@pytest.fixture(autouse=True)
def home(opora: Opora, installation: Path) -> Path:
    """An installation with its schema in place."""
    assert opora("db", "upgrade").code == Exit.OK
    return installation / "home"


def test_the_key_alone_is_on_standard_output(opora: Opora) -> None:
    made = opora("keys", "create", "--label", "QA")
    assert made.code == Exit.OK
    assert KEY.fullmatch(made.out)
    assert "shown this once" in made.err


def test_a_key_is_made_as_it_was_asked_for(opora: Opora) -> None:
    scopes = ("--scope", "profiles:read", "--scope", "exports:read")
    bounds = ("--rate-limit-per-min", "600", "--expires-in", "30d", "--allowed-ip", "192.0.2.0/24")
    made = opora("keys", "create", "--label", "QA", *scopes, "--environment", "test", *bounds, "--json").json
    assert made["key"].startswith("opk_test_")
    assert (made["label"], made["scopes"], made["rate_limit_per_min"]) == ("QA", ["exports:read", "profiles:read"], 600)
    assert made["allowed_ips"] == ["192.0.2.0/24"]
    lasts = datetime.fromisoformat(made["expires_at"]) - datetime.now(UTC)
    assert 29 <= lasts.days <= 30


def test_without_scopes_a_key_works_with_profiles_and_exports(opora: Opora) -> None:
    scopes = opora("keys", "create", "--label", "QA", "--json").json["scopes"]
    assert scopes == ["exports:read", "exports:write", "profiles:delete", "profiles:read", "profiles:write"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--scope", "everything:write"), Exit.USAGE),
        (("--rate-limit-per-min", "0"), Exit.USAGE),
        (("--expires-in", "soon"), Exit.USAGE),
        (("--environment", "prod"), Exit.USAGE),
        (("--allowed-ip", "everywhere"), Exit.DATA),
    ],
)
def test_a_key_that_cannot_be_is_refused(opora: Opora, home: Path, arguments: tuple[str, ...], code: Exit) -> None:
    ended = opora("keys", "create", "--label", "QA", *arguments)
    assert (ended.code, ended.out) == (code, "")
    assert on_file(home, "SELECT count(*) FROM api_keys") == [(0,)]


def test_a_label_is_needed_and_may_not_be_empty(opora: Opora) -> None:
    assert opora("keys", "create").code == Exit.USAGE
    ended = opora("keys", "create", "--label", "")
    assert ended.code == Exit.DATA
    assert "label:" in ended.err


def test_the_list_shows_no_secret(opora: Opora) -> None:
    key = opora("keys", "create", "--label", "QA").out.strip()
    opora("keys", "create", "--label", "CI")
    listed = opora("keys", "list", "--json").json
    assert [one["label"] for one in listed["results"]] == ["CI", "QA"]
    shown = opora("keys", "list").out
    assert "QA" in shown
    assert key[20:] not in shown + str(listed)
    assert opora("keys", "list", "--text", "QA", "--json").json["count"] == 1


def test_a_long_list_says_there_is_more(opora: Opora) -> None:
    for label in ("a", "b", "c"):
        opora("keys", "create", "--label", label)
    ended = opora("keys", "list", "--limit", "2")
    assert "--page 2" in ended.err
    assert len(opora("keys", "list", "--limit", "2", "--page", "2", "--json").json["results"]) == 1


def test_a_revoked_key_says_so_and_stays_revoked(opora: Opora) -> None:
    made = opora("keys", "create", "--label", "QA", "--json").json
    assert opora("keys", "revoke", str(made["id"])).out == f"Key {made['id']} (QA) is revoked.\n"
    assert opora("keys", "revoke", str(made["id"])).code == Exit.OK
    assert opora("keys", "list", "--state", "revoked", "--json").json["count"] == 1
    assert opora("keys", "list", "--state", "active", "--json").json["count"] == 0


def test_a_rotated_key_gets_a_successor_with_its_settings(opora: Opora) -> None:
    made = opora("keys", "create", "--label", "QA", "--rate-limit-per-min", "7", "--json").json
    after = opora("keys", "rotate", str(made["id"]), "--overlap", "24h", "--json").json
    assert (after["rotated_from"], after["rate_limit_per_min"]) == (made["id"], 7)
    assert after["key"] != made["key"]
    assert opora("keys", "rotate", str(made["id"])).code == Exit.DATA


@pytest.mark.parametrize("command", ["revoke", "rotate"])
def test_a_key_that_is_not_there_is_said_not_to_be(opora: Opora, command: str) -> None:
    assert opora("keys", command, "99").code == Exit.NO_INPUT
    assert opora("keys", command, "opk_live_1").code == Exit.USAGE


@pytest.fixture(scope="module")
def hashed() -> str:
    """The bcrypt hash of a key of another system."""
    return bcrypt.hashpw(OLD_KEY.encode(), bcrypt.gensalt(4)).decode()


def test_keys_of_another_system_are_taken_over(opora: Opora, home: Path, tmp_path: Path, hashed: str) -> None:
    rows = ["label,key_hash,lookup_prefix,rate_limit_per_min,expires_at", f"old,{hashed},{OLD_KEY[:12]},250,2030-01-01"]
    (tmp_path / "keys.csv").write_text("\n".join(rows), "utf-8")
    assert opora("keys", "import", str(tmp_path / "keys.csv"), "--json").json == {
        "imported": 1, "key_ids": [1], "refused": [],
    }  # fmt: skip
    kept = opora("keys", "list", "--json").json["results"][0]
    assert (kept["label"], kept["rate_limit_per_min"], kept["expires_at"]) == ("old", 250, "2030-01-01T00:00:00Z")
    assert OLD_KEY not in str(on_file(home, "SELECT * FROM api_keys"))


def test_json_lines_are_read_too(opora: Opora, hashed: str) -> None:
    line = (
        f'{{"label": "old", "key_hash": "{hashed}", "lookup_prefix": "{OLD_KEY[:12]}", "scopes": ["profiles:read"]}}\n'
    )
    ended = opora("keys", "import", "-", given=line)
    assert (ended.code, ended.out) == (Exit.OK, "1 imported, 0 refused\n")
    assert opora("keys", "list", "--json").json["results"][0]["scopes"] == ["profiles:read"]


def test_a_row_at_fault_fails_alone(opora: Opora, tmp_path: Path, hashed: str) -> None:
    rows = [
        "label,key_hash,lookup_prefix,rate_limit_per_min",
        f"good,{hashed},{OLD_KEY[:12]},",
        f"short,{hashed[:20]},{OLD_KEY[:12]},",
        f"limit,{hashed},{OLD_KEY[:12]},many",
        f"again,{hashed},{OLD_KEY[:12]},",
    ]
    (tmp_path / "keys.csv").write_text("\n".join(rows), "utf-8")
    ended = opora("keys", "import", str(tmp_path / "keys.csv"), "--json")
    assert ended.code == Exit.DATA
    assert ended.json["imported"] == 1
    assert [one["line"] for one in ended.json["refused"]] == [3, 4, 5]
    assert "refused" in opora("keys", "import", str(tmp_path / "keys.csv")).out


@pytest.mark.parametrize("content", ["", "name,hash\n", "{not json\n"])
def test_a_file_that_cannot_be_read_is_refused_whole(opora: Opora, tmp_path: Path, content: str) -> None:
    (tmp_path / "keys.csv").write_text(content, "utf-8")
    assert opora("keys", "import", str(tmp_path / "keys.csv")).code == Exit.DATA
    assert opora("keys", "import", str(tmp_path / "none.csv")).code == Exit.NO_INPUT
