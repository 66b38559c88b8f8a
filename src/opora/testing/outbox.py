"""The contract of events kept with their cause and relayed to their subscribers."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar
from uuid import UUID

import pytest

from opora.core.jobs.model import Job, JobFilter
from opora.core.jobs.ports import JobLeases, JobTx, JobViews
from opora.core.kernel.events import Event
from opora.core.kernel.model import PageRequest
from opora.core.kernel.ports import UnitOfWork

FIRST, SECOND = "contract.first", "contract.second"
"""Two kinds of job: the topic `contract.happened` has these two subscribers, no other topic has any."""
NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened(Event):
    """Something happened."""

    topic: ClassVar[str] = "contract.happened"
    what: str = "it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unheard(Event):
    """Something that nobody listens to."""

    topic: ClassVar[str] = "contract.unheard"


class OutboxContract:
    """What the outbox and its relay promise."""

    unit: UnitOfWork[JobTx]
    leases: JobLeases
    views: JobViews
    relay: Callable[[int], Awaitable[int]]
    prune: Callable[[float, int], Awaitable[int]]
    announced: Sequence[UUID]

    async def happen(self, count: int = 1, what: str = "it") -> None:
        """Let things happen, each in a transaction of its own."""
        for _ in range(count):
            async with self.unit() as tx:
                await tx.outbox.add(Happened(subject=7, at=NOON, what=what))

    async def told(self, kind: str) -> list[Job]:
        """Return the jobs that a subscriber got."""
        return list((await self.views.page(JobFilter(kind=kind), PageRequest(limit=200))).items)

    async def test_j9_each_subscriber_gets_each_event_as_one_job(self) -> None:
        await self.happen(what="дождь")
        assert [await self.relay(10) for _ in range(3)] == [1, 0, 0]
        for kind in (FIRST, SECOND):
            (job,) = await self.told(kind)
            assert job.payload["topic"] == Happened.topic
            event = {"subject": 7, "at": "2030-01-01T12:00:00Z", "what": "дождь"}
            assert job.payload["event"] == event
            assert job.dedup_key is not None and str(job.payload["event_id"]) in job.dedup_key

    async def test_j9_simultaneous_relays_make_no_job_twice(self) -> None:
        await self.happen(40)
        relayed = await asyncio.gather(*(self.relay(5) for _ in range(12)))
        assert sum(relayed) == 40
        assert [len(await self.told(kind)) for kind in (FIRST, SECOND)] == [40, 40]

    async def test_a_relay_takes_the_oldest_first_and_no_more_than_it_was_told(self) -> None:
        for number in range(5):
            await self.happen(what=str(number))
        assert await self.relay(2) == 2
        assert sorted(str(job.payload["event"]["what"]) for job in await self.told(FIRST)) == ["0", "1"]  # type: ignore[index]

    async def test_j11_a_rollback_leaves_no_event(self) -> None:
        with pytest.raises(ZeroDivisionError):
            async with self.unit() as tx:
                await tx.outbox.add(Happened(subject=7, at=NOON))
                raise ZeroDivisionError
        assert await self.relay(10) == 0

    async def test_an_event_that_nobody_hears_is_done_with_at_once(self) -> None:
        async with self.unit() as tx:
            await tx.outbox.add(Unheard(subject="a", at=NOON))
        assert [await self.relay(10) for _ in range(2)] == [0, 0]
        assert sum((await self.views.counts()).values()) == 0
        assert list(self.announced) == []

    async def test_the_jobs_of_an_event_are_announced_when_they_are_committed(self) -> None:
        await self.happen()
        assert list(self.announced) == []
        await self.relay(10)
        assert set(self.announced) == {job.id for kind in (FIRST, SECOND) for job in await self.told(kind)}

    async def test_only_events_relayed_long_ago_are_pruned(self) -> None:
        await self.happen()
        assert await self.prune(-1.0, 10) == 0
        await self.relay(10)
        assert await self.prune(3600.0, 10) == 0
        assert await self.prune(-1.0, 10) == 1
