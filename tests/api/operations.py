"""Every operation of the program, with what calls it: read from the routes and from the document."""

import re
from typing import Any

import httpx
import msgspec

from opora.api import http
from opora.api.openapi import schema
from opora.api.policy import Access, Operation
from opora.api.routes import Routes
from opora.bootstrap.binding import outline
from opora.bootstrap.http import AT_ROOT, VERSIONED

APPLICATION = http.application([outline(one) for one in VERSIONED], [outline(one) for one in AT_ROOT])
OPERATIONS = sorted(Routes(APPLICATION).operations, key=lambda one: (one.path, one.method))
"""Everything the gate lets through, with who may call it."""
DOCUMENT = schema(APPLICATION)
FORM = "multipart/form-data"
NOWHERE = "018f0000-0000-7000-8000-000000000000"
"""A task's id that no task has."""
PLACES = {
    "version": "v1",
    "user_id": 1,
    "document_id": 1,
    "asset_name": "x.js",
    "address": "start",
    "code": "gone",
    "session_id": 2**53,
    "provider_id": 2**53,
    "geo_id": 2**53,
    "phone": "+79161234567",
    "project_id": 2**53,
    "number_id": 2**53,
    "suppression_id": 2**53,
    "transfer_id": NOWHERE,
    "notification_id": 2**53,
    "subscription_id": 2**53,
    "endpoint_id": 2**53,
    "delivery_id": NOWHERE,
    "service_id": 1,
    "appointment_id": 2**53,
    "entry_id": 2**53,
    "calendar_id": 2**53,
    "token": "opc_0",
    "contract_id": 2**53,
    "packet_id": 2**53,
    "ticket_id": 2**53,
    "reconciliation_id": NOWHERE,
    "payment_id": 2**53,
    "task_id": NOWHERE,
    "prompt_id": 2**53,
    "label": "production",
    "model": "none",
    "event_type": "user.registered",
}
"""What stands in addresses for records that nobody owns.

Whose a session, a document, a notice or an appointment is, tests of each in `api/v1` ask.
"""
BODIES: dict[str, dict[str, Any]] = {
    "post_exports": {"format": "json"},
    "post_users": {"email": "new@example.org"},
    "post_phone_numbers": {"phone_number": "+79161234569"},
    "patch_phone_numbers_by_number_id": {"result_data": {}},
    "post_suppression_list": {"phone_number": "+79161234560"},
    "post_sftp_import": {"file_name": "numbers.csv"},
    "post_sftp_export": {"file_name": "numbers.csv"},
    "post_payments": {"amount_minor": 1000, "currency": "RUB"},
}
"""What the document cannot say of a body that is to be accepted."""


OPENAIS_FORM = ("/api/v1/chat/completions", "/api/v1/models")
"""Addresses whose refusals are in the form that OpenAI's clients read."""


UNROUTED = {"url_too_long", "malformed_path"}
"""Refusals of an address that is not read far enough to know whose form it wants."""


def refusal(answer: httpx.Response) -> dict[str, Any] | None:
    """Return what a refusal says, with the code of the catalogue; None where it is in no form that callers read."""
    media = answer.headers["content-type"]
    is_openais = answer.request.url.path.startswith(OPENAIS_FORM)
    if media == "application/problem+json":
        told = dict(answer.json())
        return told if not is_openais or told.get("code") in UNROUTED else None
    if not is_openais or media != "application/json":
        return None
    said = dict(answer.json()["error"])
    return {**said, "code": said["doc_url"].rpartition("/")[2]}


def named(operation: Operation) -> str:
    """Name an operation in a test's id."""
    return f"{operation.method} {operation.path}"


def described(operation: Operation) -> dict[str, Any] | None:
    """Return what the document says of an operation; None for what it leaves out."""
    found: dict[str, Any] | None = DOCUMENT["paths"].get(operation.path, {}).get(operation.method.lower())
    return found


def resolved(node: dict[str, Any]) -> dict[str, Any]:
    """Follow a reference."""
    while "$ref" in node:
        target = DOCUMENT
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        node = target
    return node


def takes_form(operation: Operation) -> bool:
    """Tell whether an operation reads a form with files."""
    return FORM in ((described(operation) or {}).get("requestBody") or {}).get("content", {})


def body_schema(operation: Operation) -> dict[str, Any] | None:
    """Return the schema of an operation's JSON body; the object's where it may be left out."""
    told = (described(operation) or {}).get("requestBody")
    if told is None or "application/json" not in told["content"]:
        return None
    found = resolved(told["content"]["application/json"]["schema"])
    choices = [resolved(one) for one in found.get("oneOf", ())]
    return next((one for one in choices if one.get("type") == "object"), found)


def sample(schema: dict[str, Any]) -> Any:
    """Return a small value that fits a schema."""
    found = resolved(schema)
    if "oneOf" in found:
        return sample(found["oneOf"][0])
    if "const" in found or "enum" in found:
        return found.get("const", found.get("enum", [None])[0])
    if found.get("type") == "object":
        properties = found.get("properties", {})
        return {name: sample(properties[name]) for name in found.get("required", ())}
    if found.get("type") == "array":
        return [sample(found["items"])] if found.get("minItems") else []
    if found.get("format") == "date-time":
        return "2027-01-01T00:00:00Z"
    return {"integer": found.get("minimum", 1), "boolean": False}.get(found.get("type", ""), "profiles:read")


def body(operation: Operation, **own: Any) -> dict[str, Any] | None:
    """Return the smallest body of an operation; `own` are the ids of records that it must be about."""
    found = body_schema(operation)
    if found is None:
        return None
    made: dict[str, Any] = sample(found)
    made |= BODIES.get((described(operation) or {})["operationId"], {})
    made |= {name: value for name, value in own.items() if name in found.get("properties", {})}
    return made


def parameters(operation: Operation) -> list[str]:
    """Return the names in an operation's address."""
    return re.findall(r"{(\w+)(?::\w+)?}", operation.path)


def address(operation: Operation, **own: Any) -> str:
    """Return the address with something in each place: a record of one's own where it is given."""
    places = {"profile_id": 1, "key_id": 1, "export_id": NOWHERE, **PLACES, **own}
    if "{prompt_id}" in operation.path:
        places["version"] = 2**53  # of the prompt, not of the API
    return re.sub(r"{(\w+)(?::\w+)?}", lambda place: str(places[place[1]]), operation.path)


def form_schema(operation: Operation) -> dict[str, Any] | None:
    """Return the schema of an operation's form, where it takes nothing else."""
    told = (described(operation) or {}).get("requestBody")
    if told is None or "application/json" in told["content"] or takes_form(operation):
        return None
    return resolved(told["content"]["application/x-www-form-urlencoded"]["schema"])


def content(operation: Operation, **own: Any) -> dict[str, Any]:
    """Return how httpx is told to send the smallest body."""
    if takes_form(operation):
        return {"data": {"description": "?"}, "files": {"file": ("a.pdf", b"?")}}
    form = form_schema(operation)
    if form is not None:
        return {"data": dict.fromkeys(form["required"], "x")}
    found = body(operation, **own)
    if found is None:
        return {}
    return {"content": msgspec.json.encode(found), "headers": {"content-type": "application/json"}}


SCOPED = [one for one in OPERATIONS if one.policy.access is Access.SCOPES]
"""Operations that want scopes."""
GUARDED = [one for one in OPERATIONS if one.policy.access in {Access.SCOPES, Access.SIGNED_IN}]
"""Operations that want to know who calls."""
