"""Calls to the bank over HTTP: bounded in time and size, repeated by the rule, not made while the breaker is open."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from math import ceil
from random import SystemRandom
from time import monotonic

import httpx

from opora.adapters.banking.retries import TROUBLES, CallPolicy, pause_s, retry_after_s
from opora.core.documents.errors import CoreBankingRefused, CoreBankingUnavailable
from opora.core.kernel.model import Breaker, BreakerPolicy
from opora.core.kernel.rules import breaker_begun, breaker_failed, breaker_succeeded, breaker_wait_s

ANSWER_BYTES_MAX = 8 * 1024 * 1024
REASON_MAX = 500
CHANCE = SystemRandom()

type Body = Callable[[], Awaitable[AsyncIterator[bytes]]]
"""Opens the body of a request anew for each try."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the bank answered, whole."""

    status: int
    content: bytes
    retry_after_s: float | None

    @property
    def is_good(self) -> bool:
        """Tell whether it is a 2xx."""
        return httpx.codes.is_success(self.status)


class BankCalls:
    """One bank's API, and whether it is worth calling."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        policy: CallPolicy | None = None,
        breaker: BreakerPolicy | None = None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._client = client
        self._policy = policy or CallPolicy()
        self._breaker = Breaker(breaker or BreakerPolicy())
        self._clock = clock

    async def call(
        self,
        method: str,
        path: str,
        *,
        fields: Mapping[str, object] | None = None,
        body: Body | None = None,
        query: Mapping[str, str] | None = None,
        passed_over: frozenset[int] = frozenset(),
    ) -> Answer:
        """Return a good answer, or one of the statuses passed over.

        Raises CoreBankingUnavailable after the last try and while the breaker is open, CoreBankingRefused for a 4xx.
        What the body raises stays as it is.
        """
        headers = {"content-type": "application/octet-stream" if fields is None else "application/json"}
        content = None if fields is None else json.dumps(fields, ensure_ascii=False).encode()
        tries = 0
        while True:
            tries += 1
            answer = await self._tried(method, path, headers, content, body, query)
            if answer is not None and (answer.is_good or answer.status in passed_over):
                return answer
            pause = pause_s(
                tries,
                None if answer is None else answer.status,
                None if answer is None else answer.retry_after_s,
                CHANCE.random(),
                self._policy,
            )
            if pause is None:
                raise refusal(answer)
            await asyncio.sleep(pause)

    async def _tried(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        content: bytes | None,
        body: Body | None,
        query: Mapping[str, str] | None,
    ) -> Answer | None:
        """Make one try; None where nothing was answered in time."""
        wait_s = breaker_wait_s(self._breaker, self._clock())
        if wait_s > 0:
            raise CoreBankingUnavailable("It failed too often lately.", retry_after_s=ceil(wait_s))
        self._breaker = breaker_begun(self._breaker, self._clock())
        sent = content if body is None else await body()
        try:
            async with self._client.stream(method, path, headers=dict(headers), content=sent, params=query) as found:
                answer = await whole(found)
        except httpx.TransportError:
            self._breaker = breaker_failed(self._breaker, self._clock())
            return None
        in_trouble = answer.status in TROUBLES
        self._breaker = breaker_failed(self._breaker, self._clock()) if in_trouble else breaker_succeeded(self._breaker)
        return answer

    async def close(self) -> None:
        """Hang up."""
        await self._client.aclose()


async def whole(response: httpx.Response) -> Answer:
    """Read an answer to its end; raises CoreBankingUnavailable past the bound."""
    content = bytearray()
    async for some in response.aiter_bytes():
        content += some
        if len(content) > ANSWER_BYTES_MAX:
            raise CoreBankingUnavailable(f"It answered more than {ANSWER_BYTES_MAX} bytes.", retry_after_s=30)
    asked_s = retry_after_s(response.headers.get("retry-after"), datetime.now(UTC))
    return Answer(response.status_code, bytes(content), asked_s)


def refusal(answer: Answer | None) -> CoreBankingRefused | CoreBankingUnavailable:
    """Return what an answer that is not good comes to."""
    if answer is None:
        return CoreBankingUnavailable(retry_after_s=5)
    said = "".join(letter for letter in answer.content.decode("utf-8", "replace") if letter.isprintable())[:REASON_MAX]
    if 400 <= answer.status < 500 and answer.status not in {401, 403, 408, 425, 429}:  # noqa: PLR2004
        return CoreBankingRefused(f"{answer.status}: {said}")
    after_s = ceil(answer.retry_after_s or 5)
    return CoreBankingUnavailable(f"It answered {answer.status}.", retry_after_s=after_s)
