"""The Postman collection: of the form that Postman reads, naming routes that exist, with bodies that are accepted."""

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import jsonschema
import pytest

from architecture.trees import REPOSITORY
from sdk.conftest import ADMIN, PASSWORD, Served

FOLDER = REPOSITORY / "deploy" / "sdk" / "postman"
COLLECTION = json.loads((FOLDER / "opora.postman_collection.json").read_text("utf-8"))
ENVIRONMENT = json.loads((FOLDER / "local.postman_environment.json").read_text("utf-8"))
DOCUMENT = json.loads((REPOSITORY / "tests" / "api" / "openapi.json").read_text("utf-8"))
PAIR = {
    "type": "object",
    "required": ["key"],
    "properties": {"key": {"type": "string"}, "value": {"type": "string"}, "disabled": {"type": "boolean"}},
}
PAIRS = {"type": "array", "items": PAIR}
FORM = {
    "$defs": {
        "auth": {
            "type": "object",
            "required": ["type"],
            "properties": {"type": {"enum": ["noauth", "bearer"]}, "bearer": PAIRS},
        },
        "event": {
            "type": "object",
            "required": ["listen", "script"],
            "properties": {
                "listen": {"enum": ["test", "prerequest"]},
                "script": {
                    "required": ["type", "exec"],
                    "properties": {"type": {"const": "text/javascript"}, "exec": {"items": {"type": "string"}}},
                },
            },
        },
        "url": {
            "type": "object",
            "required": ["raw", "host", "path"],
            "properties": {
                "raw": {"type": "string"},
                "host": {"items": {"type": "string"}},
                "path": {"items": {"type": "string", "minLength": 1}},
                "query": PAIRS,
                "variable": PAIRS,
            },
        },
        "body": {
            "type": "object",
            "required": ["mode"],
            "properties": {
                "mode": {"enum": ["raw", "urlencoded", "formdata"]},
                "raw": {"type": "string"},
                "urlencoded": PAIRS,
                "formdata": {
                    "items": {**PAIR, "properties": {**PAIR["properties"], "type": {"enum": ["text", "file"]}}}
                },
            },
        },
        "item": {
            "type": "object",
            "required": ["name"],
            "oneOf": [{"required": ["request"]}, {"required": ["item"]}],
            "properties": {
                "name": {"type": "string", "minLength": 1},
                "item": {"type": "array", "items": {"$ref": "#/$defs/item"}},
                "event": {"type": "array", "items": {"$ref": "#/$defs/event"}},
                "request": {
                    "type": "object",
                    "required": ["method", "url"],
                    "properties": {
                        "method": {"enum": ["GET", "POST", "PUT", "PATCH", "DELETE"]},
                        "header": PAIRS,
                        "url": {"$ref": "#/$defs/url"},
                        "body": {"$ref": "#/$defs/body"},
                        "auth": {"$ref": "#/$defs/auth"},
                    },
                },
            },
        },
    },
    "type": "object",
    "required": ["info", "item"],
    "properties": {
        "info": {
            "required": ["name", "schema"],
            "properties": {"schema": {"const": "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"}},
        },
        "item": {"type": "array", "items": {"$ref": "#/$defs/item"}},
        "auth": {"$ref": "#/$defs/auth"},
    },
}
"""What version 2.1 of the form requires of the parts that a collection of ours has."""


def requests() -> Iterator[tuple[str, dict[str, Any]]]:
    for folder in COLLECTION["item"]:
        for item in folder["item"]:
            yield item["name"], item["request"]


def operation(request: dict[str, Any]) -> dict[str, Any]:
    """Give what the document says of a request's route."""
    path = "/" + "/".join(re.sub(r"^:(\w+)$", r"{\1}", part) for part in request["url"]["path"])
    told: dict[str, Any] = DOCUMENT["paths"][path][request["method"].lower()]
    return told


def test_the_collection_is_of_the_form_that_postman_reads() -> None:
    jsonschema.Draft202012Validator(FORM).validate(COLLECTION)
    ids = [item["id"] for folder in COLLECTION["item"] for item in folder["item"]]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("fault", ["request", "name", "schema"])
def test_a_collection_of_another_form_is_seen(fault: str) -> None:
    crooked = json.loads(json.dumps(COLLECTION))
    del (crooked["info"] if fault == "schema" else crooked["item"][0]["item"][0])[fault]
    assert list(jsonschema.Draft202012Validator(FORM).iter_errors(crooked))


def test_every_route_is_there_once_in_the_folder_of_its_tag() -> None:
    told = {(folder["name"], item["name"], id(item)) for folder in COLLECTION["item"] for item in folder["item"]}
    assert len(told) == sum(len(item) for item in DOCUMENT["paths"].values())
    for folder in COLLECTION["item"]:
        for item in folder["item"]:
            named = operation(item["request"])
            assert named["tags"][0] == folder["name"]
            assert (
                {f"{{{one['key']}}}" for one in item["request"]["url"].get("variable", [])}
                == {f"{{{one['name']}}}" for one in named["parameters"] if one["in"] == "path"}
                if "parameters" in named
                else True
            )


def test_every_variable_that_is_used_is_in_the_environment() -> None:
    used = set(re.findall(r"\{\{([^$}]+)\}\}", json.dumps(COLLECTION)))
    assert used == {one["key"] for one in ENVIRONMENT["values"]}
    assert not any(one["value"] for one in ENVIRONMENT["values"] if one["type"] == "secret")


BODIES = [(name, request) for name, request in requests() if request.get("body", {}).get("mode") == "raw"]


@pytest.mark.parametrize(
    ("name", "request_"), BODIES, ids=[f"{one['method']} {one['url']['raw']}" for _, one in BODIES]
)
def test_every_example_is_what_the_document_describes(name: str, request_: dict[str, Any]) -> None:
    schema = operation(request_)["requestBody"]["content"]["application/json"]["schema"]
    whole = {**json.loads(json.dumps(schema)), "components": DOCUMENT["components"]}
    jsonschema.Draft202012Validator(whole).validate(json.loads(request_["body"]["raw"]))


OF_THE_MOMENT = (
    "unknown, used or overdue",  # a token that came by post
    "is nobody",  # a worker of another installation
    "names a host that has no address",  # no network here
    "number_exists",  # made by the example before
)
"""What the service says of the records that are there, not of the form of a body."""


def test_a_running_service_reads_every_example(served: Served) -> None:
    """The service itself is the last to judge: it may lack a record that is named, but finds no field at fault."""
    login = {"email": ADMIN, "password": PASSWORD}
    with httpx.Client(base_url=served.address, timeout=30) as http:
        token = http.post("/api/v1/auth/login", json=login).json()["access_token"]
        faults = {}
        for _, request in BODIES:
            url = request["url"]["raw"].removeprefix("{{baseUrl}}")
            for one in request["url"].get("variable", []):
                url = url.replace(f":{one['key']}", one["value"])
            content = request["body"]["raw"].encode()
            headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
            if "/auth/" in url:  # would end the session that asks
                headers.pop("Authorization")
            answer = http.request(request["method"], url, content=content, headers=headers)
            told = answer.json() if answer.headers.get("content-type", "").endswith("json") else {}
            wrong = answer.status_code in {400, 405, 415, 500} or (isinstance(told, dict) and told.get("errors"))
            if wrong and not any(said in answer.text for said in OF_THE_MOMENT):
                faults[f"{request['method']} {url}"] = answer.text
    assert not faults, "\n".join(f"{call}: {told}" for call, told in faults.items())
