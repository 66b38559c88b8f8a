"""Sends calls and reads their answers, for code without an event loop."""

import copy
import time
from collections.abc import Callable, Iterator
from os import PathLike
from types import TracebackType
from typing import Self

import httpx

from opora_client.call import Call
from opora_client.events import Event, EventReader
from opora_client.files import Download, Receiving
from opora_client.options import Options, parsed
from opora_client.pages import Page, Paging
from opora_client.problems import NoAnswer, problem
from opora_client.retrying import Retrying


class Sender:
    """A connection pool to one service, and under which credential and bounds it is called."""

    def __init__(
        self,
        base_url: str,
        *,
        api_key: str | None = None,
        token: str | Callable[[], str] | None = None,
        timeout_s: float = 30.0,
        retrying: Retrying | None = None,
        http: httpx.Client | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._options = Options(api_key, token, timeout_s, retrying or Retrying())
        self._http = http or httpx.Client()
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

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def send_none(self, call: Call) -> None:
        """Send a call that has no answer but success."""
        self._whole(call)

    def send_text(self, call: Call) -> str:
        """Send a call that is answered with text."""
        return self._whole(call).text

    def send_json[T](self, call: Call, kind: type[T]) -> T:
        """Send a call that is answered with JSON."""
        return parsed(self._whole(call).content, kind)

    def send_pages[T](self, call: Call, kind: type[T]) -> Paging[T]:
        """Give the list that a call asks for; nothing is sent before it is read."""

        def fetch(address: str | None) -> Page[T]:
            return self.send_json(call if address is None else Call("GET", address), Page[kind])  # type: ignore[valid-type]

        return Paging(fetch)

    def send_download(self, call: Call, to: str | PathLike[str]) -> Download:
        """Send a call that is answered with a file, and keep it; a broken connection is taken up where it broke."""
        part = Receiving(to)
        try:
            for attempt in range(1, self._options.retrying.attempts + 1):
                call.headers |= part.wanted()
                response = self._sent(call)
                try:
                    part.begin(response)
                    for piece in response.iter_bytes():
                        part.take(piece)
                    return part.end()
                except httpx.TransportError as failure:
                    if attempt == self._options.retrying.attempts:
                        raise NoAnswer(f"{call.method} {call.address}: {failure}") from failure
                finally:
                    response.close()
            raise NoAnswer(f"{call.method} {call.address}: no attempt is allowed")
        except BaseException:
            part.drop()
            raise

    def send_events(self, call: Call) -> Iterator[Event]:
        """Send a call that is answered with a stream of events, and give them as they come."""
        call.headers["Accept"] = "text/event-stream"
        response, reader = self._sent(call), EventReader()
        try:
            for line in response.iter_lines():
                if event := reader.read(line):
                    yield event
        except httpx.TransportError as failure:
            raise NoAnswer(f"{call.method} {call.address}: {failure}") from failure
        finally:
            response.close()

    def _whole(self, call: Call) -> httpx.Response:
        response = self._sent(call)
        try:
            response.read()
        except httpx.TransportError as failure:
            raise NoAnswer(f"{call.method} {call.address}: {failure}") from failure
        finally:
            response.close()
        return response

    def _sent(self, call: Call) -> httpx.Response:
        """Send a call as often as may be, and give its success with the body still to come."""
        for attempt in range(1, self._options.retrying.attempts + 1):
            request = call.request(self._http, self._options.headers(call))
            request.extensions["timeout"] = self._options.timeout
            try:
                response = self._http.send(request, stream=True, follow_redirects=False)
                if response.is_success:
                    return response
                response.read()
                response.close()
            except httpx.TransportError as failure:
                wait_s = self._options.retrying.wait_s(call, attempt, None)
                if wait_s is None:
                    raise NoAnswer(f"{call.method} {call.address}: {failure!r}") from failure
            else:
                wait_s = self._options.retrying.wait_s(call, attempt, response)
                if wait_s is None:
                    raise problem(response.status_code, response.content, response.headers)
            self._sleep(wait_s)
        raise NoAnswer(f"{call.method} {call.address}: no attempt is allowed")
