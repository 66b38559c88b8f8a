"""What the doctor looks at: each check gives findings, and each finding that is not well says how to mend it."""

import asyncio
import os
import shutil
import stat
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from urllib.parse import unquote, urlsplit
from uuid import uuid4

from opora.adapters.files.blobs import FolderBlobs
from opora.adapters.redis.connection import Refused
from opora.adapters.redis.opening import connection_to
from opora.adapters.sql.connection import Database
from opora.adapters.sql.migrations import state
from opora.adapters.sql.replica import ReplicatedDatabase
from opora.bootstrap.fields import PLUGINS
from opora.bootstrap.plugins import installed
from opora.bootstrap.secrets import FILE_NAME
from opora.bootstrap.settings import Settings
from opora.cli.running import Application
from opora.core.billing.ports.providers import PaymentProvider
from opora.core.bus.errors import BusUnavailable
from opora.core.bus.ports import BusQueue, EventBus
from opora.core.documents.ports.banking import CoreBanking
from opora.core.jobs.model import JobState
from opora.core.jobs.ports import JobViews
from opora.core.kernel.errors import DomainError, Unavailable
from opora.core.kernel.model import BlobName
from opora.core.kernel.ports import BlobStore
from opora.core.numbers.ports.drops import FileDrop

DISK_WARN_BYTES = 1 << 30
DISK_FAIL_BYTES = 100 << 20
CLOCK_WARN_S = 1.0
SLOW_MS = 50.0
UNSEALED_WARN_S = 60
OVERDUE_WARN_S = 60
LAG_WARN_S = 60
PROBE = b"opora"


class Health(StrEnum):
    """How something is."""

    WELL = "ok"
    WARN = "warning"
    ILL = "fault"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: how it is, what was seen, and how to mend it."""

    name: str
    health: Health
    seen: str
    mend: str = ""


def home(settings: Settings) -> Iterator[Finding]:
    """Look at the home folder, the secrets in it and the disk under it."""
    folder = Path(settings.home)
    if not folder.is_dir():
        yield Finding("home", Health.WARN, f"{folder} does not exist", "`opora serve` makes it; or set OPORA_HOME")
        return
    writable = os.access(folder, os.W_OK | os.X_OK)
    mend = f"chown it to the user that runs Opora: chown -R $(id -u) {folder}"
    yield (
        Finding("home", Health.WELL, f"{folder} is writable")
        if writable
        else Finding("home", Health.ILL, f"{folder} is not writable", mend)
    )
    kept = folder / FILE_NAME
    if kept.is_file():
        mode = stat.S_IMODE(kept.stat().st_mode)
        if mode & 0o077:
            yield Finding("secrets", Health.ILL, f"{kept} can be read by others ({mode:o})", f"chmod 600 {kept}")
        else:
            yield Finding("secrets", Health.WELL, f"{kept} is this user's alone")
    free = shutil.disk_usage(folder).free
    low = Health.ILL if free < DISK_FAIL_BYTES else Health.WARN if free < DISK_WARN_BYTES else Health.WELL
    yield Finding(
        "disk", low, f"{free // (1 << 20)} MiB free under {folder}", "Make room" if low is not Health.WELL else ""
    )


def storage(settings: Settings) -> Iterator[Finding]:
    """Try to keep and to delete a file in the folder where files are kept; a bucket is tried from inside."""
    if not settings.storage_url.startswith("file:"):
        return
    folder = Path(unquote(settings.storage_url.removeprefix("file:").removeprefix("//")))
    probe = folder / f".doctor-{os.getpid()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.write_bytes(b"opora")
        probe.unlink()
    except OSError as fault:
        yield Finding(
            "storage", Health.ILL, f"{folder} cannot be written ({fault.strerror})", f"Mend the rights of {folder}"
        )
    else:
        yield Finding("storage", Health.WELL, f"{folder} can be written")


def schema(settings: Settings) -> Iterator[Finding]:
    """Reach the database and see whether its schema is this release's."""
    begun = time.perf_counter()
    if settings.embedded and not Path(settings.sqlite_path).is_file():
        yield Finding("database", Health.WARN, f"{settings.sqlite_path} does not exist", "`opora serve` makes it")
        return
    try:
        found = state(settings.database_url)
    except Exception as fault:  # whatever the driver raises means the same here: it does not answer
        mend = "Is it up? Check OPORA_DATABASE_URL with `opora config show`"
        yield Finding("database", Health.ILL, f"does not answer: {str(fault).splitlines()[0]}", mend)
        return
    took_ms = (time.perf_counter() - begun) * 1000
    yield Finding("database", Health.WELL, f"answers ({took_ms:.0f} ms with connecting)")
    if found.up_to_date:
        yield Finding("schema", Health.WELL, f"at {found.head}")
    elif found.expanded:
        yield Finding("schema", Health.WELL, f"at {found.current}, expanded by a newer release beside this one")
    elif found.known:
        yield Finding("schema", Health.ILL, f"at {found.current or 'nothing'}, needs {found.head}", "opora db upgrade")
    else:
        mend = "Install the release that made it; this one is older"
        yield Finding("schema", Health.ILL, f"at {found.current}, which this release does not know", mend)


