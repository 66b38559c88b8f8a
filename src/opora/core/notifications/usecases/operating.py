"""What operators do about deliveries."""

from dataclasses import dataclass, replace
from uuid import UUID

from opora.core.kernel.model import Actor, Change
from opora.core.kernel.ports import Clock, UnitOfWork
from opora.core.notifications.errors import NoSuchDelivery, NotRetryable
from opora.core.notifications.model.deliveries import Delivery, DeliveryState
from opora.core.notifications.ports.notices import DeliveryTx
from opora.core.notifications.usecases.delivering import moved
from opora.core.notifications.usecases.firing import delivery_job


@dataclass(frozen=True, slots=True)
class RetryDelivery:
    """Send a failed delivery again, now."""

    unit: UnitOfWork[DeliveryTx]
    clock: Clock

    async def __call__(self, actor: Actor, id: UUID) -> Delivery:
        """Return the delivery as it stands then; raises NoSuchDelivery, or NotRetryable unless it failed."""
        now = self.clock.now()
        async with self.unit() as tx:
            delivery = await tx.deliveries.get(id)
            if delivery is None:
                raise NoSuchDelivery(delivery_id=str(id))
            if delivery.state is not DeliveryState.FAILED:
                raise NotRetryable(state=str(delivery.state))
            queued = replace(moved(delivery, DeliveryState.QUEUED), error=None)
            await tx.deliveries.save(queued, delivery.state)
            await tx.jobs.add(delivery_job(queued, mark=f":{now.timestamp():.6f}"))
            await tx.audit.record(
                Change(
                    actor=actor,
                    action="delivery.retried",
                    entity_type="delivery",
                    entity_id=str(id),
                    at=now,
                    old={"state": str(delivery.state), "attempt": delivery.attempt},
                )
            )
        return queued


USE_CASES = (RetryDelivery,)
