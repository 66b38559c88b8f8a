"""Server-sent events out of bytes as they come: lines, fields and events by the rules of the HTML standard."""

import codecs
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field

LINE_MAX = 1024 * 1024
LINE_END = re.compile(r"\r\n|\r|\n")


class Unreadable(Exception):
    """The stream cannot be read: no UTF-8, or a line without end."""


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """One event: its type, and its lines of data joined."""

    kind: str
    data: str


@dataclass(slots=True)
class EventReader:
    """Takes bytes however they were cut, in the middle of a character as well, and gives events once they are whole."""

    _decoder: codecs.IncrementalDecoder = field(default_factory=lambda: codecs.getincrementaldecoder("utf-8")("strict"))
    _rest: str = ""
    _after_return: bool = False
    _kind: str = ""
    _data: list[str] = field(default_factory=list)
    _begun: bool = False

    def feed(self, some: bytes) -> Iterator[ServerEvent]:
        """Yield the events that these bytes complete; raises Unreadable."""
        try:
            text = self._decoder.decode(some)
        except UnicodeDecodeError as error:
            raise Unreadable("no UTF-8") from error
        if text and not self._begun:
            self._begun = True
            text = text.removeprefix("\ufeff")
        for line in self._lines(text):
            event = self._take(line)
            if event is not None:
                yield event

    def _lines(self, text: str) -> Iterator[str]:
        """Yield whole lines; they end in CR, LF or both, and a CR may come apart from its LF."""
        if not text:  # no more than a part of a character has come
            return
        if self._after_return:
            text = text.removeprefix("\n")
        *whole, rest = LINE_END.split(self._rest + text)
        self._rest = rest
        self._after_return = text.endswith("\r")
        if len(rest) > LINE_MAX:
            raise Unreadable("a line without end")
        yield from whole

    def _take(self, line: str) -> ServerEvent | None:
        if not line:
            kind, data = self._kind or "message", self._data
            self._kind, self._data = "", []
            return ServerEvent(kind, "\n".join(data)) if data else None
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "event":
            self._kind = value
        elif name == "data":
            self._data.append(value)
        return None


async def events(parts: AsyncIterator[bytes]) -> AsyncIterator[ServerEvent]:
    """Yield the events of a stream; raises Unreadable."""
    reader = EventReader()
    async for some in parts:
        for event in reader.feed(some):
            yield event
