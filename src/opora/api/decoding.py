"""JSON bodies decoded once and strictly: Litestar's own way takes "5" for 5 and names one fault at a time."""

from datetime import date, datetime
from functools import partial
from typing import Any

import msgspec
from litestar import Request
from litestar.serialization import default_deserializer
from litestar.types import Empty

from opora.api.errors import MalformedBody, ValidationFailed
from opora.api.faults import every
from opora.api.query import YEAR_MAX, YEAR_MIN


class Shape:
    """How one handler's body is decoded."""

    __slots__ = ("dec_hook", "decoder", "has_times", "kind")

    def __init__(self, kind: Any, type_decoders: Any) -> None:
        self.kind = kind
        self.dec_hook = partial(default_deserializer, type_decoders=type_decoders)
        self.decoder = msgspec.json.Decoder(kind, dec_hook=self.dec_hook)
        self.has_times = _has_times(msgspec.inspect.type_info(kind))

    def decode(self, body: bytes) -> Any:
        """Return the value; raises MalformedBody, or ValidationFailed with every field at fault."""
        try:
            value = self.decoder.decode(body)
        except msgspec.ValidationError as error:
            raise ValidationFailed(errors=self._faults(body, error)) from None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise MalformedBody(_sober(error)) from None
        if self.has_times:
            faults = {path or "body": [f"lies between the years {YEAR_MIN} and {YEAR_MAX}"] for path in _wild(value)}
            if faults:
                raise ValidationFailed(errors=faults)
        return value

    def _faults(self, body: bytes, error: msgspec.ValidationError) -> dict[str, list[str]]:
        try:
            value = msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as malformed:
            raise MalformedBody(_sober(malformed)) from None
        return every(self.kind, value, self.dec_hook) or {"body": [str(error)]}


class ApiRequest(Request[Any, Any, Any]):
    """A request whose JSON body is decoded straight into the type its handler declares."""

    __slots__ = ()

    async def json(self) -> Any:
        """Return the body as the handler's type; raises MalformedBody or ValidationFailed."""
        if self._json is Empty:
            body = await self.body()
            shape = shape_of(self.route_handler)
            self._json = _plain(body) if shape is None else shape.decode(body)
        return self._json


_SHAPES: dict[Any, Shape | None] = {}


def shape_of(handler: Any) -> Shape | None:
    """Return how a handler's body is decoded, None where it declares none."""
    try:
        return _SHAPES[handler]
    except KeyError:
        field = handler.parsed_data_field
        shape = None if field is None else Shape(field.annotation, handler.resolve_type_decoders())
        _SHAPES[handler] = shape
        return shape


def _plain(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body or b"null")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedBody(_sober(error)) from None


def _sober(error: Exception) -> str:
    """Say what is wrong with JSON text without repeating any of it."""
    return str(error) if isinstance(error, msgspec.DecodeError) else "The body is not UTF-8 JSON."


def _has_times(info: Any, seen: frozenset[Any] = frozenset()) -> bool:
    """Tell whether a type holds a date or a time anywhere."""
    if isinstance(info, (msgspec.inspect.DateTimeType, msgspec.inspect.DateType)):
        return True
    marker = getattr(info, "cls", None)
    if marker is not None:
        if marker in seen:
            return False
        seen |= {marker}
    parts = [getattr(info, name, None) for name in ("item_type", "key_type", "value_type", "type")]
    parts += getattr(info, "types", ()) or ()
    parts += getattr(info, "item_types", ()) or ()
    parts += [field.type for field in getattr(info, "fields", ()) or ()]
    return any(_has_times(part, seen) for part in parts if isinstance(part, msgspec.inspect.Type))


def _wild(value: Any, path: str = "") -> list[str]:
    """Return the paths of dates and times in years that stores and zones cannot bear."""
    if isinstance(value, (date, datetime)):
        return [] if YEAR_MIN <= value.year <= YEAR_MAX else [path]
    if isinstance(value, (list, tuple)):
        return [
            wild for index, one in enumerate(value) for wild in _wild(one, f"{path}.{index}" if path else str(index))
        ]
    names = getattr(value, "__struct_fields__", None) or getattr(value, "__dataclass_fields__", None)
    if names is None and isinstance(value, dict):
        return [wild for key, one in value.items() for wild in _wild(one, f"{path}.{key}" if path else str(key))]
    return [wild for name in names or () for wild in _wild(getattr(value, name), f"{path}.{name}" if path else name)]
