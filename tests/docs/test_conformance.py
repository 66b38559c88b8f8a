"""docs/conformance.md names tests that exist, and leaves no row without an answer."""

import ast
import re
from collections.abc import Iterator

import pytest

from docs.pages import REPOSITORY, Page

PAGE = Page(REPOSITORY / "docs" / "conformance.md")
NAMED = re.compile(r"`(tests/[\w/]+(?:\.py)?)(?:::(\w+))?`")
NOT_YET = re.compile(r"^not yet \([a-z ,]+\)$")
COLUMNS = ("requirement", "where met", "shown by")


def rows() -> Iterator[tuple[str, str, str]]:
    """Give the rows of the page's tables of requirements."""
    inside = False
    for line in PAGE.text.splitlines():
        cells = tuple(cell.strip() for cell in line.strip().strip("|").split(" | "))
        if not line.startswith("|"):
            inside = False
        elif cells == COLUMNS:
            inside = True
        elif inside and not set(line) <= set("|- "):
            assert len(cells) == len(COLUMNS), line
            yield cells[0], cells[1], cells[2]


def test_the_page_has_a_row_for_what_every_document_asks() -> None:
    assert len(list(rows())) > 150


@pytest.mark.parametrize(("requirement", "met", "shown"), list(rows()))
def test_every_requirement_is_shown_by_a_test_or_openly_not_yet_met(requirement: str, met: str, shown: str) -> None:
    assert requirement
    assert met
    tests = NAMED.findall(shown)
    assert tests or NOT_YET.fullmatch(met) or shown.startswith("by reading: "), requirement
    for path, name in tests:
        target = REPOSITORY / path
        assert target.exists(), path
        if name:
            defined = {node.name for node in ast.walk(ast.parse(target.read_text())) if isinstance(node, FUNCTION)}
            assert name in defined, f"{path}::{name}"


FUNCTION = ast.FunctionDef | ast.AsyncFunctionDef
