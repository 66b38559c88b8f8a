"""Letters that gather what waited, and the end of what was kept for its time."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from opora.core.jobs.model import Claim, NewJob
from opora.core.kernel.ports import UnitOfWork
from opora.core.notifications.model.deliveries import DIGEST, DigestItem
from opora.core.notifications.model.notices import Notice
from opora.core.notifications.ports.notices import DeliveryTx, NoticeHousekeeping

ITEMS_MAX = 100
"""Lines of one gathered letter; what is past them comes in another."""
TITLE_LENGTH_MAX = 300


@dataclass(frozen=True, slots=True)
class GatherDigest:
    """Make one letter of all that waits for it: items, letter and the end of the job in one transaction."""

    unit: UnitOfWork[DeliveryTx]

    async def __call__(self, claim: Claim) -> None:
        """Where nothing waits any more there is no letter."""
        user_id = int(str(claim.payload["user_id"]))
        due_at = datetime.fromisoformat(str(claim.payload["due_at"]))
        async with self.unit() as tx:
            items = await tx.digests.take(user_id, due_at, ITEMS_MAX)
            if items:
                data = {"items": [line(one) for one in items], "items_count": len(items)}
                key = f"digest:{claim.id}:{claim.attempt}"
                notice = Notice(kind="notifications.digest", user_id=user_id, data=data, dedup_key=key)
                await tx.notices.add(notice)
            if len(items) == ITEMS_MAX:
                await tx.jobs.add(NewJob(kind=DIGEST, payload=claim.payload, dedup_key=f"digest:after:{claim.id}"))
            await tx.jobs.finish(claim, {"items": len(items)})


def line(item: DigestItem) -> Mapping[str, str]:
    """Return an item as its template reads it."""
    return {"title": item.title[:TITLE_LENGTH_MAX], "text": item.text[:TITLE_LENGTH_MAX]}


@dataclass(frozen=True, slots=True)
class NoticePolicy:
    """How long notices, deliveries and read entries are kept."""

    kept_for: timedelta = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class TidyNotices:
    """Delete what was kept for its time; a cron slot runs it."""

    unit: UnitOfWork[DeliveryTx]
    housekeeping: NoticeHousekeeping
    policy: NoticePolicy

    async def __call__(self, claim: Claim) -> None:
        """End the job with how many rows of each kind went."""
        counts = await self.housekeeping.tidy(self.policy.kept_for.total_seconds())
        async with self.unit() as tx:
            await tx.jobs.finish(claim, dict(counts))


USE_CASES = (GatherDigest, TidyNotices)
