"""What is held of which limits before work begins, and what becomes of it at its end."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from opora.core.billing.errors.quotas import QuotaExhausted, UpgradeRequired
from opora.core.billing.model.plans import EPOCH, FREE, Plan
from opora.core.billing.model.quotas import HOLD_ID_MAX, UNITS_MAX, QuotaHold, QuotaPolicy, Usage, Window
from opora.core.billing.model.subscriptions import Subscription
from opora.core.billing.rules.periods import window
from opora.core.kernel.rules import instant


def plan_code(subscription: Subscription | None, now: datetime) -> str:
    """Return the plan somebody is on at this instant, whether or not the jobs that note it have run.

    A period's end brings the plan that was to follow; the end of the days of grace brings `free`.
    """
    if subscription is None or not subscription.is_live:
        return FREE
    if subscription.grace_until is not None and now >= subscription.grace_until:
        return FREE
    if subscription.next_plan is not None and now >= subscription.period_end:
        return subscription.next_plan
    return subscription.plan


def plan_version(subscription: Subscription | None, code: str) -> int | None:
    """Return which version of that plan's terms holds; None for the newest."""
    return subscription.plan_version if subscription is not None and subscription.plan == code else None


def seeded(code: str, plan: Plan | None) -> Plan:
    """Return a plan that the store must have; raises LookupError where it has not, which is a fault of the program."""
    if plan is None:
        raise LookupError(f"no plan {code}: its migration has not run")
    return plan


def anchor(subscription: Subscription | None, code: str) -> datetime:
    """Return the instant from which somebody's limits count their periods."""
    return EPOCH if subscription is None or code == FREE else subscription.anchor_at


def refuse_lacking(plan: Plan, wanted: Mapping[str, int], policy: QuotaPolicy) -> None:
    """Raise UpgradeRequired for the first feature that the plan does not include."""
    for feature in wanted:
        if not plan.grants(feature):
            raise UpgradeRequired(
                f"The plan {plan.code} does not include {feature}.",
                feature=feature,
                plan=plan.code,
                upgrade_url=policy.upgrade_url,
            )


def holds(
    plan: Plan, since: datetime, wanted: Mapping[str, int], hold_id: str, person_id: int, now: datetime
) -> Sequence[tuple[QuotaHold, Window, int | None]]:
    """Return what is to be held of each limit, with its period and bound, in one order for everybody.

    Raises ValueError for an id or a number of units that no program may ask for.
    """
    if not 1 <= len(hold_id) <= HOLD_ID_MAX:
        raise ValueError(f"the id of a hold has 1 to {HOLD_ID_MAX} characters")
    found = []
    for feature, units in sorted(wanted.items()):
        if not 0 < units <= UNITS_MAX:
            raise ValueError(f"{feature}: 1 to {UNITS_MAX} units are held at once, not {units}")
        for limit in plan.limits_of(feature):
            span = window(limit.period, since, now)
            hold = QuotaHold(
                hold_id=hold_id,
                person_id=person_id,
                feature=feature,
                period=limit.period,
                starts_at=span.starts_at,
                units=units,
                created_at=now,
            )
            found.append((hold, span, limit.units))
    return found


def exhausted(hold: QuotaHold, span: Window, bound: int, kept: Usage | None, policy: QuotaPolicy) -> QuotaExhausted:
    """Return the refusal of a hold that would pass its limit, told how the limit stands."""
    remaining = bound if kept is None else max(bound - kept.used - kept.held, 0)
    return QuotaExhausted(
        f"{hold.feature}: {remaining} of {bound} are left until {span.ends_at:%Y-%m-%d %H:%M} UTC.",
        feature=hold.feature,
        period=str(hold.period),
        limit=bound,
        remaining=remaining,
        requested=hold.units,
        reset_at=instant(span.ends_at),
        upgrade_url=policy.upgrade_url,
    )


def split(held: int, used: int) -> tuple[int, int]:
    """Return what of the use was covered by the hold, and the overage."""
    return min(held, used), max(used - held, 0)


def usage(plan: Plan, since: datetime, kept: Sequence[Usage], now: datetime) -> list[Usage]:
    """Return how each limit of a plan stands now, those included of which nothing was used."""
    counted = {(one.feature, one.period, one.starts_at): one for one in kept}
    found = []
    for limit in sorted(plan.limits, key=lambda one: (one.feature, one.period)):
        span = window(limit.period, since, now)
        one = counted.get((limit.feature, limit.period, span.starts_at))
        found.append(
            Usage(
                feature=limit.feature,
                period=limit.period,
                starts_at=span.starts_at,
                ends_at=span.ends_at,
                units=limit.units,
                used=one.used if one else 0,
                held=one.held if one else 0,
                overage=one.overage if one else 0,
            )
        )
    return found
