"""Which period of a limit or a subscription an instant lies in: always counted from its anchor, in UTC."""

from calendar import monthrange
from datetime import UTC, datetime, timedelta

from opora.core.billing.model.plans import Period
from opora.core.billing.model.quotas import Window

MONTHS = 12
DAY = timedelta(days=1)


def add_months(anchor: datetime, count: int) -> datetime:
    """Return the instant `count` months after the anchor; a day that the month lacks becomes its last.

    Counted from the anchor each time, 31 January leads to 28 February and on to 31 March.
    """
    years, month = divmod(anchor.month - 1 + count, MONTHS)
    year = anchor.year + years
    return anchor.replace(year=year, month=month + 1, day=min(anchor.day, monthrange(year, month + 1)[1]))


def month_number(anchor: datetime, now: datetime) -> int:
    """Return how many whole months after the anchor `now` lies; negative before it."""
    anchor, now = anchor.astimezone(UTC), now.astimezone(UTC)
    count = (now.year - anchor.year) * MONTHS + now.month - anchor.month
    return count if add_months(anchor, count) <= now else count - 1


def month(anchor: datetime, number: int) -> tuple[datetime, datetime]:
    """Return where the month of this number begins and ends."""
    anchor = anchor.astimezone(UTC)
    return add_months(anchor, number), add_months(anchor, number + 1)


def window(period: Period, anchor: datetime, now: datetime) -> Window:
    """Return the period that `now` lies in."""
    if period is Period.MONTH:
        return Window(period, *month(anchor, month_number(anchor, now)))
    starts_at = (now - (now - anchor) % DAY).astimezone(UTC)
    return Window(period, starts_at, starts_at + DAY)
