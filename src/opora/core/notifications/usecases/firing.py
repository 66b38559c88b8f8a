"""What happens when a notice's time has come."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from opora.core.jobs.model import Claim, NewJob
from opora.core.kernel.ports import Clock, Identifiers, UnitOfWork
from opora.core.kernel.rules import instant
from opora.core.notifications.model.deliveries import DELIVER, DIGEST, Delivery, DeliveryState, DigestItem
from opora.core.notifications.model.inbox import Entry
from opora.core.notifications.model.kinds import KINDS
from opora.core.notifications.model.letters import Recipient, Wording
from opora.core.notifications.model.notices import KeptNotice, NoticeState
from opora.core.notifications.ports.channels import Live, Relevance, Templates
from opora.core.notifications.ports.notices import DeliveryTx
from opora.core.notifications.ports.people import Recipients
from opora.core.notifications.rules import delivering as rules
from opora.core.notifications.rules.delivering import NOWHERE, Leg, Route


@dataclass(frozen=True, slots=True)
class RelevanceChecks:
    """The checks that kinds of notices name, by their names."""

    checks: Mapping[str, Relevance]

    async def holds(self, notice: KeptNotice) -> bool:
        """Tell whether the notice is still of use; a kind that names no check always is."""
        name = KINDS[notice.kind].relevance
        return name is None or await self.checks[name](notice)


@dataclass(frozen=True, slots=True)
class FireNotice:
    """Decide where a notice goes, and start a delivery to each place, in one transaction with the end of its job."""

    unit: UnitOfWork[DeliveryTx]
    recipients: Recipients
    relevance: RelevanceChecks
    templates: Templates
    live: Live
    identifiers: Identifiers
    clock: Clock

    async def __call__(self, claim: Claim) -> None:
        """A notice that was withdrawn, is of no use any more or comes too late is let be."""
        id = UUID(str(claim.payload["notice_id"]))
        async with self.unit() as tx:
            notice = await tx.notices.get(id)
        recipient = await self._recipient(notice)
        now = self.clock.now()
        route = rules.route(KINDS[notice.kind], recipient, now) if notice and recipient else NOWHERE
        async with self.unit() as tx:
            notice = await tx.notices.get(id)
            is_due = notice is not None and notice.state is NoticeState.WAITING
            if notice is not None and is_due:
                await self._start(tx, notice, route, recipient or Recipient())
            await tx.jobs.finish(claim)
        if is_due and route.to_inbox and recipient and recipient.user_id is not None:
            await self.live.announce([recipient.user_id])

    async def _recipient(self, notice: KeptNotice | None) -> Recipient | None:
        """Return whom a notice is for; None where it need not be told any more."""
        if notice is None or notice.state is not NoticeState.WAITING:
            return None
        if rules.is_late(KINDS[notice.kind], notice, self.clock.now()) or not await self.relevance.holds(notice):
            return None
        if notice.user_id is None:
            return Recipient(email=notice.email)
        return await self.recipients.one(notice.user_id)

    async def _start(self, tx: DeliveryTx, notice: KeptNotice, route: Route, recipient: Recipient) -> None:
        now = self.clock.now()
        await tx.notices.move(notice, NoticeState.SKIPPED if route.is_empty else NoticeState.FIRED)
        for leg in route.legs:
            delivery = started(self.identifiers.task_id(), notice, leg, now)
            await tx.deliveries.add(delivery)
            await tx.jobs.add(delivery_job(delivery, leg.at))
        if notice.user_id is None or not (route.to_inbox or route.digest_at):
            return
        words = worded(self.templates, notice, recipient)
        if route.to_inbox:
            await tx.inbox.add(entry_of(notice, notice.user_id, words, now))
        if route.digest_at:
            item = digest_item(notice, notice.user_id, words, route.digest_at)
            await tx.digests.add(item)
            await tx.jobs.add(digest_job(item))


def worded(templates: Templates, notice: KeptNotice, recipient: Recipient) -> Wording:
    """Put a notice into the words of its recipient."""
    locale = notice.locale or recipient.language
    values = {**notice.data, **notice.secret}
    return templates.render(KINDS[notice.kind], locale, recipient.preferences.timezone, values)


def entry_of(notice: KeptNotice, user_id: int, words: Wording, now: datetime) -> Entry:
    """Return a notice as an entry of its user's list; its number is still to come."""
    return Entry(
        user_id=user_id,
        number=0,
        notice_id=notice.id,
        kind=notice.kind,
        title=words.subject,
        text=words.short,
        data=notice.data,
        created_at=now,
    )


def digest_item(notice: KeptNotice, user_id: int, words: Wording, due_at: datetime) -> DigestItem:
    """Return a notice as a line of a gathered letter."""
    return DigestItem(notice_id=notice.id, user_id=user_id, due_at=due_at, title=words.subject, text=words.short)


def digest_job(item: DigestItem) -> NewJob:
    """The job of the letter that an item waits for: one a person and time."""
    return NewJob(
        kind=DIGEST,
        payload={"user_id": item.user_id, "due_at": instant(item.due_at)},
        dedup_key=f"digest:{item.user_id}:{item.due_at:%Y-%m-%dT%H:%M:%SZ}",
        run_at=item.due_at,
        attempts_max=50,
    )


def started(id: UUID, notice: KeptNotice, leg: Leg, now: datetime) -> Delivery:
    """Return a new delivery."""
    return Delivery(
        id=id,
        notice_id=notice.id,
        channel=leg.channel,
        target=leg.target,
        state=DeliveryState.QUEUED,
        attempt=0,
        created_at=now,
    )


def delivery_job(delivery: Delivery, run_at: datetime | None = None, mark: str = "") -> NewJob:
    """The job of a delivery's next attempt: one, however often it is asked for under the same `mark`."""
    return NewJob(
        kind=DELIVER,
        payload={"delivery_id": str(delivery.id)},
        dedup_key=f"delivery:{delivery.id}:{delivery.attempt}{mark}",
        run_at=run_at,
        attempts_max=50,
    )


USE_CASES = (FireNotice,)
