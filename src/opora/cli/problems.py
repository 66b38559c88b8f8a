"""`opora problems`: every refusal by its code."""

from collections.abc import Iterator
from importlib import import_module
from pkgutil import walk_packages

import opora.api
import opora.core
from opora.api.problems import status, title
from opora.cli.command import Call, Command
from opora.core.kernel.errors import DomainError


def show(call: Call) -> None:
    """Print each code with its status and its title."""
    found = [{"code": kind.code, "status": status(kind), "title": title(kind)} for kind in catalogue()]
    call.output.document(found)
    call.output.table(["CODE", "STATUS", "TITLE"], [list(one.values()) for one in found])


def catalogue() -> list[type[DomainError]]:
    """Return every kind of refusal there is, by code; imports the modules that may hold one."""
    for package in (opora.core, opora.api):
        for module in walk_packages(package.__path__, f"{package.__name__}."):
            import_module(module.name)
    return sorted(set(_below(DomainError)), key=lambda kind: kind.code)


def _below(kind: type[DomainError]) -> Iterator[type[DomainError]]:
    for one in kind.__subclasses__():
        yield one
        yield from _below(one)


COMMANDS = {"": Command("Print every problem code with its status and its title", show)}
