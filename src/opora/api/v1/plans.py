"""HTTP face of plans and subscriptions."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from dishka import FromDishka
from litestar import Controller, Request, Response, get, post
from litestar.params import JSONBody
from msgspec import Struct

from opora.api.details import details
from opora.api.locations import made
from opora.api.pages import Envelope, envelope
from opora.api.policy import PUBLIC, needs
from opora.api.values import Word
from opora.core.billing.model.plans import FREE, Limit, Period, Plan
from opora.core.billing.model.quotas import Usage
from opora.core.billing.model.subscriptions import Standing, Subscription, SubscriptionStatus
from opora.core.billing.ports.plans import PlanViews
from opora.core.billing.usecases.standing import ReadStanding, ReadUsage
from opora.core.billing.usecases.subscribing import CancelSubscription, ChangePlan, Subscribe
from opora.core.kernel.model import Actor, Page

FRESH = needs("billing:write", step_up=True)


class PlanChoice(Struct, frozen=True, forbid_unknown_fields=True):
    """The code of a plan."""

    plan: Word


class Cancellation(Struct, frozen=True, forbid_unknown_fields=True):
    """When a subscription is to end: at once, or with the period that is paid for."""

    at_once: bool = False


class ShownPlan(Struct, frozen=True):
    """A plan in the newest version of its terms; `price_minor` is for a period."""

    code: str
    version: int
    rank: int
    names: Mapping[str, str]
    price_minor: int
    currency: str
    period: Period
    features: list[str]
    limits: list[Limit]
    options: Mapping[str, str | int]


class ShownSubscription(Struct, frozen=True, kw_only=True):
    """What somebody is subscribed to; without a subscription that is `free`, and `id` is null.

    `next_plan` follows when the period ends; until `grace_until` a period that is not paid for keeps its rights.
    """

    id: int | None
    plan: str
    tier: str
    status: SubscriptionStatus
    price_minor: int
    currency: str
    period_start: datetime | None
    period_end: datetime | None
    next_plan: str | None
    cancel_at_period_end: bool
    grace_until: datetime | None
    created_at: datetime | None
    ended_at: datetime | None


class ChangedSubscription(ShownSubscription, frozen=True, kw_only=True):
    """A subscription after a change, with what that took from the balance and what it gave back."""

    charged_minor: int = 0
    refunded_minor: int = 0


class Entitlements(Struct, frozen=True):
    """What a plan lets its holder do; a limit with null units is counted and not bounded."""

    plan: str
    tier: str
    features: list[str]
    limits: list[Limit]
    options: Mapping[str, str | int]


class ShownUsage(Struct, frozen=True):
    """How one limit stands in its present period; `held` is set aside for work that has not ended."""

    feature: str
    period: Period
    limit: int | None
    used: int
    held: int
    remaining: int | None
    overage: int
    period_start: datetime
    resets_at: datetime


class UsageReport(Struct, frozen=True):
    """How every limit of a plan stands."""

    plan: str
    limits: list[ShownUsage]


class PlanController(Controller):
    """The plans on offer."""

    path = "/plans"
    tags = ["Plans"]  # noqa: RUF012  # Litestar reads a plain list

    @get(opt=PUBLIC)
    async def page(self, request: Request[Any, Any, Any], views: FromDishka[PlanViews]) -> Envelope[ShownPlan]:
        """List the plans on offer, the lowest first: what they cost a month and what they include."""
        plans = [shown_plan(one) for one in await views.offered()]
        return envelope(Page(plans, len(plans), more=False), request.url)


class PlanSubscriptionController(Controller):
    """One's subscription, what it entitles to and what is used of it."""

    path = "/subscription"
    tags = ["Plans"]  # noqa: RUF012  # Litestar reads a plain list

    @get(opt=needs("billing:read"))
    async def one(self, actor: FromDishka[Actor], read: FromDishka[ReadStanding]) -> ShownSubscription:
        """Read what one is subscribed to; without a subscription everybody is on `free`."""
        standing = await read(actor)
        return ShownSubscription(**(of_free(standing) if standing.subscription is None else of(standing.subscription)))

    @post(opt={**FRESH, **details(refusals=(402, 409))})
    async def subscribe(
        self, data: JSONBody[PlanChoice], actor: FromDishka[Actor], subscribe: FromDishka[Subscribe]
    ) -> Response[ChangedSubscription]:
        """Subscribe to a plan; its first month is paid from the balance."""
        subscription = await subscribe(actor, data.plan)
        told = ChangedSubscription(**of(subscription), charged_minor=subscription.paid_minor)
        return made(told, "/subscription")

    @post("/change", status_code=200, opt={**FRESH, **details(refusals=(402, 404, 409))})
    async def change(
        self, data: JSONBody[PlanChoice], actor: FromDishka[Actor], change: FromDishka[ChangePlan]
    ) -> ChangedSubscription:
        """Go over to another plan: up at once, for the rest of the period's difference; down when the period ends.

        The present plan takes back a change or cancellation that was to follow; `free` cancels.
        """
        subscription, charged = await change(actor, data.plan)
        return ChangedSubscription(**of(subscription), charged_minor=charged.amount_minor)

    @post("/cancel", status_code=200, opt={**FRESH, **details(refusals=(404,))})
    async def cancel(
        self,
        actor: FromDishka[Actor],
        cancel: FromDishka[CancelSubscription],
        data: JSONBody[Cancellation | None] = None,
    ) -> ChangedSubscription:
        """Cancel when the period ends, or at once: what nobody has used of the period goes back to the balance."""
        subscription, refunded = await cancel(actor, at_once=data is not None and data.at_once)
        return ChangedSubscription(**of(subscription), refunded_minor=refunded.amount_minor)

    @get("/entitlements", opt=needs("billing:read"))
    async def entitlements(self, actor: FromDishka[Actor], read: FromDishka[ReadStanding]) -> Entitlements:
        """Read what one may do: features, limits by period, and values that other services heed."""
        plan = (await read(actor)).plan
        return Entitlements(plan.code, plan.code, list(plan.features), list(plan.limits), plan.options)

    @get("/usage", opt=needs("billing:read"))
    async def usage(self, actor: FromDishka[Actor], read: FromDishka[ReadUsage]) -> UsageReport:
        """Read how every limit stands: used, held for work under way, left, and when it begins anew."""
        standing, limits = await read(actor)
        return UsageReport(standing.plan.code, [shown_usage(one) for one in limits])


