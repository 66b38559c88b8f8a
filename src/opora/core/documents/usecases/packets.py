"""Packets on their way to the bank's system: what jobs do with them, and what operators do."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import datetime

from opora.core.documents.errors import CoreBankingRefused, NoSuchPacket
from opora.core.documents.events import PacketFailed, PacketSettled
from opora.core.documents.model.documents import EVERYONES, Document
from opora.core.documents.model.packets import (
    SEND,
    SYNC_OF,
    Consignment,
    DispatchPolicy,
    Packet,
    PacketStatus,
)
from opora.core.documents.model.policies import Desk
from opora.core.documents.model.reconciliation import TicketKind
from opora.core.documents.model.statuses import DocumentStatus
from opora.core.documents.ports.banking import CoreBanking
from opora.core.documents.ports.packets import BankingTx
from opora.core.documents.rules import packets as rules
from opora.core.documents.usecases.moving import Move, carry_out
from opora.core.jobs.model import Claim
from opora.core.kernel.errors import NoSuchBlob
from opora.core.kernel.model import SYSTEM, Actor, Change
from opora.core.kernel.ports import BlobStore, Clock, UnitOfWork

GIVEN_UP = "The bank's system did not take it in any attempt."


@dataclass(frozen=True, slots=True)
class RegisterPacket:
    """Make a packet of a document's change, and a job that sends it; served by `document.status_changed`."""

    unit: UnitOfWork[BankingTx]
    clock: Clock
    policy: DispatchPolicy

    async def __call__(self, claim: Claim) -> None:
        """A change that has a packet, and one of a document that was deleted since, are let be."""
        told = claim.event
        document_id, version = int(str(told["subject"])), int(str(told["version"]))
        status = DocumentStatus(str(told["status"]))
        async with self.unit() as tx:
            document = await tx.documents.get(document_id, EVERYONES)
            if document is not None:
                packet = Packet(
                    id=await tx.packets.next_id(),
                    document_id=document_id,
                    version=version,
                    document_status=status,
                    has_file=rules.carries_file(status),
                    created_at=self.clock.now(),
                )
                if await tx.packets.add(packet):
                    await tx.jobs.add(rules.sending(packet, self.policy, claim.request_id))
                    await tell(tx, document, packet)
            await tx.jobs.finish(claim)


@dataclass(frozen=True, slots=True)
class SendPacket:
    """Hand a packet to the bank's system.

    The bank is called outside any transaction; that a call is repeated after a crash is harmless, by the packet's key.
    """

    unit: UnitOfWork[BankingTx]
    bank: CoreBanking
    blobs: BlobStore
    clock: Clock

    async def __call__(self, claim: Claim) -> None:
        """A packet that the bank will never take is given up at once; where it does not answer, the job is repeated."""
        found = await self._begin(claim)
        if found is None:
            return
        packet, told = found
        try:
            if told is None:
                raise CoreBankingRefused("The document was deleted, or its file purged, before it was sent.")
            reference = await self.bank.submit(told[0], told[1])
        except (CoreBankingRefused, NoSuchBlob) as error:
            async with self.unit() as tx:
                await give_up(tx, packet.id, str(error), self.clock.now())
                await tx.jobs.finish(claim, {"error": str(error)})
            return
        await self._sent(claim, packet.id, reference)

    async def _begin(self, claim: Claim) -> "tuple[Packet, Told | None] | None":
        async with self.unit() as tx:
            packet = await tx.packets.get(int(str(claim.payload["packet_id"])))
            if packet is None or packet.status is not PacketStatus.QUEUED:
                await tx.jobs.finish(claim)
                return None
            packet = replace(packet, attempts=packet.attempts + 1)
            await tx.packets.save(packet)
            document = await tx.documents.get(packet.document_id, EVERYONES)
            if document is None or (packet.has_file and document.is_file_removed):
                return packet, None
            category = await tx.categories.get(document.category_id)
        told = rules.consignment(packet, document, category.code if category else "")
        return packet, (told, self._content(document) if packet.has_file else None)

    def _content(self, document: Document) -> "Opening":
        return Opening(self.blobs, document)

    async def _sent(self, claim: Claim, packet_id: int, reference: str | None) -> None:
        async with self.unit() as tx:
            packet = await tx.packets.get(packet_id)
            if packet is not None and packet.status is PacketStatus.QUEUED:  # no receipt was faster
                sent = packet.moved(
                    PacketStatus.SENT, sent_at=self.clock.now(), reference=reference or packet.reference, error=None
                )
                await tx.packets.save(sent)
                document = await tx.documents.get(packet.document_id, EVERYONES)
                if document is not None:
                    await tell(tx, document, sent)
            await tx.jobs.finish(claim)


@dataclass(frozen=True, slots=True)
class Opening:
    """Opens a document's file from a byte on."""

    blobs: BlobStore
    document: Document

    async def __call__(self, start: int) -> AsyncIterator[bytes]:
        """Return the bytes from there to the end; raises NoSuchBlob."""
        return await self.blobs.open(self.document.blob_name, start)


type Told = tuple[Consignment, Opening | None]


