"""Reminders that are due together while workers are killed: each leaves, under one name, and none is known twice."""

import asyncio
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes

import pytest

from faults.conftest import Nursery, Yard
from opora.core.notifications.model.notices import Notice
from servers.mail import MailServer

pytestmark = pytest.mark.anyio

REMINDERS = int(os.environ.get("OPORA_TEST_REMINDERS", "200"))
"""How many are due at once; the promise is made for 10,000, which take a minute or two."""
KILLS = 10
CONCURRENCY = 8
LATE_MAX_S = 2.0


@pytest.fixture
async def post(anyio_backend: str) -> AsyncIterator[MailServer]:
    """Where letters go."""
    server = MailServer()
    await server.open()
    yield server
    await server.close()


def posting(yard: Yard, post: MailServer) -> Nursery:
    """Return workers like the yard's that send letters to the server."""
    return Nursery({**yard.nursery.environment, "OPORA_SMTP_URL": f"smtp://127.0.0.1:{post.port}"})


async def reminded(yard: Yard, count: int, fire_at: datetime) -> None:
    """Keep reminders that fire together."""
    async with yard.unit() as tx:
        for number in range(count):
            data = {"sent_at": fire_at.isoformat()}
            to = f"client{number}@example.org"
            await tx.notices.add(Notice(kind="notifications.trial", email=to, data=data, fire_at=fire_at))


async def arrived(post: MailServer, count: int) -> None:
    """Wait until that many letters have come."""
    async with asyncio.timeout(20 + count / 20):
        while len(post.letters) < count:  # noqa: ASYNC110  # nobody tells
            await asyncio.sleep(0.01)


async def all_sent(yard: Yard, count: int) -> None:
    """Wait until every delivery is known to have left."""
    async with asyncio.timeout(40 + count / 20):
        sql = "SELECT count(*) FROM deliveries WHERE state = 'sent'"
        while await yard.database.read.fetch_value(sql) < count:  # noqa: ASYNC110  # it is the store that is asked
            await asyncio.sleep(0.05)


def names(post: MailServer) -> Counter[tuple[str, str]]:
    """Count what arrived by address and Message-ID."""
    letters = [message_from_bytes(one) for one in post.letters]
    return Counter((letter["To"], letter["Message-ID"]) for letter in letters)


async def test_workers_killed_ten_times_send_every_reminder_under_one_name(yard: Yard, post: MailServer) -> None:
    nursery = posting(yard, post)
    post.pause_s = 0.1
    try:
        await reminded(yard, REMINDERS, datetime.now(UTC) + timedelta(seconds=1.5))
        workers = [nursery.start() for _ in range(2)]
        for turn in range(KILLS):
            await arrived(post, 1 + turn * (REMINDERS // 500))  # of a few all at once
            os.kill(workers[turn % 2], signal.SIGKILL)
            workers[turn % 2] = nursery.start()
        await all_sent(yard, REMINDERS)
    finally:
        nursery.close()
    found = names(post)
    assert len(found) == len({to for to, _ in found}) == REMINDERS
    assert sum(found.values()) - REMINDERS <= KILLS * CONCURRENCY
    states = await yard.database.read.fetch("SELECT state, count(*) AS n FROM notices GROUP BY state")
    assert [(row["state"], row["n"]) for row in states] == [("fired", REMINDERS)]


async def test_a_reminder_fires_within_two_seconds_of_its_time(yard: Yard, post: MailServer) -> None:
    nursery = posting(yard, post)
    try:
        nursery.start()
        fire_at = datetime.now(UTC) + timedelta(seconds=3)
        await reminded(yard, 1, fire_at)
        await all_sent(yard, 1)
    finally:
        nursery.close()
    late_s = (datetime.now(UTC) - fire_at).total_seconds()
    assert 0 <= late_s < LATE_MAX_S
