"""The bank's answers: each is dealt with once, whatever the bank sends twice and wherever a process dies."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from opora.core.documents.model.packets import (
    BadReceipt,
    DispatchPolicy,
    InboxEntry,
    Outcome,
    PacketStatus,
    Receipt,
)
from opora.core.documents.model.policies import Desk
from opora.core.documents.model.reconciliation import TicketKind
from opora.core.documents.ports.banking import CoreBanking
from opora.core.documents.ports.packets import BankingTx
from opora.core.documents.rules import packets as rules
from opora.core.documents.usecases.packets import about, change, settle
from opora.core.jobs.model import Claim
from opora.core.kernel.model import SYSTEM
from opora.core.kernel.ports import Clock, UnitOfWork


@dataclass(frozen=True, slots=True)
class ReceiveReceipts:
    """Read the bank's receipts and do what they say; a cron slot runs it.

    A receipt is put away at the bank's only after the transaction in which it was dealt with: a crash in between has it
    read again, and the inbox knows it by its id.
    """

    unit: UnitOfWork[BankingTx]
    bank: CoreBanking
    clock: Clock
    policy: DispatchPolicy
    desk: Desk

    async def __call__(self, claim: Claim) -> None:
        """End the job with how many receipts came to what."""
        counts: Counter[str] = Counter()
        for _ in range(self.policy.rounds_max):
            receipts = await self.bank.receipts(self.policy.receipts_at_once)
            for receipt in receipts:
                counts[await self._deal_with(receipt)] += 1
            if len(receipts) < self.policy.receipts_at_once:
                break
        async with self.unit() as tx:
            await tx.jobs.finish(claim, dict(counts))

    async def _deal_with(self, receipt: Receipt | BadReceipt) -> str:
        now = self.clock.now()
        async with self.unit() as tx:
            if isinstance(receipt, BadReceipt):
                outcome = await put_aside(tx, receipt, now)
            else:
                outcome = await apply(tx, receipt, now, self.desk)
        if outcome in {Outcome.STRANGER, Outcome.UNREADABLE}:
            reason = receipt.reason if isinstance(receipt, BadReceipt) else None
            await self.bank.quarantine(receipt.id, reason or "no packet of this key was sent")
        else:
            await self.bank.settle([receipt.id])
        return str(outcome)


async def put_aside(tx: BankingTx, receipt: BadReceipt, now: datetime) -> Outcome:
    """Note a receipt that cannot be read, and open a ticket."""
    if await tx.abs_receipts.add(entry(receipt.id, Outcome.UNREADABLE, now, reason=receipt.reason)):
        await tx.abs_tickets.open(TicketKind.BAD_RECEIPT, f"receipt:{receipt.id}", receipt.reason, now)
    return Outcome.UNREADABLE


async def apply(tx: BankingTx, receipt: Receipt, now: datetime, desk: Desk) -> Outcome:
    """Do what a receipt says, unless one of its id was dealt with before; one for nobody opens a ticket."""
    document_id, _, version = receipt.packet.partition(".")
    is_key = document_id.isascii() and document_id.isdecimal() and version.isascii() and version.isdecimal()
    packet = await tx.packets.at(int(document_id), int(version)) if is_key and len(receipt.packet) <= KEY_MAX else None
    if packet is None:
        if await tx.abs_receipts.add(entry(receipt.id, Outcome.STRANGER, now, receipt)):
            await tx.abs_tickets.open(TicketKind.STRANGER_RECEIPT, f"receipt:{receipt.id}", receipt.packet, now)
        return Outcome.STRANGER
    after, outcome = rules.answered(packet, receipt, now)
    if not await tx.abs_receipts.add(entry(receipt.id, outcome, now, receipt)) or outcome is Outcome.IDLE:
        return Outcome.IDLE
    await settle(tx, after, SYSTEM, now, desk)
    await tx.audit.record(change(SYSTEM, "abs.receipt_applied", packet, after, now))
    if after.status is PacketStatus.REJECTED:
        await tx.abs_tickets.open(TicketKind.NOT_TAKEN, about(after), receipt.reason, now)
    else:
        await tx.abs_tickets.close_about(TicketKind.NOT_TAKEN, about(after), "system", now)
    return outcome


KEY_MAX = 30
"""Letters of a packet's key at most: a document's id and its version fit, and no number overflows the store."""


def entry(
    id: str, outcome: Outcome, now: datetime, receipt: Receipt | None = None, reason: str | None = None
) -> InboxEntry:
    """The note of a receipt that was dealt with."""
    return InboxEntry(
        id=id,
        packet=receipt.packet if receipt else None,
        verdict=receipt.verdict if receipt else None,
        outcome=outcome,
        reference=receipt.reference if receipt else None,
        reason=receipt.reason if receipt else reason,
        received_at=now,
    )


USE_CASES = (ReceiveReceipts,)
