"""What `opora check` looks at: each look gives findings by name, each with the step that comes next."""

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from opora.adapters.sql.connection import Database
from opora.adapters.sql.kept_files import FOLDERS, KeptFile, kept_files, named
from opora.adapters.sql.recounts import broken_pages, recount, sleeping_triggers, stray_references
from opora.bootstrap.settings import Settings
from opora.cli.checks import Finding, Health
from opora.cli.output import Steps
from opora.cli.running import Application
from opora.cli.secrets import resealed
from opora.core.audit.ports import AuditLog
from opora.core.billing.ports.ledger import LedgerViews
from opora.core.kernel.errors import NoSuchBlob
from opora.core.kernel.model import BlobName
from opora.core.kernel.ports import BlobStore
from opora.core.numbers.usecases.ending import made_at

NAMED_MAX = 20
"""How many of one kind are named; the rest are counted."""
AT_ONCE = 500
SETTLED_AFTER = timedelta(days=1)
"""How old a file must be to be an orphan: younger ones may be on their way in, and the sweeps give them as long."""
STUCK_AFTER_S = 3600
STUCK_JOBS = {
    "leases that ran out": "SELECT count(*) FROM jobs WHERE state = 'running' AND lease_until < later(:seconds)",
    "jobs that nobody takes": "SELECT count(*) FROM jobs WHERE state = 'queued' AND run_at < later(:seconds)",
    "events that do not leave": "SELECT count(*) FROM outbox WHERE dispatched_at IS NULL AND at < later(:seconds)",
}
START_A_WORKER = "Start a worker: `opora worker`, or `opora serve` without --no-worker; its log says what keeps it"
FROM_BACKUP = "Bring the file back from a backup of the store, under the same name"
HEALED = "without a job"
"""What ends the names of recounts that a worker's sweeps set right by themselves."""


@dataclass(slots=True)
class Looked:
    """What was found, and how much was looked at: files that rows name, files read, files in the store."""

    findings: list[Finding] = field(default_factory=list)
    files: int = 0
    hashed: int = 0
    stored: int = 0


async def examined(app: Application, settings: Settings, sample: int | None, told: Steps) -> Looked:
    """Look at everything; `sample` is how many files are read whole, None for all."""
    looked, database, blobs = Looked(), await app.get(Database), await app.get(BlobStore)
    findings = looked.findings
    findings += await _pages(database)
    if findings[0].health is not Health.WELL:
        return looked  # what lies on torn pages cannot be read to be judged
    findings += await _store(database)
    findings += await _recounts(database)
    recounted = await (await app.get(LedgerViews)).recount()
    findings += listed(
        "ledger",
        f"{recounted.entries} entries add up to {recounted.accounts} accounts",
        (
            f"{one.what} {one.name}: kept {one.kept_minor}, counted {one.counted_minor}"
            for one in recounted.discrepancies
        ),
        "`opora billing check --json`; stop payments until it is understood, the entries are the truth",
    )
    findings += await _audit(await app.get(AuditLog))
    findings += await _sealed(app, settings, told)
    findings += await _stuck(database)
    findings += await _files(database, blobs, sample, looked, told)
    findings += await _orphans(database, blobs, looked)
    return looked


def listed(name: str, well: str, faults: Iterable[str], mend: str, health: Health = Health.ILL) -> Iterator[Finding]:
    """Yield a finding for each fault, up to a bound, or the one that all is well."""
    number = 0
    for number, fault in enumerate(faults, start=1):
        if number <= NAMED_MAX:
            yield Finding(name, health, fault, mend)
    if number > NAMED_MAX:
        yield Finding(name, health, f"and {number - NAMED_MAX} more", mend)
    if number == 0:
        yield Finding(name, Health.WELL, well)


async def _pages(database: Database) -> list[Finding]:
    async with database.scan() as connection:
        torn = await broken_pages(connection)
    return list(listed("pages", "the store holds together", torn, "Stop Opora; `opora restore` the last good backup"))


async def _store(database: Database) -> list[Finding]:
    async with database.scan() as connection:
        strays = await stray_references(connection)
        asleep = await sleeping_triggers(connection)
    return [
        *listed(
            "references", "every row that a row names is there", strays, "Restore the row from a backup, or report it"
        ),
        *listed(
            "triggers", "all awake", asleep, "Somebody switched it off or dropped it: restore it, then check again"
        ),
    ]


async def _recounts(database: Database) -> list[Finding]:
    found = await recount(database)
    faults = [one for one in found if not one.what.endswith(HEALED)]
    healed = [one for one in found if one.what.endswith(HEALED)]
    return [
        *listed(
            "counts",
            "what is counted is what is kept",
            (f"{one.what}: {one.name}, kept {one.kept}, counted {one.counted}" for one in faults),
            "Please report it with this line; the rows counted are the truth",
        ),
        *listed(
            "owners of jobs",
            "what waits for a job has one",
            (f"{one.what}: {one.name}" for one in healed),
            "A worker's hourly sweep ends them; if they stay, its log says why",
            Health.WARN,
        ),
    ]


