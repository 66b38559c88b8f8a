"""What is sent of a document, and what an answer makes of a packet."""

from datetime import datetime

from opora.core.documents.errors import CoreBankingRefused
from opora.core.documents.model.documents import Document
from opora.core.documents.model.packets import (
    SEND,
    TAKEN,
    Consignment,
    DispatchPolicy,
    Outcome,
    Packet,
    PacketStatus,
    Receipt,
    Verdict,
)
from opora.core.documents.model.statuses import DocumentStatus
from opora.core.jobs.model import NewJob

ANSWERS = {Verdict.ACCEPTED: PacketStatus.ACCEPTED, Verdict.REJECTED: PacketStatus.REJECTED}


def carries_file(status: DocumentStatus) -> bool:
    """Tell whether the file goes along with this change: the bank takes what was approved."""
    return status is DocumentStatus.APPROVED


def consignment(packet: Packet, document: Document, category: str) -> Consignment:
    """Return what the bank is told; raises CoreBankingRefused where the file that should go along was purged."""
    if packet.has_file and document.is_file_removed:
        raise CoreBankingRefused("The file was purged before it was sent.")
    return Consignment(
        key=packet.key,
        document_id=document.id,
        version=packet.version,
        status=packet.document_status,
        user_id=document.user_id,
        category=category,
        description=document.description,
        media_type=str(document.media_type),
        size=document.size,
        sha256=document.sha256,
        has_file=packet.has_file,
        at=packet.created_at,
    )


def answered(packet: Packet, receipt: Receipt, now: datetime) -> tuple[Packet, Outcome]:
    """Return the packet after a receipt, and what the receipt came to; one that comes too late changes nothing."""
    target = ANSWERS[receipt.verdict]
    if packet.status in TAKEN or packet.status is target:
        return packet, Outcome.IDLE
    settled = packet.moved(
        target,
        reference=receipt.reference or packet.reference,
        error=receipt.reason if receipt.verdict is Verdict.REJECTED else None,
        settled_at=now,
    )
    return settled, Outcome.APPLIED


def moves_document(packet: Packet, document: Document) -> bool:
    """Tell whether the bank's having the packet makes the document processed."""
    return packet.has_file and packet.status in TAKEN and document.status is DocumentStatus.APPROVED


def sending(packet: Packet, policy: DispatchPolicy, request_id: str = "") -> NewJob:
    """The job that sends a packet; each time it is queued it is another job."""
    return NewJob(
        kind=SEND,
        payload={"packet_id": packet.id},
        dedup_key=f"{SEND}:{packet.id}:{packet.attempts}",
        attempts_max=policy.attempts_max,
        request_id=request_id,
    )