@dataclass(frozen=True, slots=True)
class GiveUpPacket:
    """Mark the packet of a dead job as failed, with a ticket; served by `job.dead`."""

    unit: UnitOfWork[BankingTx]
    clock: Clock

    async def __call__(self, claim: Claim) -> None:
        """Other kinds of jobs and packets that were settled meanwhile are let be."""
        died = claim.death([SEND])
        async with self.unit() as tx:
            job = None if died is None else await tx.jobs.get(died)
            if job is not None:
                await give_up(tx, int(str(job.payload["packet_id"])), GIVEN_UP, self.clock.now())
            await tx.jobs.finish(claim)


@dataclass(frozen=True, slots=True)
class RetryPacket:
    """Send a packet again, past the queue's own attempts."""

    unit: UnitOfWork[BankingTx]
    clock: Clock
    policy: DispatchPolicy

    async def __call__(self, actor: Actor, id: int) -> Packet:
        """Return the packet, queued; raises NoSuchPacket, or IllegalMove where it is queued or was taken."""
        now = self.clock.now()
        async with self.unit() as tx:
            before = await held(tx, id)
            packet = before.moved(
                PacketStatus.QUEUED, attempts=before.attempts + 1, error=None, settled_at=None, sent_at=None
            )
            await tx.packets.save(packet)
            await tx.jobs.add(rules.sending(packet, self.policy, actor.origin.request_id))
            document = await tx.documents.get(packet.document_id, EVERYONES)
            if document is not None:
                await tell(tx, document, packet)
            await tx.abs_tickets.close_about(TicketKind.NOT_TAKEN, about(packet), actor.subject, now)
            await tx.audit.record(change(actor, "abs.packet_retried", before, packet, now))
        return packet


@dataclass(frozen=True, slots=True)
class OverridePacket:
    """Settle a packet by hand: somebody saw to it that the bank has what it tells."""

    unit: UnitOfWork[BankingTx]
    clock: Clock
    desk: Desk

    async def __call__(self, actor: Actor, id: int, comment: str, reference: str | None = None) -> Packet:
        """Return the packet; its document is processed where the bank was to take it.

        Raises NoSuchPacket, IllegalMove.
        """
        now = self.clock.now()
        async with self.unit() as tx:
            before = await held(tx, id)
            packet = before.moved(
                PacketStatus.OVERRIDDEN, comment=comment, reference=reference or before.reference, settled_at=now
            )
            await tx.audit.record(change(actor, "abs.packet_overridden", before, packet, now))
            await settle(tx, packet, actor, now, self.desk)
            await tx.abs_tickets.close_about(TicketKind.NOT_TAKEN, about(packet), actor.subject, now)
        return packet


async def settle(tx: BankingTx, packet: Packet, actor: Actor, now: datetime, desk: Desk) -> None:
    """Keep a packet that was answered, and what that makes of its document."""
    await tx.packets.save(packet)
    document = await tx.documents.get(packet.document_id, EVERYONES)
    if document is not None:
        document = await tell(tx, document, packet)
        if rules.moves_document(packet, document):
            move = Move(target=DocumentStatus.PROCESSED, actor=actor, comment=packet.comment)
            await carry_out(tx, document, move, now, desk)
    await tx.outbox.add(
        PacketSettled(
            subject=packet.id,
            at=now,
            document_id=packet.document_id,
            status=str(packet.status),
            reference=packet.reference,
        )
    )


async def give_up(tx: BankingTx, packet_id: int, error: str, now: datetime) -> None:
    """Mark a packet that waits to be sent as failed, and open a ticket for it."""
    packet = await tx.packets.get(packet_id)
    if packet is None or packet.status is not PacketStatus.QUEUED:
        return
    failed = packet.moved(PacketStatus.FAILED, error=error, settled_at=now)
    await tx.packets.save(failed)
    document = await tx.documents.get(packet.document_id, EVERYONES)
    if document is not None:
        await tell(tx, document, failed)
    await tx.abs_tickets.open(TicketKind.NOT_TAKEN, about(packet), error, now)
    await tx.outbox.add(PacketFailed(subject=packet.id, at=now, document_id=packet.document_id, error=error))
    await tx.audit.record(change(SYSTEM, PacketFailed.topic, packet, failed, now))


async def tell(tx: BankingTx, document: Document, packet: Packet) -> Document:
    """Show on a document, which the transaction holds, how its newest packet stands; its version stays as it is."""
    newest = await tx.packets.newest(document.id)
    sync = SYNC_OF[packet.status] if newest == packet.version else document.abs_sync
    told = replace(document, abs_sync=sync, abs_reference=packet.reference or document.abs_reference)
    if told != document:
        await tx.documents.save(told, document.version)
    return told


async def held(tx: BankingTx, id: int) -> Packet:
    """Return the packet, locked; raises NoSuchPacket."""
    packet = await tx.packets.get(id)
    if packet is None:
        raise NoSuchPacket(packet_id=id)
    return packet


def about(packet: Packet) -> str:
    """What the tickets of a packet are about: its document."""
    return f"document:{packet.document_id}"


def change(actor: Actor, action: str, before: Packet, after: Packet, at: datetime) -> Change:
    """The audit entry of something that happened to a packet."""
    return Change(
        actor=actor,
        action=action,
        entity_type="packet",
        entity_id=str(after.id),
        at=at,
        old={"status": str(before.status)},
        new={"status": str(after.status), "packet": after.key, "comment": after.comment, "error": after.error},
    )


USE_CASES = (RegisterPacket, SendPacket, GiveUpPacket, RetryPacket, OverridePacket)
