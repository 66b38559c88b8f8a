"""Many numbers in one body: one that cannot be read is told of by its place and holds up no other."""

import asyncio
from itertools import batched
from typing import Annotated, Any

import msgspec
from litestar.types import Empty
from msgspec import Meta, Struct

from opora.api.decoding import ApiRequest
from opora.api.errors import ValidationFailed
from opora.api.values import RecordId
from opora.core.numbers.model.numbers import BULK_MAX, Fault

READ_AT_ONCE = 500
DETAIL_MAX = 200
Spelling = Annotated[str, Meta(min_length=1, max_length=64)]


class NewPhoneNumber(Struct, frozen=True, forbid_unknown_fields=True):
    """A number in any spelling, and what it belongs to; one of no project is for those who see every project."""

    phone_number: Spelling
    project_id: RecordId | None = None
    provider_id: RecordId | None = None
    geo_id: RecordId | None = None


class NewPhoneNumbers(Struct, frozen=True, forbid_unknown_fields=True):
    """Up to 50,000 numbers."""

    items: Annotated[list[NewPhoneNumber], Meta(min_length=1, max_length=BULK_MAX)]


NUMBERS = msgspec.json.Decoder(NewPhoneNumbers)


class BulkRequest(ApiRequest):
    """A request with many numbers: decoded as a whole, and one by one only where that fails.

    `places` are those of the numbers that could be read, None where all could; `faults` tell of the others.
    """

    __slots__ = ("faults", "places")

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.faults: list[Fault] = []
        self.places: list[int] | None = None

    async def json(self) -> Any:
        """Return the numbers that can be read; raises as other bodies do where the body is no list of numbers."""
        if self._json is not Empty:
            return self._json
        body = await self.body()
        try:
            self._json = NUMBERS.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            listed = items_of(body)
            if listed is None:
                return await super().json()
            self._json = await self._sorted_out(listed)
        return self._json

    async def _sorted_out(self, listed: list[Any]) -> NewPhoneNumbers:
        good: list[NewPhoneNumber] = []
        self.places = []
        for some in batched(enumerate(listed), READ_AT_ONCE):
            for place, one in some:
                try:
                    good.append(msgspec.convert(one, NewPhoneNumber))
                except msgspec.ValidationError as error:
                    self.faults.append(Fault(place, ValidationFailed.code, str(error)[:DETAIL_MAX]))
                else:
                    self.places.append(place)
            await asyncio.sleep(0)  # others have their turn between five hundred and five hundred
        return NewPhoneNumbers(good)


def items_of(body: bytes) -> list[Any] | None:
    """Return the objects in a body's list of numbers; None where it has no such list, or not of the right length."""
    try:
        said = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    listed = said["items"] if isinstance(said, dict) and said.keys() == {"items"} else None
    if not isinstance(listed, list) or not 1 <= len(listed) <= BULK_MAX:
        return None
    return listed if all(isinstance(one, dict) for one in listed) else None
