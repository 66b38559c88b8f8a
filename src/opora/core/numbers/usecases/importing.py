"""The job of an import: fetch, read, bring in range after range, each a transaction of its own."""

from array import array
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import partial
from uuid import UUID

from opora.core.jobs.model import Claim
from opora.core.jobs.ports import JobProgress
from opora.core.kernel.errors import DomainError, Invalid, NoSuchBlob, NotFound, Stale, TooLarge
from opora.core.kernel.model import SYSTEM
from opora.core.kernel.ports import BlobStore, Clock, UnitOfWork
from opora.core.numbers.errors.projects import NoSuchProject
from opora.core.numbers.events.transfers import TransferCompleted
from opora.core.numbers.model.numbers import NumberStatus
from opora.core.numbers.model.projects import EVERY_PROJECT
from opora.core.numbers.model.registry import NumberingPlan
from opora.core.numbers.model.tables import Reading, ReadSoFar, ReadThrough, RefusedRow, SortedRange, TableHead
from opora.core.numbers.model.transfers import (
    ENDED,
    Channel,
    MergedRange,
    Tally,
    Transfer,
    TransferPolicy,
)
from opora.core.numbers.ports.drops import FileDrop
from opora.core.numbers.ports.intake import Sheaf
from opora.core.numbers.ports.numbers import NumberingRegistry
from opora.core.numbers.ports.tables import TableReader
from opora.core.numbers.ports.transfers import TransferTx
from opora.core.numbers.rules import transfers as rules
from opora.core.numbers.rules.zone_runs import ZonesOfMany
from opora.core.numbers.usecases.lanes import Lanes
from opora.core.numbers.usecases.transfers import change, failed

REFUSED_AT_ONCE = 5000
BRINGS_MAX = 5
"""How often a range is brought in anew, where others add its numbers at the same moment."""
HOPELESS = (Invalid, NotFound, TooLarge)
"""What no other attempt would mend."""


