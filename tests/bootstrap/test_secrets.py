"""Secrets: made once, kept for one pair of eyes, derived so that none tells of another."""

import json
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from opora.bootstrap.faults import SettingsInvalid
from opora.bootstrap.secrets import FILE_NAME, fingerprint, hkdf
from opora.bootstrap.settings import Settings
from opora.bootstrap.sources import load, read

ROOT = "a root secret of forty characters or more"
DERIVED = (
    "key_peppers",
    "cursor_key",
    "audit_key",
    "encryption_key",
    "softphone_secret",
    "payments_secret",
)


def kept(env: dict[str, str]) -> Path:
    """Return where the secrets of an installation are kept."""
    return Path(env["OPORA_HOME"]) / FILE_NAME


def test_the_first_start_makes_a_root_that_later_ones_find(tmp_path: Path, env: dict[str, str]) -> None:
    first = load(env, tmp_path)
    assert len(first.secret_key) >= 64
    assert load(env, tmp_path) == first
    assert read(env, tmp_path) == first


def test_what_is_kept_is_for_its_owner_alone(tmp_path: Path, env: dict[str, str]) -> None:
    load(env, tmp_path)
    assert stat.S_IMODE(kept(env).stat().st_mode) == 0o600
    assert [one.name for one in kept(env).parent.iterdir()] == [FILE_NAME]


def test_of_many_first_starts_at_once_all_have_the_same_root(tmp_path: Path, env: dict[str, str]) -> None:
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda _: load(env, tmp_path).secret_key, range(64)))
    assert len(set(found)) == 1


def test_a_given_root_is_not_kept(tmp_path: Path, env: dict[str, str]) -> None:
    assert load({**env, "OPORA_SECRET_KEY": ROOT}, tmp_path).secret_key == ROOT
    assert not kept(env).exists()


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"secret_key": 5}'])
def test_a_kept_file_that_was_spoilt_stops_the_start(tmp_path: Path, env: dict[str, str], content: str) -> None:
    kept(env).parent.mkdir()
    kept(env).write_text(content)
    with pytest.raises(SettingsInvalid) as invalid:
        load(env, tmp_path)
    assert "backup" in invalid.value.faults[0].mend
    assert kept(env).read_text() == content


def test_the_server_set_up_takes_a_kept_root_but_makes_none(tmp_path: Path, env: dict[str, str]) -> None:
    root = load(env, tmp_path).secret_key
    server = {**env, "OPORA_DATABASE_URL": "postgresql://db/opora"}
    assert load(server, tmp_path).secret_key == root
    kept(env).unlink()
    with pytest.raises(SettingsInvalid):
        load(server, tmp_path)
    assert not kept(env).exists()


def test_every_derived_secret_is_its_own_and_the_same_each_time(tmp_path: Path, env: dict[str, str]) -> None:
    settings = read({**env, "OPORA_SECRET_KEY": ROOT}, tmp_path)
    values = [str(getattr(settings, name)) for name in DERIVED]
    assert len(set(values)) == len(DERIVED)
    assert all(ROOT not in value for value in values)
    assert settings == read({**env, "OPORA_SECRET_KEY": ROOT}, tmp_path)
    other = read({**env, "OPORA_SECRET_KEY": ROOT + "!"}, tmp_path)
    assert all(getattr(settings, name) != getattr(other, name) for name in DERIVED)


def test_a_secret_given_singly_stays(tmp_path: Path, env: dict[str, str]) -> None:
    env |= {"OPORA_SECRET_KEY": ROOT, "OPORA_CURSOR_KEY": ROOT[::-1], "OPORA_KEY_PEPPERS": "old:0123456789abcdef"}
    settings = read(env, tmp_path)
    assert settings.cursor_key == ROOT[::-1]
    assert settings.key_peppers == ("old:0123456789abcdef",)


def test_derived_secrets_are_fit_for_their_forms(tmp_path: Path, env: dict[str, str]) -> None:
    settings = read({**env, "OPORA_SECRET_KEY": ROOT}, tmp_path)
    given = {f"OPORA_{name.upper()}": getattr(settings, name) for name in DERIVED}
    given["OPORA_KEY_PEPPERS"] = settings.key_peppers[0]
    assert read({**env, **given, "OPORA_SECRET_KEY": ROOT}, tmp_path) == settings


def test_hkdf_gives_as_many_bytes_as_wanted_and_the_shorter_begins_the_longer() -> None:
    assert len(hkdf(ROOT, "purpose", 100)) == 100
    assert hkdf(ROOT, "purpose", 100)[:32] == hkdf(ROOT, "purpose")


def test_a_fingerprint_tells_roots_apart_and_nothing_more() -> None:
    one, other = fingerprint(Settings(secret_key=ROOT)), fingerprint(Settings(secret_key=ROOT + "!"))
    assert one != other
    assert len(one) == 16


def test_the_kept_file_is_json_that_a_backup_can_hold(tmp_path: Path, env: dict[str, str]) -> None:
    settings = load(env, tmp_path)
    assert json.loads(kept(env).read_text()) == {"secret_key": settings.secret_key}
