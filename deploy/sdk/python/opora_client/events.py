"""Events of a stream (text/event-stream), read line by line."""

from typing import Any

import msgspec
from msgspec import Struct


class Event(Struct, frozen=True):
    """One event: its name, its data and its place in the stream."""

    name: str
    data: str
    id: str = ""

    def json(self) -> Any:
        """Read the data as JSON."""
        return msgspec.json.decode(self.data)


class EventReader:
    """Puts lines together to events; comments, which keep a connection alive, are left out."""

    def __init__(self) -> None:
        self._name, self._data, self._id = "", list[str](), ""

    def read(self, line: str) -> Event | None:
        """Take a line and give the event that it ends."""
        if not line:
            event = Event(self._name or "message", "\n".join(self._data), self._id) if self._data else None
            self._name, self._data = "", []
            return event
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "data":
            self._data.append(value)
        elif field == "event":
            self._name = value
        elif field == "id":
            self._id = value
        return None
