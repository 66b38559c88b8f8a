"""A file that children of the tests look into."""

from pathlib import Path

import pytest


@pytest.fixture
def file(tmp_path: Path) -> str:
    (tmp_path / "file").write_bytes(b"12345")
    return str(tmp_path / "file")
