"""`opora numbers registry` and `opora numbers partition`: what an operator does with numbers by hand."""

from pathlib import Path

import pytest

from cli.conftest import Opora, on_file
from opora.cli.exits import Exit

HEAD = "АВС/ DEF;От;До;Емкость;Оператор;Регион;Территория ГАР;ИНН\n"
ROW = "916;0000000;0999999;1000000;ПАО МТС;г. Москва и Московская область;Москва;7740000076\n"


@pytest.fixture(autouse=True)
def home(opora: Opora, installation: Path) -> Path:
    """An installation with its schema in place."""
    assert opora("db", "upgrade").code == Exit.OK
    return installation / "home"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp1251"])
def test_files_of_ranges_are_loaded_in_place_of_those_there_were(
    opora: Opora, home: Path, tmp_path: Path, encoding: str
) -> None:
    first, second = tmp_path / "DEF-9xx.csv", tmp_path / "ABC-4xx.csv"
    first.write_text(HEAD + ROW, encoding=encoding)
    second.write_text(HEAD + ROW.replace("916", "495"), encoding=encoding)
    assert "No registry" in opora("numbers", "registry", "show").out
    told = opora("numbers", "registry", "load", str(first), str(second), "--json").json
    assert told == {"version": 1, "ranges": 2, "with_zone": 2}
    assert "1 ranges loaded as version 2" in opora("numbers", "registry", "load", str(first)).out
    assert opora("numbers", "registry", "show", "--json").json == {"version": 2, "ranges": 1}
    kept = on_file(home, 'SELECT "first", operator, zones FROM numbering_ranges')
    assert kept == [(79160000000, "ПАО МТС", '["Europe/Moscow"]')]


def test_what_is_no_table_of_ranges_changes_nothing(opora: Opora, home: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.csv"
    for content in (b"\xff\xfe\x98\x00", b"916;1\n", b"", (HEAD + ROW + ROW.replace("0000000", "0000001")).encode()):
        bad.write_bytes(content)
        assert opora("numbers", "registry", "load", str(bad)).code == Exit.DATA
    assert opora("numbers", "registry", "load", str(tmp_path / "none.csv")).code == Exit.NO_INPUT
    assert opora("numbers", "registry", "load").code == Exit.USAGE
    assert on_file(home, "SELECT count(*) FROM numbering_ranges") == [(0,)]


def test_sqlite_is_not_parted(opora: Opora) -> None:
    assert opora("numbers", "partition", "--yes").code == Exit.USAGE


def test_postgresql_is_parted_by_the_setting_or_the_call(
    opora: Opora, monkeypatch: pytest.MonkeyPatch, postgres_url: str
) -> None:
    monkeypatch.setenv("OPORA_DATABASE_URL", postgres_url)
    monkeypatch.setenv("OPORA_SECRET_KEY", "a secret of at least thirty-two bytes")
    monkeypatch.setenv("OPORA_NUMBER_PARTITIONS", "4")
    assert opora("numbers", "partition").code == Exit.USAGE
    assert opora("numbers", "partition", "--yes", "--json").json == {"parts": 4, "rebuilt": True}
    assert "in 4 parts already" in opora("numbers", "partition", "--yes").out
    assert "whole" in opora("numbers", "partition", "--parts", "0", "--yes").out
    assert opora("db", "check").code == Exit.OK
