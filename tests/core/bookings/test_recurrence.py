"""Recurrence rules: read strictly, bounded, and recurring on the days that dateutil finds as well."""

from datetime import UTC, date, datetime, time, timedelta
from time import process_time
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from opora.core.bookings.errors import InvalidRule
from opora.core.bookings.model.hours import instant_of, minute_of
from opora.core.bookings.model.series import SERIES_MAX
from opora.core.bookings.rules import occurrences, recurrence

MOSCOW = ZoneInfo("Europe/Moscow")
NEW_YORK = ZoneInfo("America/New_York")
START = datetime(2030, 1, 7, 6, tzinfo=UTC)


def starts(text: str, start: datetime = START, zone: ZoneInfo = MOSCOW) -> list[datetime]:
    """Return the instants of a rule."""
    return [instant_of(one) for one in occurrences.starts(recurrence.parse(text), minute_of(start), zone)]


def faults(text: str) -> list[str]:
    """Return what is told of a rule that is refused."""
    with pytest.raises(InvalidRule) as refused:
        starts(text)
    return refused.value.errors["rrule"]


def test_every_week_is_seven_days_on() -> None:
    assert starts("FREQ=WEEKLY;COUNT=3") == [START + timedelta(days=days) for days in (0, 7, 14)]
    assert starts("RRULE:freq=weekly;interval=2;count=2;") == [START, START + timedelta(days=14)]


def test_a_series_stays_at_its_time_of_the_clock_when_the_clocks_change() -> None:
    before = datetime(2027, 3, 8, 14, tzinfo=UTC)  # nine in New York
    found = starts("FREQ=WEEKLY;COUNT=2", before, NEW_YORK)
    assert found == [before, datetime(2027, 3, 15, 13, tzinfo=UTC)]


def test_a_time_in_the_gap_comes_after_it_and_one_shown_twice_is_the_first() -> None:
    half_past_two = datetime(2027, 3, 13, 7, 30, tzinfo=UTC)
    assert starts("FREQ=DAILY;COUNT=2", half_past_two, NEW_YORK)[1] == datetime(2027, 3, 14, 7, 30, tzinfo=UTC)
    half_past_one = datetime(2027, 11, 6, 5, 30, tzinfo=UTC)
    assert starts("FREQ=DAILY;COUNT=2", half_past_one, NEW_YORK)[1] == datetime(2027, 11, 7, 5, 30, tzinfo=UTC)


def test_until_is_the_last_instant_or_the_last_day() -> None:
    assert len(starts("FREQ=DAILY;UNTIL=20300109T060000Z")) == 3
    assert len(starts("FREQ=DAILY;UNTIL=20300109T055959Z")) == 2
    assert len(starts("FREQ=DAILY;UNTIL=20300109")) == 3


def test_months_without_such_a_day_are_left_out() -> None:
    found = starts("FREQ=MONTHLY;COUNT=3", datetime(2030, 1, 31, 6, tzinfo=UTC))
    assert [one.month for one in found] == [1, 3, 5]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "characters"),
        ("FREQ=DAILY;COUNT=1;" + "X" * 500, "characters"),
        ("FREQ=SECONDLY;COUNT=3", "FREQ is one of"),
        ("FREQ=MINUTELY;COUNT=3", "FREQ is one of"),
        ("FREQ=HOURLY;COUNT=3", "FREQ is one of"),
        ("COUNT=3", "needs FREQ"),
        ("FREQ=DAILY", "either COUNT or UNTIL"),
        ("FREQ=DAILY;COUNT=2;UNTIL=20300109", "either COUNT or UNTIL"),
        ("FREQ=DAILY;COUNT=1000000", "COUNT is a whole number from 1"),
        ("FREQ=DAILY;COUNT=0", "COUNT is a whole number from 1"),
        ("FREQ=DAILY;COUNT=2;COUNT=3", "names COUNT twice"),
        ("FREQ=YEARLY;UNTIL=120301231", "UNTIL is an instant"),
        ("FREQ=YEARLY;UNTIL=99991231", "ends within 731 days"),
        ("FREQ=YEARLY;UNTIL=99991231T000000Z", "ends within 731 days"),
        ("FREQ=DAILY;UNTIL=20300109T060000", "UNTIL is an instant in UTC"),
        ("FREQ=DAILY;UNTIL=20301399", "UNTIL is an instant in UTC"),
        ("FREQ=DAILY;UNTIL=20310107", f"at most {SERIES_MAX}"),
        ("FREQ=YEARLY;COUNT=10", "within 731 days, not 3"),
        ("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30;COUNT=1", "not 0"),
        ("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30;UNTIL=20310107", "matches no day"),
        ("FREQ=DAILY;BYHOUR=9;COUNT=2", "BYHOUR is not taken"),
        ("FREQ=DAILY;<script>=9;COUNT=2", "SCRIPT is not taken"),
        ("FREQ=DAILY;=9;COUNT=2", "a part without a name is not taken"),
        ("FREQ=DAILY;INTERVAL=367;COUNT=2", "INTERVAL is a whole number"),
        ("FREQ=DAILY;BYMONTHDAY=0;COUNT=2", "BYMONTHDAY does not take 0"),
        ("FREQ=DAILY;BYMONTHDAY=" + "1," * 62 + "1;COUNT=2", "at most 62"),
        ("FREQ=DAILY;BYDAY=2MO;COUNT=2", "MONTHLY and YEARLY rules alone"),
        ("FREQ=MONTHLY;BYDAY=2MO,TU;COUNT=2", "all of its weekdays or none"),
        ("FREQ=MONTHLY;BYDAY=54MO;COUNT=2", "BYDAY lists weekdays"),
        ("FREQ=MONTHLY;BYDAY=XX;COUNT=2", "BYDAY lists weekdays"),
        ("FREQ=WEEKLY;BYMONTHDAY=1;COUNT=2", "does not go with WEEKLY"),
        ("FREQ=WEEKLY;BYDAY=MO;BYSETPOS=1;COUNT=2", "BYSETPOS goes with"),
        ("FREQ=MONTHLY;BYSETPOS=1;COUNT=2", "BYSETPOS goes with"),
        ("FREQ=WEEKLY;WKST=XX;COUNT=2", "WKST is one of"),
    ],
)
def test_a_rule_out_of_bounds_is_refused_with_what_is_wrong(text: str, told: str) -> None:
    assert any(told in one for one in faults(text)), faults(text)


