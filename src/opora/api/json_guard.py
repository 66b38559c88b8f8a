"""What msgspec would let through or stumble over, refused before it decodes: one guard for every JSON body."""

import json
import re
from collections.abc import Iterator

import msgspec

from opora.api.errors import MalformedBody, TooDeep, ValidationFailed
from opora.api.faults import FAULTS_MAX

DEPTH_MAX = 64
"""Deepest nesting of arrays and objects."""
DUPLICATES_CHECKED_MAX_BYTES = 16 * 1024
"""Bodies up to this size are searched for keys given twice; beyond it, the last one counts."""
INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1

_STRINGS = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_NOT_BRACKETS = bytes(byte for byte in range(256) if byte not in b"[]{}")
_LONG_NUMBER = re.compile(rb"\d{19}")


def check(body: bytes) -> None:
    """Raise unless the body is JSON that every store can keep.

    MalformedBody for bytes that are no UTF-8 or no JSON, NaN and numbers past a float, lone surrogates, keys given
    twice; TooDeep; ValidationFailed for NUL in a string and integers past 64 bits.
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise MalformedBody("The body is not UTF-8.") from None
    # Fewer brackets than the bound cannot nest deeper than it: most bodies are judged by two counts.
    if body.count(b"[") + body.count(b"{") > DEPTH_MAX:
        _check_depth(body)
    if b'":' in body and len(body) <= DUPLICATES_CHECKED_MAX_BYTES:
        _check_twins(text)
    if _LONG_NUMBER.search(body) or b"\\u0000" in body:
        _check_values(body)


def refuse_fields(body: bytes) -> None:
    """Raise ValidationFailed for JSON that says anything, where a call takes no body; MalformedBody for no JSON.

    An empty object and null say nothing.
    """
    try:
        said = msgspec.json.decode(body or b"null")
    except (msgspec.DecodeError, RecursionError):
        raise MalformedBody("The body is not JSON.") from None
    if said is None or said == {}:
        return
    names = list(said)[:FAULTS_MAX] if isinstance(said, dict) else ["body"]
    raise ValidationFailed(errors={str(name)[:80]: ["is not taken: this call has no body"] for name in names})


def _check_depth(body: bytes) -> None:
    """Peel the innermost pairs until nothing is left: each round is a pass in C, and the rounds are bounded."""
    brackets = _STRINGS.sub(b"", body).translate(None, _NOT_BRACKETS)
    for _ in range(DEPTH_MAX):
        peeled = brackets.replace(b"[]", b"").replace(b"{}", b"")
        if not peeled:
            return
        if len(peeled) == len(brackets):
            raise MalformedBody("The brackets do not match.")
        brackets = peeled
    raise TooDeep(f"At most {DEPTH_MAX} levels.")


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Twin
    return found


class _Twin(Exception):
    """A key was given twice."""


def _as_text(digits: str) -> str:
    """Leave numbers unread: the search is for keys, and int() refuses very long ones."""
    return digits


_TWINS = json.JSONDecoder(object_pairs_hook=_unique, parse_int=_as_text, parse_float=_as_text)


def _check_twins(text: str) -> None:
    try:
        _TWINS.decode(text)
    except _Twin:
        raise MalformedBody("A key is given twice.") from None
    except (ValueError, RecursionError):
        raise MalformedBody("The body is not JSON.") from None


def _check_values(body: bytes) -> None:
    """Walk the decoded body: only where the raw bytes gave cause to."""
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError) as error:
        raise MalformedBody(str(error)) from None
    faults = {path or "body": [fault] for path, fault in _faults(value, "")}
    if faults:
        raise ValidationFailed(errors=faults)


def _faults(value: object, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        if "\x00" in value:
            yield path, "holds a NUL character"
    elif isinstance(value, int):
        if not INT64_MIN <= value <= INT64_MAX:
            yield path, "is out of the range of 64 bits"
    elif isinstance(value, dict):
        for key, one in value.items():
            if "\x00" in key:
                yield path, "has a name with a NUL character"
            yield from _faults(one, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for index, one in enumerate(value):
            yield from _faults(one, f"{path}.{index}" if path else str(index))
