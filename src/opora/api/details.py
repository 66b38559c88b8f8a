"""What a handler's signature cannot say of its answers, and the OpenAPI document should: files, streams, refusals."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from litestar.handlers import HTTPRouteHandler

KEY = "details"
"""The name in a handler's `opt` under which its details stand."""
BINARY: Mapping[str, Any] = {"type": "string", "format": "binary"}
LINES: Mapping[str, Any] = {"type": "string", "description": "An object a line."}


@dataclass(frozen=True, slots=True)
class Details:
    """Media types of the good answer with their schemas, whether it is a stored file, which refusals come besides.

    What `may_be_unready` answers 503 with the very document that says what is not ready; what `may_be_there` answers
    200 with what it would have made; what `is_empty` answers without a body.
    """

    media: Mapping[str, Mapping[str, Any]]
    is_file: bool
    refusals: tuple[str, ...]
    may_be_unready: bool = False
    form: Mapping[str, Any] | None = None
    examples: Mapping[str, Any] | None = None
    asked: Any = None
    may_be_there: bool = False
    is_empty: bool = False


def details(
    *,
    media: Mapping[str, Mapping[str, Any]] | None = None,
    is_file: bool = False,
    refusals: tuple[int, ...] = (),
    may_be_unready: bool = False,
    form: Mapping[str, Any] | None = None,
    examples: Mapping[str, Any] | None = None,
    asked: Any = None,
    may_be_there: bool = False,
    is_empty: bool = False,
) -> dict[str, object]:
    """Return the `opt` of a handler whose answers need more words than its signature has.

    `form` is the schema of a form with files that it reads; `examples` are answers by status, `asked` is a body.
    """
    told = tuple(map(str, refusals))
    return {KEY: Details(media or {}, is_file, told, may_be_unready, form, examples, asked, may_be_there, is_empty)}


def of(handler: HTTPRouteHandler) -> Details:
    """Return the details of a handler; empty ones where it has none."""
    found = handler.opt.get(KEY)
    return found if isinstance(found, Details) else Details({}, is_file=False, refusals=())


def describe(operation: dict[str, Any], known: Details) -> None:
    """Write the details of the good answers into an operation."""
    responses = operation["responses"]
    if known.media:
        responses["200"].setdefault("content", {}).update({name: {"schema": one} for name, one in known.media.items()})
    if known.form is not None:
        body = {"multipart/form-data": {"schema": dict(known.form)}}
        operation["requestBody"] = {"required": True, "content": body}
    if known.asked is not None:
        for media in operation["requestBody"]["content"].values():
            media["example"] = known.asked
    for status, example in (known.examples or {}).items():
        for media in responses[status]["content"].values():
            media["example"] = example
    if known.may_be_there:
        responses["200"] = {**responses["201"], "description": "It was there already."}
    for status, response in responses.items():
        if status == "204" or (known.is_empty and status == "200"):
            response.pop("content", None)
    if known.may_be_unready:
        responses["503"] = {**responses["200"], "description": "Not ready: the document says what is not."}
    if known.is_file:
        content = {name: {"schema": one} for name, one in known.media.items()}
        whole = {"description": "The file.", "headers": _headers("ETag", "Last-Modified", "Content-Disposition")}
        part = {"description": "The range of it.", "headers": _headers("ETag", "Content-Range", "Content-Disposition")}
        responses["200"] = {**whole, "content": content}
        responses["206"] = {**part, "content": content}
        responses["304"] = {"description": "It is the one that If-None-Match names.", "headers": _headers("ETag")}
        names = ("Range", "If-Range", "If-Match", "If-None-Match")
        operation.setdefault("parameters", []).extend(_header(name) for name in names)


def versioned(operation: dict[str, Any], method: str) -> None:
    """Say of a record that it shows a tag, and of a change that it takes one."""
    if "200" in operation["responses"]:
        operation["responses"]["200"]["headers"] = _headers("ETag")
    if method != "get":
        operation.setdefault("parameters", []).append(_header("If-Match"))


def located(operation: dict[str, Any]) -> None:
    """Say of an answer with what was made, or was taken on, that it names its address."""
    for status in ("201", "202"):
        if status in operation["responses"]:
            location = {"description": "Where it can be read.", "schema": {"type": "string", "format": "uri-reference"}}
            operation["responses"][status]["headers"] = {"Location": location}


def summarised(operation: dict[str, Any]) -> None:
    """Make the first words of the description the summary: Litestar takes the handler's name."""
    words = operation.get("description", "").strip()
    first = words.split("\n", maxsplit=1)[0]
    for end in ("; ", ". ", ": "):
        first = first.partition(end)[0]
    operation["summary"] = first.removesuffix(".")


def bounds(annotation: Any) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield struct, field and `extra_json_schema` of each field with bounds that a rule judges and no decoder."""
    info = msgspec.inspect.type_info(annotation)
    if isinstance(info, msgspec.inspect.StructType):
        for field in info.fields:
            if isinstance(field.type, msgspec.inspect.Metadata) and field.type.extra_json_schema:
                yield info.cls.__name__, field.encode_name, dict(field.type.extra_json_schema)


def _headers(*names: str) -> dict[str, Any]:
    return {name: {"schema": {"type": "string"}} for name in names}


def _header(name: str) -> dict[str, Any]:
    return {"name": name, "in": "header", "required": False, "schema": {"type": "string"}}
