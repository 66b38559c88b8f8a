"""HTTP face of deliveries: what was sent to whom, how it went, and once more."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from dishka import FromDishka
from litestar import Controller, Request, get, post
from litestar.params import FromPath, QueryParameter

from opora.api.details import details
from opora.api.pages import Envelope, PageLimit, PageNumber, envelope, page_request
from opora.api.policy import needs
from opora.api.values import QueryId, QueryText
from opora.core.kernel.model import Actor
from opora.core.notifications.errors import NoSuchDelivery
from opora.core.notifications.model.deliveries import DeliveryFilter, DeliveryReport, DeliveryState, Outcome
from opora.core.notifications.model.kinds import Channel
from opora.core.notifications.ports.notices import DeliveryViews
from opora.core.notifications.usecases.operating import RetryDelivery

SHOWN_LETTERS = 2
StateFilter = Annotated[DeliveryState | None, QueryParameter(description="Where deliveries stand.")]
ChannelFilter = Annotated[Channel | None, QueryParameter(description="How they go.")]


class ShownAttempt(msgspec.Struct, frozen=True):
    """One try; without `ended_at` its process died under it, or is at it."""

    number: int
    started_at: datetime
    ended_at: datetime | None
    outcome: Outcome | None
    answer: str | None


class ShownDelivery(msgspec.Struct, frozen=True):
    """A delivery; `target` is shortened, for who looks after deliveries need not know addresses."""

    id: UUID
    notification_id: UUID
    kind: str
    channel: Channel
    target: str
    user_id: int | None
    about: str
    state: DeliveryState
    attempts: int
    error: str | None
    created_at: datetime
    sent_at: datetime | None


class DeliveryWithAttempts(ShownDelivery, frozen=True):
    """A delivery with the log of its attempts."""

    log: Sequence[ShownAttempt]


class DeliveryController(Controller):
    """Deliveries as operators see them."""

    path = "/admin/deliveries"
    tags = ["Deliveries"]  # noqa: RUF012  # Litestar reads a plain list

    @get(opt=needs("deliveries:read"))
    async def deliveries(
        self,
        request: Request[Any, Any, Any],
        views: FromDishka[DeliveryViews],
        limit: PageLimit = 50,
        page: PageNumber = 1,
        status: StateFilter = None,
        channel: ChannelFilter = None,
        user_id: QueryId = None,
        kind: QueryText = None,
    ) -> Envelope[ShownDelivery]:
        """List deliveries, the newest first."""
        found = await views.page(DeliveryFilter(status, channel, user_id, kind), page_request(limit, page))
        return envelope(found.shown_as(lambda report: ShownDelivery(**fields_of(report))), request.url)

    @get("/{delivery_id:uuid}", opt=needs("deliveries:read"))
    async def delivery(self, delivery_id: FromPath[UUID], views: FromDishka[DeliveryViews]) -> DeliveryWithAttempts:
        """Read one delivery with every attempt."""
        return await self._shown(views, delivery_id)

    @post(
        "/{delivery_id:uuid}/retry",
        status_code=202,
        opt={**needs("deliveries:write"), **details(refusals=(404, 409))},
    )
    async def retry(
        self,
        delivery_id: FromPath[UUID],
        actor: FromDishka[Actor],
        retry_delivery: FromDishka[RetryDelivery],
        views: FromDishka[DeliveryViews],
    ) -> DeliveryWithAttempts:
        """Send a failed delivery again, now."""
        queued = await retry_delivery(actor, delivery_id)
        shown = await self._shown(views, delivery_id)
        return msgspec.structs.replace(shown, state=queued.state, error=None)

    async def _shown(self, views: DeliveryViews, id: UUID) -> DeliveryWithAttempts:
        report = await views.one(id)
        if report is None:
            raise NoSuchDelivery(delivery_id=str(id))
        log = [
            ShownAttempt(one.number, one.started_at, one.ended_at, one.outcome, one.answer) for one in report.attempts
        ]
        return DeliveryWithAttempts(**fields_of(report), log=log)


def fields_of(report: DeliveryReport) -> dict[str, Any]:
    """Return what is shown of a delivery."""
    delivery = report.delivery
    return {
        "id": delivery.id,
        "notification_id": delivery.notice_id,
        "kind": report.kind,
        "channel": delivery.channel,
        "target": shortened(delivery.target),
        "user_id": report.user_id,
        "about": report.about,
        "state": delivery.state,
        "attempts": delivery.attempt,
        "error": delivery.error,
        "created_at": delivery.created_at,
        "sent_at": delivery.sent_at,
    }


def shortened(target: str) -> str:
    """Return an address that is recognised by who knows it: `an…@example.org`, `+7…21`."""
    name, at, host = target.partition("@")
    if at:
        return f"{name[:SHOWN_LETTERS]}…@{host}"
    return f"{target[:SHOWN_LETTERS]}…{target[-SHOWN_LETTERS:]}" if target.startswith("+") else target
