"""The story of an event: from a call over the outbox and RabbitMQ to a program that listens as the page shows."""

import asyncio
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import aio_pika
import httpx
import pytest

from docs.pages import REPOSITORY, Page
from e2e.running import Installation

WITHIN_S = 90


@pytest.fixture
def exchange(amqp_url: str) -> Iterator[str]:
    """An exchange of this test alone; it and the queues of its name are gone after the test."""
    name = f"opora.test.{uuid4().hex[:12]}"
    yield name

    async def tidy() -> None:
        async with await aio_pika.connect(amqp_url) as connection:
            channel = await connection.channel()
            for queue in (name, f"{name}.dead"):
                await channel.queue_delete(queue)
            await channel.exchange_delete(name)

    asyncio.run(tidy())


def listener(folder: Path, amqp_url: str, exchange: str) -> subprocess.Popen[bytes]:
    """Run the program of the page, under a name and at an exchange of this test."""
    [shown] = [block.text for block in Page(REPOSITORY / "docs/events.md").blocks() if block.language == "python"]
    text = shown.replace('"crm"', f'"{exchange}"').replace("topics=", f'exchange="{exchange}", topics=')
    assert text.count(exchange) == 2
    (folder / "greeter.py").write_text(text)
    paths = {"PYTHONPATH": str(REPOSITORY / "src"), "BUS_URL": amqp_url}
    return subprocess.Popen([sys.executable, "greeter.py"], cwd=folder, env={**os.environ, **paths})


def greeted(folder: Path) -> list[int]:
    """Return whom the listener has greeted."""
    try:
        with closing(sqlite3.connect(folder / "crm.db")) as database:
            return [row[0] for row in database.execute("SELECT user_id FROM greeted ORDER BY rowid")]
    except sqlite3.OperationalError:
        return []


def until(folder: Path, count: int, within_s: float = WITHIN_S) -> list[int]:
    """Wait until so many were greeted, or for so long."""
    deadline_s = time.monotonic() + within_s
    while len(greeted(folder)) < count and time.monotonic() < deadline_s:
        time.sleep(0.1)
    return greeted(folder)


def test_who_registers_is_greeted_once_by_the_listener_of_the_page(
    tmp_path: Path, amqp_url: str, exchange: str
) -> None:
    told = {"OPORA_AMQP_URL": amqp_url, "OPORA_BUS_EXCHANGE": exchange, "PYTHONPATH": str(REPOSITORY / "src")}
    installation = Installation(tmp_path / "home", told).migrated()
    program = listener(tmp_path, amqp_url, exchange)
    try:
        address = installation.serve()

        def register(name: str) -> None:
            person = {"email": f"{name}@example.org", "password": "correct horse battery"}
            assert httpx.post(f"{address}/api/v1/auth/register", json=person, timeout=30).status_code == 202

        register("anna")
        while not until(tmp_path, 1, within_s=5):  # it was not bound yet when the event left
            installation.command("events", "republish", "--since", "2020-01-01", "--type", "user.registered")
        installation.command("events", "republish", "--since", "2020-01-01", "--type", "user.registered")
        register("boris")
        found = until(tmp_path, 2)
        assert len(found) == len(set(found)) == 2
    finally:
        program.terminate()
        program.wait(30)
        installation.end()
