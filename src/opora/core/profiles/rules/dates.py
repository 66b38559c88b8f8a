"""Ages, birthdays and when documents are issued."""

from datetime import date, timedelta

EXCHANGE_GRACE = timedelta(days=90)
"""How long a Russian passport stays valid past the birthday that calls for another (Government decree 2267 of 2023)."""

SOVIET_EXCHANGE = (date(2000, 10, 1), date(2003, 12, 31))
"""When those here exchange a Soviet passport whose own exchange fell before: late in the real term of 1997-2003, so
that forms three years old already existed."""

RUSSIAN_EXCHANGE_AGES = (45, 20, 14)


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


def russian_issue_range(birth: date, as_of: date) -> tuple[int, int]:
    """Return the first possible day (ordinal) of the present passport's issue and the number of days.

    The passport is the one of the last of 14, 20 and 45 years that was reached more than the grace ago.
    """
    settled = as_of - EXCHANGE_GRACE
    for age in RUSSIAN_EXCHANGE_AGES:
        anchor = birthday(birth, age)
        if anchor < settled:
            break
    if anchor < SOVIET_EXCHANGE[0]:
        first, last = SOVIET_EXCHANGE
    else:
        first, last = anchor, min(anchor + EXCHANGE_GRACE, as_of)
    return first.toordinal(), last.toordinal() - first.toordinal() + 1


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
