"""Forms with files (multipart/form-data, RFC 7578), read as a stream: no file is ever held in memory."""

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import msgspec
import multipart
from litestar import Request

from opora.api.errors import (
    BodyTooLarge,
    FormCutOff,
    MalformedForm,
    TooManyParts,
    UnsupportedMediaType,
    ValidationFailed,
)
from opora.api.faults import every
from opora.core.documents.model.files import Received
from opora.core.documents.ports.files import Intake
from opora.core.kernel.errors import BlobTooLarge

FORM = "multipart/form-data"
BOUNDARY_MAX = 70
HEADER_MAX_BYTES = 2_048
HEADERS_MAX = 8
FIELDS_MAX = 16
OVERHEAD_BYTES = 65_536
"""What the form around the files may take: boundaries, headers and short fields."""
DRAINED_MAX_BYTES = 64 * 1024 * 1024
"""How much of a refused form is read and thrown away, so that its sender hears why."""
UPLOAD_CEILING_BYTES = 2**32 + 2**26


@dataclass(frozen=True, slots=True)
class FormBounds:
    """What a form may hold: files of a size, all of them together, and bytes in a field.

    Where each file stands for itself, one that is too large is read past and left out.
    """

    file_bytes_max: int
    files_max: int = 1
    files_bytes_max: int = 0
    field_bytes_max: int = 8_192
    each_for_itself: bool = False

    @property
    def body_max_bytes(self) -> int:
        """How large the whole body may be."""
        return (self.files_bytes_max or self.file_bytes_max * self.files_max) + self.field_bytes_max + OVERHEAD_BYTES


@dataclass(frozen=True, slots=True)
class FormFile:
    """One file of a form: the field's name, the file's own, and where it waits; nowhere where it was too large."""

    field: str
    name: str
    received: Received | None

    @property
    def sha256(self) -> str:
        """The digest of what was received."""
        return "" if self.received is None else self.received.sha256


@dataclass(slots=True)
class Form:
    """A form that was read whole."""

    fields: dict[str, str] = field(default_factory=dict)
    files: list[FormFile] = field(default_factory=list)

    def digest(self) -> bytes:
        """Return SHA-256 over all that the form says, whatever its boundary was."""
        said = [sorted(self.fields.items()), [(one.field, one.name, one.sha256) for one in self.files]]
        return hashlib.sha256(msgspec.json.encode(said)).digest()

    def the_file(self, name: str = "file") -> tuple[str, Received]:
        """Return the one file of that field with its own name; raises ValidationFailed."""
        found = [one for one in self.files if one.field == name]
        if len(found) != 1 or len(self.files) != 1 or found[0].received is None:
            raise ValidationFailed(errors={name: ["is one file" if self.files else "is required"]})
        return found[0].name, found[0].received

    def with_file[T](self, kind: type[T]) -> tuple[str, Received, T]:
        """Return the one file with its own name, and the fields; raises ValidationFailed naming both where at fault."""
        try:
            fields = self.read(kind)
        except ValidationFailed as error:
            faults = error.errors
            try:
                self.the_file()
            except ValidationFailed as too:
                faults = too.errors | faults
            raise ValidationFailed(errors=faults) from None
        return *self.the_file(), fields

    def read[T](self, kind: type[T]) -> T:
        """Return the fields as a struct; an empty field is one that was not sent. Raises ValidationFailed."""
        given = {name: value for name, value in self.fields.items() if value}
        try:
            return msgspec.convert(given, kind, strict=False)
        except msgspec.ValidationError as error:
            faults = every(kind, given, strict=False)
            raise ValidationFailed(errors=faults or {"body": [str(error)]}) from None


@asynccontextmanager
async def received_form(request: Request[Any, Any, Any], intake: Intake, bounds: FormBounds) -> AsyncIterator[Form]:
    """Read a form, its files into the intake, and let them go when the block is left.

    Raises UnsupportedMediaType, MalformedForm, FormCutOff, TooManyParts, BodyTooLarge or BlobTooLarge.
    """
    reader = FormReader(request, intake, bounds)
    try:
        try:
            await reader.read()
        except Exception:
            await reader.drain()
            raise
        yield reader.form
    finally:
        for one in reader.form.files:
            if one.received is not None:
                await intake.discard(one.received)


