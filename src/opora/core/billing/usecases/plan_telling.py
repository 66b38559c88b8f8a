"""What everybody hears of a subscription: events, letters and the audit log, in the transaction of the change."""

from typing import Any

from opora.core.billing.events import plans as events
from opora.core.billing.model.plans import FREE, Plan
from opora.core.billing.model.subscriptions import Subscription
from opora.core.billing.ports.plans import PlanTx
from opora.core.billing.rules.plan_letters import letter
from opora.core.kernel.model import Actor, Change


async def tell(
    tx: PlanTx,
    actor: Actor,
    fact: type[events.SubscriptionEvent],
    before: Subscription | None,
    after: Subscription,
    **more: Any,
) -> None:
    """Announce what happened to a subscription, and the change of tier where there is one, and write it down."""
    await tx.outbox.add(
        fact(
            subject=after.id,
            at=after.changed_at,
            user_id=after.user_id,
            plan=after.plan,
            status=str(after.status),
            period_end=after.period_end,
            **more,
        )
    )
    was, tier = tier_of(before), tier_of(after)
    if was != tier:
        await tx.outbox.add(events.TierChanged(subject=after.user_id, at=after.changed_at, tier=tier, was=was))
    await tx.audit.record(
        Change(
            actor=actor,
            action=fact.topic,
            entity_type="subscription",
            entity_id=str(after.id),
            at=after.changed_at,
            old=None if before is None else shown(before),
            new=shown(after) | {name: value for name, value in more.items() if isinstance(value, int)},
        )
    )


async def write(tx: PlanTx, kind: str, subscription: Subscription, plan: Plan, **more: object) -> None:
    """Write to the subscriber what has happened."""
    await tx.notices.add(letter(kind, subscription, plan, **more))


def tier_of(subscription: Subscription | None) -> str:
    """Return the tier that a subscription gives as it stands."""
    return subscription.plan if subscription is not None and subscription.is_live else FREE


def shown(subscription: Subscription) -> dict[str, object]:
    """Return what the audit log keeps of a subscription."""
    return {
        "user_id": subscription.user_id,
        "plan": subscription.plan,
        "status": str(subscription.status),
        "next_plan": subscription.next_plan,
        "period_number": subscription.period_number,
    }
