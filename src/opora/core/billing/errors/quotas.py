"""Refusals about what a plan entitles to."""

from opora.core.kernel.errors import LimitExceeded, PermissionDenied


class UpgradeRequired(PermissionDenied):
    """Your plan does not include this; `upgrade_url` leads to those that do."""

    code = "upgrade_required"


class QuotaExhausted(LimitExceeded):
    """What your plan includes for this period is used up."""

    code = "quota_exhausted"
