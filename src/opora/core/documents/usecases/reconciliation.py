"""Comparing both sides: what we told the bank, and what it holds."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from opora.core.documents.errors import BadRegister, NoSuchTicket, TicketClosed
from opora.core.documents.events import Reconciled
from opora.core.documents.model.reconciliation import (
    COMPARED,
    RECONCILE,
    Difference,
    Holding,
    Reconciliation,
    ReconciliationPolicy,
    ReconciliationStatus,
    Register,
    Ticket,
    Told,
)
from opora.core.documents.ports.banking import CoreBanking
from opora.core.documents.ports.packets import BankingTx, BankingViews
from opora.core.documents.rules import reconciliation as rules
from opora.core.jobs.model import Claim, NewJob
from opora.core.kernel.model import SYSTEM, Actor, Change
from opora.core.kernel.ports import Clock, Identifiers, UnitOfWork


@dataclass(frozen=True, slots=True)
class RequestReconciliation:
    """Ask for a comparison of both sides; a job makes it."""

    unit: UnitOfWork[BankingTx]
    identifiers: Identifiers
    clock: Clock

    async def __call__(self, actor: Actor) -> Reconciliation:
        """Return the comparison as it waits to be made."""
        now = self.clock.now()
        wish = Reconciliation(id=self.identifiers.task_id(), requested_at=now, requested_by=actor.subject)
        async with self.unit() as tx:
            await tx.reconciliations.add(wish)
            payload = {"reconciliation_id": str(wish.id)}
            await tx.jobs.add(NewJob(kind=RECONCILE, payload=payload, request_id=actor.origin.request_id))
            await tx.audit.record(change(actor, "abs.reconciliation_requested", "reconciliation", str(wish.id), now))
        return wish


@dataclass(slots=True)
class Tally:
    """What a comparison has counted so far."""

    compared: int = 0
    under_way: int = 0
    differences: int = 0
    opened: int = 0


@dataclass(frozen=True, slots=True)
class Reconcile:
    """Walk along both sides in the order of the documents' ids and open a ticket for each difference.

    A job with an id makes the comparison that was asked for; that of a cron slot makes one under its own id. Either
    side is read in parts; what is held in memory does not grow with their number. Tickets of differences that are no
    more are closed.
    """

    unit: UnitOfWork[BankingTx]
    views: BankingViews
    bank: CoreBanking
    identifiers: Identifiers
    clock: Clock
    policy: ReconciliationPolicy

    async def __call__(self, claim: Claim) -> None:
        """A register that cannot be used ends the comparison as failed; a bank that does not answer repeats the job."""
        wish = await self._begin(claim)
        if wish is None:
            return
        try:
            ended = await self.compare(wish)
        except BadRegister as error:
            failed = wish.ended(ReconciliationStatus.FAILED, self.clock.now(), error=str(error))
            async with self.unit() as tx:
                await tx.reconciliations.save(failed)
                await tx.jobs.finish(claim, {"error": str(error)})
            return
        async with self.unit() as tx:
            await self._end(tx, ended)
            await tx.jobs.finish(claim, {"compared": ended.compared, "differences": ended.differences})

    async def at_once(self, actor: Actor) -> Reconciliation:
        """Compare both sides now, without a job; raises BadRegister, CoreBankingUnavailable."""
        now = self.clock.now()
        wish = Reconciliation(id=self.identifiers.task_id(), requested_at=now, requested_by=actor.subject)
        async with self.unit() as tx:
            await tx.reconciliations.add(wish)
        ended = await self.compare(wish)
        async with self.unit() as tx:
            return await self._end(tx, ended)

    async def compare(self, wish: Reconciliation) -> Reconciliation:
        """Return the comparison as it ended, its tickets opened."""
        register = await self.bank.register()
        tally, found = Tally(), list[Difference]()
        async for told, holding in side_by_side(self._told(), register):
            one = self._judge(tally, told, holding, register.as_of)
            if one is not None:
                found.append(one)
            if len(found) >= self.policy.tickets_at_once:
                await self._open(wish, tally, found)
                found = []
        await self._open(wish, tally, found)
        return wish.ended(
            ReconciliationStatus.COMPLETED,
            self.clock.now(),
            as_of=register.as_of,
            compared=tally.compared,
            under_way=tally.under_way,
            differences=tally.differences,
            opened=tally.opened,
        )

    def _judge(self, tally: Tally, told: Told | None, holding: Holding | None, as_of: datetime) -> Difference | None:
        tally.compared += 1
        tally.under_way += told is not None and rules.is_under_way(told, as_of)
        return rules.difference(told, holding, as_of, self.clock.now(), self.policy.silence)

    async def _told(self) -> AsyncIterator[Told]:
        after = 0
        while some := await self.views.told(after, self.policy.told_at_once):
            for one in some:
                yield one
            after = some[-1].document_id

    async def _open(self, wish: Reconciliation, tally: Tally, found: list[Difference]) -> None:
        tally.differences += len(found)
        if found:
            async with self.unit() as tx:
                tally.opened += await tx.abs_tickets.open_all(found, wish.id, self.clock.now())

    async def _begin(self, claim: Claim) -> Reconciliation | None:
        asked_for = claim.payload.get("reconciliation_id")
        async with self.unit() as tx:
            kept = await tx.reconciliations.get(UUID(str(asked_for)) if asked_for else claim.id)
            if kept is None and asked_for is None:
                kept = Reconciliation(id=claim.id, requested_at=self.clock.now(), requested_by="system")
                await tx.reconciliations.add(kept)
            if kept is None or kept.status is not ReconciliationStatus.QUEUED:
                await tx.jobs.finish(claim)
                return None
        return kept

    async def _end(self, tx: BankingTx, ended: Reconciliation) -> Reconciliation:
        now = self.clock.now()
        closed = await tx.abs_tickets.close_unfound(COMPARED, ended.id, now)
        ended = replace(ended, closed=closed)
        await tx.reconciliations.save(ended)
        event = Reconciled(subject=str(ended.id), at=now, compared=ended.compared, differences=ended.differences)
        await tx.outbox.add(event)
        await tx.audit.record(
            change(SYSTEM, event.topic, "reconciliation", str(ended.id), now, {"differences": ended.differences})
        )
        return ended


@dataclass(frozen=True, slots=True)
class GiveUpReconciliation:
    """Mark the comparison of a dead job as failed; served by `job.dead`."""

    unit: UnitOfWork[BankingTx]
    clock: Clock

    async def __call__(self, claim: Claim) -> None:
        """Other kinds of jobs and comparisons that ended are let be."""
        died = claim.death([RECONCILE])
        async with self.unit() as tx:
            job = None if died is None else await tx.jobs.get(died)
            if job is not None:
                kept = await tx.reconciliations.get(UUID(str(job.payload.get("reconciliation_id", job.id))))
                if kept is not None and kept.status is ReconciliationStatus.QUEUED:
                    error = str(claim.event.get("error") or "The job was given up.")
                    await tx.reconciliations.save(
                        kept.ended(ReconciliationStatus.FAILED, self.clock.now(), error=error)
                    )
            await tx.jobs.finish(claim)


@dataclass(frozen=True, slots=True)
class CloseTicket:
    """Say that a ticket was seen to, and how."""

    unit: UnitOfWork[BankingTx]
    clock: Clock

    async def __call__(self, actor: Actor, id: int, comment: str) -> Ticket:
        """Return the closed ticket; raises NoSuchTicket, TicketClosed. The next comparison may open it anew."""
        now = self.clock.now()
        async with self.unit() as tx:
            ticket = await tx.abs_tickets.get(id)
            if ticket is None:
                raise NoSuchTicket(ticket_id=id)
            if ticket.closed_at is not None:
                raise TicketClosed(ticket_id=id)
            closed = replace(ticket, closed_at=now, closed_by=actor.subject, comment=comment)
            await tx.abs_tickets.save(closed)
            new = {"kind": str(ticket.kind), "subject": ticket.subject, "comment": comment}
            await tx.audit.record(change(actor, "abs.ticket_closed", "ticket", str(id), now, new))
        return closed


async def side_by_side(
    told: AsyncIterator[Told], register: Register
) -> AsyncIterator[tuple[Told | None, Holding | None]]:
    """Give each document that either side knows, once, with what each side has of it; raises BadRegister."""
    ours, theirs = await anext(told, None), await anext(register.holdings, None)
    before = 0
    while ours is not None or theirs is not None:
        if theirs is not None:
            rules.refuse_disorder(before, theirs)
        our_id = ours.document_id if ours is not None else None
        their_id = theirs.document_id if theirs is not None else None
        is_ours = our_id is not None and (their_id is None or our_id <= their_id)
        is_theirs = their_id is not None and (our_id is None or their_id <= our_id)
        yield (ours if is_ours else None), (theirs if is_theirs else None)
        if is_ours:
            ours = await anext(told, None)
        if is_theirs:
            before = their_id or before
            theirs = await anext(register.holdings, None)


def change(
    actor: Actor, action: str, entity_type: str, entity_id: str, at: datetime, new: Mapping[str, object] | None = None
) -> Change:
    """The audit entry of something done between both sides."""
    return Change(actor=actor, action=action, entity_type=entity_type, entity_id=entity_id, at=at, new=new)


USE_CASES = (RequestReconciliation, Reconcile, GiveUpReconciliation, CloseTicket)
