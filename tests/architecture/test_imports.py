"""Who may import whom: the contracts of pyproject.toml hold, and every one of them is able to break."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from architecture.trees import REPOSITORY, planted

LINTER = Path(sys.executable).with_name("lint-imports")
CLEAN = {
    "cli.py": "from opora import bootstrap",
    "__main__.py": "from opora import cli",
    "bootstrap/container.py": "from opora.adapters.sql import profiles\nfrom opora.api import app",
    "api/app.py": "from opora.core.profiles import usecases",
    "worker/tasks.py": "from opora.core.jobs import usecases",
    "testing/suites.py": "from opora.core.profiles import ports",
    "adapters/sql/profiles.py": "from opora.core.profiles import ports",
    "adapters/redis/gate.py": "from opora.core.access import ports",
    "core/kernel/model.py": "",
    "core/jobs/usecases.py": "from opora.core.kernel import model",
    "core/access/ports.py": "from opora.core.jobs import usecases",
    "core/profiles/usecases.py": "from opora.core.profiles import ports, rules\nfrom opora.core.access import model",
    "core/access/model.py": "",
    "core/profiles/ports.py": "from opora.core.profiles import model",
    "core/profiles/rules.py": "from opora.core.profiles import model",
    "core/profiles/model.py": "from opora.core.kernel import model",
    "core/audit/usecases.py": "from opora.core.profiles import model",
}
PLANTS = {
    "a rule that calls a use case": ("core/profiles/rules.py", "from opora.core.profiles import usecases"),
    "a model that knows a port": ("core/profiles/model.py", "from opora.core.profiles import ports"),
    "the core knows an adapter": ("core/profiles/usecases.py", "from opora.adapters.sql import profiles"),
    "the core knows a framework": ("core/profiles/ports.py", "import msgspec"),
    "the core knows a driver": ("core/access/ports.py", "import asyncpg"),
    "a context knows one above it": ("core/access/ports.py", "from opora.core.profiles import model"),
    "jobs know access": ("core/jobs/usecases.py", "from opora.core.access import ports"),
    "the kernel knows a context": ("core/kernel/model.py", "from opora.core.jobs import usecases"),
    "the edge knows an adapter": ("api/app.py", "from opora.adapters.sql import profiles"),
    "the worker knows the edge": ("worker/tasks.py", "from opora.api import app"),
    "the suites know an adapter": ("testing/suites.py", "from opora.adapters.redis import gate"),
    "an adapter knows the wiring": ("adapters/sql/profiles.py", "from opora.bootstrap import container"),
    "an adapter knows another": ("adapters/redis/gate.py", "from opora.adapters.sql import profiles"),
    "the wiring knows the command line": ("bootstrap/container.py", "from opora import cli"),
}
STRAYS = {
    "a new top-level package": "helpers/__init__.py",
    "a new context without a place": "core/loyalty/model.py",
    "a seventh file in a context": "core/profiles/services.py",
}


def contracts() -> str:
    """Give the contracts of pyproject.toml as a configuration of their own."""
    text = (REPOSITORY / "pyproject.toml").read_text()
    return text[text.index("[tool.importlinter]") :]


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    """Check a tree that holds a package named opora."""
    configuration = folder / "contracts.toml"
    configuration.write_text(contracts())
    return subprocess.run(
        [LINTER, "--config", configuration, "--no-cache"],
        cwd=folder,
        env={"PYTHONPATH": str(folder), "COLUMNS": "200", "PYTHONSAFEPATH": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def with_plants(*plants: tuple[str, str]) -> dict[str, str]:
    """Add lines to the clean tree."""
    files = {"opora/" + name: text for name, text in CLEAN.items()}
    for name, line in plants:
        files["opora/" + name] = files.get("opora/" + name, "") + "\n" + line
    return files


def importer(name: str) -> str:
    """Name the module that a file is."""
    return "opora." + name.removesuffix(".py").replace("/", ".")


def imported(line: str) -> str:
    """Name the module that an import statement asks for."""
    words = line.split()
    if words[0] == "import":
        return words[1]
    return f"{words[1]}.{words[3]}"


def test_the_program_keeps_its_import_contracts() -> None:
    answer = lint_program()
    assert answer.returncode == 0, answer.stdout + answer.stderr


def lint_program() -> subprocess.CompletedProcess[str]:
    """Check the program as `make check` does."""
    return subprocess.run(
        [LINTER, "--config", REPOSITORY / "pyproject.toml", "--no-cache"],
        cwd=REPOSITORY,
        env={"PYTHONPATH": str(REPOSITORY / "src"), "PYTHONSAFEPATH": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_last_section_of_the_settings_is_the_contracts() -> None:
    assert set(tomllib.loads(contracts())) == {"tool"}
    assert set(tomllib.loads(contracts())["tool"]) == {"importlinter"}


def test_a_tree_that_keeps_the_rules_passes(tmp_path: Path) -> None:
    planted(tmp_path, with_plants())
    answer = lint(tmp_path)
    assert answer.returncode == 0, answer.stdout + answer.stderr


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the linter says of one tree that holds every plant."""
    folder = tmp_path_factory.mktemp("plants")
    planted(folder, with_plants(*PLANTS.values()))
    answer = lint(folder)
    assert answer.returncode == 1, answer.stdout + answer.stderr
    return answer.stdout


@pytest.mark.parametrize("plant", PLANTS)
def test_an_import_against_the_rules_is_named(plant: str, broken: str) -> None:
    file, line = PLANTS[plant]
    assert f"{importer(file)} -> {imported(line)}" in broken


@pytest.mark.parametrize("stray", STRAYS)
def test_a_module_without_a_place_on_the_map_is_refused(stray: str, tmp_path: Path) -> None:
    files = with_plants() | {"opora/" + STRAYS[stray]: ""}
    answer = lint(planted(tmp_path, files))
    assert answer.returncode == 1
    assert STRAYS[stray].split("/")[-1 if "core/profiles" in STRAYS[stray] else -2].removesuffix(".py") in answer.stdout