def counters(settings: Settings) -> Iterator[Finding]:
    """Ask Redis, where there is one, for an answer, its policy of eviction and its clock."""
    if not settings.redis_url:
        yield Finding("redis", Health.WELL, "not configured; limits are kept in the database")
        return
    limit_s = max(settings.redis_timeout_ms / 1000, 0.5)
    where = urlsplit(settings.redis_url).netloc.rpartition("@")[2]
    try:
        took_ms, policy = asyncio.run(_asked(settings.redis_url, limit_s))
    except (Unavailable, Refused) as fault:
        yield Finding("redis", Health.ILL, f"{where} does not answer: {fault}", "Is it up? Check OPORA_REDIS_URL")
        return
    slow = took_ms > min(SLOW_MS, settings.redis_timeout_ms)
    yield Finding("redis", Health.WARN if slow else Health.WELL, f"answers ({took_ms:.1f} ms)")
    if policy not in {"noeviction", "unknown"}:
        yield Finding("redis memory", Health.WARN, f"evicts by {policy}: limits may be forgotten", "Set noeviction")


async def _asked(url: str, limit_s: float) -> tuple[float, str]:
    """Return how long Redis took to answer and by what policy it evicts; in a cluster, one of its servers."""
    connection = connection_to(url, timeout_s=limit_s)
    try:
        await connection.call("PING")  # connects
        begun = time.perf_counter()
        await connection.call("PING")
        took_ms = (time.perf_counter() - begun) * 1000
        lines = (await connection.call("INFO", "memory")).decode().splitlines()
    finally:
        await connection.close()
    facts = dict(line.split(":", 1) for line in lines if ":" in line)
    return took_ms, facts.get("maxmemory_policy", "unknown")


def adapters(settings: Settings) -> Iterator[Finding]:
    """See whether the adapters that were named are installed."""
    for group in PLUGINS:
        names = [one.name for one in installed(group)]
        wanted = getattr(settings, group)
        if names and names.count(wanted) != 1:
            known = ", ".join(names)
            yield Finding(group, Health.ILL, f"no adapter {wanted!r}", f"Set OPORA_{group.upper()} to one of: {known}")


async def inside(app: Application) -> list[Finding]:
    """Look at what only the built program can see: clocks, jobs, the audit log's seal, and the systems it talks to."""
    database, views = await app.get(Database), await app.get(JobViews)
    bank, drop, blobs = await app.get(CoreBanking), await app.get(FileDrop), await app.get(BlobStore)
    return [
        *await _clock(database),
        *await _replica(database),
        *await _jobs(database, views),
        *await _audit(database),
        await _bank(bank),
        await _payments(await app.get(PaymentProvider)),
        *await _bus(await app.get(EventBus), await app.get(BusQueue)),
        await _drop(drop),
        *([] if isinstance(blobs, FolderBlobs) else [await bucket(blobs)]),
    ]


async def _bus(bus: EventBus, queue: BusQueue) -> list[Finding]:
    try:
        found = [Finding("event bus", Health.WELL, await bus.check())]
    except BusUnavailable as fault:
        mend = "Is it up? Check OPORA_BUS, OPORA_AMQP_URL and OPORA_REDIS_URL with `opora config show`; nothing is lost"
        found = [Finding("event bus", Health.ILL, str(fault), mend)]
    backlog = await queue.backlog()
    if backlog.oldest_s > LAG_WARN_S:
        seen = f"{backlog.waiting} wait for the bus, the oldest for {backlog.oldest_s:.0f} s"
        found.append(Finding("late events", Health.WARN, seen, "Start a worker, or mend the bus: they are sent then"))
    return found


async def _payments(provider: PaymentProvider) -> Finding:
    try:
        return Finding("payments", Health.WELL, await provider.check())
    except DomainError as fault:
        mend = "Is it up, and are its keys right? Check OPORA_PAYMENTS and OPORA_PAYMENTS_… with `opora config show`"
        return Finding("payments", Health.ILL, f"does not answer: {fault}", mend)


