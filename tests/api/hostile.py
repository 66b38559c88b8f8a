"""Values no field may choke on, and a judgement of which of them a schema of the document lets through."""

import json
import re
from datetime import date, datetime
from typing import Any

from api.operations import resolved

INT64 = 2**63
TEXTS = ("", " ", "ten", "x" * 100_000, "../../etc/passwd", "a\r\nb: c", "%00", "' OR 1=1 --", "=1+1", "٣", "1_0")
BARRED = ("\x00", "a\x00b", "\x1b[2J", "\u202eabc", "\u2066abc")
"""Texts that no field shows back: controls, and marks that turn text around."""
VALUES: tuple[Any, ...] = (
    *(None, True, 1.5, 0, -1, INT64 - 1, INT64, -INT64, -INT64 - 1),
    *TEXTS,
    *BARRED,
    *([], {}, [[]], {"a": 1}, ["x"] * 2000),
)
UNREADABLE = (
    "9" * 5000,
    "1e400",
    "-1e400",
    "NaN",
    "Infinity",
    '"\\ud800"',
    '"\\udfff\\ud800"',
    "[" * 70 + "]" * 70,
    '{"a":' * 70 + "1" + "}" * 70,
    "[" * 5000,
    "01",
    "'x'",
    '"\x01"',
)
"""What is no JSON value, or none that this service reads."""
QUERY_TEXTS = (
    *("", "0", "-1", "ten", "1e3", "1.5", "NaN", "true", "1_0", "+1", "%D9%A3", str(INT64 - 1), str(INT64), "9" * 400),
    *("x" * 201, "x" * 1025, "../..", "%27%20OR%201=1", "2026-13-01", "0001-01-01T00:00:00Z", "2026-01-01T00:00:00"),
)
BARRED_QUERY = ("%00", "a%00b", "%FF", "%ED%A0%80", "a%0D%0Ab", "%E2%80%AEabc", "%1B%5B2J", "x" * 9000)
PATH_TEXTS = (
    *("0", "-1", "1.5", "ten", "1_0", "+1", "%D9%A3", str(INT64 - 1), str(INT64), "9" * 400, "x" * 5000),
    *("%00", "1%00", "%FF", "..%2F..%2Fetc%2Fpasswd", "%2e%2e", "1%0D%0Ab:c", "%E2%80%AE1", "' OR 1=1", "*"),
)
KINDS: dict[str, tuple[type, ...]] = {
    "integer": (int,),
    "number": (int, float),
    "string": (str,),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
    "null": (type(None),),
}


def fits(schema: dict[str, Any], value: Any) -> bool:
    """Tell whether a schema lets a value through."""
    found = resolved(schema)
    if "oneOf" in found and not any(fits(one, value) for one in found["oneOf"]):
        return False
    if value is None and "oneOf" in found:
        return True
    kind = found.get("type")
    kinds = [kind] if isinstance(kind, str) else kind or list(KINDS)
    if not any(is_kind(value, one) for one in kinds):
        return False
    if ("enum" in found and value not in found["enum"]) or ("const" in found and value != found["const"]):
        return False
    return judged(found, value)


def is_kind(value: Any, kind: str) -> bool:
    """Tell whether a value is of a JSON type; true and false are no numbers."""
    return isinstance(value, KINDS[kind]) and (kind == "boolean" or not isinstance(value, bool))


def judged(found: dict[str, Any], value: Any) -> bool:
    """Tell whether a value of the right type keeps the bounds."""
    if isinstance(value, bool) or value is None:
        return True
    if isinstance(value, (int, float)):
        return bool(found.get("minimum", -INT64) <= value <= found.get("maximum", INT64 - 1))
    if isinstance(value, str):
        long_enough = found.get("minLength", 0) <= len(value) <= found.get("maxLength", 10**9)
        return long_enough and matches(found, value) and is_moment(found.get("format"), value)
    if isinstance(value, list):
        items = found.get("items", {})
        bounded = found.get("minItems", 0) <= len(value) <= found.get("maxItems", 10**9)
        return bounded and all(fits(items, one) for one in value)
    properties = found.get("properties", {})
    closed = found.get("additionalProperties") is False and value.keys() - properties.keys()
    return not closed and set(found.get("required", ())) <= value.keys()


def matches(found: dict[str, Any], value: str) -> bool:
    """Tell whether a text matches the pattern of its schema."""
    return "pattern" not in found or re.search(found["pattern"], value) is not None


def is_moment(form: str | None, value: str) -> bool:
    """Tell whether a text is the date or the time that a schema wants."""
    try:
        if form == "date-time":
            return datetime.fromisoformat(value).tzinfo is not None and datetime.fromisoformat(value).year >= 1900
        if form == "date":
            date.fromisoformat(value)
    except ValueError:
        return False
    return True


def coerced(schema: dict[str, Any], text: str) -> Any:
    """Return what a text of a query string stands for under its schema."""
    found = resolved(schema)
    kinds = {resolved(one).get("type") for one in found.get("oneOf", (found,))}
    if "integer" in kinds and re.fullmatch(r"-?[0-9]+", text):
        return int(text)
    if "boolean" in kinds:
        return {"true": True, "false": False, "1": True, "0": False}.get(text, text)
    return text


def with_field(body: dict[str, Any], field: str, raw: str) -> bytes:
    """Write a body with raw JSON as one of its fields."""
    mark = "\x02here\x02"
    return json.dumps(body | {field: mark}).replace(json.dumps(mark), raw).encode("utf-8", "surrogatepass")
