"""Every fault of a body at once: msgspec stops at the first, so a body that failed is judged again field by field."""

import re
from collections.abc import Callable, Iterator
from dataclasses import MISSING, fields, is_dataclass
from functools import partial
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import msgspec

FAULTS_MAX = 100
"""How many fields are named: enough for a form, bounded for a list of thousands."""

_PLACE = re.compile(r" - at `\$(?:\.)?(.*)`$")
Judging = Callable[[object, Any], Any]
"""Decodes a value as a kind, or raises msgspec's ValidationError."""

_LISTS = (list, tuple, set, frozenset)


def every(kind: Any, value: object, dec_hook: Any = None, *, strict: bool = True) -> dict[str, list[str]]:
    """Return all messages about a decoded body, by dotted path; `body` names the whole.

    Without `strict`, texts stand for numbers and dates, as in forms.
    """
    found: dict[str, list[str]] = {}
    judge: Judging = partial(msgspec.convert, strict=strict, dec_hook=dec_hook)
    for path, message in _faults(kind, value, "", judge):
        if len(found) >= FAULTS_MAX:
            break
        found.setdefault(path or "body", []).append(message)
    return found


def _faults(kind: Any, value: object, path: str, judge: Judging) -> Iterator[tuple[str, str]]:
    shape = _shape(kind, value)
    inner: Iterator[tuple[str, str]] | None = None
    if shape is not None and isinstance(value, dict):
        inner = _object_faults(shape, value, path, judge)
    elif get_origin(_bare(kind)) in _LISTS and isinstance(value, list):
        part = get_args(_bare(kind))[0]
        inner = (
            fault for index, one in enumerate(value) for fault in _faults(part, one, _join(path, str(index)), judge)
        )
    any_inside = False
    for fault in inner or ():
        any_inside = True
        yield fault
    # What holds for the whole (bounds of a list, a rule between fields) shows only once the parts are sound.
    if not any_inside:
        yield from _own_fault(kind, value, path, judge)


def _object_faults(shape: Any, value: dict[str, Any], path: str, judge: Judging) -> Iterator[tuple[str, str]]:
    known: dict[str, tuple[Any, bool]] = dict(_fields(shape))
    for name in value:
        if name not in known and _refuses_unknown(shape):
            yield _join(path, str(name)[:80]), "is not a field of this body"
    for name, (kind, is_required) in known.items():
        if name in value:
            yield from _faults(kind, value[name], _join(path, name), judge)
        elif is_required:
            yield _join(path, name), "is required"


def _own_fault(kind: Any, value: object, path: str, judge: Judging) -> Iterator[tuple[str, str]]:
    try:
        judge(value, kind)
    except msgspec.ValidationError as error:
        text = str(error)
        match = _PLACE.search(text)
        place = re.sub(r"\[(\d+|\.\.\.)\]", r".\1", match[1]).strip(".") if match else ""
        yield _join(path, place), _PLACE.sub("", text)


def _fields(shape: Any) -> Iterator[tuple[str, tuple[Any, bool]]]:
    """Yield each field's name on the wire, its annotation, and whether it must be given."""
    if isinstance(shape, type) and issubclass(shape, msgspec.Struct):
        for one in msgspec.structs.fields(shape):
            yield one.encode_name, (one.type, one.required)
        return
    hints = get_type_hints(shape, include_extras=True)
    for field in fields(shape):
        is_required = field.default is MISSING and field.default_factory is MISSING
        yield field.name, (hints[field.name], is_required)


def _refuses_unknown(shape: Any) -> bool:
    config = getattr(shape, "__struct_config__", None)
    return config is not None and bool(config.forbid_unknown_fields)


def _shape(kind: Any, value: object) -> Any:
    """Return the one struct or dataclass a value may be, None for other types and for unions of several."""
    bare = _bare(kind)
    if get_origin(bare) in {Union, UnionType}:
        shapes = [shape for part in get_args(bare) if (shape := _shape(part, value)) is not None]
        return shapes[0] if len(shapes) == 1 else None
    origin = get_origin(bare) or bare
    if isinstance(origin, type) and (issubclass(origin, msgspec.Struct) or is_dataclass(origin)):
        return origin
    return None


def _bare(kind: Any) -> Any:
    return get_args(kind)[0] if get_origin(kind) is Annotated else kind


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path and name else path or name
