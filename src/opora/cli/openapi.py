"""`opora openapi`: the published form of the contract, and what of it would break clients of an older one."""

import json
from argparse import ArgumentParser
from pathlib import Path

from opora.bootstrap.lean import ORM_FOR_LITESTAR, without
from opora.cli.command import Call, Command
from opora.cli.compatibility import breaking
from opora.cli.exits import CommandFailed, Exit

with without(ORM_FOR_LITESTAR):
    from opora.bootstrap.http import openapi_document


def show(call: Call) -> Exit:
    """Print the document, JSON in either form; or compare it with an older one, and fail where clients would break."""
    older: Path | None = call.arguments.against
    if older is None:
        call.output.raw(openapi_document().decode() + "\n")
        return Exit.OK
    try:
        found = breaking(json.loads(older.read_bytes()), json.loads(openapi_document()))
    except (OSError, ValueError, KeyError, AttributeError) as fault:
        following = "opora openapi > openapi.json, with the older release"
        raise CommandFailed(Exit.DATA, f"{older} is no OpenAPI document ({type(fault).__name__})", following) from fault
    call.output.document({"breaking": found})
    for one in found:
        call.output.line(one)
    call.output.line(f"{len(found)} changes would break clients of {older}.")
    return Exit.FINDINGS if found else Exit.OK


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--against", type=Path, metavar="FILE", help="list what would break clients of this document")


COMMANDS = {"": Command("Print the OpenAPI document", show, _arguments, "opora openapi > openapi.json")}
