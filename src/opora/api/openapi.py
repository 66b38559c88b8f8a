"""The OpenAPI 3.1 document: Litestar's own, mended where it does not say what the edge does."""

import re
from collections.abc import Iterator
from typing import Any

import msgspec
from litestar import Litestar
from litestar._openapi.plugin import OpenAPIPlugin  # the public way in adds routes of its own
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.spec import Components, License, Reference, SecurityScheme, Server

from opora import __version__
from opora.api import details, oauth, openai
from opora.api.policy import Access, Policy
from opora.api.problems import MEDIA_TYPE
from opora.api.routes import RouteFacts, rows

TITLE = "Opora"
STATE_KEY = "openapi_document"
PROBLEM_REF = "#/components/schemas/Problem"
INT64_MAX = 2**63 - 1
_ENVELOPE = re.compile(r"Envelope_[\w.]*?(\w+)_(?=\")")
NO_CONTENT_METHODS = frozenset({"get", "head", "delete"})

PROBLEM_SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "A refusal (RFC 9457). `type` is the address of the page on this `code`.",
    "required": ["type", "title", "status", "detail", "instance", "code", "trace_id"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "code": {"type": "string", "description": "A stable word for programs."},
        "trace_id": {"type": "string"},
        "errors": {
            "type": "object",
            "description": "Every field at fault, by dotted path.",
            "additionalProperties": {"type": "array", "items": {"type": "string"}},
        },
    },
}
REFUSALS = {
    "400": "The request cannot be read.",
    "401": "Nobody is known to be asking, or the credential is no longer good.",
    "402": "The balance does not cover it.",
    "403": "The caller may see this but not do it.",
    "404": "There is no such thing, or the caller may not see it.",
    "406": "The answer cannot be given in a form the request accepts.",
    "409": "The present state forbids it.",
    "410": "It was there, but is not kept any more.",
    "412": "The record is not in the version that If-Match names.",
    "413": "The body is larger than this call takes.",
    "414": "The query is longer than its bound.",
    "415": "The body is of a type this call does not take.",
    "416": "The range lies outside the file.",
    "422": "The request is readable but its content is not valid.",
    "429": "A rate or a quota is spent.",
    "503": "A system Opora depends on does not answer.",
}
OAUTH_REFUSAL: dict[str, Any] = {
    "description": "A refusal in the words of RFC 6749 section 5.2.",
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "required": ["error", "error_description"],
                "properties": {
                    "error": {"type": "string"},
                    "error_description": {"type": "string"},
                    "error_uri": {"type": "string", "format": "uri"},
                    "trace_id": {"type": "string"},
                },
            }
        }
    },
}
OPENAI_REFUSAL: dict[str, Any] = {
    "description": "A refusal in the words of OpenAI's API.",
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "required": ["error"],
                "properties": {
                    "error": {
                        "type": "object",
                        "required": ["message", "type", "param", "code"],
                        "properties": {
                            "message": {"type": "string"},
                            "type": {"type": "string"},
                            "param": {"type": ["string", "null"]},
                            "code": {"type": "string"},
                            "doc_url": {"type": "string", "format": "uri"},
                            "trace_id": {"type": "string"},
                        },
                    }
                },
            }
        }
    },
}
NAMED_REFUSALS: dict[object, str] = {oauth.refused_at_the_door: "OAuthRefusal", openai.refused: "OpenAiRefusal"}
"""Which refusals have a form of their own, by what gives it to them."""
SECURITY_SCHEMES: dict[str, SecurityScheme | Reference] = {
    "bearer": SecurityScheme(type="http", scheme="bearer", description="An access token, or an API key."),
    "api_key": SecurityScheme(type="apiKey", name="X-API-Key", security_scheme_in="header", description="An API key."),
}
IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Makes a repeated call give the first answer again; kept 24 hours.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[\\x21-\\x7e]+$"},
}


def document(app: Litestar) -> bytes:
    """Return the document as JSON, made at the first call and kept."""
    kept = app.state.get(STATE_KEY)
    if kept is None:
        kept = msgspec.json.encode(schema(app))
        app.state[STATE_KEY] = kept
    return bytes(kept)


def snapshot(app: Litestar) -> str:
    """Return the document as text for a test that holds the wire still: sorted and indented."""
    return msgspec.json.format(msgspec.json.encode(schema(app), order="sorted"), indent=2).decode() + "\n"


def schema(app: Litestar) -> dict[str, Any]:
    """Return the document as a dictionary."""
    plugin = app.plugins.get(OpenAPIPlugin)
    plugin._openapi_config = OpenAPIConfig(  # set by on_app_init alone, which would add routes
        title=TITLE,
        version=__version__,
        servers=[Server(url="/")],
        license=License(name="Apache-2.0", identifier="Apache-2.0"),
        components=Components(security_schemes=SECURITY_SCHEMES),
        operation_id_creator=_operation_id,
        create_examples=False,
        use_handler_docstrings=True,
    )
    text = msgspec.json.encode(plugin.provide_openapi_schema(), enc_hook=str).decode()
    found: dict[str, Any] = msgspec.json.decode(_ENVELOPE.sub(r"\1List", text))
    _complete(found, app)
    return found


