"""What the tests of settings share: a folder with no opora.toml in it."""

from pathlib import Path

import pytest


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """The variables of an installation that keeps everything under a folder of its own."""
    return {"OPORA_HOME": str(tmp_path / "home")}
