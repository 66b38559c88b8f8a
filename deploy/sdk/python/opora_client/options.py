"""Under which credential and bounds calls are sent."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Self

import httpx
import msgspec

from opora_client.call import Call
from opora_client.problems import Unreadable
from opora_client.retrying import Retrying


@dataclass(frozen=True, slots=True)
class Options:
    """What is the same for every call of a client."""

    api_key: str | None
    token: str | Callable[[], str] | None
    timeout_s: float
    retrying: Retrying

    def under(
        self, api_key: str | None, token: str | Callable[[], str] | None, timeout_s: float | None,
        retrying: Retrying | None,
    ) -> Self:  # fmt: skip
        """Give other options; a new credential takes the place of both old ones."""
        other = self if api_key is None and token is None else replace(self, api_key=api_key, token=token)
        return replace(other, timeout_s=timeout_s or self.timeout_s, retrying=retrying or self.retrying)

    def headers(self, call: Call) -> dict[str, str]:
        """Give the headers of a call; one that anybody may make carries no credential."""
        headers = {"Accept": "application/json, application/problem+json;q=0.9, */*;q=0.5"}
        if call.public:
            return headers
        if self.token is not None:
            headers["Authorization"] = f"Bearer {self.token if isinstance(self.token, str) else self.token()}"
        elif self.api_key is not None:
            headers["X-API-Key"] = self.api_key
        return headers

    @property
    def timeout(self) -> dict[str, float | None]:
        """Give the bound as httpx takes it: of each of connecting, writing and waiting for the next bytes."""
        return httpx.Timeout(self.timeout_s).as_dict()


def parsed[T](content: bytes, kind: type[T]) -> T:
    """Read an answer as the API document describes it; fields that this client does not know are left out."""
    try:
        return msgspec.json.decode(content, type=kind)
    except msgspec.MsgspecError as failure:
        raise Unreadable(f"{kind}: {failure}") from failure
