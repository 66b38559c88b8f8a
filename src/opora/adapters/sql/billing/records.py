"""What plans and quotas hold on people."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from opora.adapters.sql.personal import SqlRecords


class SqlPlanRecords(SqlRecords):
    """Subscriptions and what was used of them.

    They stay, as what payments were for, under the person's number; one that lives is cancelled, so that nothing more
    is charged.
    """

    section = "plans"
    shown: ClassVar[Mapping[str, str]] = {
        "subscription": """
SELECT id, plan, status, price_minor, paid_minor, currency, period_start, period_end, next_plan, grace_until,
 created_at, ended_at FROM subscriptions WHERE user_id = :user_id ORDER BY id DESC LIMIT :most
""",
        "usage": """
SELECT feature, period, starts_at, ends_at, units, used, overage FROM quota_usage WHERE person_id = :user_id
ORDER BY starts_at DESC, feature DESC, period DESC LIMIT :most
""",
    }
    erased: ClassVar[Sequence[str]] = (
        """
UPDATE subscriptions SET status = 'cancelled', ended_at = now(), changed_at = now(), next_plan = NULL,
 grace_until = NULL, version = version + 1
WHERE user_id = :user_id AND status IN ('active', 'past_due')
""",
        """
DELETE FROM quota_usage WHERE person_id = :user_id AND held = 0 AND NOT EXISTS (
 SELECT 1 FROM quota_holds h WHERE h.person_id = quota_usage.person_id AND h.feature = quota_usage.feature
 AND h.period = quota_usage.period AND h.starts_at = quota_usage.starts_at)
""",
    )
