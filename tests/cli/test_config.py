"""`opora config`, and the pages of reference that are printed by commands."""

from pathlib import Path

import pytest

from cli.conftest import Opora
from opora.bootstrap.fields import FIELDS
from opora.bootstrap.settings.about import SECTIONS
from opora.cli.exits import Exit

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"


def test_sound_settings_are_said_to_be(opora: Opora) -> None:
    ended = opora("config", "check")
    assert ended.code == Exit.OK
    assert "embedded" in ended.out
    assert opora("config", "check", "--json").json == {"ok": True, "faults": []}


def test_every_fault_is_listed_with_its_mending(opora: Opora, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPORA_HTTP_PROT", "80")
    monkeypatch.setenv("OPORA_WORKERS", "none")
    ended = opora("config", "check", "--json")
    assert ended.code == Exit.CONFIG
    assert [one["name"] for one in ended.json["faults"]] == ["OPORA_HTTP_PROT", "OPORA_WORKERS"]
    assert "→ Did you mean OPORA_HTTP_PORT?" in opora("config", "check").out


def test_other_commands_do_not_run_on_wrong_settings(opora: Opora, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPORA_HTTP_PROT", "80")
    ended = opora("config", "show")
    assert (ended.code, ended.out) == (Exit.CONFIG, "")
    assert "OPORA_HTTP_PROT" in ended.err


def test_what_is_shown_holds_no_secret(opora: Opora, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPORA_SECRET_KEY", "canary-root-0123456789-abcdefghij-klmnop")
    monkeypatch.setenv("OPORA_DATABASE_URL", "postgresql://opora:canary@db/opora")
    monkeypatch.setenv("OPORA_REDIS_URL", "redis://:canary@cache")
    monkeypatch.setenv("OPORA_SENTRY_DSN", "https://canary@sentry.example.org/1")
    monkeypatch.setenv("OPORA_CORE_BANKING_PASSWORD", "canary")
    monkeypatch.setenv("OPORA_KEY_PEPPERS", "p1:canary-pepper-0123456789")
    shown = opora("config", "show", "--json").json
    assert "canary" not in opora("config", "show").out
    assert "canary" not in str(shown)
    assert shown["OPORA_DATABASE_URL"] == "postgresql://opora:***@db/opora"
    assert shown["OPORA_CORE_BANKING_PASSWORD"] == "***"
    assert shown["OPORA_CURSOR_KEY"] == "***"


def test_looking_at_the_settings_makes_nothing(opora: Opora, installation: Path) -> None:
    for command in ("check", "show", "reference"):
        assert opora("config", command).code == Exit.OK
    assert list(installation.iterdir()) == []


def test_the_page_of_settings_is_what_the_command_prints(opora: Opora) -> None:
    assert (REFERENCE / "settings.md").read_text("utf-8") == opora("config", "reference").out


def test_the_page_of_commands_is_what_the_command_prints(opora: Opora) -> None:
    assert (REFERENCE / "commands.md").read_text("utf-8") == opora("commands").out


@pytest.mark.parametrize("field", FIELDS.values(), ids=lambda field: field.name)
def test_every_setting_says_what_it_is_in_a_sentence(field: object) -> None:
    about = FIELDS[field.name]  # type: ignore[attr-defined]  # pytest's parameters are objects
    text = about.about.description or ""
    assert about.extra["section"] in SECTIONS
    assert text.endswith(".")
    assert len(text) > len("The home.")
