"""The files that the seeds begin with."""

import shutil
from pathlib import Path

import pytest

from opora.bootstrap.simulation.composition import composition
from opora.bootstrap.simulation.founding import found
from opora.bootstrap.simulation.runs import prepare


@pytest.fixture(scope="module")
def template(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = Path(shutil.copy(migrated_sqlite, tmp_path_factory.mktemp("simulation") / "template.db"))
    prepare(file)
    return file


@pytest.fixture(scope="module")
def town(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = Path(shutil.copy(migrated_sqlite, tmp_path_factory.mktemp("simulation") / "town.db"))
    found(file, composition())
    prepare(file)
    return file