@dataclass(slots=True)
class Work:
    """One attempt at an import: what it knows, and how far it is."""

    claim: Claim
    transfer: Transfer
    reading: Reading
    geo_zones: Mapping[int, str | None]
    lanes: int
    size: int
    refused_kept: int
    plan: NumberingPlan
    tally: Tally
    zone_sets: dict[tuple[str, ...], int] = field(default_factory=dict)
    waiting: list[RefusedRow] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ImportNumbers:
    """Carry an import out.

    An attempt reads the whole file before it brings the first number in, so that a file that cannot be read leaves
    nothing behind. What it brings in goes by ascending ranges; each is one transaction with its counts, its refused
    rows and the word that it is done. The next attempt reads the file again and goes on where this one stopped.
    """

    unit: UnitOfWork[TransferTx]
    tables: TableReader
    blobs: BlobStore
    drop: FileDrop
    registry: NumberingRegistry
    progress: JobProgress
    clock: Clock
    policy: TransferPolicy

    async def __call__(self, claim: Claim) -> None:
        """What is wrong with the file itself ends the import as failed, for no retry mends it."""
        transfer = await self._start(claim)
        if transfer is None:
            return
        try:
            work = await self._prepare(claim, transfer)
            await self._carry_out(work)
        except HOPELESS as error:
            await self._fail(claim, transfer, error)
        else:
            await self._complete(work)
        await self.blobs.delete(transfer.blob_name)

    async def _start(self, claim: Claim) -> Transfer | None:
        async with self.unit() as tx:
            transfer = await tx.transfers.get(UUID(str(claim.payload["transfer_id"])), EVERY_PROJECT)
            if transfer is None or (transfer.status in ENDED and transfer.error_code != "gave_up"):
                await tx.jobs.finish(claim)
                return None
            started = transfer.start(claim.attempt, self.clock.now())
            await tx.transfers.save(started, transfer.status)
        return started

    async def _prepare(self, claim: Claim, transfer: Transfer) -> Work:
        size = await self.blobs.size(transfer.blob_name)
        if size is None and transfer.channel is Channel.SFTP:
            content = self.drop.read(transfer.file_name, self.policy.size_max)
            async with aclosing(content):
                size = (await self.blobs.put(transfer.blob_name, content, self.policy.size_max)).size
        if size is None:
            raise NoSuchBlob("The file is gone.")
        plan = await self.registry.plan()
        async with self.unit() as tx:
            if await tx.projects.get(transfer.project_id, EVERY_PROJECT) is None:
                raise NoSuchProject(project_id=transfer.project_id)
            providers, geo_zones = await tx.intake.references()
            merged = await tx.transfers.merged(transfer.number)
            kept = await tx.transfers.refused_count(transfer.number)
            range_rows, lanes = tx.intake.rows_at_once, tx.intake.lanes
        reading = Reading(
            rows_max=self.policy.rows_max,
            range_rows=range_rows,
            mapping=transfer.mapping,
            region=self.policy.region,
            providers=providers,
            geo=list(geo_zones),
            merged=rules.joined_spans([(one.first, one.last) for one in merged]),
        )
        return Work(claim, transfer, reading, geo_zones, lanes, size, kept, plan, transfer.tally)

    async def _carry_out(self, work: Work) -> None:
        content = await self.blobs.open(work.transfer.blob_name)
        async with aclosing(self.tables.read(content, work.reading)) as parts, Lanes(work.lanes) as lanes:
            async for part in parts:
                match part:
                    case SortedRange():
                        await lanes.run(partial(self._merge, work, part))
                    case ReadSoFar():
                        done = rules.reading_progress(part, work.size)
                        await self.progress.report(work.claim, done, rules.PER_CENT)
                    case ReadThrough():
                        await self._read_through(work, part)
                    case TableHead():
                        continue
                    case _:
                        await self._refuse(work, part)

    async def _refuse(self, work: Work, rows: Sequence[RefusedRow], *, is_last: bool = False) -> None:
        """Keep refused rows, some thousands at a time."""
        work.waiting.extend(rows)
        if not is_last and len(work.waiting) < REFUSED_AT_ONCE:
            return
        rows, work.waiting = work.waiting[: self._room(work)], []
        if rows:
            async with self.unit() as tx:
                kept = await tx.transfers.refuse(work.transfer, rows)
            work.refused_kept += kept

    def _room(self, work: Work) -> int:
        return max(0, self.policy.refused_max - work.refused_kept)

    async def _read_through(self, work: Work, part: ReadThrough) -> None:
        """Write down what reading found, unless an earlier attempt has."""
        await self._refuse(work, [], is_last=True)
        if work.tally.records == 0:
            tally = Tally(records=part.rows, invalid=part.invalid)
            async with self.unit() as tx:
                await tx.transfers.record(work.transfer, tally)
            work.tally += tally

    async def _merge(self, work: Work, part: SortedRange) -> None:
        """Bring one range in; one that others add to at the same moment is brought in anew."""
        zone_sets = await self._zone_sets(work, part)
        none = array("q", bytes(8 * len(part.numbers)))
        usual = work.transfer.provider_id or 0
        named = [one or usual for one in part.providers] if part.providers else [usual] * len(part.numbers)
        sheaf = Sheaf(
            project_id=work.transfer.project_id,
            import_number=work.transfer.number,
            numbers=part.numbers,
            zone_sets=zone_sets,
            providers=array("q", named),
            geo=part.geo or none,
            now=self.clock.now(),
        )
        work.tally += await self._brought(work, part, sheaf)
        await self.progress.report(work.claim, rules.merging_progress(work.tally), rules.PER_CENT)

    async def _brought(self, work: Work, part: SortedRange, sheaf: Sheaf) -> Tally:
        """Bring a range in, again where somebody else added some of its numbers at the same time."""
        brings = 1
        while True:
            try:
                return await self._bring(work, part, sheaf)
            except Stale:
                brings += 1
                if brings > BRINGS_MAX:
                    raise

    async def _bring(self, work: Work, part: SortedRange, sheaf: Sheaf) -> Tally:
        async with self.unit() as tx:
            brought = await tx.intake.bring_in(sheaf)
            tally, rows = rules.refusals(part, brought.present, brought.suppressed)
            if brought.created:
                await tx.tally.change(sheaf.project_id, {NumberStatus.NEW: brought.created})
            kept = await tx.transfers.refuse(work.transfer, rows[: self._room(work)]) if rows else 0
            span = MergedRange(part.numbers[0], part.numbers[-1], brought.first_id, brought.last_id, brought.created)
            await tx.transfers.record(work.transfer, tally, span)
        work.refused_kept += kept
        return tally

    async def _zone_sets(self, work: Work, part: SortedRange) -> "array[int]":
        """Return the id of each number's set of zones; sets that are new are kept first, on their own."""
        found = ZonesOfMany(part.numbers, part.zones)
        found.by_plan(work.plan)
        if part.geo:
            found.by_area(part.geo, work.geo_zones)
        new = [zones for zones in found.sets if zones not in work.zone_sets]
        if new:
            async with self.unit() as tx:
                ids = await tx.zones.ids(new)
            work.zone_sets.update(ids)
        ids_by_place = [work.zone_sets[zones] for zones in found.sets]
        return array("q", map(ids_by_place.__getitem__, found.places))

    async def _complete(self, work: Work) -> None:
        now = self.clock.now()
        async with self.unit() as tx:
            counted = rules.unended(await tx.transfers.get(work.transfer.id, EVERY_PROJECT))
            completed = counted.complete(now, self.policy)
            await tx.transfers.save(completed, counted.status)
            await tx.outbox.add(
                TransferCompleted(
                    subject=str(completed.id),
                    at=now,
                    kind=completed.kind,
                    project_id=completed.project_id,
                    owner=completed.owner,
                    records=completed.records,
                    created=completed.created,
                )
            )
            new = {"records": completed.records, "created": completed.created, "invalid": completed.invalid}
            await tx.audit.record(change(SYSTEM, "transfer.completed", completed, now, new))
            await tx.jobs.finish(work.claim, {"records": completed.records, "created": completed.created})

    async def _fail(self, claim: Claim, transfer: Transfer, error: DomainError) -> None:
        now = self.clock.now()
        text = str(error)
        for messages in (error.errors if isinstance(error, Invalid) else {}).values():
            text += " " + "; ".join(messages) + "."
        ended = transfer.fail(text, error.code, now, self.policy)
        async with self.unit() as tx:
            await tx.transfers.save(ended, transfer.status)
            await tx.outbox.add(failed(ended, text, now))
            await tx.audit.record(change(SYSTEM, "transfer.failed", ended, now, {"error": error.code}))
            await tx.jobs.finish(claim, {"error": error.code})


USE_CASES = (ImportNumbers,)
