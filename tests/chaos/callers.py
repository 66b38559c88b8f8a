"""Callers that want one thing once: they ask again until they are told, and write down what they were told."""

import asyncio
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

import httpx

from chaos.ledger import Book, Deed, Fate

ANSWER_WITHIN_S = 15.0
PATIENCE_S = 90.0
"""How long a caller asks again for the same thing."""
PAUSE_MAX_S = 1.0
AGAIN = {"idempotency_still_running"}
HAPPENED = {"idempotency_answer_lost"}
"""It was done by a process that died before it could say so."""


@dataclass(slots=True)
class Caller:
    """Somebody with credentials and an address of their own, who calls the processes in turn or what stands before."""

    addresses: list[str]
    book: Book
    chance: Random
    http: httpx.AsyncClient
    headers: Mapping[str, str] = field(default_factory=dict)
    _turn: int = 0

    async def once(self, method: str, path: str, **given: Any) -> httpx.Response | None:
        """Call; None where no answer came."""
        self._turn += 1
        url = self.addresses[self._turn % len(self.addresses)] + path
        headers = {**self.headers, **given.pop("headers", {})}
        try:
            answer = await self.http.request(method, url, headers=headers, **given)
        except httpx.TransportError:
            self.book.answers["cut"] += 1
            return None
        self.book.answers[str(answer.status_code)] += 1
        if is_wrong(answer):
            self.book.wrong.append(f"{answer.status_code} to {method} {path}: {answer.text[:200]}")
        return answer

    async def settled(
        self, deed: Deed, method: str, path: str, refusals: Collection[str] = (), **given: Any
    ) -> httpx.Response | None:
        """Ask until it is settled whether the deed is done; `refusals` are codes that settle that it is not.

        None is returned where it is refused, where no answer is to be had any more, and where patience has ended.
        """
        headers = {"Idempotency-Key": f"{deed.kind}-{deed.mark}", **given.pop("headers", {})}
        until_s = time.monotonic() + PATIENCE_S
        while time.monotonic() < until_s:
            answer = await self.once(method, path, headers=headers, **given)
            fate = fate_of(answer, refusals)
            if fate is not Fate.OPEN:
                deed.fate = fate
                return answer if answer is not None and answer.is_success else None
            if answer is not None and not is_passing(answer):
                self.book.wrong.append(f"{answer.status_code} to {deed}: {answer.text[:200]}")
                return None
            await asyncio.sleep(self.chance.random() * PAUSE_MAX_S)
        return None

    async def read(self, path: str, **given: Any) -> Any:
        """Read what must be there; a refusal is written down as wrong. None where no answer is to be had."""
        until_s = time.monotonic() + PATIENCE_S
        while time.monotonic() < until_s:
            answer = await self.once("GET", path, **given)
            if answer is not None and answer.is_success:
                return answer.json()
            if answer is not None and not is_passing(answer):
                self.book.wrong.append(f"{answer.status_code} to GET {path}: {answer.text[:200]}")
                return None
            await asyncio.sleep(self.chance.random() * PAUSE_MAX_S)
        return None


def code_of(answer: httpx.Response) -> str:
    """Return the code of a problem; an empty text where there is none."""
    try:
        return str(answer.json().get("code", ""))
    except (ValueError, AttributeError):
        return ""


def is_wrong(answer: httpx.Response) -> bool:
    """Tell whether an answer is one that nobody may ever be given, by nginx no more than by Opora."""
    return answer.status_code >= 500 and (answer.status_code != 503 or "retry-after" not in answer.headers)


def is_passing(answer: httpx.Response) -> bool:
    """Tell whether asking again may help."""
    if answer.status_code >= 500:
        return True
    return (answer.status_code == 429 and code_of(answer) != "quota_exhausted") or code_of(answer) in AGAIN


def fate_of(answer: httpx.Response | None, refusals: Collection[str]) -> Fate:
    """Return what an answer settles."""
    if answer is None or is_passing(answer):
        return Fate.OPEN
    if answer.is_success or code_of(answer) in HAPPENED:
        return Fate.DONE
    return Fate.REFUSED if code_of(answer) in refusals else Fate.OPEN
