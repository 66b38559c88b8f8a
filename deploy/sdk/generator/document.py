"""The API document, read into what a client needs to know of each operation."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from generator.naming import method_name, pascal, type_name

type Schema = Mapping[str, Any]

ENVELOPE = {"count", "count_exact", "next", "previous", "results"}
JSON, FORM, MULTIPART = "application/json", "application/x-www-form-urlencoded", "multipart/form-data"
KINDS = {JSON: "json", FORM: "form", MULTIPART: "multipart"}
EVENTS = "text/event-stream"
SPOOLED = {"text/csv", "application/x-ndjson"}
"""Text of any length, which is kept in a file as it comes."""


class Unclear(Exception):
    """The document holds what the generator has no form for: it must learn it, not guess."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A value in the path or the query."""

    name: str
    required: bool
    schema: Schema
    says: str


@dataclass(frozen=True, slots=True)
class Body:
    """What is sent: its kind on the wire, and its schema."""

    kind: str
    schema: Schema
    required: bool
    example: Any


@dataclass(frozen=True, slots=True)
class Answer:
    """What comes back: nothing, JSON, a page of a list, text, a file or events."""

    kind: str
    schema: Schema


@dataclass(frozen=True, slots=True)
class Operation:
    """One call of the API."""

    id: str
    group: str
    words: tuple[str, ...]
    method: str
    path: str
    tag: str
    summary: str
    in_path: tuple[Parameter, ...]
    in_query: tuple[Parameter, ...]
    body: Body | None
    answer: Answer
    statuses: tuple[int, ...]
    has_events: bool
    takes_key: bool
    public: bool
    deprecated: bool


def _answer(responses: Mapping[str, Any], schemas: Mapping[str, Schema]) -> tuple[Answer, bool]:
    content: dict[str, Any] = {}
    for status, response in responses.items():
        if status.startswith("2"):
            content |= {kind: told for kind, told in response.get("content", {}).items() if kind not in content}
    events = EVENTS in content
    rest = {kind: told["schema"] for kind, told in content.items() if kind != EVENTS}
    if not rest:
        return Answer("events" if events else "none", {}), events
    if any(schema.get("format") == "binary" for schema in rest.values()) or SPOOLED & rest.keys():
        return Answer("file", {}), events
    schema = next((one for kind, one in rest.items() if kind.endswith(("/json", "+json"))), None)
    if schema is None or schema.get("type") == "string":
        return Answer("text", {}), events
    if "oneOf" in schema and {} in schema["oneOf"]:  # the other answer is the stream of events
        schema = next(one for one in schema["oneOf"] if one)
    target = schemas.get(schema.get("$ref", "").rpartition("/")[2], {})
    if set(target.get("properties", ())) == ENVELOPE:
        return Answer("page", target["properties"]["results"]["items"]), events
    return Answer("json", schema), events


def _body(told: Mapping[str, Any] | None) -> Body | None:
    if told is None:
        return None
    for media, kind in KINDS.items():
        if media in told["content"]:
            content = told["content"][media]
            schema = content["schema"]
            choice = [one for one in schema.get("oneOf", ()) if one != {"type": "null"}]
            required = told.get("required", False) and len(choice) != 1
            return Body(kind, choice[0] if len(choice) == 1 else schema, required, content.get("example"))
    raise Unclear(f"a body of {sorted(told['content'])}")


def _parameters(told: Mapping[str, Any], place: str) -> tuple[Parameter, ...]:
    return tuple(
        Parameter(one["name"], one.get("required", False), one["schema"], one.get("description", ""))
        for one in told.get("parameters", ())
        if one["in"] == place
    )


def _operation(path: str, method: str, told: Mapping[str, Any], schemas: Mapping[str, Schema]) -> Operation:
    answer, events = _answer(told["responses"], schemas)
    group, name = method_name(
        told["operationId"], method, path, listed=answer.kind == "page", fetched=answer.kind == "file"
    )
    return Operation(
        id=told["operationId"],
        group=group,
        words=name,
        method=method.upper(),
        path=path,
        tag=told["tags"][0],
        summary=told["summary"].rstrip("."),
        in_path=_parameters(told, "path"),
        in_query=_parameters(told, "query"),
        body=_body(told.get("requestBody")),
        answer=answer,
        statuses=tuple(int(status) for status in told["responses"] if status.startswith("2")),
        has_events=events,
        takes_key=any(one["name"] == "Idempotency-Key" for one in told.get("parameters", ())),
        public=not told["security"],
        deprecated=told.get("deprecated", False),
    )


class Document:
    """The operations and the schemas of an API document."""

    def __init__(self, read: Mapping[str, Any]) -> None:
        self.version: str = read["info"]["version"]
        self.schemas: dict[str, Schema] = dict(read["components"]["schemas"])
        self.operations = [
            _operation(path, method, told, self.schemas)
            for path, item in sorted(read["paths"].items())
            for method, told in sorted(item.items())
        ]
        names = [(one.group, one.words) for one in self.operations]
        if doubled := {name for name in names if names.count(name) > 1}:
            raise Unclear(f"two operations are named {sorted(doubled)}: name them in naming.py")
        types = [type_name(name) for name in self.schemas]
        if doubled_types := {name for name in types if types.count(name) > 1}:
            raise Unclear(f"two types are named {sorted(doubled_types)}: name them in naming.py")

    def groups(self) -> dict[str, list[Operation]]:
        """Give the operations by group."""
        found: dict[str, list[Operation]] = {}
        for one in self.operations:
            found.setdefault(one.group, []).append(one)
        return dict(sorted(found.items()))

    def body_types(self) -> dict[str, Schema]:
        """Give the bodies that are described at their operation, each under the name of a type."""
        return {
            body_type(one): one.body.schema for one in self.operations if one.body and "$ref" not in one.body.schema
        }

    def used(self) -> tuple[set[str], set[str]]:
        """Give the schemas that are sent and those that are answered, directly or inside others."""
        sent: set[str] = set()
        answered: set[str] = {"Problem"}
        for one in self.operations:
            for schema in [one.body.schema] if one.body else []:
                sent |= set(references(schema))
            for parameter in (*one.in_query, *one.in_path):
                sent |= set(references(parameter.schema))
            answered |= set(references(one.answer.schema))
        return self._whole(sent), self._whole(answered)

    def _whole(self, names: set[str]) -> set[str]:
        known: set[str] = set()
        while found := names - known:
            known |= found
            names = {inner for name in found for inner in references(self.schemas[name])}
        return known


def body_type(operation: Operation) -> str:
    """Name the type of a body that is described at its operation."""
    return pascal([*operation.group.split("_"), *operation.words, "body"])


def references(schema: Any) -> Iterator[str]:
    """Give the names of the schemas that a schema refers to."""
    if isinstance(schema, Mapping):
        if "$ref" in schema:
            yield schema["$ref"].rpartition("/")[2]
        for key, value in schema.items():
            if key not in {"example", "examples", "default", "enum", "const"}:
                yield from references(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from references(value)
