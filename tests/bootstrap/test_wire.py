"""A connection sends each answer whole, in order, and nothing after it was cut."""

import asyncio
from typing import Any

import pytest

from opora.bootstrap.wire import AT_ONCE_BYTES, MergedWrites

pytestmark = pytest.mark.anyio


class Recorder(asyncio.Transport):
    """Keeps what it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.ended = ""

    def write(self, data: Any) -> None:
        self.written.append(bytes(data))

    def close(self) -> None:
        self.ended = "closed"

    def abort(self) -> None:
        self.ended = "aborted"

    def is_closing(self) -> bool:
        return bool(self.ended)


@pytest.fixture
def under() -> Recorder:
    return Recorder()


async def turn() -> None:
    await asyncio.sleep(0)


async def test_what_is_written_in_one_turn_leaves_in_one_write_and_in_order(under: Recorder) -> None:
    merged = MergedWrites(under, asyncio.get_running_loop())
    merged.write(b"head ")
    merged.write(b"body")
    assert under.written == []
    await turn()
    merged.write(b"next")
    await turn()
    assert under.written == [b"head body", b"next"]


async def test_what_is_long_leaves_at_once_with_all_before_it(under: Recorder) -> None:
    merged = MergedWrites(under, asyncio.get_running_loop())
    merged.write(b"head ")
    merged.write(bytes(AT_ONCE_BYTES))
    assert under.written == [b"head " + bytes(AT_ONCE_BYTES)]
    await turn()
    assert len(under.written) == 1


async def test_closing_sends_what_waits_first(under: Recorder) -> None:
    merged = MergedWrites(under, asyncio.get_running_loop())
    merged.write(b"farewell")
    merged.close()
    assert (under.written, under.ended) == ([b"farewell"], "closed")


async def test_nothing_is_sent_after_an_abort_or_to_a_connection_that_is_gone(under: Recorder) -> None:
    merged = MergedWrites(under, asyncio.get_running_loop())
    merged.write(b"too late")
    merged.abort()
    await turn()
    merged.write(b"later still")
    await turn()
    assert (under.written, under.ended, merged.is_closing()) == ([], "aborted", True)
