"""Waiting for work that the service does later: exports, transfers, texts."""

import time
from collections.abc import Awaitable, Callable

import anyio

from opora_client.problems import OporaError


class TooLong(OporaError):
    """The work was not done in the time given."""


def wait_for[T](ask: Callable[[], T], until: Callable[[T], bool], *, within_s: float = 60.0, every_s: float = 0.5) -> T:
    """Ask again and again, and give the first answer that is as it should be."""
    deadline_s = time.monotonic() + within_s
    while not until(answer := ask()):
        if time.monotonic() + every_s > deadline_s:
            raise TooLong(f"not within {within_s:g} s: {answer!r}")
        time.sleep(every_s)
    return answer


async def async_wait_for[T](
    ask: Callable[[], Awaitable[T]], until: Callable[[T], bool], *, within_s: float = 60.0, every_s: float = 0.5
) -> T:
    """Ask again and again, and give the first answer that is as it should be."""
    deadline_s = time.monotonic() + within_s
    while not until(answer := await ask()):
        if time.monotonic() + every_s > deadline_s:
            raise TooLong(f"not within {within_s:g} s: {answer!r}")
        await anyio.sleep(every_s)
    return answer
