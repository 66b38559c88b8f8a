"""A bank's own adapter: built from its sources, installed beside Opora, chosen by its name, held to the contract."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from architecture.trees import REPOSITORY
from docs.pages import Page

SAMPLE = REPOSITORY / "tests" / "plugin_sample"
BUILD = "import sys; from hatchling.build import build_wheel; print(build_wheel(sys.argv[1]))"
CHOOSE = """
from opora.bootstrap.banking import bank_of
from opora.bootstrap.settings import Settings
bank = bank_of(Settings(core_banking="acme", core_banking_config={"folder": "acme"}))
print(type(bank).__module__, type(bank).__name__)
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of packages with the sample in it, from a wheel that was built without a network."""
    folder = tmp_path_factory.mktemp("plugin")
    built = run(SAMPLE, "-c", BUILD, str(folder))
    assert built.returncode == 0, built.stderr
    packages = folder / "packages"
    with zipfile.ZipFile(folder / built.stdout.split()[-1]) as wheel:
        wheel.extractall(packages)
    return packages


def run(folder: Path, *words: str, packages: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run Python in a folder, with other packages beside Opora's."""
    paths = [str(REPOSITORY / "src"), *([str(packages)] if packages else [])]
    environment = {
        **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
        "PYTHONPATH": os.pathsep.join(paths),
    }
    return subprocess.run(
        [sys.executable, *words], cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


def test_it_is_chosen_by_the_name_of_its_entry_point(installed: Path, tmp_path: Path) -> None:
    chosen = run(tmp_path, "-c", CHOOSE, packages=installed)
    assert (chosen.returncode, chosen.stdout.split()) == (0, ["opora_acme", "AcmeCoreBanking"]), chosen.stderr


def test_without_it_the_start_is_refused_with_what_is_installed(tmp_path: Path) -> None:
    refused = run(tmp_path, "-c", CHOOSE)
    assert "no adapter of this name" in refused.stderr
    for name in ("http (opora)", "local (opora)", "sftp (opora)"):
        assert name in refused.stderr


def suites() -> dict[str, str]:
    """Give the suite that lies with the sample, and the one that the page on adapters shows."""
    blocks = Page(REPOSITORY / "docs" / "howto" / "write-an-adapter.md").blocks()
    (shown,) = [block.text for block in blocks if block.language == "python"]
    return {"sample": (SAMPLE / "acme_suite.py").read_text("utf-8"), "page": shown}


@pytest.mark.parametrize("of", suites())
def test_it_keeps_the_contract_in_a_run_of_its_own(installed: Path, tmp_path: Path, of: str) -> None:
    suite = tmp_path / "acme_suite.py"
    suite.write_text(suites()[of], "utf-8")
    told = run(tmp_path, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(suite), packages=installed)
    assert told.returncode == 0, told.stdout
    assert "13 passed" in told.stdout, told.stdout
