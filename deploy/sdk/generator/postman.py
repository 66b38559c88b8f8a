"""Writes the Postman collection (v2.1) and its environment: a request for each operation, in folders by tag."""

import json
import re
import uuid
from typing import Any

from generator.document import Document, Operation, Parameter
from generator.examples import Examples

SCHEMA = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
VARIABLES = {
    "baseUrl": "http://127.0.0.1:8000", "credential": "", "email": "admin@opora.example", "password": "",
    "refreshToken": "",
}  # fmt: skip
SECRET = {"credential", "password", "refreshToken"}
GIVEN: dict[str, dict[str, Any]] = {
    "post_auth_login": {"email": "{{email}}", "password": "{{password}}"},
    "post_token": {"grant_type": "password", "username": "{{email}}", "password": "{{password}}"},
    "post_auth_refresh": {"refresh_token": "{{refreshToken}}"},
    "patch_admin_api_keys_by_key_id": {"rate_limit_per_min": 100},
    "post_appointments": {"service_id": 1, "starts_at": "2030-01-31T09:00:00Z"},
    "post_profiles_generate": {"count": 3, "locale": "ru_RU", "persist": True},
    "post_exports": {"profile_ids": [1], "format": "pdf"},
    "post_notifications_webpush_subscriptions": {
        "endpoint": "https://example.com/push",
        "keys": {
            # the generator of P-256: a point that anybody may check, and nobody subscribes with
            "p256dh": "BGsX0fLhLEJH-Lzm5WOkQPJ3A32BLeszoPShOUXYmMKWT-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU",
            "auth": "AAAAAAAAAAAAAAAAAAAAAA",
        },
    },
    "post_payments": {"amount_minor": 10000, "currency": "RUB"},
    "post_phone_numbers_bulk_update": {"ids": [1], "set": {"result_data": {"note": "example"}}},
    "patch_phone_numbers_by_number_id": {"result_data": {"note": "example"}},
    "post_subscription": {"plan": "free"},
    "post_subscription_change": {"plan": "standard"},
    "put_projects_by_project_id_schedules": {"items": [{"weekday": 1, "start_time": "09:00", "end_time": "18:00"}]},
    "put_staff_by_user_id_availability": {
        "timezone": "Europe/Moscow",
        "weekly": [{"weekday": 1, "start": "09:00", "end": "18:00"}],
    },
    "post_prompts_by_prompt_id_preview": {"variables": {"topic": "example"}},
}
"""Bodies that say what the environment holds, or keep to rules between fields, which no schema tells."""
KEEPS_TOKENS = ("post_auth_login", "post_auth_login_mfa", "post_auth_refresh", "post_token")
TOKENS = [
    "const told = pm.response.json();",
    'if (told.access_token) pm.environment.set("credential", told.access_token);',
    'if (told.refresh_token) pm.environment.set("refreshToken", told.refresh_token);',
]
ABOUT = """Every call of the Opora API. Choose the environment beside this collection and set `credential` to an API key
or an access token; *Log in* sets it by itself. Generated from the API document by `make sdk`."""


def _id(name: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"opora:{name}"))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _given(one: Parameter, examples: Examples) -> dict[str, Any]:
    told: dict[str, Any] = {"key": one.name, "value": _text(examples.of(one.schema, one.name))}
    return told | ({"description": one.says} if one.says else {})


def _url(one: Operation, examples: Examples) -> dict[str, Any]:
    path = re.sub(r"\{(\w+)\}", r":\1", one.path).strip("/")
    query = [_given(parameter, examples) | {"disabled": not parameter.required} for parameter in one.in_query]
    asked = "&".join(f"{told['key']}={told['value']}" for told in query if not told["disabled"])
    url: dict[str, Any] = {"raw": f"{{{{baseUrl}}}}/{path}" + (f"?{asked}" if asked else "")}
    url |= {"host": ["{{baseUrl}}"], "path": path.split("/")}
    if query:
        url["query"] = query
    if one.in_path:
        empty = {"value": ""} if one.method == "DELETE" else {}  # what is deleted is chosen, never suggested
        url["variable"] = [_given(parameter, examples) | empty for parameter in one.in_path]
    return url


def _body(one: Operation, examples: Examples) -> dict[str, Any] | None:
    if one.body is None:
        return None
    content = GIVEN.get(one.id) or one.body.example or examples.of(one.body.schema)
    if one.body.kind == "json":
        raw = json.dumps(content, ensure_ascii=False, indent=2)
        return {"mode": "raw", "raw": raw, "options": {"raw": {"language": "json"}}}
    if one.body.kind == "form":
        return {"mode": "urlencoded", "urlencoded": [{"key": k, "value": _text(v)} for k, v in content.items()]}
    told = one.body.schema["properties"]
    files = {
        name for name in content if "binary" in json.dumps(told[name].get("format") or told[name].get("items", {}))
    }
    fields = [{"key": k, "type": "text", "value": _text(v)} for k, v in content.items() if k not in files]
    return {"mode": "formdata", "formdata": fields + [{"key": k, "type": "file", "src": []} for k in sorted(files)]}


def _request(one: Operation, examples: Examples) -> dict[str, Any]:
    headers = [{"key": "Idempotency-Key", "value": "{{$guid}}"}] if one.takes_key else []
    if one.body and one.body.kind == "json":
        headers.append({"key": "Content-Type", "value": "application/json"})
    request: dict[str, Any] = {"method": one.method, "header": headers, "url": _url(one, examples)}
    if body := _body(one, examples):
        request["body"] = body
    if one.public:
        request["auth"] = {"type": "noauth"}
    expected = json.dumps(sorted(one.statuses))
    lines = [
        f'pm.test("answers {" or ".join(map(str, sorted(one.statuses)))}", () => {{',
        f"  pm.expect(pm.response.code, pm.response.text()).to.be.oneOf({expected});",
        "});",
    ]
    if one.id in KEEPS_TOKENS:
        lines += TOKENS
    script = {"type": "text/javascript", "exec": lines}
    return {"id": _id(one.id), "name": one.summary, "request": request, "event": [{"listen": "test", "script": script}]}


def collection(document: Document) -> str:
    """Write the collection."""
    examples = Examples(document)
    folders: dict[str, list[dict[str, Any]]] = {}
    for one in document.operations:
        folders.setdefault(one.tag, []).append(_request(one, examples))
    whole = {
        "info": {"_postman_id": _id("collection"), "name": "Opora", "description": ABOUT, "schema": SCHEMA},
        "auth": {"type": "bearer", "bearer": [{"key": "token", "value": "{{credential}}", "type": "string"}]},
        "item": [{"name": tag, "item": items} for tag, items in sorted(folders.items())],
    }
    return json.dumps(whole, ensure_ascii=False, indent=1) + "\n"


def environment() -> str:
    """Write the environment of a service on this machine."""
    values = [
        {"key": key, "value": value, "type": "secret" if key in SECRET else "default", "enabled": True}
        for key, value in VARIABLES.items()
    ]
    whole = {
        "id": _id("environment"),
        "name": "Opora, local",
        "values": values,
        "_postman_variable_scope": "environment",
    }
    return json.dumps(whole, ensure_ascii=False, indent=1) + "\n"
