"""Calls to a provider over HTTP: bounded in time and size, not made while the breaker is open, never repeated here.

Whoever called asks again later, under the same key.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import ceil
from time import monotonic
from typing import Any

import httpx

from opora.core.billing.errors.payments import ProviderRefused, ProviderUnavailable
from opora.core.kernel.model import Breaker, BreakerPolicy
from opora.core.kernel.rules import breaker_begun, breaker_failed, breaker_succeeded, breaker_wait_s

ANSWER_BYTES_MAX = 2 * 1024 * 1024
ANSWER_TIMEOUT_S = 15.0
CONNECTIONS_MAX = 20
REASON_MAX = 200
MENDED_BY_OPERATOR = frozenset({401, 403})
IN_DOUBT = frozenset({408, 409, 425, 429})
"""Answers of a hurry, or of a first call that still runs: the same may be asked again."""
NOT_FOUND = 404


@dataclass(frozen=True, slots=True)
class Wire:
    """How a provider writes: the type of its bodies, and where an error's word stands in its answers."""

    encode: Callable[[Mapping[str, object]], tuple[str, bytes]]
    reason: Callable[[Mapping[str, Any]], str]


class ProviderCalls:
    """One provider's API, and whether it is worth calling."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        wire: Wire,
        breaker: BreakerPolicy | None = None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._client = client
        self._wire = wire
        self._breaker = Breaker(breaker or BreakerPolicy())
        self._clock = clock

    async def get(self, path: str, query: Mapping[str, str] | None = None) -> Mapping[str, Any] | None:
        """Return what is there; None for 404. Raises ProviderRefused, ProviderUnavailable."""
        status, found = await self._call("GET", path, query=query)
        return None if status == NOT_FOUND else self._judged(status, found)

    async def post(self, path: str, fields: Mapping[str, object], headers: Mapping[str, str]) -> Mapping[str, Any]:
        """Send fields and return the answer. Raises ProviderRefused, ProviderUnavailable."""
        return self._judged(*await self._call("POST", path, fields=fields, headers=headers))

    async def close(self) -> None:
        """Hang up."""
        await self._client.aclose()

    async def _call(
        self,
        method: str,
        path: str,
        *,
        fields: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> tuple[int, Mapping[str, Any]]:
        wait_s = breaker_wait_s(self._breaker, self._clock())
        if wait_s > 0:
            raise ProviderUnavailable("It failed too often lately.", retry_after_s=ceil(wait_s))
        self._breaker = breaker_begun(self._breaker, self._clock())
        sent = dict(headers or {})
        content = None
        if fields is not None:
            sent["content-type"], content = self._wire.encode(fields)
        try:
            async with self._client.stream(method, path, headers=sent, content=content, params=query) as answer:
                status, found = answer.status_code, await whole(answer)
        except (httpx.HTTPError, httpx.InvalidURL, Unreadable) as error:
            self._breaker = breaker_failed(self._breaker, self._clock())
            raise ProviderUnavailable(f"No answer: {type(error).__name__}.", retry_after_s=5) from error
        failed = httpx.codes.is_server_error(status)
        self._breaker = breaker_failed(self._breaker, self._clock()) if failed else breaker_succeeded(self._breaker)
        return status, found

    def _judged(self, status: int, found: Mapping[str, Any]) -> Mapping[str, Any]:
        if httpx.codes.is_success(status):
            return found
        if httpx.codes.is_client_error(status) and status not in IN_DOUBT | MENDED_BY_OPERATOR:
            said = "".join(letter for letter in self._wire.reason(found) if letter.isprintable())
            raise ProviderRefused(said[:REASON_MAX] or str(status))
        raise ProviderUnavailable(f"It answered {status}.", retry_after_s=5)


class Unreadable(Exception):
    """An answer that is no JSON object, or too large a one."""


async def whole(answer: httpx.Response) -> Mapping[str, Any]:
    """Read an answer to its end."""
    content = bytearray()
    async for some in answer.aiter_bytes():
        content += some
        if len(content) > ANSWER_BYTES_MAX:
            raise Unreadable
    return json_object(bytes(content))


def json_object(content: bytes) -> Mapping[str, Any]:
    """Read a JSON object; raises Unreadable for anything else, however deep."""
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise Unreadable from error
    if not isinstance(found, dict):
        raise Unreadable
    return found


def client_of(url: str, headers: Mapping[str, str], config: Mapping[str, str]) -> httpx.AsyncClient:
    """Build the client of a provider's API; raises ValueError for an address without a host."""
    base = httpx.URL(url)
    if base.scheme not in {"http", "https"} or not base.host or base.userinfo or base.query:
        raise ValueError("url is not https://host/path, its keys in settings of their own")
    return httpx.AsyncClient(
        base_url=url.rstrip("/"),
        headers=dict(headers),
        timeout=float(config.get("timeout_s", ANSWER_TIMEOUT_S)),
        limits=httpx.Limits(max_connections=CONNECTIONS_MAX),
        trust_env=False,
    )


def text_in(fields: Mapping[str, Any], name: str, length_max: int = 200) -> str | None:
    """Return a text of an answer; None where it is absent, empty, too long or something else."""
    found = fields.get(name)
    return found if isinstance(found, str) and 0 < len(found) <= length_max else None


def object_in(fields: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return an object within an object; an empty one where there is none."""
    found = fields.get(name)
    return found if isinstance(found, dict) else {}
