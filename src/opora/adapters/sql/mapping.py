"""Rows to domain objects and back. Field names match, so no mapper is written by hand."""

from collections.abc import Hashable
from dataclasses import fields, is_dataclass
from functools import lru_cache
from types import UnionType
from typing import Any, Union, cast, get_args, get_origin, get_type_hints

import msgspec

from opora.adapters.sql.connection import Row

ENCODER = msgspec.json.Encoder()
NESTED = (tuple, frozenset, list, dict, set)


def load[T](kind: type[T], row: Row) -> T:
    """Build a domain object from a row whose columns are named as its fields; JSON columns become nested values."""
    values = {key: row[key] for key in row.keys()}  # noqa: SIM118  # a Row is no mapping
    for name in json_fields(cast("Hashable", kind)):
        if isinstance(values.get(name), str):
            values[name] = msgspec.json.decode(values[name])
    return msgspec.convert(values, kind, strict=False)


def columns(thing: Any) -> dict[str, Any]:
    """Give a domain object's fields as column values; what is not one value becomes JSON text."""
    return {field.name: column(getattr(thing, field.name)) for field in fields(thing)}


def column(value: Any) -> Any:
    """Give one value as its column holds it."""
    if isinstance(value, NESTED) or (is_dataclass(value) and not isinstance(value, type)):
        return to_json(value)
    return value


def to_json(value: Any) -> str:
    """Encode as JSON text; sets are sorted so that equal values give equal text."""
    if isinstance(value, frozenset | set):
        value = sorted(value)
    return ENCODER.encode(value).decode()


@lru_cache(maxsize=256)
def json_fields(kind: Hashable) -> tuple[str, ...]:
    """Name the fields of a dataclass that a JSON column holds."""
    return tuple(name for name, hint in get_type_hints(cast("type", kind)).items() if is_nested(hint))


def is_nested(hint: Any) -> bool:
    """Tell whether values of this annotation are kept as JSON text."""
    origin = get_origin(hint)
    if origin in (Union, UnionType):
        return any(is_nested(part) for part in get_args(hint))
    outer = origin or hint
    if not isinstance(outer, type):
        return getattr(outer, "__name__", "") == "Mapping"
    return is_dataclass(outer) or issubclass(outer, NESTED) or outer.__name__ in {"Mapping", "Sequence"}


def insertion(table: str, names: tuple[str, ...], suffix: str = "") -> str:
    """Write an INSERT of these columns with parameters of the same names."""
    return (
        f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join(':' + name for name in names)}) {suffix}".strip()
    )
