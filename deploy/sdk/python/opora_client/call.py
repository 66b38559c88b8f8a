"""One call before it is sent: where to, with what, and whether it may be sent again."""

import datetime as dt
import uuid
from collections.abc import Mapping
from enum import Enum
from typing import Any, Literal
from urllib.parse import quote

import httpx
import msgspec

from opora_client.files import Upload

SAFE_TO_REPEAT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
type Kind = Literal["json", "form", "multipart"]


def written(value: object) -> str:
    """Write a value as it stands in an address or a form."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dt.date):  # a datetime is one as well
        return value.isoformat()
    return str(value.value if isinstance(value, Enum) else value)


def path(value: object) -> str:
    """Write a value as one segment of a path."""
    return quote(written(value), safe="")


class Call:
    """A request that is not sent yet; repeated, it is the same, under the same Idempotency-Key."""

    def __init__(
        self,
        method: str,
        address: str,
        *,
        query: Mapping[str, object] | None = None,
        body: msgspec.Struct | None = None,
        kind: Kind = "json",
        key: str | None = None,
        keyed: bool = False,
        public: bool = False,
    ) -> None:
        self.method, self.address, self.public = method, address, public
        self.query = {name: written(value) for name, value in (query or {}).items() if value is not None}
        self.headers = {"Idempotency-Key": key or str(uuid.uuid4())} if keyed else {}
        self.repeatable = keyed or method in SAFE_TO_REPEAT
        self._parts: dict[str, Any] = {}
        if body is not None:
            self._parts = {"json": json_parts, "form": form_parts, "multipart": multipart_parts}[kind](body)
            self.headers |= self._parts.pop("headers", {})

    def request(self, http: httpx.Client | httpx.AsyncClient, given: Mapping[str, str]) -> httpx.Request:
        """Make the request; headers of the call stand above those of the client."""
        headers = {**given, **self.headers}
        return http.build_request(self.method, self.address, params=self.query or None, headers=headers, **self._parts)


def json_parts(body: msgspec.Struct) -> dict[str, Any]:
    """Give the body of a call as JSON."""
    return {"content": msgspec.json.encode(body), "headers": {"Content-Type": "application/json"}}


def form_parts(body: msgspec.Struct) -> dict[str, Any]:
    """Give the body of a call as a form."""
    return {"data": {name: written(value) for name, value in filled(body).items()}}


def multipart_parts(body: msgspec.Struct) -> dict[str, Any]:
    """Give the body of a call as a form with files."""
    files: list[tuple[str, tuple[str, bytes, str]]] = []
    fields: dict[str, str] = {}
    for name, value in filled(body).items():
        uploads = value if isinstance(value, list) else [value]
        if all(isinstance(one, Upload) for one in uploads):
            files += [(name, (one.name, one.content, one.media_type)) for one in uploads]
        else:
            fields[name] = written(value)
    return {"data": fields, "files": files}


def filled(body: msgspec.Struct) -> dict[str, Any]:
    """Give the fields of a body that were filled in, by their names on the wire."""
    fields = {field.encode_name: getattr(body, field.name) for field in msgspec.structs.fields(body)}
    return {name: value for name, value in fields.items() if value is not None and value is not msgspec.UNSET}