class FormReader:
    """Reads one form off its request."""

    def __init__(self, request: Request[Any, Any, Any], intake: Intake, bounds: FormBounds) -> None:
        self._receive: Any = request.receive
        self._intake = intake
        self._bounds = bounds
        self._size = 0
        self._is_whole = False
        self._parser = multipart.PushMultipartParser(
            boundary_of(request),
            max_header_size=HEADER_MAX_BYTES,
            max_header_count=HEADERS_MAX,
            max_segment_count=bounds.files_max + FIELDS_MAX,
        )
        self.form = Form()
        length = request.headers.get("content-length", "")
        if length.isdecimal() and int(length) > bounds.body_max_bytes:
            raise BodyTooLarge(f"At most {bounds.body_max_bytes} bytes.", max_bytes=bounds.body_max_bytes)

    async def read(self) -> None:
        """Read the whole form."""
        try:
            events = self._events()
            async for event in events:
                if isinstance(event, multipart.MultipartSegment):
                    await self._part(event, events)
            self._parser.close()
        except multipart.ParserLimitReached:
            raise TooManyParts from None
        except multipart.MultipartError:
            raise MalformedForm from None

    async def _part(self, segment: Any, events: AsyncIterator[Any]) -> None:
        name = segment.name
        if segment.filename is not None:
            if len(self.form.files) >= self._bounds.files_max:
                raise TooManyParts(f"At most {self._bounds.files_max} files.")
            self.form.files.append(FormFile(name, segment.filename, await self._file(events)))
            return
        if name in self.form.fields:
            raise MalformedForm("A field is there twice.")
        value = bytearray()
        async for some in Part(events).content():
            value += some
            if len(value) > self._bounds.field_bytes_max:
                raise BodyTooLarge(f"A field has at most {self._bounds.field_bytes_max} bytes.")
        try:
            self.form.fields[name] = value.decode()
        except UnicodeDecodeError:
            raise MalformedForm("A field is no UTF-8.") from None

    async def _file(self, events: AsyncIterator[Any]) -> Received | None:
        part = Part(events)
        try:
            return await self._intake.receive(part.content(), self._bounds.file_bytes_max)
        except BlobTooLarge:
            if not self._bounds.each_for_itself:
                raise
        async for _ in part.content():
            pass
        return None

    async def _events(self) -> AsyncIterator[Any]:
        while not self._is_whole:
            for event in self._parser.parse(await self._chunk()):
                yield event

    async def _chunk(self) -> bytes:
        """Return the next bytes of the body; raises FormCutOff where the client left, BodyTooLarge past the bound."""
        some = b""
        while not some and not self._is_whole:
            message = await self._receive()
            if message["type"] != "http.request":
                self._is_whole = True
                raise FormCutOff
            some = message.get("body", b"")
            self._is_whole = not message.get("more_body", False)
        self._size += len(some)
        if self._size > self._bounds.body_max_bytes:
            raise BodyTooLarge(max_bytes=self._bounds.body_max_bytes)
        return some

    async def drain(self) -> None:
        """Read what is left, within bounds, so that a refusal is heard: many clients send all before they listen."""
        left = DRAINED_MAX_BYTES
        with suppress(Exception):  # whatever it is, the refusal is what counts
            while not self._is_whole and left > 0:
                message = await self._receive()
                left -= len(message.get("body", b""))
                self._is_whole = message["type"] != "http.request" or not message.get("more_body", False)


class Part:
    """The content of the part that a form's events are in."""

    def __init__(self, events: AsyncIterator[Any]) -> None:
        self._events = events
        self._is_over = False

    async def content(self) -> AsyncIterator[bytes]:
        """Yield the bytes up to the part's end; what is left of them where some were read before."""
        while not self._is_over:
            event = await anext(self._events, None)
            if event is None:
                self._is_over = True
            else:
                yield bytes(event)


def boundary_of(request: Request[Any, Any, Any]) -> str:
    """Return the boundary of a form's parts; raises UnsupportedMediaType for no form, MalformedForm for no boundary."""
    kind, options = multipart.parse_options_header(request.headers.get("content-type", ""))
    if kind != FORM:
        raise UnsupportedMediaType(f"Send the body as {FORM}.", expected=FORM)
    boundary = str(options.get("boundary", ""))
    if not 1 <= len(boundary) <= BOUNDARY_MAX or not boundary.isascii() or not boundary.isprintable():
        raise MalformedForm("The form names no boundary between its parts.")
    return boundary
