"""Numbers in and out of files from the command line."""

from pathlib import Path

import pytest

from cli.conftest import Opora, on_file
from opora.cli.exits import Exit

AT = "2026-01-01T00:00:00.000000Z"
FIELDS = (
    "id, name, description, status, timezone, zone_mode, holidays, attempts_max, created_by, created_at, updated_at"
)


@pytest.fixture
def home(opora: Opora, installation: Path) -> Path:
    """An installation with project 1."""
    assert opora("db", "upgrade").code == 0
    home = installation / "home"
    values = (1, "One", "", "active", "UTC", "number", "[]", 5, "x", AT, AT)
    on_file(home, f"INSERT INTO projects ({FIELDS}, version, search) VALUES ({', '.join('?' * 11)}, 1, '')", *values)
    return home


def test_a_file_is_imported_and_exported_again(opora: Opora, home: Path, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("имя;Телефон раб.\nа;79160000001\nб;none\nв;8 916 0000002\n")
    done = opora("numbers", "import", "a.csv", "--project", "1", "--map", "phone_number=телефон раб.",
                 "--errors", "refused.csv", "--json")  # fmt: skip
    assert (done.code, done.json["created"], done.json["invalid"]) == (0, 2, 1)
    assert (tmp_path / "refused.csv").read_text().splitlines()[1].startswith("3,phone_number,not_a_phone,none")
    sent = opora("numbers", "export", "out.csv", "--project", "1", "--phone", "7916", "--status", "new")
    assert (sent.code, sent.out.strip()) == (0, "2 numbers written.")
    assert len((tmp_path / "out.csv").read_text().splitlines()) == 3
    again = opora("numbers", "import", "out.csv", "--project", "1", "--map", "phone_number=1")
    assert again.out.split() == ["ROWS", "CREATED", "DUPLICATES", "SUPPRESSED", "INVALID", "2", "0", "2", "0", "0"]
    assert opora("numbers", "export", "out.csv", "--project", "1").code == Exit.CANNOT_CREATE
    assert opora("numbers", "export", "out.csv", "--project", "1", "--format", "xlsx", "--force").code == 0


def test_what_cannot_be_imported_says_why(opora: Opora, home: Path, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a;b\n1;2\n")
    (tmp_path / "open.csv").write_text('phone;b\n79160000001;"2\n')
    refused = opora("numbers", "import", "a.csv", "--project", "1")
    assert (refused.code, "no heading says" in refused.err) == (Exit.DATA, True)
    assert opora("numbers", "import", "none.csv", "--project", "1").code == Exit.NO_INPUT
    assert opora("numbers", "import", "a.csv", "--project", "9", "--map", "phone_number=1").code == Exit.NO_INPUT
    assert opora("numbers", "import", "a.csv", "--project", "1", "--map", "price=1").code == Exit.USAGE
    failed = opora("numbers", "import", "open.csv", "--project", "1")
    assert (failed.code, "never closed" in failed.err) == (Exit.DATA, True)
