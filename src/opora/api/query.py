"""The query string, judged before any handler sees it: readable, known, once, and within the stores' ranges."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from urllib.parse import unquote_to_bytes

import msgspec

from opora.api.errors import CredentialsInQuery, MalformedQuery, UrlTooLong, ValidationFailed

SIZE_MAX_BYTES = 8192
COUNT_MAX = 100
INT64_MAX = 2**63 - 1
YEAR_MIN, YEAR_MAX = 1900, 2200
"""Years beyond these overflow when a zone is applied, or a store's range does."""

CREDENTIAL_NAMES = frozenset({"access_token", "api_key", "apikey", "api-key", "x-api-key", "authorization", "bearer"})


@dataclass(frozen=True, slots=True)
class QueryFacts:
    """Which parameters a route takes; `is_open` routes read the string themselves.

    `decoders` take a value as the handler's own decoder does, bounds and all, or raise msgspec's ValidationError.
    """

    names: frozenset[str] = frozenset()
    repeated: frozenset[str] = frozenset()
    ints: frozenset[str] = frozenset()
    times: frozenset[str] = frozenset()
    dates: frozenset[str] = frozenset()
    is_open: bool = False
    required: frozenset[str] = frozenset()
    decoders: Mapping[str, Callable[[Any], object]] = field(default_factory=dict)


def check(raw: bytes, facts: QueryFacts) -> None:
    """Raise unless the string can be read, the route takes every parameter in it, and none is missing.

    MalformedQuery for bytes that are no UTF-8 or are NUL, CredentialsInQuery, UrlTooLong, and ValidationFailed naming
    every parameter at fault. Types and bounds are the handler's decoder's to judge, unless there is a fault already.
    """
    given = pairs(raw)
    faults = _form_faults(given, facts)
    if faults or not facts.required.issubset(name for name, _ in given):
        raise ValidationFailed(errors=faults | _value_faults(given, facts, faults))


def refuse(raw: bytes, facts: QueryFacts) -> None:
    """Raise ValidationFailed naming every parameter whose value is not what the handler decodes it as."""
    faults = _value_faults(pairs(raw), facts, {})
    if faults:
        raise ValidationFailed(errors=faults)


def _form_faults(given: Sequence[tuple[str, str]], facts: QueryFacts) -> dict[str, list[str]]:
    """Return what is wrong with the names, and with values whose type alone lets too much through."""
    faults: dict[str, list[str]] = {}
    seen: set[str] = set()
    for name, value in given:
        if name.lower() in CREDENTIAL_NAMES and name not in facts.names:
            raise CredentialsInQuery
        if name not in facts.names:
            if not facts.is_open:
                faults.setdefault(name[:80], ["is not a parameter of this call"])
        elif name in seen and name not in facts.repeated:
            faults.setdefault(name, ["is given more than once"])
        else:
            fault = _fault(name, value, facts)
            if fault:
                faults.setdefault(name, []).append(fault)
        seen.add(name)
    return faults


def _value_faults(
    given: Sequence[tuple[str, str]], facts: QueryFacts, known: Mapping[str, object]
) -> dict[str, list[str]]:
    """Return what is wrong with the values by their types and bounds, and what is missing, but for what is `known`."""
    values: dict[str, list[str]] = {}
    for name, value in given:
        values.setdefault(name, []).append(value)
    faults: dict[str, list[str]] = {}
    for name, decode in facts.decoders.items():
        if name in known:
            continue
        if name not in values:
            if name in facts.required:
                faults[name] = ["is required"]
            continue
        try:
            decode(values[name] if name in facts.repeated else values[name][-1])
        except msgspec.ValidationError as error:
            faults[name] = [str(error).partition(" - at ")[0]]
    return faults


def pairs(raw: bytes) -> list[tuple[str, str]]:
    """Return the decoded names and values in order; raises MalformedQuery or UrlTooLong."""
    if len(raw) > SIZE_MAX_BYTES:
        raise UrlTooLong(f"A query string has at most {SIZE_MAX_BYTES} bytes.")
    parts = raw.split(b"&")
    if len(parts) > COUNT_MAX:
        raise UrlTooLong(f"A query string has at most {COUNT_MAX} parameters.")
    found = []
    for part in parts:
        if part:
            name, _, value = part.partition(b"=")
            found.append((_text(name), _text(value)))
    return found


def _text(raw: bytes) -> str:
    if b"+" in raw:
        raw = raw.replace(b"+", b" ")
    if b"%" in raw:
        raw = unquote_to_bytes(raw)
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise MalformedQuery("The query string is not UTF-8.") from None
    if "\x00" in text:
        raise MalformedQuery("The query string holds a NUL.")
    return text


def _fault(name: str, value: str, facts: QueryFacts) -> str | None:
    """Say what is wrong with a value whose type alone lets through what no store can keep."""
    if name in facts.ints and value:
        digits = value.removeprefix("-")
        if not (digits.isascii() and digits.isdecimal()):
            return "is a whole number in decimal digits"
        if len(digits) > 19 or int(digits) > INT64_MAX:  # noqa: PLR2004
            return "is out of range"
    elif name in facts.times and value:
        return _time_fault(value)
    elif name in facts.dates and value:
        return _date_fault(value)
    return None


def _time_fault(value: str) -> str | None:
    try:
        # An unescaped "+02:00" arrives as " 02:00".
        moment = datetime.fromisoformat(value.replace(" ", "+") if "T" in value else value)
    except ValueError:
        return "is a time such as 2026-01-31T09:00:00Z"
    if not YEAR_MIN <= moment.year <= YEAR_MAX:
        return f"lies between the years {YEAR_MIN} and {YEAR_MAX}"
    return None if moment.tzinfo is not None else "names its zone, such as a Z at the end"


def _date_fault(value: str) -> str | None:
    try:
        day = date.fromisoformat(value)
    except ValueError:
        return "is a date such as 2026-01-31"
    return None if YEAR_MIN <= day.year <= YEAR_MAX else f"lies between the years {YEAR_MIN} and {YEAR_MAX}"
