"""Periods are counted from their anchor and tile time without a gap or an overlap."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opora.core.billing.model.plans import EPOCH, Period
from opora.core.billing.rules.periods import add_months, month, month_number, window

INSTANTS = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))


@pytest.mark.parametrize(
    ("anchor", "count", "expected"),
    [
        ("2026-01-31", 1, "2026-02-28"),
        ("2026-01-31", 2, "2026-03-31"),
        ("2024-01-31", 1, "2024-02-29"),
        ("2024-02-29", 12, "2025-02-28"),
        ("2024-02-29", 48, "2028-02-29"),
        ("2026-12-15", 1, "2027-01-15"),
        ("2026-01-15", -1, "2025-12-15"),
    ],
)
def test_a_month_later_is_the_same_day_or_the_last_the_month_has(anchor: str, count: int, expected: str) -> None:
    assert add_months(datetime.fromisoformat(anchor).replace(tzinfo=UTC), count) == datetime.fromisoformat(
        expected
    ).replace(tzinfo=UTC)


@given(INSTANTS, INSTANTS, st.sampled_from(Period))
def test_every_instant_lies_in_one_period_and_the_next_begins_where_it_ends(
    anchor: datetime, now: datetime, period: Period
) -> None:
    span = window(period, anchor, now)
    assert span.starts_at <= now < span.ends_at
    assert window(period, anchor, span.starts_at) == span
    assert window(period, anchor, span.ends_at - timedelta(microseconds=1)) == span
    assert window(period, anchor, span.ends_at).starts_at == span.ends_at


@given(INSTANTS, st.integers(-600, 600))
def test_months_are_numbered_from_the_anchor(anchor: datetime, number: int) -> None:
    starts_at, ends_at = month(anchor, number)
    assert month_number(anchor, starts_at) == number
    assert month_number(anchor, ends_at) == number + 1
    assert timedelta(days=28) <= ends_at - starts_at <= timedelta(days=31)


def test_periods_are_the_same_in_whatever_zone_an_instant_is_told() -> None:
    moscow = timezone(timedelta(hours=3))
    now = datetime(2026, 12, 1, 2, 0, tzinfo=moscow)
    assert window(Period.MONTH, EPOCH, now).starts_at == datetime(2026, 11, 1, tzinfo=UTC)
    assert window(Period.DAY, EPOCH, now).starts_at == datetime(2026, 11, 30, tzinfo=UTC)
    assert month(now, 0)[0].tzinfo is UTC
