"""How a provider is told who asks: by a header that stays, or by a token that is fetched anew before it ends."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from time import time
from uuid import uuid4

import httpx

from opora.core.generation.errors import EngineUnavailable

RENEW_BEFORE_S = 60.0
LIFE_S = 1800.0
TOKEN_BYTES_MAX = 64 * 1024
MILLISECONDS_FROM = 10**11
"""An instant past this is told in milliseconds."""


class Credentials(ABC):
    """The headers that let a call in."""

    @abstractmethod
    async def headers(self, client: httpx.AsyncClient, *, renewed: bool = False) -> Mapping[str, str]:
        """Return them; `renewed` after the ones before were refused. Raises EngineUnavailable."""

    @property
    def can_renew(self) -> bool:
        """Tell whether other headers may come of asking anew."""
        return False


class FixedHeaders(Credentials):
    """A key."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._headers = headers

    async def headers(self, client: httpx.AsyncClient, *, renewed: bool = False) -> Mapping[str, str]:  # noqa: ARG002
        return self._headers


class RenewedToken(Credentials):
    """A token by OAuth 2.0 client credentials as GigaChat gives it: half an hour long, each request with an RqUID."""

    def __init__(self, url: str, key: str, scope: str, clock: Callable[[], float] = time) -> None:
        self._url = url
        self._key = key
        self._scope = scope
        self._clock = clock
        self._token = ""
        self._until_s = 0.0
        self._lock = asyncio.Lock()

    @property
    def can_renew(self) -> bool:
        return True

    async def headers(self, client: httpx.AsyncClient, *, renewed: bool = False) -> Mapping[str, str]:
        refused = self._token
        if renewed or self._clock() >= self._until_s - RENEW_BEFORE_S:
            async with self._lock:
                if self._token == refused:  # else another call has fetched it meanwhile
                    await self._fetch(client)
        return {"authorization": f"Bearer {self._token}"}

    async def _fetch(self, client: httpx.AsyncClient) -> None:
        headers = {"authorization": f"Basic {self._key}", "rquid": str(uuid4()), "accept": "application/json"}
        try:
            answer = await client.post(self._url, headers=headers, data={"scope": self._scope})
            told = answer.json() if answer.is_success and len(answer.content) <= TOKEN_BYTES_MAX else None
        except (httpx.HTTPError, ValueError) as error:
            raise EngineUnavailable("It gives no token.") from error
        token = told.get("access_token") if isinstance(told, dict) else None
        if told is None or not isinstance(token, str) or not token.isascii() or not token:
            raise EngineUnavailable(f"It gives no token: {answer.status_code}.")
        self._token = token
        self._until_s = self._ends_at_s(told.get("expires_at"), told.get("expires_in"))

    def _ends_at_s(self, at: object, lives_s: object) -> float:
        if isinstance(at, int | float):
            return at / 1000 if at > MILLISECONDS_FROM else float(at)
        return self._clock() + (float(lives_s) if isinstance(lives_s, int | float) else LIFE_S)
