"""Ages, birthdays and when documents are issued."""

from collections.abc import Callable
from datetime import date, timedelta

EXCHANGE_GRACE_DAYS = 90
"""How long a Russian passport stays valid past the birthday that calls for another (Government decree 2267 of 2023)."""

SOVIET_EXCHANGE = (date(2000, 10, 1), date(2003, 12, 31))
"""When those here exchange a Soviet passport whose own exchange fell before: late in the real term of 1997-2003, so
that forms three years old already existed."""

FIRST_AGE, SECOND_AGE, LAST_AGE = 14, 20, 45
"""The birthdays at which a Russian passport is issued and exchanged."""

EARLIER_EXCHANGE = {LAST_AGE: SECOND_AGE, SECOND_AGE: FIRST_AGE, FIRST_AGE: FIRST_AGE}
"""Which birthday's passport is held until the one of this birthday is due."""


def years_before(day: date, years: int) -> date:
    """Return the last birth date of those who are `years` old on `day`."""
    try:
        return day.replace(year=day.year - years)
    except ValueError:  # 29 February
        return day.replace(year=day.year - years, day=28)


def birthday(birth: date, age: int) -> date:
    """Return the day on which somebody born on `birth` becomes `age`; 1 March for the 29 February of common years."""
    try:
        return birth.replace(year=birth.year + age)
    except ValueError:
        return date(birth.year + age, 3, 1)


def birth_range(as_of: date, age_min: int, age_max: int) -> tuple[int, int]:
    """Return the first birth date's ordinal and the number of dates of those aged `age_min`…`age_max` on `as_of`."""
    first = years_before(as_of, age_max + 1).toordinal() + 1
    return first, years_before(as_of, age_min).toordinal() - first + 1


def russian_issue_range(as_of: date) -> Callable[[date], tuple[int, int]]:
    """Return the function from a birth date to the first possible day (ordinal) of the present passport's issue and
    the number of days.

    The passport is the one of the last of 14, 20 and 45 years that was reached more than the grace ago.
    """
    settled = as_of - timedelta(days=EXCHANGE_GRACE_DAYS)
    today = as_of.toordinal()
    soviet = (SOVIET_EXCHANGE[0].toordinal(), (SOVIET_EXCHANGE[1] - SOVIET_EXCHANGE[0]).days + 1)

    def issue_range(birth: date) -> tuple[int, int]:
        years = settled.year - birth.year
        age = LAST_AGE if years >= LAST_AGE else SECOND_AGE if years >= SECOND_AGE else FIRST_AGE
        anchor = birthday(birth, age)
        if age == years and anchor >= settled:
            anchor = birthday(birth, EARLIER_EXCHANGE[age])
        if anchor < SOVIET_EXCHANGE[0]:
            return soviet
        first = anchor.toordinal()
        return first, min(EXCHANGE_GRACE_DAYS, today - first) + 1

    return issue_range


def renewable_issue_range(birth: date, as_of: date, adult_age: int, terms_years: tuple[int, int]) -> tuple[int, int]:
    """Return the first possible day (ordinal) of issue and the number of days of a passport still valid on `as_of`.

    `terms_years` are the years it is valid for: issued to a child, and from `adult_age` on.
    """
    adult_on = birthday(birth, adult_age)
    child_term, adult_term = terms_years
    if adult_on <= as_of:
        first = max(adult_on, birthday(as_of, -adult_term) + timedelta(days=1))
    else:
        first = max(birth, birthday(as_of, -child_term) + timedelta(days=1))
    return first.toordinal(), as_of.toordinal() - first.toordinal() + 1