def shown_plan(plan: Plan) -> ShownPlan:
    """Return a plan as it stands on the wire."""
    return ShownPlan(
        code=plan.code,
        version=plan.version,
        rank=plan.rank,
        names=plan.names,
        price_minor=plan.price_minor,
        currency=plan.currency,
        period=Period.MONTH,
        features=list(plan.features),
        limits=list(plan.limits),
        options=plan.options,
    )


def of(subscription: Subscription) -> dict[str, Any]:
    """Return the fields of a subscription as they stand on the wire."""
    return {
        "id": subscription.id,
        "plan": subscription.plan,
        "tier": subscription.plan if subscription.is_live else FREE,
        "status": subscription.status,
        "price_minor": subscription.price_minor,
        "currency": subscription.currency,
        "period_start": subscription.period_start,
        "period_end": subscription.period_end,
        "next_plan": subscription.next_plan,
        "cancel_at_period_end": subscription.ends_with_period,
        "grace_until": subscription.grace_until,
        "created_at": subscription.created_at,
        "ended_at": subscription.ended_at,
    }


def of_free(standing: Standing) -> dict[str, Any]:
    """Return the same of somebody without a subscription."""
    nothing = ("id", "period_start", "period_end", "next_plan", "grace_until", "created_at", "ended_at")
    return dict.fromkeys(nothing) | {
        "plan": standing.plan.code,
        "tier": standing.plan.code,
        "status": SubscriptionStatus.ACTIVE,
        "price_minor": standing.plan.price_minor,
        "currency": standing.plan.currency,
        "cancel_at_period_end": False,
    }


def shown_usage(usage: Usage) -> ShownUsage:
    """Return how a limit stands as it stands on the wire."""
    return ShownUsage(
        feature=usage.feature,
        period=usage.period,
        limit=usage.units,
        used=usage.used,
        held=usage.held,
        remaining=usage.remaining,
        overage=usage.overage,
        period_start=usage.starts_at,
        resets_at=usage.ends_at,
    )
