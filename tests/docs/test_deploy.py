"""What is shipped for running Opora fits the program: settings, commands, files and the order of steps."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from docs.pages import REPOSITORY
from opora.bootstrap.settings import Settings
from opora.cli.entry import GROUPS

DEPLOY = REPOSITORY / "deploy"
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
KNOWN = {f"OPORA_{name.upper()}" for name in Settings.__struct_fields__}


def test_compose_runs_the_app_a_worker_postgresql_and_redis() -> None:
    assert {"app", "worker", "postgres", "redis", "migrate"} <= set(COMPOSE["services"])


def test_nothing_starts_before_the_schema_is_there() -> None:
    for name in ("app", "worker"):
        waits = COMPOSE["services"][name]["depends_on"]
        assert waits["migrate"] == {"condition": "service_completed_successfully"}


def test_containers_are_told_commands_that_exist() -> None:
    for service in COMPOSE["services"].values():
        if service.get("image") == "opora":
            assert service["command"][0] in GROUPS


@pytest.mark.parametrize("file", ["compose.yaml", ".env.example", "Dockerfile"])
def test_every_setting_that_is_named_exists(file: str) -> None:
    named = set(re.findall(r"\bOPORA_[A-Z_]+\b", (DEPLOY / file).read_text()))
    assert named
    assert named <= KNOWN


def test_the_image_is_built_from_the_lock_and_from_files_that_exist() -> None:
    text = (DEPLOY / "Dockerfile").read_text()
    assert "--require-hashes -r requirements/runtime.lock" in text
    assert re.search(r"^USER opora$", text, re.MULTILINE)
    copied = [words for line in re.findall(r"^COPY (?!--from)(.+)$", text, re.MULTILINE) for words in line.split()[:-1]]
    for name in copied:
        assert (REPOSITORY / name).exists(), name
        assert f"!{name.split('/')[0]}" in (REPOSITORY / ".dockerignore").read_text().splitlines()


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_runs_a_command_that_exists_as_an_account_of_its_own(unit: Path) -> None:
    text = unit.read_text()
    commands = re.findall(r"^ExecStart(?:Pre)?=\S+/opora (\w+)", text, re.MULTILINE)
    assert commands
    assert set(commands) <= set(GROUPS)
    assert "User=opora" in text
    assert "NoNewPrivileges=yes" in text


def test_the_run_of_a_change_migrates_before_it_tests() -> None:
    script = REPOSITORY / ".ci" / "run"
    subprocess.run(["bash", "-n", script], check=True)
    steps = re.findall(r"^(?:step \"([^\"]+)\"|make (\w+))$", script.read_text(), re.MULTILINE)
    order = [step or target for step, target in steps]
    assert order.index("Migrating an empty SQLite up, down and up") < order.index("check") < order.index("test")
    assert order.index("Migrating an empty PostgreSQL up, down and up") < order.index("check")


def test_set_up_needs_no_shell_but_sh() -> None:
    script = REPOSITORY / ".ci" / "setup"
    assert script.read_text().startswith("#!/bin/sh\n")
    subprocess.run(["sh", "-n", script], check=True)
