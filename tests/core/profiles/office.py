"""An office of exports: every use case over a real store and real files, and a worker for their jobs."""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from opora.adapters.files.blobs import FolderBlobs
from opora.adapters.sql.connection import Database
from opora.adapters.sql.exports import SqlExportViews
from opora.adapters.sql.leases import SqlJobLeases, SqlJobProgress
from opora.adapters.sql.unit import SqlUnitOfWork
from opora.adapters.system.identifiers import TimeOrderedIdentifiers
from opora.adapters.system.randomness import SystemRandomness
from opora.core.jobs.model import Claim, JobState, NewJob
from opora.core.kernel.model import Actor
from opora.core.kernel.ports import Clock
from opora.core.profiles.model.exports import (
    EVERYONES,
    RENDER,
    Export,
    ExportFormat,
    ExportPolicy,
    ExportReport,
    ExportWish,
    Reach,
)
from opora.core.profiles.ports.exports import ProfilePayloads, ProfileSheets
from opora.core.profiles.usecases.exports import DownloadExport, ExpireExports, RenderExport, RequestExport
from opora.testing.blobs import whole
from opora.testing.exports import HOUR, NOON, a_profile

CLIENT = Actor(key_id=7, scopes=frozenset({"exports:read", "exports:write"}))
STRANGER = Actor(key_id=8, scopes=frozenset({"exports:read", "exports:write"}))
ADMIN = Actor(user_id=1, scopes=frozenset({"admin"}))


class TurnedClock(Clock):
    """A clock that the test turns."""

    def __init__(self) -> None:
        self.at = NOON

    def now(self) -> datetime:
        return self.at


class KeptProfiles(ProfilePayloads):
    """Profiles 1 to 250 of key 7, 300 of key 8."""

    def __init__(self) -> None:
        self.owners = dict.fromkeys(range(1, 251), "key:7") | {300: "key:8"}
        self.most_at_once = 0

    async def visible(self, ids: Sequence[int], reach: Reach) -> frozenset[int]:
        return frozenset(one for one in ids if one in self.owners and reach.owner in (None, self.owners[one]))

    async def fetch(self, ids: Sequence[int], reach: Reach) -> Mapping[int, bytes]:
        self.most_at_once = max(self.most_at_once, len(ids))
        return {one: a_profile(id=one) for one in await self.visible(ids, reach)}


class PlainSheets(ProfileSheets):
    """Sheets of paper that say only who is on them; `fault` is raised instead."""

    fault: Exception | None = None

    async def render(self, profiles: Sequence[bytes], progress: Callable[[int], Awaitable[None]]) -> bytes:
        if self.fault is not None:
            raise self.fault
        await progress(len(profiles))
        return b"%PDF" + b"".join(b" %d" % json.loads(one)["id"] for one in profiles)


@dataclass(slots=True)
class Office:
    """Every use case of exports over one store, and a worker for their jobs."""

    unit: SqlUnitOfWork
    database: Database
    blobs: FolderBlobs
    clock: TurnedClock = field(default_factory=TurnedClock)
    identifiers: TimeOrderedIdentifiers = field(default_factory=TimeOrderedIdentifiers)
    payloads: KeptProfiles = field(default_factory=KeptProfiles)
    sheets: PlainSheets = field(default_factory=PlainSheets)
    policy: ExportPolicy = field(default_factory=lambda: ExportPolicy(size_max=1_000_000, kept_for=HOUR))

    @property
    def views(self) -> SqlExportViews:
        return SqlExportViews(self.database.read)

    @property
    def leases(self) -> SqlJobLeases:
        return SqlJobLeases(self.database, self.identifiers, SystemRandomness(), self.clock)

    @property
    def download(self) -> DownloadExport:
        return DownloadExport(self.views, self.blobs, self.clock)

    @property
    def request(self) -> RequestExport:
        return RequestExport(self.unit, self.payloads, self.identifiers, self.clock)

    async def ask(self, *ids: int, format: ExportFormat = ExportFormat.JSON, actor: Actor = CLIENT) -> Export:
        return await self.request(actor, ExportWish(ids, format))

    async def claim(self, kind: str = RENDER) -> Claim:
        (claim,) = await self.leases.claim([kind], 1, 30.0)
        return claim

    async def render(self, claim: Claim) -> None:
        progress = SqlJobProgress(self.database)
        case = RenderExport(self.unit, self.payloads, self.sheets, self.blobs, progress, self.clock, self.policy)
        await case(claim)

    async def expire(self) -> Mapping[str, object] | None:
        async with self.unit() as tx:
            job_id = await tx.jobs.add(NewJob(kind="exports.expire"))
        await ExpireExports(self.unit, self.views, self.blobs, self.clock)(await self.claim("exports.expire"))
        async with self.unit() as tx:
            job = await tx.jobs.get(job_id)
        assert job is not None
        return job.result

    async def report(self, id: UUID) -> ExportReport:
        found = await self.views.one(id, EVERYONES)
        assert found is not None
        return found

    async def content(self, id: UUID) -> bytes:
        return await whole(await self.download.read(await self.download.find(CLIENT, id)))

    async def files(self) -> set[UUID]:
        return {name.id async for name in self.blobs.names("exports")}

    async def actions(self) -> list[str]:
        rows = await self.database.read.fetch("SELECT action FROM audit_log ORDER BY id")
        return [row["action"] for row in rows]

    async def topics(self) -> list[str]:
        return [row["topic"] for row in await self.database.read.fetch("SELECT topic FROM outbox ORDER BY id")]

    async def state(self, job_id: UUID) -> JobState:
        async with self.unit() as tx:
            job = await tx.jobs.get(job_id)
        assert job is not None
        return job.state
