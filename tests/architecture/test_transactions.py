"""Inside a unit of work only the transaction is awaited: no mail, no bank, no model call while rows are held."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from architecture.trees import PROGRAM, modules, parsed, planted

Function = ast.FunctionDef | ast.AsyncFunctionDef


def root(node: ast.AST) -> str:
    """Name what an expression starts from: `tx` for `tx.keys.get(1)`, `self` for `self.mail.send(x)`."""
    while isinstance(node, ast.Attribute | ast.Call | ast.Subscript):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else "?"


def is_unit(item: ast.withitem) -> bool:
    """Tell whether a block opens a unit of work: `self.unit()`, `unit()`, `self.units.open()`."""
    call = item.context_expr
    return isinstance(call, ast.Call) and "unit" in ast.unparse(call.func).rpartition(".")[2]


def held(function: Function) -> Iterator[tuple[str, list[ast.stmt]]]:
    """Give every stretch of a function in which rows are held, with the name of the transaction.

    That is the body of a unit of work, and the whole of a function that is handed an open transaction as `tx`.
    """
    if any(argument.arg == "tx" for argument in (*function.args.args, *function.args.kwonlyargs)):
        yield "tx", function.body
        return
    for node in ast.walk(function):
        if isinstance(node, ast.AsyncWith):
            for item in filter(is_unit, node.items):
                yield (ast.unparse(item.optional_vars) if item.optional_vars else "?"), node.body


def waits(statements: list[ast.stmt]) -> Iterator[ast.expr]:
    """Give what is waited for: awaited values, asynchronous loops and blocks."""
    for statement in statements:
        for node in ast.walk(statement):
            if isinstance(node, ast.Await):
                yield node.value
            elif isinstance(node, ast.AsyncFor | ast.comprehension) and getattr(node, "is_async", True):
                yield node.iter
            elif isinstance(node, ast.AsyncWith):
                yield from (item.context_expr for item in node.items)


def allowed(waited: ast.expr, transaction: str) -> bool:
    """Tell whether a wait is the transaction's own, or a function of this program that is handed the transaction."""
    if root(waited) == transaction:
        return True
    handed = isinstance(waited, ast.Call) and any(ast.unparse(one) == transaction for one in waited.args)
    return handed and transaction == "tx"  # such a function is held to the same rule by its parameter's name


def outsiders(file: Path) -> list[str]:
    """List what is awaited while rows are held although it is not the transaction."""
    functions = [node for node in ast.walk(parsed(file)) if isinstance(node, Function)]
    found = [
        ast.unparse(waited)
        for function in functions
        for transaction, body in held(function)
        for waited in waits(body)
        if not allowed(waited, transaction)
    ]
    return list(dict.fromkeys(found))


def use_cases(root: Path) -> list[Path]:
    """Every module of the core that may open a transaction."""
    return [file for name, file in modules(root) if "/usecases" in name]


def test_only_the_transaction_is_awaited_inside_it() -> None:
    assert {str(file): found for file in use_cases(PROGRAM / "core") if (found := outsiders(file))} == {}


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("async with self.unit() as tx:\n  await tx.keys.get(1)\n  await self.mail.send(1)", ["self.mail.send(1)"]),
        ("async with self.unit() as tx:\n  for x in y:\n   await asyncio.sleep(1)", ["asyncio.sleep(1)"]),
        ("async with self.unit() as tx:\n  async for x in self.bank.all():\n   pass", ["self.bank.all()"]),
        ("async with self.unit() as tx:\n  z = [x async for x in self.bank.all()]", ["self.bank.all()"]),
        ("async with self.unit() as tx:\n  async with self.lock():\n   pass", ["self.lock()"]),
        ("async with self.unit() as tx:\n  await announce(self.bank, tx.keys)", ["announce(self.bank, tx.keys)"]),
        ("async with self.unit():\n  await self.mail.send(1)", ["self.mail.send(1)"]),
        ("async with self.unit() as tx:\n  await tx.keys.get(1)\n  await keep(tx, 1)\nawait self.mail.send(1)", []),
        ("async with self.unit() as tx:\n  a = [b async for b in tx.keys.all()]", []),
    ],
)
def test_a_foreign_wait_is_named(body: str, found: list[str], tmp_path: Path) -> None:
    text = "async def act(self):\n" + "\n".join(" " + line for line in body.split("\n"))
    planted(tmp_path, {"core/profiles/usecases.py": text})
    assert outsiders(tmp_path / "core/profiles/usecases.py") == found


def test_a_function_that_is_handed_a_transaction_is_held_to_the_rule(tmp_path: Path) -> None:
    planted(tmp_path, {"core/profiles/usecases/keep.py": "async def keep(tx, bank):\n    await bank.tell()\n"})
    assert [outsiders(file) for file in use_cases(tmp_path) if "keep" in file.name] == [["bank.tell()"]]