def _complete(found: dict[str, Any], app: Litestar) -> None:
    components = found.setdefault("components", {})
    components.setdefault("schemas", {})["Problem"] = PROBLEM_SCHEMA
    components["responses"] = {f"Refusal{status}": _refusal(status, text) for status, text in REFUSALS.items()}
    components["responses"] |= {"OAuthRefusal": OAUTH_REFUSAL, "OpenAiRefusal": OPENAI_REFUSAL}
    paths = found.get("paths", {})
    for method, path, handler, facts in rows(app):
        operation = paths.get(path, {}).get(method.lower())
        if operation is not None and facts is not None and isinstance(handler, HTTPRouteHandler):
            _mend(operation, method.lower(), path, facts, details.of(handler))
            if handler.parsed_data_field is not None:
                operation["requestBody"]["required"] = not handler.parsed_data_field.is_optional
                for struct, field, schema in details.bounds(handler.parsed_data_field.annotation):
                    components["schemas"][struct]["properties"][field].update(schema)
            for name in _strict_names(handler):
                _close(components["schemas"], name)
    _whole_numbers(found)


def _mend(operation: dict[str, Any], method: str, path: str, facts: RouteFacts, known: details.Details) -> None:
    """Say of an operation what the gate does: who may call, which refusals come, which header it takes."""
    operation["security"] = _security(facts.policy)
    operation["x-access"] = facts.policy.access.value
    if facts.policy.scopes:
        operation["x-scopes"] = list(facts.policy.scopes)
    if facts.is_repeatable:
        operation.setdefault("parameters", []).append(IDEMPOTENCY_KEY)
    responses = operation.setdefault("responses", {})
    responses.pop("400", None)
    details.summarised(operation)
    details.describe(operation, known)
    if method == "post":
        details.located(operation)
    if facts.is_versioned:
        details.versioned(operation, method)
    for status in sorted({*_statuses(operation, method, path, facts), *known.refusals}):
        name = NAMED_REFUSALS.get(facts.refused_as, f"Refusal{status}")
        responses.setdefault(status, {"$ref": f"#/components/responses/{name}"})


def _statuses(operation: dict[str, Any], method: str, path: str, facts: RouteFacts) -> Iterator[str]:
    access = facts.policy.access
    if access is Access.EXEMPT:
        return
    yield from ("400", "422", "429", "503")
    if access in {Access.SIGNED_IN, Access.SCOPES}:
        yield from ("401", "403")
    if "{" in path or access is Access.INTERNAL:
        yield "404"
    if any(parameter.get("in") == "query" for parameter in operation.get("parameters", ())):
        yield "414"
    if method not in {"get", "head"}:
        yield "409"
    if method in {"put", "patch", "delete"}:
        yield "412"
    if method not in NO_CONTENT_METHODS and "requestBody" in operation:
        yield from ("413", "415")


def _security(policy: Policy) -> list[dict[str, list[str]]]:
    if policy.access in {Access.EXEMPT, Access.PUBLIC, Access.INTERNAL}:
        return []
    scopes = list(policy.scopes)
    return [{"bearer": scopes}, {"api_key": scopes}]


def _refusal(status: str, text: str) -> dict[str, Any]:
    found: dict[str, Any] = {"description": text, "content": {MEDIA_TYPE: {"schema": {"$ref": PROBLEM_REF}}}}
    if status in {"429", "503"}:
        found["headers"] = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}}
    if status == "401":
        found["headers"] = {"WWW-Authenticate": {"schema": {"type": "string"}}}
    return found


def _operation_id(_handler: HTTPRouteHandler, method: Any, components: list[Any]) -> str:
    """Name an operation after its method and address: `get_profiles_by_profile_id`."""
    words = [str(getattr(method, "value", method)).lower()]
    for part in components:
        if isinstance(part, str):
            if part not in {"api", "v1"}:
                words.append(part)
        else:
            words.append(f"by_{part.name}")
    return "_".join(words).replace("-", "_").replace(".", "_").replace("__", "_")


def _strict_names(handler: HTTPRouteHandler) -> set[str]:
    """Return the names of the structs in a handler's body that refuse unknown fields."""
    field = handler.parsed_data_field
    if field is None:
        return set()
    found: set[str] = set()
    _collect(msgspec.inspect.type_info(field.annotation), found, set())
    return found


def _collect(info: Any, found: set[str], seen: set[Any]) -> None:
    kind = getattr(info, "cls", None)
    if kind is not None:
        if kind in seen:
            return
        seen.add(kind)
        if getattr(info, "forbid_unknown_fields", False):
            found.add(kind.__name__)
    parts = [getattr(info, name, None) for name in ("item_type", "key_type", "value_type", "type")]
    parts += [*(getattr(info, "types", ()) or ()), *(getattr(info, "item_types", ()) or ())]
    parts += [field.type for field in getattr(info, "fields", ()) or ()]
    for part in parts:
        if isinstance(part, msgspec.inspect.Type):
            _collect(part, found, seen)


def _close(schemas: dict[str, Any], name: str) -> None:
    for key, one in schemas.items():
        if (key == name or key.endswith(f"_{name}")) and one.get("type") == "object":
            one["additionalProperties"] = False


def _whole_numbers(node: Any) -> None:
    """Write the bounds of integers as integers: Litestar gives 100.0, and 2^63 for what is one less."""
    if isinstance(node, dict):
        for key, value in node.items():
            if isinstance(value, float) and value.is_integer():
                node[key] = min(int(value), INT64_MAX)
            else:
                _whole_numbers(value)
    elif isinstance(node, list):
        for one in node:
            _whole_numbers(one)
