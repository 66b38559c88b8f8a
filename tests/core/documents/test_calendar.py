"""Working days: Russian years as they were, hours of a branch, counting there and back."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opora.adapters.files.working_days import read_calendar
from opora.core.documents.rules.calendar import after, between, is_working, received_on, today

MOSCOW = read_calendar(ZoneInfo("Europe/Moscow"))
KAMCHATKA = read_calendar(ZoneInfo("Asia/Kamchatka"))

WORKING_DAYS = {2023: 247, 2024: 248, 2025: 247, 2026: 247}
"""As the production calendars of those years count them."""

years = st.dates(date(2019, 1, 1), date(2034, 1, 1))


@pytest.mark.parametrize("year", WORKING_DAYS)
def test_a_year_has_as_many_working_days_as_its_production_calendar(year: int) -> None:
    assert between(MOSCOW, date(year - 1, 12, 31), date(year, 12, 31)) == WORKING_DAYS[year]


@pytest.mark.parametrize(
    ("day", "is_worked"),
    [
        (date(2023, 2, 24), False),
        (date(2023, 11, 6), False),  # 4 November was a Saturday
        (date(2024, 4, 27), True),  # a Saturday, worked for 29 April
        (date(2024, 4, 29), False),
        (date(2025, 2, 24), True),  # 23 February was a Sunday, but its day off went to 8 May
        (date(2025, 5, 8), False),
        (date(2026, 1, 9), False),
        (date(2026, 3, 9), False),
        (date(2026, 12, 31), False),
        (date(2027, 11, 5), True),
        (date(2028, 6, 12), False),
        (date(2030, 2, 25), False),
    ],
)
def test_knows_holidays_moved_days_and_worked_weekends(day: date, is_worked: bool) -> None:
    assert is_working(MOSCOW, day) is is_worked


def test_a_document_of_25_october_2023_is_due_on_1_november() -> None:
    assert after(MOSCOW, date(2023, 10, 25), 5) == date(2023, 11, 1)


@pytest.mark.parametrize(
    ("at", "day"),
    [
        (datetime(2026, 11, 20, 14, 59, 59, tzinfo=UTC), date(2026, 11, 20)),  # 17:59:59 in Moscow, a Friday
        (datetime(2026, 11, 20, 15, tzinfo=UTC), date(2026, 11, 23)),
        (datetime(2026, 11, 22, 9, tzinfo=UTC), date(2026, 11, 23)),
        (datetime(2026, 11, 23, 21, 30, tzinfo=UTC), date(2026, 11, 24)),  # past midnight there
    ],
)
def test_what_comes_after_hours_counts_as_come_on_the_next_working_day(at: datetime, day: date) -> None:
    assert received_on(MOSCOW, at) == day


def test_a_day_is_that_of_the_branch() -> None:
    at = datetime(2026, 11, 20, 13, tzinfo=UTC)
    assert (today(MOSCOW, at), today(KAMCHATKA, at)) == (date(2026, 11, 20), date(2026, 11, 21))


@given(years, st.integers(0, 60))
def test_counting_there_and_back_agrees(day: date, count: int) -> None:
    end = after(MOSCOW, day, count)
    assert between(MOSCOW, day, end) == count
    assert count == 0 or is_working(MOSCOW, end)


@given(years)
def test_no_stretch_without_work_is_longer_than_two_weeks(day: date) -> None:
    assert after(MOSCOW, day, 1) - day <= timedelta(days=14)
