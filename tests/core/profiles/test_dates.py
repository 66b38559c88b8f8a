from datetime import date

import pytest

from opora.core.profiles.rules.dates import birth_range, birthday, renewable_issue_range, years_before

LEAP_DAY = date(2024, 2, 29)


def test_on_a_leap_day_of_a_common_year_one_comes_of_age_on_the_first_of_march():
    assert birthday(LEAP_DAY, 4) == date(2028, 2, 29)
    assert birthday(LEAP_DAY, 14) == date(2038, 3, 1)


@pytest.mark.parametrize(
    ("day", "years", "last"), [(LEAP_DAY, 4, date(2020, 2, 29)), (LEAP_DAY, 18, date(2006, 2, 28))]
)
def test_the_last_birth_date_of_an_age_exists(day, years, last):
    assert years_before(day, years) == last


def test_one_year_of_age_has_the_dates_of_one_year():
    first, days = birth_range(date(2026, 11, 21), 30, 30)
    assert (date.fromordinal(first), days) == (date(1995, 11, 22), 366)
    assert birth_range(date(2026, 11, 21), 31, 31)[1] == 365


@pytest.mark.parametrize(
    ("birth", "first"),
    [
        (date(1980, 1, 1), date(2016, 6, 2)),  # ten years back, the first day still valid
        (date(2008, 5, 1), date(2024, 5, 1)),  # grown up since
        (date(2012, 1, 1), date(2021, 6, 2)),  # a child's passport, five years
        (date(2024, 1, 1), date(2024, 1, 1)),  # born since
    ],
)
def test_a_renewable_passport_is_valid_on_the_day(birth, first):
    start, days = renewable_issue_range(birth, date(2026, 6, 1), 16, (5, 10))
    assert date.fromordinal(start) == first
    assert date.fromordinal(start + days - 1) == date(2026, 6, 1)
