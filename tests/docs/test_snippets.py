"""Examples that are parts of something larger fit it: commands parse, code runs beside the code that it is about."""

import ast
import asyncio
import re
import shlex
import textwrap
from collections.abc import Iterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from unittest.mock import create_autospec

import pytest

from docs.pages import Page, pages
from opora.api import values
from opora.api.v1 import profiles as routes
from opora.cli.entry import GROUPS, build, commands_of
from opora.cli.exits import CommandFailed
from opora.core.billing.usecases.quotas import Quotas
from opora.core.profiles import errors
from opora.core.profiles.rules import keeping
from opora.core.profiles.usecases import profiles as usecases

PAGES = {page.name: page for page in pages()}
SHELL, PYTHON = frozenset({"sh", "bash"}), frozenset({"python"})
COMMAND = re.compile(r"(?:^|[ (/])opora ([a-z][^\n|<>&;)]*)", re.MULTILINE)
RUN = {
    "README.md": "test_examples",
    "README.ru.md": "test_examples",
    "docs/api-keys.md": "test_examples",
    "docs/appointments.md": "test_examples",
    "docs/bank-documents.md": "test_examples",
    "docs/core-banking.md": "test_examples",
    "docs/generation.md": "test_examples",
    "docs/operations.md": "test_examples",
    "docs/ru/start.md": "test_examples",
    "docs/start.md": "test_examples",
    "docs/events.md": "e2e/test_bus_story",
    "docs/gateway.md": "here",
    "docs/howto/add-a-use-case.md": "here",
    "docs/howto/write-an-adapter.md": "bootstrap/test_plugin_sample",
    "docs/notifications.md": "test_webhook_example",
    "deploy/sdk/python/README.md": "sdk/test_python_client",
    "deploy/sdk/typescript/README.md": "sdk/test_typescript_client, but for the line that installs it",
    "docs/plans.md": "here",
    "docs/reference/commands.md": "here, as far as commands parse: they delete, print secrets and serve",
    "deploy/README.md": "here, as far as commands parse: the rest asks for docker, a cluster, systemd and certbot",
}
"""What runs the examples of each page that has some."""


def code(name: str) -> list[str]:
    """Give the Python of a page, block by block."""
    return [textwrap.dedent(block.text) for block in PAGES[name].blocks() if block.language in PYTHON]


def commands(page: Page) -> Iterator[list[str]]:
    """Give the words of every command of Opora in the shell examples of a page."""
    for block in page.blocks():
        if block.language in SHELL:
            text = re.sub(r"(?:^| )#.*", "", block.text.replace("\\\n", " "), flags=re.MULTILINE)
            for found in COMMAND.findall(re.sub(r"\$\w+", "1", text)):
                yield shlex.split(found)


def test_every_page_with_examples_says_what_runs_them() -> None:
    shown = {page.name for page in PAGES.values() if {block.language for block in page.blocks()} & (SHELL | PYTHON)}
    assert shown <= RUN.keys()


@pytest.mark.parametrize("name", [name for name, page in PAGES.items() if list(commands(page))])
def test_every_command_of_an_example_is_one_that_the_program_takes(name: str) -> None:
    for first, *rest in commands(PAGES[name]):
        module, about = GROUPS[first]
        build(first, about, commands_of(module)).parse_args(rest)


def test_a_command_with_an_option_that_is_not_there_is_refused() -> None:
    module, about = GROUPS["keys"]
    with pytest.raises(CommandFailed, match="--colour"):
        build("keys", about, commands_of(module)).parse_args(["create", "--label", "QA", "--colour", "red"])


def test_commands_are_found_wherever_they_stand_in_an_example() -> None:
    block = '```sh\nKEY=$(.venv/bin/opora keys create --label "QA")\nX=1 opora db upgrade --plan # opora x\n```\n'
    page = SimpleNamespace(blocks=lambda: [SimpleNamespace(language="sh", text=block.split("\n", 1)[1][:-5])])
    assert list(commands(page)) == [["keys", "create", "--label", "QA"], ["db", "upgrade", "--plan"]]  # type: ignore[arg-type]


def test_a_service_behind_the_gateway_refuses_whoever_brings_no_identity() -> None:
    (shown,) = code("docs/gateway.md")
    known: dict[str, Any] = {}
    exec(compile(shown, "docs/gateway.md", "exec"), known)  # noqa: S102  # a page of this repository
    assert known["caller"]({}) is None
    assert known["caller"]({"X-Opora-Identity": "nonsense"}) is None


def test_quotas_are_asked_as_the_page_shows() -> None:
    (shown,) = code("docs/plans.md")
    quotas = create_autospec(Quotas, instance=True)
    known: dict[str, Any] = {}
    body = textwrap.indent(shown, "    ")
    exec(compile(f"async def use(self, tx, user_id, task, now):\n{body}", "docs/plans.md", "exec"), known)  # noqa: S102
    asyncio.run(known["use"](SimpleNamespace(quotas=quotas), "tx", 1, "task", datetime.now(UTC)))
    assert (quotas.hold.await_count, quotas.settle.await_count, quotas.release.await_count) == (1, 1, 1)


def test_a_use_case_added_as_the_page_shows_stands_beside_those_that_are_there() -> None:
    rule, refusal, use_case, struct, route = code("docs/howto/add-a-use-case.md")
    known: dict[str, Any] = {**vars(values), **vars(routes), **vars(usecases), **vars(errors), **vars(keeping)}
    known["__name__"] = "shown"
    for text in (refusal, rule, use_case, struct, f"class Added:\n{textwrap.indent(route, '    ')}"):
        exec(compile(ast.parse(text), "docs/howto/add-a-use-case.md", "exec"), known)  # noqa: S102
    assert known["batch"]([3, 1, 3]) == (3, 1)
    for wrong in ([], range(known["BATCH_MAX"] + 1)):
        with pytest.raises(known["InvalidBatch"]):
            known["batch"](wrong)