async def bucket(blobs: BlobStore) -> Finding:
    """Try to keep, to read and to delete a file in a store that is not a folder of this machine."""
    name = BlobName("doctor", uuid4())
    begun = time.perf_counter()
    try:
        await blobs.put(name, probe(), len(PROBE))
        read = b"".join([some async for some in await blobs.open(name)])
        await blobs.delete(name)
    except DomainError as fault:
        mend = "Is it up? Check OPORA_STORAGE_URL; its key must be allowed to put, get, list and delete"
        cause = f" ({fault.__cause__})".splitlines()[0] if fault.__cause__ else ""
        return Finding("storage", Health.ILL, f"the bucket does not keep files: {fault}{cause}", mend)
    took_ms = (time.perf_counter() - begun) * 1000
    if read != PROBE:
        return Finding("storage", Health.ILL, "the bucket gave back other bytes", "Look into what stands before it")
    return Finding("storage", Health.WELL, f"the bucket keeps, gives back and deletes a file ({took_ms:.0f} ms)")


async def probe() -> AsyncIterator[bytes]:
    """Give the content of the doctor's file."""
    yield PROBE


async def _drop(drop: FileDrop) -> Finding:
    try:
        return Finding("drop", Health.WELL, await drop.check())
    except DomainError as fault:
        mend = "Is it up? Check OPORA_SFTP_URL, OPORA_SFTP_HOST_KEY and OPORA_SFTP_NETWORKS"
        return Finding("drop", Health.ILL, f"does not answer: {fault}", mend)


async def _bank(bank: CoreBanking) -> Finding:
    try:
        return Finding("core banking", Health.WELL, await bank.check())
    except DomainError as fault:
        mend = "Is it up? Check OPORA_CORE_BANKING and OPORA_CORE_BANKING_… with `opora config show`"
        return Finding("core banking", Health.ILL, f"does not answer: {fault}", mend)


async def _replica(database: Database) -> list[Finding]:
    if not isinstance(database, ReplicatedDatabase):
        return []
    async with database.report() as connection:
        answers = await connection.fetch_value("SELECT pg_is_in_recovery()")
    if answers:
        return [Finding("replica", Health.WELL, "has what the primary has; it answers exports")]
    mend = "Is it up and streaming? Check OPORA_DATABASE_READ_URL, and pg_stat_replication on the primary"
    return [Finding("replica", Health.WARN, "is away, lags or is none; the primary answers exports", mend)]


async def _clock(database: Database) -> list[Finding]:
    before = datetime.now(UTC)
    told = instant(await database.read.fetch_value("SELECT now()"))
    after = datetime.now(UTC)
    off_s = (told - before).total_seconds() if told < before else max((told - after).total_seconds(), 0.0)
    well = abs(off_s) < CLOCK_WARN_S
    mend = "" if well else "Run an NTP client on both machines"
    return [Finding("clock", Health.WELL if well else Health.WARN, f"{off_s:+.2f} s from the database's", mend)]


def instant(value: object) -> datetime:
    """Return a time as either store gives it."""
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    return datetime.fromisoformat(str(value)).replace(tzinfo=UTC)


async def _jobs(database: Database, views: JobViews) -> list[Finding]:
    counts = await views.counts()
    dead, queued = counts.get(JobState.DEAD, 0), counts.get(JobState.QUEUED, 0)
    found = [Finding("jobs", Health.WELL, f"{queued} waiting, {counts.get(JobState.RUNNING, 0)} running")]
    if dead:
        mend = "`opora jobs list --state dead`, then `opora jobs why ID` and `opora jobs retry ID`"
        found.append(Finding("dead jobs", Health.WARN, f"{dead} given up", mend))
    overdue = "SELECT count(*) FROM jobs WHERE state = 'queued' AND run_at < later(:seconds)"
    late = await database.read.fetch_value(overdue, seconds=-OVERDUE_WARN_S)
    if late:
        mend = "Start a worker: `opora worker`, or `opora serve` without --no-worker"
        found.append(Finding("late jobs", Health.ILL, f"{late} due for more than {OVERDUE_WARN_S} s", mend))
    return found


async def _audit(database: Database) -> list[Finding]:
    waiting = "SELECT count(*) FROM audit_log WHERE seal_number IS NULL AND created_at < later(:seconds)"
    count = await database.read.fetch_value(waiting, seconds=-UNSEALED_WARN_S)
    if count:
        seen = f"{count} entries older than {UNSEALED_WARN_S} s are not sealed"
        return [Finding("audit", Health.WARN, seen, "Start a worker: it seals the log")]
    return [Finding("audit", Health.WELL, "sealed; `opora audit verify` walks the whole chain")]
