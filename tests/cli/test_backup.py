"""`opora backup` and `opora restore`: what went in comes out whole, and nothing else is ever put in place."""

import gzip
import hashlib
import io
import json
import sqlite3
import tarfile
from contextlib import closing
from pathlib import Path

import pytest

from cli.conftest import Opora, on_file
from cli.test_check import CONTENT, EXPORT, MISSING, WHOLE, put
from opora.cli.exits import Exit


@pytest.fixture
def archive(opora: Opora, installation: Path) -> Path:
    """A backup of an installation with a key and a file."""
    home = installation / "home"
    opora("db", "upgrade")
    assert opora("keys", "create", "--label", "QA", "--scope", "profiles:read", "--json").code == Exit.OK
    on_file(home, EXPORT, str(WHOLE), str(WHOLE), len(CONTENT), hashlib.sha256(CONTENT).hexdigest())
    put(home, WHOLE, CONTENT)
    made = opora("backup", "saved.tar.gz", "--json")
    assert (made.code, made.json["files"], made.json["with_secrets"]) == (Exit.OK, 1, True), made.err
    return installation / "saved.tar.gz"


def elsewhere(installation: Path, monkeypatch: pytest.MonkeyPatch, name: str = "other") -> Path:
    """Name another, empty home."""
    monkeypatch.setenv("OPORA_HOME", str(installation / name))
    return installation / name


def test_an_installation_comes_back_elsewhere(
    opora: Opora, installation: Path, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = opora("keys", "list", "--json").json
    home = elsewhere(installation, monkeypatch)
    restored = opora("restore", str(archive))
    assert restored.code == Exit.OK, restored.err
    assert "1 files. Before it serves:\n  `opora check`" in restored.out
    assert opora("check", "--json").json["ok"]
    assert opora("keys", "list", "--json").json == before
    assert (home / "files" / "exports" / str(WHOLE)[-2:] / str(WHOLE)).read_bytes() == CONTENT
    kept = [archive, home / "secrets.json", home / "opora.db"]
    assert [oct(file.stat().st_mode & 0o777) for file in kept] == ["0o600"] * 3
    assert not [file for file in installation.iterdir() if file.name.startswith(".opora-backup-")]
    again = opora("restore", str(archive))
    assert (again.code, "is there already" in again.err) == (Exit.DATA, True)


def test_without_secrets_the_archive_names_the_root_that_it_needs(
    opora: Opora, installation: Path, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert opora("backup", "bare.tar.gz", "--without-secrets").code == Exit.OK
    with tarfile.open("bare.tar.gz") as tar:
        assert sorted(tar.getnames()) == ["files/exports/" + str(WHOLE), "manifest.json", "opora.db"]
        told = json.load(tar.extractfile("manifest.json"))  # type: ignore[arg-type]
    secret = json.loads((installation / "home" / "secrets.json").read_text())["secret_key"]
    assert secret not in json.dumps(told)
    elsewhere(installation, monkeypatch)
    monkeypatch.setenv("OPORA_SECRET_KEY", "another root secret than the one it was made with, and long")
    other = opora("restore", "bare.tar.gz")
    assert (other.code, "another than the archive's" in other.err) == (Exit.DATA, True)
    monkeypatch.delenv("OPORA_SECRET_KEY")
    assert "OPORA_SECRET_KEY: the archive holds none" in opora("restore", "bare.tar.gz").out


def test_a_key_that_was_given_beside_the_root_is_named_and_asked_for(
    opora: Opora, installation: Path, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPORA_ENCRYPTION_KEY", "a key of one's own that follows from no root, and long")
    assert opora("backup", "keyed.tar.gz").code == Exit.OK
    elsewhere(installation, monkeypatch)
    assert "OPORA_ENCRYPTION_KEY" not in opora("restore", "keyed.tar.gz").out
    elsewhere(installation, monkeypatch, "third")
    monkeypatch.delenv("OPORA_ENCRYPTION_KEY")
    assert "Give OPORA_ENCRYPTION_KEY as where it was made" in opora("restore", "keyed.tar.gz").out


def spoiled(archive: Path, secret: Path) -> dict[str, bytes]:
    """Give archives that are cut short, altered, added to, and none at all."""
    plain = gzip.decompress(archive.read_bytes())
    assert plain.count(CONTENT) == 1
    added = io.BytesIO()
    with tarfile.open(archive) as old, tarfile.open(fileobj=added, mode="w:gz") as new:
        for entry in old:
            new.addfile(entry, old.extractfile(entry))
        new.add(secret, "../escaped")
    return {
        "cut": archive.read_bytes()[: archive.stat().st_size // 2],
        "altered": gzip.compress(plain.replace(CONTENT, CONTENT.replace(b"1", b"2"))),
        "added": added.getvalue(),
        "none": b"nothing of the kind",
    }


def test_an_archive_that_is_not_whole_is_refused_and_nothing_is_restored(
    opora: Opora, installation: Path, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = installation / "bad.tar.gz"
    spoils = spoiled(archive, installation / "home" / "secrets.json")
    home = elsewhere(installation, monkeypatch)
    for fault, content in spoils.items():
        bad.write_bytes(content)
        for further in ((), ("--verify",)):
            ended = opora("restore", str(bad), *further)
            assert (fault, ended.code, bool(ended.err)) == (fault, Exit.DATA, True)
    assert not (home / "opora.db").exists()
    assert not (installation / "escaped").exists()
    assert opora("restore", str(archive), "--verify", "--json").json["whole"]


def test_a_file_that_is_missing_is_told_of_and_the_rest_is_kept(
    opora: Opora, archive: Path, installation: Path
) -> None:
    on_file(installation / "home", EXPORT, str(MISSING), str(MISSING), 5, "0" * 64)
    ended = opora("backup", "second.tar.gz", "--json")
    assert (ended.code, ended.json["files"], ended.json["missing"]) == (Exit.FINDINGS, 1, [f"export {MISSING}"])


def test_an_archive_is_never_overwritten_and_a_later_schema_is_refused(
    opora: Opora, installation: Path, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = archive.read_bytes()
    assert opora("backup", str(archive)).code == Exit.CANNOT_CREATE
    assert archive.read_bytes() == before
    on_file(installation / "home", "UPDATE alembic_version SET version_num = '9999'")
    assert opora("backup", "later.tar.gz").code == Exit.OK
    elsewhere(installation, monkeypatch)
    ended = opora("restore", "later.tar.gz")
    assert (ended.code, "later than this release's" in ended.err) == (Exit.DATA, True)


def test_a_snapshot_ends_and_is_of_one_moment_while_rows_are_written(opora: Opora, installation: Path) -> None:
    opora("db", "upgrade")
    home = installation / "home"
    with closing(sqlite3.connect(home / "opora.db", isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("INSERT INTO revoked_tokens (token_id, expires_at) VALUES ('a', '2030')")
        assert opora("backup", "first.tar.gz").code == Exit.OK, "a writer that holds the lock keeps nobody waiting"
        writer.execute("COMMIT")
    with tarfile.open("first.tar.gz") as tar:
        tar.extract("opora.db", installation, filter="data")
    with closing(sqlite3.connect(installation / "opora.db")) as base:
        assert base.execute("SELECT count(*) FROM revoked_tokens").fetchone()[0] == 0
