"""How the process that reads tables tells what it found: parts of a table as frames of bytes, both ways."""

import json
import struct
from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from opora.core.kernel.errors import DomainError
from opora.core.numbers.errors import tables as errors
from opora.core.numbers.model.tables import (
    Part,
    Reading,
    ReadSoFar,
    ReadThrough,
    Refusal,
    RefusedRow,
    SortedRange,
    TableFormat,
    TableHead,
)

FRAME = struct.Struct("<cI")
COUNTS = struct.Struct("<IIIII")
HEAD, SO_FAR, REFUSED, THROUGH, RANGE, FAILED, END = b"H", b"P", b"E", b"T", b"R", b"F", b"Z"
FAILURES: Mapping[str, type[DomainError]] = {
    kind.code: kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, DomainError)
}
"""What may be wrong with a table, by its code."""


def frame(kind: bytes, *payload: bytes | memoryview) -> list[bytes | memoryview]:
    """Return a frame as the pieces to be written."""
    return [FRAME.pack(kind, sum(map(len, payload))), *payload]


def framed(part: Part) -> list[bytes | memoryview]:
    """Return the frame of one part."""
    match part:
        case TableHead():
            return frame(HEAD, text(asdict(part)))
        case ReadSoFar():
            return frame(SO_FAR, text([part.size, part.rows]))
        case ReadThrough():
            return frame(THROUGH, text([part.rows, part.invalid]))
        case SortedRange():
            arrays = (part.numbers, part.lines, part.providers, part.geo)
            repeated = array("q", [value for pair in part.repeated for value in pair])
            zones = text(part.zones)
            counts = COUNTS.pack(len(part.numbers), len(part.providers), len(part.geo), len(repeated), len(zones))
            return frame(RANGE, counts, zones, *(memoryview(one).cast("B") for one in (*arrays, repeated) if len(one)))
        case _:
            return frame(REFUSED, text([[row.line, row.column, row.reason, row.value] for row in part]))


def failure(error: DomainError) -> list[bytes | memoryview]:
    """Return the frame of what is wrong with a table."""
    told = {"code": error.code, "detail": str(error), "facts": error.facts, "errors": getattr(error, "errors", {})}
    return frame(FAILED, text(told))


def part_of(kind: bytes, payload: bytes) -> Part:
    """Read a frame; raises what the frame says is wrong with the table."""
    return READERS[kind](payload)


def text(value: object) -> bytes:
    """Write plain values."""
    return json.dumps(value, separators=(",", ":")).encode()


def _head(payload: bytes) -> Part:
    told = json.loads(payload)
    return TableHead(**{**told, "format": TableFormat(told["format"])})


def _refused(payload: bytes) -> Part:
    return [RefusedRow(line, column, Refusal(reason), value) for line, column, reason, value in json.loads(payload)]


def _range(payload: bytes) -> Part:
    rows, providers, geo, repeated, size = COUNTS.unpack_from(payload)
    view, at, found = memoryview(payload), COUNTS.size + size, []
    zones = [(count, tuple(names)) for count, names in json.loads(payload[COUNTS.size : at])]
    for count in (rows, rows, providers, geo, repeated):
        one = array("q")
        one.frombytes(view[at : at + count * 8])
        found.append(one)
        at += count * 8
    numbers, lines, named_providers, named_geo, again = found
    pairs = list(zip(again[::2], again[1::2], strict=True))
    return SortedRange(numbers, lines, named_providers, named_geo, zones, pairs)


def _failed(payload: bytes) -> Part:
    told: dict[str, Any] = json.loads(payload)
    kind = FAILURES[told["code"]]
    if told["errors"]:
        raise kind(told["detail"], errors=told["errors"], **told["facts"])
    raise kind(told["detail"], **told["facts"])


READERS: Mapping[bytes, Callable[[bytes], Part]] = {
    HEAD: _head,
    SO_FAR: lambda payload: ReadSoFar(*json.loads(payload)),
    REFUSED: _refused,
    THROUGH: lambda payload: ReadThrough(*json.loads(payload)),
    RANGE: _range,
    FAILED: _failed,
}


def order(reading: Reading, *, only_head: bool) -> bytes:
    """Write what is wanted, as the first line that the process reads."""
    told = {**asdict(reading), "only_head": only_head}
    return text(told) + b"\n"


def order_of(line: bytes) -> tuple[Reading, bool]:
    """Read what is wanted, and whether only the head of the table is."""
    told = json.loads(line)
    only_head = told.pop("only_head")
    spans: Sequence[Sequence[int]] = told.pop("merged")
    return Reading(**told, merged=[(first, last) for first, last in spans]), only_head