def test_every_fault_of_a_rule_is_told() -> None:
    assert len(faults("FREQ=SECONDLY;COUNT=1000000;BYHOUR=3")) == 3


def test_no_rule_costs_more_than_its_two_years() -> None:
    began = process_time()
    for text in (
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30;COUNT=1",
        "FREQ=DAILY;INTERVAL=7;BYDAY=TU;COUNT=1",
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30,31;BYDAY=MO;BYSETPOS=366;COUNT=1",
    ):
        faults(text)
    assert process_time() - began < 0.5


def test_a_rule_is_written_back_as_it_is_meant() -> None:
    for text in (
        "FREQ=MONTHLY;INTERVAL=2;COUNT=5;BYDAY=2MO,-1FR;BYMONTH=1,3;BYSETPOS=-1;WKST=SU",
        "FREQ=DAILY;UNTIL=20300109T060000Z;BYMONTHDAY=-1,15",
        "FREQ=WEEKLY;UNTIL=20300109",
    ):
        assert recurrence.parse(recurrence.text_of(recurrence.parse(text))) == recurrence.parse(text)
    assert recurrence.text_of(recurrence.parse("COUNT=2;FREQ=WEEKLY;INTERVAL=1")) == "FREQ=WEEKLY;COUNT=2"


def test_years_end_where_the_calendar_does() -> None:
    assert occurrences.later(date(9999, 12, 1), 1) == date.max


@st.composite
def rules(draw: st.DrawFn) -> str:
    """Draw a rule whose COUNT is never reached within the bound."""
    frequency = draw(st.sampled_from(("DAILY", "WEEKLY", "MONTHLY", "YEARLY")))
    parts = [f"FREQ={frequency}", f"INTERVAL={draw(st.integers(1, 5))}"]
    weekdays = st.sampled_from(recurrence.WEEKDAYS)
    by_period = frequency in ("MONTHLY", "YEARLY")
    if draw(st.booleans()):
        months = draw(st.sets(st.integers(1, 12), min_size=1, max_size=4))
        parts.append("BYMONTH=" + ",".join(map(str, months)))
    month_days = frequency != "WEEKLY" and draw(st.booleans())
    if month_days:
        days = draw(st.sets(st.integers(-31, 31).filter(bool), min_size=1, max_size=4))
        parts.append("BYMONTHDAY=" + ",".join(map(str, days)))
    by_day = draw(st.booleans())
    if by_day:
        named = draw(st.sets(weekdays, min_size=1, max_size=3))
        ordinal = draw(st.integers(-5, 5).filter(bool)) if by_period and draw(st.booleans()) else ""
        parts.append("BYDAY=" + ",".join(f"{ordinal}{day}" for day in named))
    if by_period and (by_day or month_days) and draw(st.booleans()):
        parts.append(f"BYSETPOS={draw(st.integers(-3, 3).filter(bool))}")
    if draw(st.booleans()):
        parts.append(f"WKST={draw(weekdays)}")
    return ";".join(parts)


@settings(max_examples=100, deadline=None)
@given(text=rules(), first=st.dates(date(2024, 1, 1), date(2032, 12, 31)))
def test_a_rule_recurs_on_the_days_that_dateutil_finds(text: str, first: date) -> None:
    found = list(occurrences.days(recurrence.parse(f"{text};COUNT=1"), first))
    assume(found)  # for a rule that matches no day dateutil would look until the year 9999
    oracle = rrulestr(f"{text};UNTIL={recurrence.last_day(first):%Y%m%d}", dtstart=datetime.combine(first, time()))
    assert found == [one.date() for one in oracle]
