"""What a command does not load: the libraries of the server, the worker and the migrations stay out of it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cli.conftest import SOURCES, Opora
from opora.bootstrap.lean import ORM_FOR_LITESTAR

ENTRY = "import sys; from opora.cli.entry import main; main(sys.argv[1:]); print(*sys.modules, sep='\\n')"
SERVER = {"litestar", "advanced_alchemy", "sqlalchemy", "alembic", "taskiq", "aiohttp", "pypdf", "typst"}


def loaded(code: str, *arguments: str) -> set[str]:
    """Run code in a process of its own and return the modules it names on its output."""
    env = {**os.environ, "PYTHONPATH": str(SOURCES)}
    command = [sys.executable, "-c", code, *arguments]
    return set(subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout.splitlines())


@pytest.mark.parametrize("arguments", [("--version",), ("keys", "list"), ("keys", "create", "--label", "QA")])
def test_a_command_loads_nothing_of_the_server(opora: Opora, arguments: tuple[str, ...]) -> None:
    opora("db", "upgrade")
    assert loaded(ENTRY, *arguments) & SERVER == set()


def test_a_server_loads_its_framework_without_the_orm() -> None:
    code = "import sys; from opora.bootstrap.serving import web; web(); print(*sys.modules, sep='\\n')"
    assert loaded(code) & SERVER == {"litestar"}


@pytest.mark.parametrize("command", ["openapi", "limits"])
def test_what_prints_the_contract_does_without_the_orm_too(command: str) -> None:
    assert loaded(ENTRY, command, "--json") & SERVER == {"litestar"}


@pytest.mark.parametrize("command", ["serve", "worker"])
def test_a_process_that_stays_draws_nothing(command: str, tmp_path: Path) -> None:
    config = {"folder": str(tmp_path), "secret": "c2VjcmV0", "page_url": "http://127.0.0.1/"}
    code = (
        f"import sys; from opora.cli.entry import commands_of; commands_of('opora.cli.{command}')\n"
        "from opora.bootstrap.plugins import pick; from opora.core.billing.ports.providers import PaymentProvider\n"
        "from opora.bootstrap.serving import web; web()\n"
        f"pick(PaymentProvider, 'payments', 'sandbox', {config}); print(*sys.modules, sep='\\n')"
    )
    found = loaded(code)
    assert {"structlog", "httpx", "litestar"} <= found
    assert found & {"rich", "litestar.plugins.pydantic"} == set()


def test_what_was_kept_out_can_be_imported_afterwards() -> None:
    code = (
        "import sys; from opora.bootstrap.serving import web; web(); "
        f"import {ORM_FOR_LITESTAR}; print(*sys.modules, sep='\\n')"
    )
    assert ORM_FOR_LITESTAR in loaded(code)
