"""What the tests of commands share: an installation in a folder of its own, and commands as an operator runs them."""

import io
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from opora.cli.entry import main

SOURCES = Path(__file__).parents[2] / "src"


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Its output as JSON."""
        return json.loads(self.out)


type Opora = Callable[..., Ended]


def on_file(home: Path, statement: str, *values: object) -> list[tuple[Any, ...]]:
    """Run a statement on an installation's own file, past the program."""
    with closing(sqlite3.connect(home / "opora.db", isolation_level=None)) as database:
        return database.execute(statement, values).fetchall()


@pytest.fixture(autouse=True)
def installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder and no settings but the home folder in it."""
    for name in [name for name in os.environ if name.startswith("OPORA_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("OPORA_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def opora(capsys: pytest.CaptureFixture[str]) -> Opora:
    """Run a command in this process, with `given` as its standard input."""

    def run(*arguments: str, given: str = "") -> Ended:
        capsys.readouterr()
        usual, sys.stdin = sys.stdin, io.StringIO(given)
        try:
            code = main(arguments)
        finally:
            sys.stdin = usual
        caught = capsys.readouterr()
        return Ended(code, caught.out, caught.err)

    return run


@pytest.fixture
def opora_process() -> Opora:
    """Run a command as a process of its own."""

    def run(*arguments: str, given: str | None = None) -> Ended:
        env = {**os.environ, "PYTHONPATH": str(SOURCES)}
        command = [sys.executable, "-m", "opora", *arguments]
        done = subprocess.run(command, env=env, input=given, capture_output=True, text=True, timeout=60, check=False)
        return Ended(done.returncode, done.stdout, done.stderr)

    return run
