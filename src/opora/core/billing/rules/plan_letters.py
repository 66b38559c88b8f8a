"""Which letters tell of a subscription."""

from opora.core.billing.model.plans import Plan
from opora.core.billing.model.subscriptions import Subscription
from opora.core.notifications.model.notices import Notice


def about(subscription: Subscription) -> str:
    """Return the name by which a subscription's notices are withdrawn."""
    return f"subscription:{subscription.id}"


def letter(kind: str, subscription: Subscription, plan: Plan, **more: object) -> Notice:
    """Return a letter to the subscriber; a plan without a name in a language is called by its code there.

    Equal letters about one version of a subscription are one.
    """
    return Notice(
        kind=f"billing.{kind}",
        user_id=subscription.user_id,
        data={f"plan_{locale}": plan.names.get(locale, plan.code) for locale in ("en", "ru")} | more,
        dedup_key=f"{about(subscription)}:{subscription.version}:{kind}",
        about=about(subscription),
    )
