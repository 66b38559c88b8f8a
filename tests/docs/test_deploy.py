"""What is shipped for running Opora fits the program: settings, commands, files and the order of steps."""

import re
import subprocess
from pathlib import Path

import pytest

from docs.pages import REPOSITORY
from opora.api.v1.gateway import TOLD
from opora.bootstrap.serving import KEEP_ALIVE_S
from opora.bootstrap.settings import Settings
from opora.cli.entry import GROUPS
from servers import nginx
from servers.processes import free_port

DEPLOY = REPOSITORY / "deploy"
HARDENED = (
    "NoNewPrivileges=yes",
    "ProtectSystem=strict",
    "ProtectHome=yes",
    "PrivateTmp=yes",
    "PrivateDevices=yes",
    "PrivateUsers=yes",
    "ProtectKernelTunables=yes",
    "ProtectKernelModules=yes",
    "ProtectProc=invisible",
    "RestrictNamespaces=yes",
    "CapabilityBoundingSet=",
    "SystemCallFilter=@system-service",
    "UMask=0077",
)
"""What keeps a process that was taken over from taking the machine."""
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_runs_a_command_that_exists_as_an_account_of_its_own(unit: Path) -> None:
    text = unit.read_text()
    commands = re.findall(r"^ExecStart(?:Pre)?=(?:\S+ )*\S+/opora (\w+)", text, re.MULTILINE)
    assert len(commands) == len(re.findall(r"^ExecStart", text, re.MULTILINE)) == 2
    assert set(commands) <= set(GROUPS)
    assert "User=opora" in text
    assert set(HARDENED) <= set(text.splitlines())
    stop_s = re.findall(r"^TimeoutStopSec=(\d+)$", text, re.MULTILINE)
    assert [int(one) > Settings().drain_s for one in stop_s] == [True]
    assert {"StartLimitIntervalSec=0", "Restart=always", "OOMPolicy=continue"} <= set(text.splitlines())


def test_each_worker_of_a_machine_has_a_port_of_its_own() -> None:
    (settings,) = re.findall(
        r"^ExecStart=/usr/bin/env (\S+) ", (DEPLOY / "systemd" / "opora-worker@.service").read_text(), re.MULTILINE
    )
    assert settings == "OPORA_WORKER_PORT=910%i", "EnvironmentFile goes before Environment, and this before both"


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


def test_whatever_the_gateway_says_of_a_caller_is_overwritten_wherever_nginx_passes_a_request_on() -> None:
    for name in ("opora-proxy.conf", "opora-guarded.conf"):
        text = (DEPLOY / "nginx" / name).read_text()
        for header in (*TOLD, "X-Gateway-Client", "X-Gateway-Charge"):
            assert re.search(rf"^proxy_set_header {header} ", text, re.MULTILINE), (name, header)
    guarded = (DEPLOY / "nginx" / "opora-guarded.conf").read_text()
    for header in TOLD:
        variable = f"$upstream_http_{header.lower().replace('-', '_')}"
        assert f" {variable};" in guarded, header


def test_nginx_takes_its_files_where_an_operator_lays_them(tmp_path: Path) -> None:
    program = nginx.program()
    if program is None:
        pytest.skip(nginx.ABSENT)
    yours = {
        "listen 80;": f"listen 127.0.0.1:{free_port()};",
        "listen 443 ssl;": f"listen 127.0.0.1:{free_port()} ssl;",
    }
    nginx.configured(tmp_path, yours)
    command = [program, "-t", "-p", tmp_path, "-c", tmp_path / "nginx.conf"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert "include opora/opora.conf;" in (REPOSITORY / "docs" / "gateway.md").read_text()


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("/api/v1/phone-numbers/import", "large"),
        ("/api/phone-numbers/import/", "large"),
        ("/v1/abs/documents/batch", "large"),
        ("/api/v1/phone-numbers/imports", "other"),
        ("/api/v1/dbo/documents", "other"),
        ("/health/ready", "none"),
        ("/health/ready/", "none"),
        ("/HEALTH/db", "none"),
        ("/health/redis", "none"),
        ("/metrics", "none"),
        ("/health/live", "other"),
        ("/health", "other"),
    ],
)
def test_nginx_tells_apart_what_is_large_and_what_stays_inside(path: str, place: str) -> None:
    text = (DEPLOY / "nginx" / "opora.conf").read_text()
    places = re.findall(r"location (~\*?) (\S+) \{\n(.*?)\n    \}", text, re.DOTALL)
    flags = {"~": re.NOFLAG, "~*": re.IGNORECASE}
    inside = next((body for how, what, body in places if re.search(what, path, flags[how])), "")
    assert {"large": "client_max_body_size 0;" in inside, "none": "return 404;" in inside, "other": not inside}[place]


def test_nginx_gives_a_connection_up_before_opora_closes_it() -> None:
    text = (DEPLOY / "nginx" / "opora.conf").read_text()
    (kept_s,) = re.findall(r"^    keepalive_timeout (\d+)s;", text, re.MULTILINE)
    assert int(kept_s) < KEEP_ALIVE_S
