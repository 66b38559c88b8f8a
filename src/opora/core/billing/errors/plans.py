"""Refusals about plans and subscriptions."""

from opora.core.kernel.errors import Conflict, Invalid, NotFound


class PlanUnknown(Invalid):
    """No plan on offer has this code."""

    code = "plan_unknown"


class PlansInvalid(Invalid):
    """These plans do not fit together."""

    code = "invalid_plans"


class SubscriberUnknown(Invalid):
    """A subscription is a person's, and this key belongs to nobody."""

    code = "subscriber_unknown"


class AlreadySubscribed(Conflict):
    """You have a subscription; change it instead."""

    code = "already_subscribed"


class AlreadyOnPlan(Conflict):
    """You are on this plan."""

    code = "already_on_plan"


class NoSubscription(NotFound):
    """You have no subscription; without one everybody is on the free plan."""

    code = "no_subscription"


class SubscriptionPastDue(Conflict):
    """The last period is not paid; top the balance up, or cancel."""

    code = "subscription_past_due"
