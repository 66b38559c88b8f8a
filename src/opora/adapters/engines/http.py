"""A call of a provider: one streamed POST, its statuses judged, its connection closed with the call."""

import json
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import ceil
from typing import Any
from urllib.parse import urlsplit

import httpx

from opora.adapters.engines.auth import Credentials
from opora.adapters.engines.events import ServerEvent, Unreadable, events
from opora.core.generation.errors import EngineBusy, EngineRefused, EngineUnavailable

CONNECT_S = 5.0
SILENCE_S = 60.0
CONNECTIONS_MAX = 100
ANSWER_BYTES_MAX = 8 * 1024 * 1024
SAID_MAX = 300
UNAUTHORISED = 401
PASSING = frozenset({401, 403, 408, 409, 425, 429})
"""Statuses below 500 that say nothing against the wish: another time, or another engine, may do."""
REFERENCES = ("x-request-id", "request-id")


class Provider:
    """One provider's API over HTTP."""

    def __init__(self, client: httpx.AsyncClient, credentials: Credentials) -> None:
        self._client = client
        self._credentials = credentials

    @asynccontextmanager
    async def posted(self, path: str, body: Mapping[str, object]) -> AsyncIterator[httpx.Response]:
        """Send a body and lend the good answer, unread; raises EngineUnavailable, EngineBusy, EngineRefused."""
        headers = await self._credentials.headers(self._client)
        try:
            async with self._sent(path, body, headers) as answer:
                if answer.status_code != UNAUTHORISED or not self._credentials.can_renew:
                    await refuse_bad(answer)
                    yield answer
                    return
            headers = await self._credentials.headers(self._client, renewed=True)
            async with self._sent(path, body, headers) as answer:
                await refuse_bad(answer)
                yield answer
        except httpx.TransportError as error:
            raise EngineUnavailable(f"No whole answer: {type(error).__name__}.") from error

    @asynccontextmanager
    async def _sent(
        self, path: str, body: Mapping[str, object], headers: Mapping[str, str]
    ) -> AsyncIterator[httpx.Response]:
        told = json.dumps(body, ensure_ascii=False).encode()
        named = {"content-type": "application/json", "accept": "text/event-stream, application/json", **headers}
        async with self._client.stream("POST", path, content=told, headers=named) as answer:
            yield answer

    async def got(self, path: str) -> Any:
        """Return a JSON document; raises as `posted`."""
        try:
            answer = await self._client.get(path, headers=await self._credentials.headers(self._client))
            if answer.status_code == UNAUTHORISED and self._credentials.can_renew:
                headers = await self._credentials.headers(self._client, renewed=True)
                answer = await self._client.get(path, headers=headers)
        except httpx.TransportError as error:
            raise EngineUnavailable(f"No whole answer: {type(error).__name__}.") from error
        await refuse_bad(answer)
        return decoded(answer.content)

    async def models(self) -> list[str]:
        """Return the ids in the list of models, as OpenAI's and Anthropic's APIs give it."""
        told = await self.got("/models")
        listed = told.get("data") if isinstance(told, dict) else None
        found = [one.get("id") for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
        return [one for one in found if isinstance(one, str)]

    async def models_after(self, first: str) -> list[str]:
        """Return the ids, one of them before all others, and even where it is not listed."""
        return [first, *(one for one in await self.models() if one != first)]

    async def close(self) -> None:
        """Hang up."""
        await self._client.aclose()


def wished(body: Mapping[str, object], asked: Mapping[str, object | None]) -> dict[str, object]:
    """Return the body with those of the further fields that were asked for."""
    return {**body, **{name: value for name, value in asked.items() if value is not None}}


async def refuse_bad(answer: httpx.Response) -> None:
    """Raise what an answer that is not good comes to; its words are told to nobody but the log of attempts."""
    if answer.is_success:
        return
    said = (await begun(answer))[:SAID_MAX]
    status = answer.status_code
    if 400 <= status < 500 and status not in PASSING:  # noqa: PLR2004
        raise EngineRefused(f"The engine refuses: {status}. {said}".strip())
    asked_s = retry_after_s(answer.headers.get("retry-after"), datetime.now(UTC))
    if asked_s is None:
        raise EngineUnavailable(f"It answers {status}.")
    raise EngineBusy(f"It answers {status}.", retry_after_s=max(ceil(asked_s), 1))


async def begun(answer: httpx.Response) -> str:
    """Return how an answer begins, on one line of printable letters."""
    read = b""
    async for some in answer.aiter_bytes():
        read += some
        if len(read) >= 4 * SAID_MAX:
            break
    text = read[: 4 * SAID_MAX].decode("utf-8", "replace")
    try:
        told = json.loads(read)
        found = told["error"]["message"]
        text = found if isinstance(found, str) else text
    except (ValueError, KeyError, TypeError, RecursionError):
        pass
    return " ".join("".join(one if one.isprintable() else " " for one in text).split())


def retry_after_s(text: str | None, now: datetime) -> float | None:
    """Read Retry-After: seconds, or a date; None for anything else."""
    if text is None:
        return None
    if text.strip().isascii() and text.strip().isdecimal() and len(text) < 12:  # noqa: PLR2004  # digits
        return float(text)
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    return max((at - now).total_seconds(), 0.0) if at.tzinfo is not None else None


async def told(answer: httpx.Response) -> AsyncGenerator[ServerEvent]:
    """Yield the events of an answer; raises EngineUnavailable for garbage."""
    try:
        async for event in events(bounded(answer)):
            yield event
    except Unreadable as error:
        raise EngineUnavailable(f"Its answer cannot be read: {error}.") from error


async def bounded(answer: httpx.Response) -> AsyncIterator[bytes]:
    """Yield the bytes of an answer; raises Unreadable past the bound."""
    size = 0
    async for some in answer.aiter_bytes():
        size += len(some)
        if size > ANSWER_BYTES_MAX:
            raise Unreadable("it has no end")
        yield some


async def whole(answer: httpx.Response) -> Any:
    """Return an answer that came as one JSON document; raises EngineUnavailable."""
    parts = []
    try:
        async for some in bounded(answer):
            parts.append(some)
    except Unreadable as error:
        raise EngineUnavailable(f"Its answer cannot be read: {error}.") from error
    return decoded(b"".join(parts))


def decoded(text: str | bytes) -> Any:
    """Return a JSON value; raises EngineUnavailable."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise EngineUnavailable("Its answer cannot be read: no JSON.") from error


def reference(answer: httpx.Response) -> str | None:
    """Return the provider's own name of a call."""
    found = next((answer.headers[name] for name in REFERENCES if name in answer.headers), None)
    return found[:200] if found else None


def got(value: object, *names: str | int) -> Any:
    """Return what lies so deep in a document; None where anything on the way is missing."""
    for name in names:
        if isinstance(name, int) and isinstance(value, list) and name < len(value):
            value = value[name]
        elif isinstance(name, str) and isinstance(value, dict):
            value = value.get(name)
        else:
            return None
    return value


def count_of(value: object) -> int:
    """Return a number of tokens; 0 for anything that is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31 else 0


def client_of(config: Mapping[str, str], default_url: str) -> httpx.AsyncClient:
    """Build the client of `url`, `ca` and `connect_s`; raises ValueError for no URL of HTTP."""
    url = config.get("url", default_url)
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username or parts.query:
        raise ValueError("url is not https://host/path, its key in a setting of its own")
    connect_s = float(config.get("connect_s", CONNECT_S))
    return httpx.AsyncClient(
        base_url=url.rstrip("/"),
        timeout=httpx.Timeout(SILENCE_S, connect=connect_s, pool=connect_s),
        limits=httpx.Limits(max_connections=CONNECTIONS_MAX),
        verify=ssl.create_default_context(cadata=config.get("ca")),
        trust_env=False,
    )
