"""A change of the wire that breaks clients is named; one that does not is let be. Each case is a planted change."""

import json
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from cli.conftest import Opora
from opora.cli.compatibility import breaking
from opora.cli.exits import Exit

type Document = dict[str, Any]
PUBLISHED: Document = json.loads((Path(__file__).parents[1] / "api" / "openapi.json").read_text())
GENERATE = PUBLISHED["paths"]["/api/v1/profiles/generate"]["post"]
OLD: Document = {
    "paths": {
        "/things/{id}": {
            "post": {
                "security": [{"bearer": ["things:write"]}],
                "parameters": [
                    {"in": "path", "name": "id", "required": True, "schema": {"type": "integer"}},
                    {"in": "query", "name": "limit", "schema": {"type": "integer", "minimum": 1, "maximum": 200}},
                ],
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/New"}}}},
                "responses": {
                    "201": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}},
                    "404": {},
                },
            }
        }
    },
    "components": {
        "schemas": {
            "New": {
                "type": "object",
                "additionalProperties": False,
                "required": ["name"],
                "properties": {
                    "name": {"type": "string", "maxLength": 10},
                    "colour": {"enum": ["red", "blue"]},
                    "size": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
                },
            },
            "Thing": {
                "type": "object",
                "required": ["id", "parts"],
                "properties": {
                    "id": {"type": "integer"},
                    "colour": {"enum": ["red", "blue"]},
                    "parts": {"type": "array", "items": {"$ref": "#/components/schemas/Thing"}},
                },
            },
        }
    },
}


def call(document: Document) -> Document:
    return document["paths"]["/things/{id}"]["post"]  # type: ignore[no-any-return]


def schema(document: Document, name: str) -> Document:
    return document["components"]["schemas"][name]  # type: ignore[no-any-return]


BREAKING: list[tuple[Callable[[Document], object], str]] = [
    (lambda d: d["paths"].clear(), "POST /things/{id} is gone"),
    (lambda d: call(d)["parameters"].pop(), "query parameter limit is gone"),
    (lambda d: call(d)["parameters"][1].update(required=True), "query parameter limit is required now"),
    (lambda d: call(d)["parameters"][1]["schema"].update(maximum=100), "maximum is 100 now"),
    (lambda d: call(d)["parameters"][1]["schema"].update(minimum=2), "minimum is 2 now"),
    (lambda d: call(d)["parameters"][0]["schema"].update(type="string"), "no longer takes integer"),
    (lambda d: call(d)["requestBody"].update(required=True), "a body is required now"),
    (lambda d: call(d)["requestBody"]["content"].clear(), "body: application/json is gone"),
    (lambda d: call(d)["responses"].pop("201"), "answers no 201 any more"),
    (lambda d: call(d)["security"][0]["bearer"].append("admin"), "needs admin now"),
    (lambda d: schema(d, "New")["required"].append("colour"), "body.colour is required now"),
    (lambda d: schema(d, "New")["properties"].pop("colour"), "body.colour is gone"),
    (lambda d: schema(d, "New")["properties"]["colour"]["enum"].remove("red"), "red is not taken any more"),
    (lambda d: schema(d, "New")["properties"]["name"].update(maxLength=9), "maxLength is 9 now"),
    (lambda d: schema(d, "New")["properties"]["name"].update(pattern="^a"), "another pattern holds"),
    (lambda d: schema(d, "New")["properties"].update(size={"type": "integer"}), "body.size: one of its forms"),
    (lambda d: schema(d, "Thing")["properties"].pop("colour"), "answer 201.colour is gone"),
    (lambda d: schema(d, "Thing")["required"].remove("id"), "answer 201.id may be left out now"),
    (lambda d: schema(d, "Thing")["properties"]["id"].update(type=["integer", "null"]), "may be null"),
    (lambda d: schema(d, "Thing")["properties"]["parts"].update(items={"type": "string"}), "parts[]: may be string"),
]
HARMLESS: list[Callable[[Document], object]] = [
    lambda d: d["paths"].update({"/more": {"get": {}}}),
    lambda d: call(d)["parameters"].append({"in": "query", "name": "q", "schema": {"type": "string"}}),
    lambda d: call(d)["parameters"][1]["schema"].update(maximum=500, minimum=0),
    lambda d: call(d)["responses"].update({"202": {}}),
    lambda d: call(d)["responses"].pop("404"),
    lambda d: call(d).update(security=[]),
    lambda d: schema(d, "New")["properties"].update(note={"type": "string"}),
    lambda d: schema(d, "New")["properties"]["colour"]["enum"].append("green"),
    lambda d: schema(d, "New")["required"].clear(),
    lambda d: schema(d, "Thing")["properties"].update(weight={"type": "number"}),
    lambda d: schema(d, "Thing")["properties"]["colour"]["enum"].append("green"),
    lambda d: schema(d, "Thing")["required"].append("colour"),
]


@pytest.mark.parametrize(("change", "told"), BREAKING)
def test_what_breaks_clients_is_named(change: Callable[[Document], object], told: str) -> None:
    new = deepcopy(OLD)
    change(new)
    found = breaking(OLD, new)
    assert any(told in one for one in found), found


@pytest.mark.parametrize("change", HARMLESS)
def test_what_clients_bear_is_let_be(change: Callable[[Document], object]) -> None:
    new = deepcopy(OLD)
    change(new)
    assert breaking(OLD, new) == []


def test_the_published_contract_breaks_nobody_who_has_it() -> None:
    assert breaking(PUBLISHED, PUBLISHED) == []


def test_the_command_fails_on_a_breaking_change_and_on_nothing_else(opora: Opora, tmp_path: Path) -> None:
    older = tmp_path / "older.json"
    older.write_text(json.dumps(PUBLISHED))
    ended = opora("openapi", "--against", str(older), "--json")
    assert (ended.code, ended.json) == (Exit.OK, {"breaking": []})
    richer = deepcopy(PUBLISHED)
    richer["paths"]["/api/v1/gone"] = {"get": GENERATE}
    older.write_text(json.dumps(richer))
    ended = opora("openapi", "--against", str(older))
    assert ended.code == Exit.FINDINGS
    assert "GET /api/v1/gone is gone" in ended.out
    for text in ("no document", "[]", '{"paths": 7}'):
        older.write_text(text)
        assert opora("openapi", "--against", str(older)).code == Exit.DATA
