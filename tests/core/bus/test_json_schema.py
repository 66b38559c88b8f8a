"""The schema of an event follows from its class, and what is published fits it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID

import jsonschema
import msgspec
import pytest

from opora.adapters.sql.outbox import payload
from opora.core.bus.rules.json_schema import described, first_sentence, schema_of
from opora.core.kernel.events import Event
from opora.core.kernel.model import Money


class Colour(StrEnum):
    """A word."""

    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True, slots=True, kw_only=True)
class Everything(Event):
    """Holds one of each.

    And a second line.
    """

    topic: ClassVar[str] = "test.everything"
    whole: int
    part: float
    flag: bool
    word: str | None
    day: date
    task: UUID
    colour: Colour
    ids: tuple[int, ...]
    facts: Mapping[str, int]
    price: Money
    times: tuple[datetime, ...] | None = None


AT = datetime(2030, 1, 1, 12, tzinfo=UTC)
VALUES: dict[str, Any] = {
    "subject": 7, "at": AT, "whole": 1, "part": 0.5, "flag": True, "word": None, "day": AT.date(), "task": UUID(int=1),
    "colour": Colour.RED, "ids": (1, 2), "facts": {"a": 1}, "price": Money(5, "RUB"),
}  # fmt: skip


def test_a_schema_says_of_which_type_it_is_and_what_every_field_holds() -> None:
    schema = schema_of(Everything, "https://api.example.org")
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$id"] == "https://api.example.org/api/v1/events/schemas/test.everything"
    assert schema["title"] == "test.everything"
    assert schema["description"].splitlines() == ["Holds one of each.", "", "And a second line."]
    assert first_sentence(Everything) == "Holds one of each."
    assert schema["required"] == list(schema["properties"])
    told = schema["properties"]
    assert told["subject"] == {"type": ["integer", "string"]}
    assert told["at"] == {"type": "string", "format": "date-time"}
    assert told["word"] == {"type": ["string", "null"]}
    assert told["flag"] == {"type": "boolean"}
    assert told["colour"] == {"type": "string", "enum": ["red", "blue"]}
    assert told["ids"] == {"type": "array", "items": {"type": "integer"}}
    assert told["facts"] == {"type": "object", "additionalProperties": {"type": "integer"}}
    assert told["price"]["required"] == ["amount_minor", "currency"]
    moments = {"type": "array", "items": {"type": "string", "format": "date-time"}}
    assert told["times"] == {"anyOf": [moments, {"type": "null"}]}


def test_what_is_kept_of_an_event_fits_its_schema_and_what_is_not_does_not() -> None:
    schema = schema_of(Everything, "https://api.example.org")
    kept = msgspec.json.decode(payload(Everything(**VALUES)))
    checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
    jsonschema.validate(kept, schema, format_checker=checker)
    for name, value in {"whole": "1", "colour": "green", "ids": ["a"], "price": {"amount_minor": 1}}.items():
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(kept | {name: value}, schema, format_checker=checker)
    del kept["task"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(kept, schema)


@pytest.mark.parametrize("hint", [bytes, set, object, Event | type])
def test_a_value_that_no_event_should_hold_stops_the_description(hint: object) -> None:
    with pytest.raises((TypeError, IndexError)):
        described(hint)
