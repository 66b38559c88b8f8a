"""Sizes, names and docstrings: what keeps a file small enough to read and a word true."""

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from architecture.trees import PROGRAM, REPOSITORY, modules, parsed, planted

FUNCTION_LINES_MAX = 40
FILE_LINES_MAX = 400
SAYS_NOTHING = """
    base common constants data dto entities exceptions helper helpers impl info manager managers misc schemas
    services types util utils
"""
MODULE_NAMES_BANNED = frozenset(SAYS_NOTHING.split())
CLASS_NAMES_BANNED = re.compile(
    r"(Abstract|Base|Data|DTO|Helper|Impl|Info|Manager|Mixin|[a-z]Service|Utils?)$|^I[A-Z][a-z]|^(Abstract|Base)"
)
UNITLESS = {"timeout", "delay", "interval", "ttl", "duration", "backoff", "lease", "expiry"}
MONEY = {"fee", "price", "amount", "balance"}
NUMBERS = re.compile(r"\b(int|float)\b")
SUBPARTS = re.compile(r"(_part\d+|_?\d+|_more|_extra|_misc)$")
Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(tree: ast.AST) -> Iterator[Function]:
    """Give every function and method of a tree."""
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def long_functions(name: str, file: Path) -> Iterator[str]:
    """Name functions past the limit, counted from `def` to the last line."""
    for node in functions(parsed(file)):
        lines = (node.end_lineno or node.lineno) - node.lineno + 1
        if lines > FUNCTION_LINES_MAX:
            yield f"{name}: {node.name} has {lines} lines"


def long_files(name: str, file: Path) -> Iterator[str]:
    """Name files past the limit."""
    lines = len(file.read_text(encoding="utf-8").splitlines())
    if lines > FILE_LINES_MAX:
        yield f"{name} has {lines} lines"


def empty_names(name: str, file: Path) -> Iterator[str]:
    """Name modules and classes called by a word that says nothing."""
    for part in Path(name).with_suffix("").parts:
        if part in MODULE_NAMES_BANNED or (SUBPARTS.search(part) and not re.fullmatch(r"v\d+", part)):
            yield f"{name}: {part} says nothing"
    for node in ast.walk(parsed(file)):
        if isinstance(node, ast.ClassDef) and CLASS_NAMES_BANNED.search(node.name):
            yield f"{name}: {node.name} says nothing"


def missing_docstrings(name: str, file: Path) -> Iterator[str]:
    """Name modules, classes and port methods without a docstring."""
    tree = parsed(file)
    if not ast.get_docstring(tree):
        yield f"{name} says nothing of itself"
    for node in ast.walk(tree):
        if not isinstance(node, ast.ClassDef):
            continue
        if not ast.get_docstring(node):
            yield f"{name}: {node.name} has no docstring"
        for method in node.body:
            if isinstance(method, Function) and is_promise(node, method) and not ast.get_docstring(method):
                yield f"{name}: {node.name}.{method.name} promises nothing"


def is_promise(owner: ast.ClassDef, method: Function) -> bool:
    """Tell whether a method is a port's: abstract, of a class that is itself a port."""
    abstract = any(ast.unparse(one).endswith("abstractmethod") for one in method.decorator_list)
    return abstract and any(ast.unparse(one) == "ABC" for one in owner.bases)


def names_without_units(name: str, file: Path) -> Iterator[str]:
    """Name numbers that measure time or money and do not say in what."""
    for node in ast.walk(parsed(file)):
        target, annotation = "", None
        if isinstance(node, ast.arg):
            target, annotation = node.arg, node.annotation
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            target, annotation = node.target.id, node.annotation
        last = target.rpartition("_")[2]
        if annotation is not None and last in UNITLESS | MONEY and NUMBERS.search(ast.unparse(annotation)):
            yield f"{name}: {target} has no unit"


def crooked_imports(name: str, file: Path) -> Iterator[str]:
    """Name imports that hide a cycle, a source or a re-export."""
    for node in ast.walk(parsed(file)):
        if isinstance(node, ast.ImportFrom):
            if node.level:
                yield f"{name}: a relative import"
            if any(alias.name == "*" for alias in node.names):
                yield f"{name}: a star import"
            if any(alias.name == "TYPE_CHECKING" for alias in node.names):
                yield f"{name}: TYPE_CHECKING hides a cycle"
            if any(alias.asname == alias.name for alias in node.names) and name not in REEXPORTS:
                yield f"{name}: a re-export"
        if isinstance(node, ast.Name | ast.Attribute) and ast.unparse(node).endswith("TYPE_CHECKING"):
            yield f"{name}: TYPE_CHECKING hides a cycle"
        if isinstance(node, ast.Assign) and any(ast.unparse(one) == "__all__" for one in node.targets):
            yield f"{name}: __all__ is a re-export"


