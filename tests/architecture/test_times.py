"""How the core writes times: by one function, in UTC and ending in `Z`; dates and names of jobs are named here."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from architecture.trees import PROGRAM, modules, parsed, planted

WRITERS = {
    "kernel/rules.py: instant": "writes every time",
    "kernel/usecases.py: told": "the days of a version",
    "documents/usecases/sweeps.py: notices": "the day a document is due on",
    "numbers/usecases/traces.py: told": "days, once times are told by instant",
    "billing/rules/subscriptions.py: look_again": "the name of a job, as jobs that wait already have it",
}


def bare_times(root: Path) -> Iterator[str]:
    """Name every function under a folder that calls `isoformat`, once for each call."""
    for name, file in modules(root):
        yield from (f"{name}: {owner}" for owner in writers(parsed(file)))


def writers(node: ast.AST, owner: str = "the module") -> Iterator[str]:
    """Give the innermost function around every call of `isoformat`."""
    for one in ast.iter_child_nodes(node):
        if isinstance(one, ast.Attribute) and one.attr == "isoformat":
            yield owner
        inside = one.name if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef) else owner
        yield from writers(one, inside)


def test_the_core_writes_times_by_one_function_alone() -> None:
    assert set(bare_times(PROGRAM / "core")) == WRITERS.keys()


@pytest.mark.parametrize(
    ("text", "owner"),
    [
        ("def f(at):\n    return at.isoformat()", "f"),
        ("class A:\n    async def f(self, at):\n        return {'at': at.isoformat() if at else None}", "f"),
        ("AT = NOON.isoformat()", "the module"),
        ("def f(at):\n    return map(datetime.isoformat, at)", "f"),
    ],
)
def test_a_bare_time_is_named(text: str, owner: str, tmp_path: Path) -> None:
    assert f"a.py: {owner}" in set(bare_times(planted(tmp_path, {"a.py": text})))
