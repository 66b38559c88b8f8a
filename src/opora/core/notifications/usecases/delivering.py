"""What brings a delivery one attempt further."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from opora.core.jobs.model import Claim
from opora.core.kernel.ports import Clock, Randomness, UnitOfWork
from opora.core.notifications.errors import Deferred, Refused, TargetGone, Unsure
from opora.core.notifications.model.deliveries import MOVES, Attempt, Delivery, DeliveryState, Outcome
from opora.core.notifications.model.kinds import KINDS, Channel
from opora.core.notifications.model.letters import Recipient
from opora.core.notifications.model.notices import KeptNotice, NoticeState
from opora.core.notifications.ports.notices import DeliveryTx
from opora.core.notifications.ports.people import Recipients
from opora.core.notifications.rules import delivering as rules
from opora.core.notifications.usecases.carrying import CarryNotice
from opora.core.notifications.usecases.firing import RelevanceChecks, delivery_job

ANSWER_LENGTH_MAX = 500


@dataclass(frozen=True, slots=True)
class Begun:
    """An attempt that was written down as begun."""

    delivery: Delivery
    notice: KeptNotice
    recipient: Recipient
    started_at: datetime


@dataclass(frozen=True, slots=True)
class Ended:
    """How an attempt ended: `is_gone` where there is nobody at the place any more."""

    outcome: Outcome
    answer: str
    is_gone: bool = False


@dataclass(frozen=True, slots=True)
class Deliver:
    """Make one attempt: mark it as begun, send, and write how it ended together with the job of the next one.

    A process that dies in between leaves the delivery as `sending`; the job's next attempt sends it again under the
    same name. So whatever was accepted once may come twice, and never not at all.
    """

    unit: UnitOfWork[DeliveryTx]
    recipients: Recipients
    relevance: RelevanceChecks
    carry: CarryNotice
    randomness: Randomness
    clock: Clock

    async def __call__(self, claim: Claim) -> None:
        """What is withdrawn or of no use any more is not sent; in quiet hours it waits."""
        id = UUID(str(claim.payload["delivery_id"]))
        async with self.unit() as tx:
            _, notice = await read(tx, id)
        holds = notice is not None and await self.relevance.holds(notice)
        recipient = await self._recipient(notice)
        async with self.unit() as tx:
            begun = await self._begin(tx, id, recipient, holds=holds)
            if begun is None:
                await tx.jobs.finish(claim)
        if begun is not None:
            await self._end(claim, begun, await self._send(begun))

    async def _recipient(self, notice: KeptNotice | None) -> Recipient:
        if notice is None or notice.user_id is None:
            return Recipient()
        return await self.recipients.one(notice.user_id) or Recipient(is_active=False)

    async def _begin(self, tx: DeliveryTx, id: UUID, recipient: Recipient, *, holds: bool) -> Begun | None:
        delivery, notice = await read(tx, id)
        if delivery is None or notice is None or delivery.state not in {DeliveryState.QUEUED, DeliveryState.SENDING}:
            return None
        kind, now = KINDS[notice.kind], self.clock.now()
        if delivery.state is DeliveryState.QUEUED:
            reachable = recipient.is_active or kind.mandatory
            if not (holds and reachable) or notice.state is NoticeState.WITHDRAWN or rules.is_late(kind, notice, now):
                await tx.deliveries.save(moved(delivery, DeliveryState.WITHDRAWN), delivery.state)
                return None
            at = rules.starts_at(kind, delivery.channel, recipient, now)
            if at > now:
                await tx.jobs.add(delivery_job(delivery, at, f":quiet:{at:%Y%m%d%H%M}"))
                return None
        begun = replace(moved(delivery, DeliveryState.SENDING), attempt=delivery.attempt + 1)
        await tx.deliveries.save(begun, delivery.state)
        await tx.deliveries.log(Attempt(delivery_id=id, number=begun.attempt, started_at=now))
        return Begun(begun, notice, recipient, now)

    async def _send(self, begun: Begun) -> Ended:
        try:
            return Ended(Outcome.SENT, await self.carry(begun.delivery, begun.notice, begun.recipient))
        except Deferred as error:
            return Ended(Outcome.DEFERRED, str(error))
        except Unsure as error:
            return Ended(Outcome.UNSURE, str(error))
        except Refused as error:
            return Ended(Outcome.REFUSED, str(error), isinstance(error, TargetGone))

    async def _end(self, claim: Claim, begun: Begun, ended: Ended) -> None:
        now, answer = self.clock.now(), ended.answer[:ANSWER_LENGTH_MAX]
        pause = rules.pause_after(begun.delivery.channel, begun.delivery.attempt, self.randomness.fraction())
        after = judged(begun.delivery, replace(ended, answer=answer), now, is_last=pause is None)
        attempt = Attempt(
            delivery_id=after.id,
            number=after.attempt,
            started_at=begun.started_at,
            ended_at=now,
            outcome=ended.outcome,
            answer=answer,
        )
        async with self.unit() as tx:
            await tx.deliveries.save(after, begun.delivery.state)
            await tx.deliveries.log(attempt)
            if after.state is DeliveryState.QUEUED and pause is not None:
                await tx.jobs.add(delivery_job(after, now + pause))
            if ended.is_gone and after.channel is Channel.WEBPUSH:
                await tx.subscriptions.remove(int(after.target))
            await tx.jobs.finish(claim, {"outcome": str(ended.outcome)})


def judged(delivery: Delivery, ended: Ended, now: datetime, *, is_last: bool) -> Delivery:
    """Return the delivery after an attempt."""
    if ended.outcome is Outcome.SENT:
        return replace(moved(delivery, DeliveryState.SENT), sent_at=now, error=None)
    if ended.outcome is Outcome.REFUSED or is_last:
        return replace(moved(delivery, DeliveryState.FAILED), error=ended.answer)
    return replace(moved(delivery, DeliveryState.QUEUED), error=ended.answer)


async def read(tx: DeliveryTx, id: UUID) -> tuple[Delivery | None, KeptNotice | None]:
    """Return a delivery with its notice, the notice locked first as whoever withdraws it does."""
    notice_id = await tx.deliveries.notice_of(id)
    notice = await tx.notices.get(notice_id) if notice_id else None
    return await tx.deliveries.get(id), notice


def moved(delivery: Delivery, state: DeliveryState) -> Delivery:
    """Return the delivery in another state; raises IllegalMove."""
    MOVES.check(delivery.state, state)
    return replace(delivery, state=state)


USE_CASES = (Deliver,)
