"""`opora openapi`: the published form of the contract."""

from opora.bootstrap.lean import ORM_FOR_LITESTAR, without
from opora.cli.command import Call, Command

with without(ORM_FOR_LITESTAR):
    from opora.bootstrap.http import openapi_document


def show(call: Call) -> None:
    """Print the document; it is JSON in either form."""
    call.output.raw(openapi_document().decode() + "\n")


COMMANDS = {"": Command("Print the OpenAPI document", show, example="opora openapi > openapi.json")}
