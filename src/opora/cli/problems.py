"""`opora problems`: every refusal by its code."""

from opora.bootstrap.lean import ORM_FOR_LITESTAR, without
from opora.cli.command import Call, Command

with without(ORM_FOR_LITESTAR):
    from opora.api.catalogue import codes
    from opora.api.problems import status, title


def show(call: Call) -> None:
    """Print each code with its status and its title."""
    found = [{"code": code, "status": status(kind), "title": title(kind)} for code, kind in codes().items()]
    call.output.document(found)
    call.output.table(["CODE", "STATUS", "TITLE"], [list(one.values()) for one in found])


COMMANDS = {"": Command("Print every problem code with its status and its title", show)}
