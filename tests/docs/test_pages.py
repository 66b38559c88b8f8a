"""Links lead somewhere, examples parse, and what a page names exists."""

import ast
import json
import re
import subprocess
import textwrap
import tomllib

import pytest

from docs.pages import REPOSITORY, Page, a_folder_at_a_time, pages
from opora.bootstrap.settings import Settings
from opora.cli.entry import GROUPS, commands_of

PAGES = pages()
VARIABLE = re.compile(r"\bOPORA_[A-Z0-9_]*[A-Z0-9]\b(?!_?\*)")
COMMAND = re.compile(r"(?:^|[`/ (])opora ([a-z]+(?:-[a-z]+)*)(?: ([a-z]+))?", re.MULTILINE)
TARGET = re.compile(r"\bmake ([a-z]+)\b")
OF_THE_TESTS = re.compile(r"OPORA_(TEST|SETUP)_\w+")
OF_ADAPTERS = re.compile(
    r"OPORA_(CORE_BANKING|PAYMENTS|TEXT_ENGINE)_"
)  # each adapter has its own; their names stand beside them
OF_EXAMPLES = {"OPORA_KEY", "OPORA_CORE_BANKING", "OPORA_DEBUG", "OPORA_CONFIG"}
EVERY_PAGE = a_folder_at_a_time({page.name: page for page in PAGES})


def test_the_page_that_fails_is_named() -> None:
    def look(number: int) -> None:
        assert number < 3

    looked = a_folder_at_a_time({"a/one": 1, "b": 2, "a/three": 3})(look)
    looked(".")
    with pytest.raises(AssertionError) as failure:
        looked("a")
    assert failure.value.__notes__ == ["on a/three"]


@EVERY_PAGE
def test_every_link_leads_to_a_page_and_a_heading_that_exist(page: Page) -> None:
    for link in page.links():
        if re.match(r"[a-z]+:", link):
            continue
        path, _, place = link.partition("#")
        target = (page.file.parent / path).resolve() if path else page.file
        assert target.exists(), link
        if place and target.suffix == ".md":
            assert place in Page(target).anchors(), link


@EVERY_PAGE
def test_every_example_parses(page: Page) -> None:
    for block in page.blocks():
        match block.language:
            case "sh" | "bash":
                subprocess.run(["bash", "-n"], input=block.text, text=True, check=True, capture_output=True)
            case "python":
                ast.parse(textwrap.dedent(block.text))
            case "json":
                json.loads(block.text)
            case "toml":
                tomllib.loads(block.text)


@EVERY_PAGE
def test_every_setting_that_a_page_names_exists(page: Page) -> None:
    known = {f"OPORA_{name.upper()}" for name in Settings.__struct_fields__}
    for name in set(VARIABLE.findall(page.text)) - OF_EXAMPLES:
        if not OF_THE_TESTS.fullmatch(name) and not OF_ADAPTERS.match(name):
            assert name.removesuffix("_FILE") in known, name


@EVERY_PAGE
def test_every_command_that_a_page_shows_exists(page: Page) -> None:
    shown = re.findall(r"`([^`\n]+)`", page.prose)
    shown += [block.text for block in page.blocks() if block.language in {"sh", "bash"}]
    for first, second in {found for text in shown for found in COMMAND.findall(text)}:
        assert first in GROUPS, first
        if second and len(commands_of(GROUPS[first][0])) > 1:
            assert second in commands_of(GROUPS[first][0]), f"{first} {second}"


@EVERY_PAGE
def test_every_make_target_that_a_page_shows_exists(page: Page) -> None:
    there = set(re.findall(r"^([a-z]+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE))
    shown = re.findall(r"`(make [a-z]+)", page.text) + re.findall(r"^(make [a-z]+)", page.text, re.MULTILINE)
    assert {TARGET.findall(one)[0] for one in shown} <= there


def test_every_decision_has_a_number_of_its_own_and_says_it_first() -> None:
    files = sorted((REPOSITORY / "docs" / "decisions").glob("*.md"))
    numbers = [file.name[:4] for file in files]
    assert len(numbers) == len(set(numbers))
    for file, number in zip(files, numbers, strict=True):
        assert re.fullmatch(r"\d{4}-[a-z-]+\.md", file.name)
        assert file.read_text("utf-8").startswith(f"# {number} ")


def test_every_example_of_a_language_is_one_the_tests_can_check() -> None:
    known = {"", "sh", "bash", "python", "json", "toml", "http", "text", "sql", "yaml", "ini", "mermaid", "nginx", "ts"}
    assert {block.language for page in PAGES for block in page.blocks()} <= known
