"""One effect for any number of deliveries, whatever the inbox; retries, and the dead letters."""

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from opora.events import Event, Inbox, MemoryInbox, Patience, PostgresInbox, SqliteInbox
from opora.events.handling import Reception, Verdict
from opora.events.inboxes import Seen

pytestmark = pytest.mark.anyio
QUICK = Patience(attempts=3, pause_s=0.001)


def a_body(id: str = "", type: str = "user.created") -> bytes:
    return json.dumps({"specversion": "1.0", "id": id or str(uuid4()), "source": "/", "type": type}).encode()


@pytest.fixture
async def memory(anyio_backend: str) -> Inbox:
    inbox = MemoryInbox()
    await inbox.open()
    return inbox


@pytest.fixture
async def sqlite(anyio_backend: str, tmp_path: Path) -> AsyncIterator[Inbox]:
    inbox = SqliteInbox(tmp_path / "inbox.db")
    await inbox.open()
    await inbox.open()
    yield inbox
    inbox.close()
    inbox.close()


@pytest.fixture
async def postgresql(anyio_backend: str, empty_postgres_url: str) -> AsyncIterator[Inbox]:
    async with asyncpg.create_pool(empty_postgres_url, min_size=1, max_size=4) as pool:
        inbox = PostgresInbox(pool)
        await asyncio.gather(*(inbox.open() for _ in range(3)))
        yield inbox


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def inbox(request: pytest.FixtureRequest) -> Inbox:
    return request.getfixturevalue(request.param)  # type: ignore[no-any-return]


async def test_an_event_is_received_once_by_each_consumer(inbox: Inbox) -> None:
    async with inbox.receive("a", "1"):
        pass
    async with inbox.receive("b", "1"):
        pass
    for consumer in ("a", "b"):
        with pytest.raises(Seen):
            async with inbox.receive(consumer, "1"):
                pytest.fail("it was received twice")


async def test_what_failed_was_not_received(inbox: Inbox) -> None:
    with pytest.raises(ZeroDivisionError):
        async with inbox.receive("a", "1"):
            raise ZeroDivisionError
    async with inbox.receive("a", "1"):
        pass


async def test_of_many_at_once_one_receives(inbox: Inbox) -> None:
    effects = []

    async def receive() -> None:
        try:
            async with inbox.receive("a", "1"):
                await asyncio.sleep(0.01)
                effects.append(1)
        except Seen:
            pass

    await asyncio.gather(*(receive() for _ in range(12)))
    assert effects == [1]


async def test_what_is_old_is_forgotten_and_what_is_not_stays(inbox: Inbox) -> None:
    async with inbox.receive("a", "1"):
        pass
    assert await inbox.forget(timedelta(hours=1)) == 0
    with pytest.raises(Seen):
        async with inbox.receive("a", "1"):
            pass
    assert await inbox.forget(timedelta(seconds=-1)) == 1
    async with inbox.receive("a", "1"):
        pass


async def test_an_inbox_in_memory_is_bounded() -> None:
    inbox = MemoryInbox(size_max=2)
    for id in "123":
        async with inbox.receive("a", id):
            pass
    async with inbox.receive("a", "1"):
        pass
    with pytest.raises(Seen):
        async with inbox.receive("a", "3"):
            pass


async def test_an_inbox_that_was_not_opened_says_so(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="open"):
        async with SqliteInbox(tmp_path / "a.db").receive("a", "1"):
            pass


async def test_note_and_effect_are_one_transaction(sqlite: SqliteInbox) -> None:
    sqlite.connection.execute("CREATE TABLE greeted (id text)")

    async def greet(event: Event, tx: sqlite3.Connection) -> None:
        tx.execute("INSERT INTO greeted VALUES (?)", (event.id,))
        if event.type == "user.broken":
            raise ZeroDivisionError

    reception = Reception("a", greet, sqlite, ["#"], QUICK)
    for _ in range(3):
        assert await reception.take(a_body("1")) is Verdict.DONE
    assert await reception.take(a_body("2", "user.broken")) is Verdict.DEAD
    assert sqlite.connection.execute("SELECT * FROM greeted").fetchall() == [("1",)]


class Counting:
    """A handler that fails a number of times."""

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.calls = 0

    async def __call__(self, event: Event, tx: Any) -> None:
        self.calls += 1
        if self.calls <= self.failures:
            raise ZeroDivisionError


@pytest.mark.parametrize(("failures", "verdict", "calls"), [(0, "done", 1), (2, "done", 3), (9, "dead", 3)])
async def test_a_failure_is_tried_again_as_often_as_patience_says(failures: int, verdict: str, calls: int) -> None:
    handler = Counting(failures)
    assert (await Reception("a", handler, MemoryInbox(), ["#"], QUICK).take(a_body())).value == verdict
    assert handler.calls == calls


async def test_what_is_no_event_is_dead_and_what_was_not_asked_for_is_done_with() -> None:
    handler = Counting(0)
    reception = Reception("a", handler, MemoryInbox(), ["document.*"], QUICK)
    assert await reception.take(b"{}") is Verdict.DEAD
    assert await reception.take(a_body()) is Verdict.DONE
    assert handler.calls == 0
