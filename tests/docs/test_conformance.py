"""docs/conformance.md names tests that exist, and leaves no row without an answer."""

import ast
import re
from collections.abc import Iterator

from docs.pages import REPOSITORY, Page

PAGE = Page(REPOSITORY / "docs" / "conformance.md")
NAMED = re.compile(r"`((?:tests|src/opora/testing)/[\w/]+\.py)(?:::(\w+))?`")
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


def missing(shown: str) -> list[str]:
    """List the tests of a cell that do not exist."""
    found = []
    for path, name in NAMED.findall(shown):
        target = REPOSITORY / path
        if not target.exists():
            found.append(path)
        elif name and name not in {node.name for node in ast.walk(ast.parse(target.read_text())) if is_function(node)}:
            found.append(f"{path}::{name}")
    return found


def is_function(node: ast.AST) -> bool:
    """Tell whether a node defines a function."""
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)


def test_every_test_that_the_page_names_exists() -> None:
    assert sorted({one for _, _, shown in rows() for one in missing(shown)}) == []


def test_every_requirement_is_shown_by_a_test_or_openly_not_yet_met() -> None:
    silent = [
        requirement
        for requirement, met, shown in rows()
        if not (NAMED.search(shown) or NOT_YET.fullmatch(met) or shown.startswith("by reading: "))
    ]
    assert silent == []


def test_every_row_names_the_test_and_not_its_file_alone() -> None:
    assert [requirement for requirement, _, shown in rows() if not all(name for _, name in NAMED.findall(shown))] == []


def test_a_test_that_does_not_exist_is_named() -> None:
    assert missing("`tests/none.py`") == ["tests/none.py"]
    assert missing("`tests/docs/test_conformance.py::test_none`") == ["tests/docs/test_conformance.py::test_none"]
    assert missing("`tests/docs/test_conformance.py::test_a_test_that_does_not_exist_is_named`") == []
