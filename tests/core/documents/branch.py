"""A branch of a bank: documents over a real store and real files, its own system beside it, and a worker for jobs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

from opora.adapters.banking.local import LocalCoreBanking
from opora.adapters.files.blobs import FolderBlobs
from opora.adapters.sql.banking.contracts import SqlContractViews
from opora.adapters.sql.banking.views import SqlBankingViews
from opora.adapters.sql.connection import Database
from opora.adapters.sql.leases import SqlJobLeases
from opora.adapters.sql.unit import SqlUnitOfWork
from opora.adapters.system.identifiers import TimeOrderedIdentifiers
from opora.adapters.system.randomness import SystemRandomness
from opora.core.documents.model.calendars import BusinessCalendar
from opora.core.documents.model.documents import EVERYONES, Document
from opora.core.documents.model.packets import SEND, DispatchPolicy, Packet, PacketFilter
from opora.core.documents.model.policies import Desk
from opora.core.documents.model.reconciliation import RECONCILE, ReconciliationPolicy, Ticket, TicketFilter
from opora.core.documents.model.statuses import DocumentStatus
from opora.core.documents.ports.banking import CoreBanking
from opora.core.documents.usecases.moving import Move, carry_out
from opora.core.documents.usecases.packets import GiveUpPacket, RegisterPacket, SendPacket
from opora.core.documents.usecases.receipts import ReceiveReceipts
from opora.core.documents.usecases.reconciliation import GiveUpReconciliation, Reconcile
from opora.core.jobs.model import Claim, JobState, NewJob
from opora.core.kernel.model import Actor, PageRequest
from opora.core.kernel.ports import Clock
from opora.testing.core_banking import PAPER, in_parts
from opora.testing.documents import CLIENT, WORKER, a_document

OPERATOR = Actor(user_id=WORKER, scopes=frozenset({"banking:write", "contracts:write", "documents:process"}))
CUSTOMER = Actor(user_id=CLIENT, scopes=frozenset({"contracts:read"}))
HOUR = timedelta(hours=1)
ALL = PageRequest(200)


class TurnedClock(Clock):
    """A clock that the test turns."""

    def __init__(self) -> None:
        self.at = datetime.now(UTC)

    def now(self) -> datetime:
        return self.at


@dataclass(slots=True)
class Branch:
    """Every use case between documents and the bank's own system."""

    unit: SqlUnitOfWork
    database: Database
    blobs: FolderBlobs
    folder: Path
    faults: str = ""
    clock: TurnedClock = field(default_factory=TurnedClock)
    policy: DispatchPolicy = field(default_factory=lambda: DispatchPolicy(attempts_max=3, receipts_at_once=2))
    comparing: ReconciliationPolicy = field(
        default_factory=lambda: ReconciliationPolicy(HOUR, told_at_once=2, tickets_at_once=2)
    )
    desk: Desk = field(default_factory=lambda: Desk(calendar=BusinessCalendar(zone=UTC)))

    @property
    def bank(self) -> CoreBanking:
        return LocalCoreBanking(self.folder, faults=self.faults)

    @property
    def views(self) -> SqlBankingViews:
        return SqlBankingViews(self.database.read)

    @property
    def contracts(self) -> SqlContractViews:
        return SqlContractViews(self.database.read)

    @property
    def leases(self) -> SqlJobLeases:
        return SqlJobLeases(self.database, TimeOrderedIdentifiers(), SystemRandomness(), self.clock)

    @property
    def reconcile(self) -> Reconcile:
        return Reconcile(self.unit, self.views, self.bank, TimeOrderedIdentifiers(), self.clock, self.comparing)

    async def document(self, id: int, status: DocumentStatus = DocumentStatus.IN_REVIEW, **changes: Any) -> Document:
        """Keep a document and its file."""
        document = a_document(id, status=status, sha256=sha256(PAPER).hexdigest(), size=len(PAPER), **changes)
        async with self.unit() as tx:
            await tx.documents.add(document)
        await self.blobs.put(document.blob_name, in_parts(PAPER), len(PAPER))
        return document

    async def approved(self, *ids: int) -> None:
        """Keep documents, have them approved, and a packet made of each."""
        for number, id in enumerate(ids):
            await self.document(id, category_id=1 + number % 6, user_id=CLIENT)
            await self.move(id, DocumentStatus.APPROVED)
        await self.relay()

    async def move(self, id: int, status: DocumentStatus, actor: Actor = OPERATOR) -> Document:
        """Move a document."""
        async with self.unit() as tx:
            document = await tx.documents.get(id, EVERYONES)
            assert document is not None
            return await carry_out(tx, document, Move(target=status, actor=actor), self.clock.now(), self.desk)

    async def read(self, id: int) -> Document:
        """Return a document as it stands."""
        async with self.unit() as tx:
            document = await tx.documents.get(id, EVERYONES)
        assert document is not None
        return document

    async def remove(self, id: int) -> None:
        """Delete a document."""
        async with self.unit() as tx:
            document = await tx.documents.get(id, EVERYONES)
            assert document is not None
            await tx.documents.save(document.changed(deleted_at=self.clock.now()), document.version)

    async def relay(self) -> None:
        """Turn what was announced into jobs, and do those that make packets."""
        await self.unit.relay()
        for claim in await self.leases.claim(["abs.register"], 100, 30.0):
            await RegisterPacket(self.unit, self.clock, self.policy)(claim)

    async def send(self) -> int:
        """Send what waits; a job whose sending fails fails like in the engine. Returns how many failed."""
        failed = 0
        for claim in await self.leases.claim([SEND], 100, 30.0):
            try:
                await SendPacket(self.unit, self.bank, self.blobs, self.clock)(claim)
            except Exception:  # the engine takes whatever a job raises
                failed += 1
                is_last = claim.attempt >= claim.attempts_max
                await self.leases.fail(claim, JobState.DEAD if is_last else JobState.QUEUED, 0.0, "failed")
        return failed

    async def receive(self) -> Mapping[str, object] | None:
        """Read receipts, and return how many came to what."""
        return await self.job("abs.receive", ReceiveReceipts(self.unit, self.bank, self.clock, self.policy, self.desk))

    async def compare(self, **payload: object) -> Mapping[str, object] | None:
        """Compare both sides by a job."""
        return await self.job(RECONCILE, self.reconcile, **payload)

    async def bury(self) -> None:
        """Tell those who have to know of jobs that died."""
        await self.unit.relay()
        for kind, case in (("abs.give_up", GiveUpPacket), ("abs.give_up_reconciliation", GiveUpReconciliation)):
            for claim in await self.leases.claim([kind], 100, 30.0):
                await case(self.unit, self.clock)(claim)

    async def job(self, kind: str, case: Any, **payload: object) -> Mapping[str, object] | None:
        """Add a job, do it, and return its result."""
        async with self.unit() as tx:
            id = await tx.jobs.add(NewJob(kind=kind, payload=payload))
        (claim,) = await self.leases.claim([kind], 1, 30.0)
        await case(claim)
        async with self.unit() as tx:
            job = await tx.jobs.get(id)
        assert job is not None
        return job.result

    async def claim(self, kind: str) -> Claim:
        """Lease the one job of a kind."""
        (claim,) = await self.leases.claim([kind], 1, 30.0)
        return claim

    async def packets(self, **wanted: Any) -> list[Packet]:
        """Return packets, the oldest first."""
        return list(reversed((await self.views.packets(PacketFilter(**wanted), ALL)).items))

    async def tickets(self, **wanted: Any) -> list[Ticket]:
        """Return tickets, the oldest first."""
        return list(reversed((await self.views.tickets(TicketFilter(**wanted), ALL)).items))

    async def actions(self) -> list[str]:
        """Return what the audit log tells."""
        return [row["action"] for row in await self.database.read.fetch("SELECT action FROM audit_log ORDER BY id")]

    async def receipt_ids(self) -> set[str]:
        """Return the receipts that were dealt with."""
        return {row["id"] for row in await self.database.read.fetch("SELECT id FROM abs_receipts")}


def blob_of(id: int) -> UUID:
    """Return the name of the file of a document of the tests."""
    return UUID(int=id)