type Check = Callable[[str, Path], Iterator[str]]


def found(check: Check, root: Path) -> list[str]:
    """Run one check over every module of a tree."""
    return list(dict.fromkeys(one for name, file in modules(root) for one in check(name, file)))


REEXPORTS = {"adapters/sql/schema/tables.py"}  # the metadata are whole only where every table was imported
SIZES: list[Check] = [long_functions, long_files]
WORDS: list[Check] = [empty_names, missing_docstrings, names_without_units, crooked_imports]


@pytest.mark.parametrize("check", SIZES + WORDS)
def test_the_program_keeps_its_shape(check: Check) -> None:
    assert found(check, PROGRAM) == []


@pytest.mark.parametrize("check", SIZES)
def test_the_tests_keep_to_the_sizes_as_well(check: Check) -> None:
    # a peer in a benchmark is written as its users write it, in one piece
    assert [one for one in found(check, REPOSITORY / "tests") if not one.startswith("bench/")] == []


LONG_FUNCTION = "def f():\n" + "    x = 1\n" * FUNCTION_LINES_MAX
PORT = 'class Mailer(ABC):\n    """A port."""\n    @abstractmethod\n    def send(self) -> None: ...\n'
PLANTS = [
    (long_functions, "a.py", LONG_FUNCTION, "a.py: f has 41 lines"),
    (long_files, "a.py", "x = 1\n" * (FILE_LINES_MAX + 1), "a.py has 401 lines"),
    (empty_names, "core/profiles/utils.py", "", "core/profiles/utils.py: utils says nothing"),
    (empty_names, "services/keys.py", "", "services/keys.py: services says nothing"),
    (empty_names, "core/keys_2.py", "", "core/keys_2.py: keys_2 says nothing"),
    (empty_names, "a.py", "class KeyManager: ...", "a.py: KeyManager says nothing"),
    (empty_names, "a.py", "class IKeys: ...", "a.py: IKeys says nothing"),
    (missing_docstrings, "a.py", "x = 1", "a.py says nothing of itself"),
    (missing_docstrings, "a.py", '"""A."""\nclass Key: ...', "a.py: Key has no docstring"),
    (missing_docstrings, "a.py", f'"""A."""\n{PORT}', "a.py: Mailer.send promises nothing"),
    (names_without_units, "a.py", "def f(timeout: float) -> None: ...", "a.py: timeout has no unit"),
    (names_without_units, "a.py", "class A:\n    late_fee: int | None = None", "a.py: late_fee has no unit"),
    (crooked_imports, "a.py", "from typing import TYPE_CHECKING", "a.py: TYPE_CHECKING hides a cycle"),
    (crooked_imports, "a.py", "import typing\nif typing.TYPE_CHECKING: ...", "a.py: TYPE_CHECKING hides a cycle"),
    (crooked_imports, "a.py", "from x import *", "a.py: a star import"),
    (crooked_imports, "a.py", "from x import y as y", "a.py: a re-export"),
    (crooked_imports, "a.py", "from . import y", "a.py: a relative import"),
    (crooked_imports, "a.py", "__all__ = ['y']", "a.py: __all__ is a re-export"),
]


@pytest.mark.parametrize(("check", "name", "text", "verdict"), PLANTS)
def test_a_crooked_module_is_named(check: Check, name: str, text: str, verdict: str, tmp_path: Path) -> None:
    assert verdict in found(check, planted(tmp_path, {name: text}))


@pytest.mark.parametrize(
    ("check", "text"),
    [
        (long_functions, "def f():\n" + "    x = 1\n" * (FUNCTION_LINES_MAX - 1)),
        (long_files, "x = 1\n" * FILE_LINES_MAX),
        (empty_names, "class Invalid: ...\nclass IPNetwork: ...\nclass Basis: ..."),
        (missing_docstrings, f'"""A."""\n{PORT.replace(": ...", ": \n        'Say what holds.'")}'),
        (names_without_units, "def f(timeout_s: float, ttl: timedelta, fee_minor: int) -> None: ..."),
        (crooked_imports, "from x import y as z\nimport a"),
    ],
)
def test_a_straight_module_passes(check: Check, text: str, tmp_path: Path) -> None:
    assert found(check, planted(tmp_path, {"a.py": text})) == []