async def _audit(log: AuditLog) -> list[Finding]:
    found = await log.verify()
    if found.whole:
        return [
            Finding("audit", Health.WELL, f"{found.checked} sealed entries chain, {found.unsealed} wait for a seal")
        ]
    where = f"entry {found.broken_at}: {found.reason}" if found.broken_at else str(found.reason)
    mend = "Keep the database as it is, and compare it with a backup from before"
    return [Finding("audit", Health.ILL, where, mend)]


async def _sealed(app: Application, settings: Settings, told: Steps) -> list[Finding]:
    found = await resealed(app, settings, changes=False, told=told)
    closed = [f"{one.unreadable} rows of {table} open under no key" for table, one in found.items() if one.unreadable]
    mend = "Give the key they were sealed under in OPORA_ENCRYPTION_KEYS_OLD, or bring the root secret back"
    older = [f"{one.changed} rows of {table} are sealed otherwise than the settings say" for table, one in found.items()
             if one.changed]  # fmt: skip
    return [
        *listed("sealed", "every sealed column opens", closed, mend),
        *(one for one in listed("to be sealed", "", older, "`opora secrets reseal`", Health.WARN) if older),
    ]


async def _stuck(database: Database) -> list[Finding]:
    found = []
    for what, sql in STUCK_JOBS.items():
        count = await database.read.fetch_value(sql, seconds=-STUCK_AFTER_S)
        if count:
            found.append(Finding("stuck", Health.ILL, f"{count} {what}, for more than an hour", START_A_WORKER))
    dead = await database.read.fetch_value("SELECT count(*) FROM jobs WHERE state = 'dead'")
    if dead:
        mend = "`opora jobs list --state dead`, then `opora jobs why ID` and `opora jobs retry ID`"
        found.append(Finding("dead jobs", Health.WARN, f"{dead} given up", mend))
    return found or [Finding("stuck", Health.WELL, "nothing waits that could go on")]


async def _files(
    database: Database, blobs: BlobStore, sample: int | None, looked: Looked, told: Steps
) -> list[Finding]:
    """See that every file that a row names is there, of its size, and read some of them."""
    faults, lacking, chosen = [], list[KeptFile](), Chosen(sample)
    async with database.scan() as connection:
        async for page in kept_files(connection):
            for one in page:
                looked.files += 1
                size = await blobs.size(one.name)
                if size is None:
                    lacking.append(one)
                elif one.size not in (None, size):
                    faults.append(f"{one.record}: {one.name} has {size} bytes, not {one.size}")
                elif one.sha256 is not None:
                    chosen.offer(one)
        if lacking:  # what was removed in its time meanwhile is named by its row no more
            named_still = {one.name async for page in kept_files(connection) for one in page}
            faults += [f"{one.record}: {one.name} is missing" for one in lacking if one.name in named_still]
    for done, one in enumerate(chosen.files, start=1):
        if await digest(blobs, one.name) not in (None, one.sha256):  # gone since: removed in its time
            faults.append(f"{one.record}: {one.name} holds other bytes than were stored")
        told(done, len(chosen.files))
    looked.hashed = len(chosen.files)
    return [one for one in listed("missing or altered", "", faults, FROM_BACKUP) if one.health is not Health.WELL]


class Chosen:
    """Keeps so many of all that are offered, each with the same chance; all where no number is given."""

    def __init__(self, count: int | None) -> None:
        self._count = count
        self._offered = 0
        self._random = random.SystemRandom()
        self.files: list[KeptFile] = []

    def offer(self, one: KeptFile) -> None:
        """Take it, perhaps in place of another."""
        self._offered += 1
        if self._count is None or len(self.files) < self._count:
            self.files.append(one)
            return
        place = self._random.randrange(self._offered)
        if place < self._count:
            self.files[place] = one


async def digest(blobs: BlobStore, name: BlobName) -> str | None:
    """Return the SHA-256 of a stored file; None where there is none."""
    read = sha256()
    try:
        async for some in await blobs.open(name):
            read.update(some)
    except NoSuchBlob:
        return None
    return read.hexdigest()


async def _orphans(database: Database, blobs: BlobStore, looked: Looked) -> list[Finding]:
    """Find files that no row names and that are too old to be on their way in."""
    orphans: list[str] = []
    for folder in FOLDERS:
        some: list[BlobName] = []
        async for name in blobs.names(folder):
            looked.stored += 1
            some.append(name)
            if len(some) == AT_ONCE:
                orphans += await _unnamed(database, folder, some)
                some = []
        orphans += await _unnamed(database, folder, some)
    mend = "A worker's sweep removes them within a day; if they stay, is the store shared with another installation?"
    return list(listed("orphans", "every stored file belongs to a row", orphans, mend, Health.WARN))


async def _unnamed(database: Database, folder: str, names: Sequence[BlobName]) -> list[str]:
    settled = datetime.now(UTC) - SETTLED_AFTER
    old = [name for name in names if made_at(name.id) < settled]
    known = await named(database.read, folder, [name.id for name in old]) if old else frozenset()
    return [str(name) for name in old if name.id not in known]
