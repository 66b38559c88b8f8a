"""Sends calls and reads their answers, on an event loop."""

import copy
from collections.abc import AsyncIterator, Awaitable, Callable
from os import PathLike
from types import TracebackType
from typing import Self

import anyio
import anyio.to_thread
import httpx

from opora_client.call import Call
from opora_client.events import Event, EventReader
from opora_client.files import Download, Receiving
from opora_client.options import Options, parsed
from opora_client.pages import AsyncPaging, Page
from opora_client.problems import NoAnswer, problem
from opora_client.retrying import Retrying


class AsyncSender:
    """A connection pool to one service, and under which credential and bounds it is called."""

    def __init__(
        self,
        base_url: str,
        *,
        api_key: str | None = None,
        token: str | Callable[[], str] | None = None,
        timeout_s: float = 30.0,
        retrying: Retrying | None = None,
        http: httpx.AsyncClient | None = None,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
    ) -> None:
        self._options = Options(api_key, token, timeout_s, retrying or Retrying())
        self._http = http or httpx.AsyncClient()
        self._sleep = sleep
        self._http.base_url = httpx.URL(base_url)

    def under(
        self, *, api_key: str | None = None, token: str | Callable[[], str] | None = None,
        timeout_s: float | None = None, retrying: Retrying | None = None,
    ) -> Self:  # fmt: skip
        """Give a client of the same pool under another credential or other bounds."""
        other = copy.copy(self)
        other.__dict__ = {
            "_http": self._http,
            "_sleep": self._sleep,
            "_options": self._options.under(api_key, token, timeout_s, retrying),
        }
        return other

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def send_none(self, call: Call) -> None:
        """Send a call that has no answer but success."""
        await self._whole(call)

    async def send_text(self, call: Call) -> str:
        """Send a call that is answered with text."""
        return (await self._whole(call)).text

    async def send_json[T](self, call: Call, kind: type[T]) -> T:
        """Send a call that is answered with JSON."""
        return parsed((await self._whole(call)).content, kind)

    def send_pages[T](self, call: Call, kind: type[T]) -> AsyncPaging[T]:
        """Give the list that a call asks for; nothing is sent before it is read."""

        async def fetch(address: str | None) -> Page[T]:
            return await self.send_json(call if address is None else Call("GET", address), Page[kind])  # type: ignore[valid-type]

        return AsyncPaging(fetch)

    async def send_download(self, call: Call, to: str | PathLike[str]) -> Download:
        """Send a call that is answered with a file, and keep it; a broken connection is taken up where it broke."""
        part = Receiving(to)
        try:
            for attempt in range(1, self._options.retrying.attempts + 1):
                call.headers |= part.wanted()
                response = await self._sent(call)
                try:
                    part.begin(response)
                    async for piece in response.aiter_bytes():
                        await anyio.to_thread.run_sync(part.take, piece)
                    return part.end()
                except httpx.TransportError as failure:
                    if attempt == self._options.retrying.attempts:
                        raise NoAnswer(f"{call.method} {call.address}: {failure}") from failure
                finally:
                    await response.aclose()
            raise NoAnswer(f"{call.method} {call.address}: no attempt is allowed")
        except BaseException:
            part.drop()
            raise

    async def send_events(self, call: Call) -> AsyncIterator[Event]:
        """Send a call that is answered with a stream of events, and give them as they come."""
        call.headers["Accept"] = "text/event-stream"
        response, reader = await self._sent(call), EventReader()
        try:
            async for line in response.aiter_lines():
                if event := reader.read(line):
                    yield event
        except httpx.TransportError as failure:
            raise NoAnswer(f"{call.method} {call.address}: {failure}") from failure
        finally:
            await response.aclose()

    async def _whole(self, call: Call) -> httpx.Response:
        response = await self._sent(call)
        try:
            await response.aread()
        except httpx.TransportError as failure:
            raise NoAnswer(f"{call.method} {call.address}: {failure}") from failure
        finally:
            await response.aclose()
        return response

    async def _sent(self, call: Call) -> httpx.Response:
        """Send a call as often as may be, and give its success with the body still to come."""
        for attempt in range(1, self._options.retrying.attempts + 1):
            request = call.request(self._http, self._options.headers(call))
            request.extensions["timeout"] = self._options.timeout
            try:
                response = await self._http.send(request, stream=True, follow_redirects=False)
                if response.is_success:
                    return response
                await response.aread()
                await response.aclose()
            except httpx.TransportError as failure:
                wait_s = self._options.retrying.wait_s(call, attempt, None)
                if wait_s is None:
                    raise NoAnswer(f"{call.method} {call.address}: {failure!r}") from failure
            else:
                wait_s = self._options.retrying.wait_s(call, attempt, response)
                if wait_s is None:
                    raise problem(response.status_code, response.content, response.headers)
            await self._sleep(wait_s)
        raise NoAnswer(f"{call.method} {call.address}: no attempt is allowed")
