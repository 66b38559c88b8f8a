"""Sending events once more: the wish is on record before anything is queued."""

from contextlib import asynccontextmanager
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from opora.core.bus.usecases import RepublishEvents
from opora.core.kernel.model import SYSTEM

pytestmark = pytest.mark.anyio
NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)


class Office:
    """Keeps what was recorded and queued, in one order."""

    def __init__(self) -> None:
        self.story: list[Any] = []

    @asynccontextmanager
    async def unit(self) -> Any:
        yield SimpleNamespace(audit=self)
        self.story.append("committed")

    async def record(self, change: Any) -> None:
        self.story.append((change.action, change.entity_id, change.new))

    async def again(self, since: datetime, topic: str | None) -> int:
        self.story.append((since, topic))
        return 3

    def now(self) -> datetime:
        return NOON


@pytest.mark.parametrize(("topic", "about"), [(None, "all"), ("user.created", "user.created")])
async def test_a_repetition_is_recorded_then_queued(topic: str | None, about: str) -> None:
    office: Any = Office()
    assert await RepublishEvents(office, office.unit, office)(SYSTEM, NOON, topic) == 3
    wish = ("events.republished", about, {"since": "2030-01-01T12:00:00Z"})
    assert office.story == [wish, "committed", (NOON, topic)]
