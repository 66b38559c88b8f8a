"""The JSON Schema of an event, read from its class: the class is the only description there is."""

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from enum import StrEnum
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints
from uuid import UUID

from opora.core.bus.rules.envelopes import schema_address
from opora.core.kernel.events import Event

DIALECT = "https://json-schema.org/draft/2020-12/schema"
PLAIN: Mapping[object, Mapping[str, str]] = {
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    str: {"type": "string"},
    NoneType: {"type": "null"},
    datetime: {"type": "string", "format": "date-time"},
    date: {"type": "string", "format": "date"},
    UUID: {"type": "string", "format": "uuid"},
}
LISTS = (tuple, list, frozenset, Sequence)

type Schema = dict[str, Any]


def schema_of(event: type[Event], source: str) -> Schema:
    """Describe what `data` of an event's envelope holds. Fields may be added to it; none goes or changes its type."""
    return {
        "$schema": DIALECT,
        "$id": schema_address(source, event.topic),
        "title": event.topic,
        "description": inspect.cleandoc(event.__doc__ or ""),
        **_record(event),
    }


def first_sentence(event: type[Event]) -> str:
    """Return what an event says, in the sentence that its docstring begins with."""
    return inspect.cleandoc(event.__doc__ or "").partition("\n")[0]


def described(hint: Any) -> Schema:
    """Describe values of an annotation; raises TypeError for one that no event should have."""
    if hint in PLAIN:
        return dict(PLAIN[hint])
    origin, parts = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return _either([described(part) for part in parts])
    if origin in LISTS:
        return {"type": "array", "items": described(parts[0])}
    if origin is Mapping or origin is dict:
        return {"type": "object", "additionalProperties": described(parts[1])}
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return {"type": "string", "enum": [str(one) for one in hint]}
    if is_dataclass(hint) and isinstance(hint, type):
        return _record(hint)
    raise TypeError(f"an event holds plain values, not {hint!r}")


def _record(kind: type) -> Schema:
    """Describe a dataclass: every field is always there."""
    hints = get_type_hints(kind)
    names = [field.name for field in fields(kind)]
    return {
        "type": "object",
        "properties": {name: described(hints[name]) for name in names},
        "required": names,
    }


def _either(found: list[Schema]) -> Schema:
    """Join the schemas of a union: plain types become a list of types."""
    if all(one.keys() == {"type"} for one in found):
        return {"type": [one["type"] for one in found]}
    return {"anyOf": found}
