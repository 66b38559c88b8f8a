"""When a call is sent again, and after how long."""

import random
from dataclasses import dataclass

import httpx

from opora_client.call import Call
from opora_client.problems import seconds_until

ASKS_TO_RETURN = frozenset({429, 503})


@dataclass(frozen=True, slots=True)
class Retrying:
    """How often a call is sent in all, and how long is waited between; only one that is safe to repeat is repeated."""

    attempts: int = 4
    wait_first_s: float = 0.5
    wait_longest_s: float = 60.0

    def wait_s(self, call: Call, attempt: int, answer: httpx.Response | None) -> float | None:
        """Say how long to wait before the next attempt, or that there is none.

        A Retry-After is kept to; one longer than `wait_longest_s` is left to the caller.
        """
        if attempt >= self.attempts or not call.repeatable:
            return None
        if answer is not None and answer.status_code not in ASKS_TO_RETURN:
            return None
        asked_s = seconds_until(answer.headers.get("retry-after")) if answer is not None else None
        if asked_s is not None:
            return asked_s if asked_s <= self.wait_longest_s else None
        longest_s = min(self.wait_longest_s, self.wait_first_s * 2 ** (attempt - 1))
        return random.uniform(longest_s / 2, longest_s)  # noqa: S311 - spreads callers, guards nothing
