"""Free starts: the grid, what takes them away, and every change of clocks, against an oracle that counts minutes."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.bookings.builders import DAY, HOUR, NOW, a_diary, an_offering, hours, office_hours, taken
from opora.core.bookings.model.hours import (
    Availability,
    Busy,
    Closure,
    DayException,
    Diary,
    WeeklyHours,
    instant_of,
    minute_of,
)
from opora.core.bookings.model.offerings import Offering
from opora.core.bookings.rules import slots, zones

MONDAY = datetime(2030, 1, 6, 21, tzinfo=UTC)  # midnight in Moscow
ZONES = (
    "UTC",
    "Europe/Moscow",
    "America/New_York",
    "Europe/Berlin",
    "Australia/Lord_Howe",  # half an hour of daylight saving
    "Africa/Casablanca",  # standard time in Ramadan
    "America/St_Johns",
    "Asia/Kathmandu",
    "Pacific/Chatham",
    "America/Santiago",  # changes at midnight
    "Asia/Beirut",
    "Antarctica/Troll",  # two hours
    "Pacific/Kiritimati",
)


def starts(offering: Offering, diary: Diary, begin: datetime = MONDAY, span: timedelta = DAY) -> list[str]:
    """Return the free starts of a span as the hour and minute in Moscow."""
    found = slots.free(offering, diary, minute_of(begin), minute_of(begin + span))
    moscow = ZoneInfo("Europe/Moscow")
    return [instant_of(one.start_min).astimezone(moscow).strftime("%H:%M") for one in found]


def test_a_day_of_nine_hours_has_nine_hours_to_give() -> None:
    found = starts(an_offering(), a_diary(office_hours()))
    assert found == [f"{hour:02}:00" for hour in range(9, 18)]


def test_no_hours_no_starts() -> None:
    assert starts(an_offering(), a_diary(None)) == []
    assert starts(an_offering(), a_diary(hours())) == []
    assert slots.free(an_offering(), a_diary(office_hours()), 10, 10) == []


def test_what_does_not_fit_before_closing_is_not_offered() -> None:
    offering = an_offering(duration_min=50, step_min=50)
    assert starts(offering, a_diary(hours((0, 540, 660)))) == ["09:00", "09:50"]


def test_hours_that_follow_on_one_another_are_one_stretch() -> None:
    offering = an_offering(duration_min=90, step_min=30)
    assert starts(offering, a_diary(hours((0, 540, 600), (0, 600, 660)))) == ["09:00", "09:30"]
    around_midnight = a_diary(hours((0, 1380, 1440), (1, 0, 60)))
    assert starts(offering, around_midnight, span=2 * DAY) == ["23:00", "23:30"]


def test_an_exception_replaces_the_hours_of_its_day_and_closes_it_where_it_has_none() -> None:
    shorter = DayException(date(2030, 1, 7), 600, 720)
    closed = DayException(date(2030, 1, 8))
    diary = a_diary(hours((0, 540, 1080), (1, 540, 1080), exceptions=(shorter, closed)))
    assert starts(an_offering(), diary, span=2 * DAY) == ["10:00", "11:00"]


def test_a_closure_shuts_every_start_that_would_reach_into_it() -> None:
    lunch = Closure(MONDAY + 12.5 * HOUR, MONDAY + 13 * HOUR + timedelta(seconds=1))
    found = starts(an_offering(), a_diary(hours((0, 540, 1080), closures=(lunch,))))
    assert found == ["09:00", "10:00", "11:00", "14:00", "15:00", "16:00", "17:00"]


def test_nothing_is_left_of_a_day_whose_end_is_closed() -> None:
    closed = Closure(MONDAY + 10 * HOUR, MONDAY + 30 * HOUR)
    assert starts(an_offering(), a_diary(hours((0, 540, 1080), closures=(closed,)))) == ["09:00"]


def test_hours_that_a_gap_pushes_into_the_next_ones_give_each_start_once() -> None:
    diary = a_diary(hours((6, 120, 150), (6, 180, 240), zone="America/New_York"))
    day = datetime(2027, 3, 14, tzinfo=UTC)
    offering = an_offering(duration_min=30, step_min=30)
    found = [one.start_min for one in slots.free(offering, diary, minute_of(day), minute_of(day + DAY))]
    assert found == [minute_of(day + 7 * HOUR), minute_of(day + 7.5 * HOUR)]


def test_a_session_takes_its_time_and_its_buffers() -> None:
    offering = an_offering(buffer_after_min=15)
    diary = a_diary(office_hours(), taken(offering, minute_of(MONDAY + 11 * HOUR)))
    assert "10:00" not in starts(offering, diary)  # its own buffer would reach into the session
    assert "11:00" not in starts(offering, diary)
    assert "12:00" not in starts(offering, diary)  # it begins within the session's buffer
    assert "09:00" in starts(offering, diary)
    assert "13:00" in starts(offering, diary)


def test_a_session_with_places_left_is_offered_to_those_who_join_it_alone() -> None:
    group = an_offering(capacity=3)
    start = minute_of(MONDAY + 11 * HOUR)
    diary = a_diary(office_hours(), taken(group, start, places=2))
    left = {one.start_min: one.places for one in slots.free(group, diary, start - 60, start + 61)}
    assert left == {start - 60: 3, start: 1, start + 60: 3}
    assert not slots.is_free(an_offering(id=2), diary, start)
    assert not slots.is_free(an_offering(capacity=3, duration_min=30), diary, start)
    assert not slots.is_free(group, a_diary(office_hours(), taken(group, start, places=3)), start)
    assert slots.is_offered(group, diary, start)
    assert not slots.is_offered(group, diary, start + 7)


def test_the_starts_of_several_are_in_the_order_of_time_and_then_of_who() -> None:
    diaries = [Diary(11, office_hours(11)), Diary(10, office_hours(10))]
    found = slots.all_free(an_offering(), diaries, minute_of(MONDAY), minute_of(MONDAY + DAY))
    assert [one.staff_id for one in found[:4]] == [10, 11, 10, 11]
    assert found == sorted(found, key=lambda one: (one.start_min, one.staff_id))
    assert slots.all_free(an_offering(), [], 0, 1) == []


def test_the_afternoon_of_a_day_of_changing_clocks_is_where_the_clocks_say() -> None:
    offering = an_offering()
    diary = a_diary(hours((6, 780, 1080), zone="America/New_York"))
    day = datetime(2027, 3, 14, tzinfo=UTC)
    found = slots.free(offering, diary, minute_of(day), minute_of(day + DAY))
    assert instant_of(found[0].start_min) == day + 17 * HOUR
    assert instant_of(found[-1].end_min) == day + 22 * HOUR


@pytest.mark.parametrize(
    ("day", "wall_min", "utc"),
    [
        (date(2027, 3, 14), 150, datetime(2027, 3, 14, 7, 30, tzinfo=UTC)),  # skipped: the offset before the gap
        (date(2027, 11, 7), 90, datetime(2027, 11, 7, 5, 30, tzinfo=UTC)),  # shown twice: the first
        (date(2027, 11, 7), 1440, datetime(2027, 11, 8, 5, tzinfo=UTC)),  # the end of the day
    ],
)
def test_a_time_that_clocks_skip_or_show_twice_is_read_by_rule(day: date, wall_min: int, utc: datetime) -> None:
    zone = ZoneInfo("America/New_York")
    assert instant_of(zones.minute_at(day, wall_min, zone)) == utc


# --- the oracle: it knows of minutes and of clocks, and of nothing else


def reading(day: date, wall_min: int, zone: ZoneInfo) -> int:
    """Find the instant of a clock's reading by looking at the clock minute by minute."""
    wanted = datetime(day.year, day.month, day.day) + timedelta(minutes=wall_min)
    around = minute_of(wanted.replace(tzinfo=UTC))
    for minute in range(around - 27 * 60, around + 27 * 60):
        if instant_of(minute).astimezone(zone).replace(tzinfo=None) == wanted:
            return minute
    shortly_before = instant_of(around - 27 * 60)
    for minute in range(around - 27 * 60, around + 27 * 60):
        shown = instant_of(minute).astimezone(zone).replace(tzinfo=None)
        if shown > wanted:
            break
        shortly_before = instant_of(minute)
    return around - int((shortly_before.astimezone(zone).utcoffset() or timedelta()).total_seconds() // 60)


def oracle(offering: Offering, diary: Diary, begin: int, end: int) -> list[int]:
    """Return the free starts by asking every minute."""
    availability = diary.availability
    assert availability is not None
    zone = ZoneInfo(availability.timezone)
    windows = []
    day = instant_of(begin).date() - 2 * DAY
    while day <= instant_of(end).date() + 3 * DAY:
        exceptions = [one for one in availability.exceptions if one.day == day]
        spans = [(one.start_min, one.end_min) for one in exceptions if one.start_min is not None]
        if not exceptions:
            spans = [(one.start_min, one.end_min) for one in availability.weekly if one.weekday == day.weekday()]
        windows += [(reading(day, one or 0, zone), reading(day, other or 0, zone)) for one, other in spans]
        day += DAY
    open_minutes = {minute for one, other in windows for minute in range(one, other)}
    for shut in availability.closures:
        open_minutes -= {m for m in open_minutes if shut.starts_at < instant_of(m + 1) and instant_of(m) < shut.ends_at}
    grid = {start for one, other in windows for start in range(one, other, offering.step_min)}
    taken = {m for busy in diary.busy for m in range(busy.from_min, busy.until_min)}
    found = []
    for start in sorted(grid):
        inside = all(m in open_minutes for m in range(start, start + offering.duration_min))
        reach = range(start - offering.buffer_before_min, start + offering.duration_min + offering.buffer_after_min)
        if begin <= start < end and inside and not any(m in taken for m in reach):
            found.append(start)
    return found


@st.composite
def days_of_change(draw: st.DrawFn, zone: ZoneInfo) -> date:
    """Draw a day, often one on which the clocks of the zone change."""
    year = draw(st.integers(2020, 2037))
    days = [date(year, 1, 1) + timedelta(days=number) for number in range(365)]
    changing = [
        day
        for day in days
        if datetime(day.year, day.month, day.day, tzinfo=zone).utcoffset()
        != (datetime(day.year, day.month, day.day, tzinfo=zone) + DAY).utcoffset()
    ]
    return draw(st.sampled_from(changing or days) | st.sampled_from(days))


@st.composite
def cases(draw: st.DrawFn) -> tuple[Offering, Diary, int, int]:
    """Draw a service, a diary and a span around a day that matters."""
    name = draw(st.sampled_from(ZONES))
    day = draw(days_of_change(ZoneInfo(name)))
    quarter = st.integers(0, 95).map(lambda one: one * 15)
    weekly = []
    for weekday in draw(st.sets(st.integers(0, 6), min_size=1)) | {day.weekday()}:
        edges = sorted(draw(st.sets(quarter | st.just(1440), min_size=2, max_size=4)))
        weekly += [WeeklyHours(weekday, *pair) for pair in zip(edges[::2], edges[1::2], strict=False)]
    noon = minute_of(datetime(day.year, day.month, day.day, 12, tzinfo=UTC))
    offering = an_offering(
        duration_min=draw(st.sampled_from((15, 20, 45, 60, 180))),
        step_min=draw(st.sampled_from((10, 15, 60))),
        buffer_before_min=draw(st.sampled_from((0, 5, 30))),
        buffer_after_min=draw(st.sampled_from((0, 10))),
    )
    busy, at = [], noon - 2000
    for gap, length in draw(st.lists(st.tuples(st.integers(0, 600), st.integers(5, 300)), max_size=5)):
        busy.append(Busy(at + gap, at + gap + length, at + gap, 2, 1, 1))
        at += gap + length
    exceptions: tuple[DayException, ...] = ()
    if draw(st.booleans()):
        edges = sorted(draw(st.sets(quarter, min_size=2, max_size=2)))
        exceptions = draw(st.sampled_from(((DayException(day),), (DayException(day, *edges),))))
    closures: tuple[Closure, ...] = ()
    if draw(st.booleans()):
        shut = instant_of(noon + draw(st.integers(-900, 900))) + timedelta(seconds=draw(st.sampled_from((0, 1, 59))))
        closures = (Closure(shut, shut + timedelta(minutes=draw(st.integers(1, 200)))),)
    availability = Availability(
        user_id=10, timezone=name, weekly=tuple(weekly), exceptions=exceptions, closures=closures
    )
    return offering, Diary(10, availability, tuple(busy)), noon - 1000, noon + 1000


@settings(max_examples=30, deadline=None)
@given(case=cases())
def test_starts_are_those_that_counting_every_minute_finds(case: tuple[Offering, Diary, int, int]) -> None:
    offering, diary, begin, end = case
    found = [one.start_min for one in slots.free(offering, diary, begin, end)]
    assert found == oracle(offering, diary, begin, end)


def test_the_grid_does_not_depend_on_where_one_begins_to_look() -> None:
    offering = an_offering(duration_min=50, step_min=50)
    diary = a_diary(hours(*((day, 0, 1440) for day in range(7))))
    whole = [one.start_min for one in slots.free(offering, diary, minute_of(NOW), minute_of(NOW + 3 * DAY))]
    later = [one.start_min for one in slots.free(offering, diary, minute_of(NOW + 31 * HOUR), minute_of(NOW + 3 * DAY))]
    assert later == [one for one in whole if one >= minute_of(NOW + 31 * HOUR)]
