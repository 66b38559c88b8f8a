"""When a project may call."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opora.core.numbers.errors.projects import InvalidSchedule
from opora.core.numbers.model.projects import ZoneMode
from opora.core.numbers.model.schedules import DAY_MIN, CallingWindow, Schedule
from opora.core.numbers.rules.schedules import clock_time, is_open, is_open_on, minutes, open_sets, week, words

MONDAY = datetime(2026, 6, 1, tzinfo=UTC)
NO_DAYS: frozenset[date] = frozenset()
ZONES = ("Europe/Kaliningrad", "Europe/Moscow", "Asia/Yekaterinburg", "Asia/Kamchatka", "America/New_York", "UTC")
windows = st.builds(
    lambda weekday, start, length, active: CallingWindow(weekday, start, (start + length) % DAY_MIN, active),
    st.integers(0, 6),
    st.integers(0, DAY_MIN - 1),
    st.integers(1, DAY_MIN - 1),
    st.booleans(),
)
instants = st.datetimes(datetime(2025, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC))


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """An hour of a day of the week that begins on Monday."""
    return MONDAY + timedelta(days=day, hours=hour, minutes=minute)


def test_a_window_holds_its_start_and_not_its_end() -> None:
    day = (CallingWindow(0, 9 * 60, 18 * 60),)
    assert [is_open_on(day, NO_DAYS, at(0, hour, minute)) for hour, minute in ((8, 59), (9, 0), (17, 59), (18, 0))] == [
        False, True, True, False,
    ]  # fmt: skip
    assert not is_open_on(day, NO_DAYS, at(1, 10))
    assert not is_open_on((CallingWindow(0, 9 * 60, 18 * 60, is_active=False),), NO_DAYS, at(0, 10))


def test_a_window_past_midnight_belongs_to_the_day_it_started_on() -> None:
    friday = (CallingWindow(4, 22 * 60, 2 * 60),)
    hours = [at(4, 21), at(4, 22), at(4, 23), at(5, 1, 59), at(5, 2), at(4, 1), at(5, 22)]
    assert [is_open_on(friday, NO_DAYS, hour) for hour in hours] == [False, True, True, True, False, False, False]
    sunday = (CallingWindow(6, 22 * 60, 2 * 60),)
    assert is_open_on(sunday, NO_DAYS, at(7, 1))


def test_a_window_to_midnight_ends_there_however_it_is_written() -> None:
    for end in (0, DAY_MIN):
        evening = (CallingWindow(0, 22 * 60, end),)
        assert [is_open_on(evening, NO_DAYS, hour) for hour in (at(0, 23, 59), at(1, 0))] == [True, False]


def test_nobody_is_called_on_a_holiday_nor_in_the_night_that_began_on_one() -> None:
    every = tuple(CallingWindow(day, 20 * 60, 4 * 60) for day in range(7))
    tuesday = frozenset({date(2026, 6, 2)})
    assert [is_open_on(every, tuesday, hour) for hour in (at(0, 21), at(1, 1), at(1, 21), at(2, 1), at(2, 21))] == [
        True, False, False, False, True,
    ]  # fmt: skip


@given(st.lists(windows, max_size=5), st.lists(st.sampled_from(ZONES), max_size=4), instants)
def test_a_number_is_called_only_when_every_zone_it_may_lie_in_is_open(
    week_of: list[CallingWindow], zones: list[str], now: datetime
) -> None:
    schedule = Schedule(tuple(week_of), NO_DAYS, ZoneMode.NUMBER, "UTC")
    each = [is_open_on(week_of, NO_DAYS, now.astimezone(ZoneInfo(zone))) for zone in zones]
    assert is_open(schedule, zones, now) == (bool(zones) and all(each))


@given(st.lists(windows, max_size=5), instants)
def test_a_project_on_its_own_clock_asks_no_zone_of_a_number(week_of: list[CallingWindow], now: datetime) -> None:
    schedule = Schedule(tuple(week_of), NO_DAYS, ZoneMode.PROJECT, "Europe/Moscow")
    assert is_open(schedule, (), now) == is_open_on(week_of, NO_DAYS, now.astimezone(ZoneInfo("Europe/Moscow")))


@given(instants)
def test_the_clock_of_the_wall_decides_on_days_when_it_is_changed(now: datetime) -> None:
    schedule = Schedule((CallingWindow(6, 60, 240),), NO_DAYS, ZoneMode.NUMBER, "UTC")
    local = now.astimezone(ZoneInfo("America/New_York"))
    assert is_open(schedule, ("America/New_York",), now) == (local.weekday() == 6 and 1 <= local.hour < 4)


def test_open_sets_take_turns_and_leave_out_the_unknown() -> None:
    always = tuple(CallingWindow(day, 0, DAY_MIN) for day in range(7))
    schedule = Schedule(always, NO_DAYS, ZoneMode.NUMBER, "UTC")
    sets = {0: (), 1: ("UTC",), 2: ("Europe/Moscow",)}
    found = [open_sets(schedule, [0, 1, 2, 9], sets, MONDAY + timedelta(minutes=turn)) for turn in range(2)]
    assert sorted(found) == [[1, 2], [2, 1]]
    assert open_sets(schedule, [], sets, MONDAY) == []


@pytest.mark.parametrize("text", ["9:00", "09:60", "24:01", "25:00", "09-00", "", "09:00:01", "０９:00"])
def test_what_is_no_time_of_day_is_none(text: str) -> None:
    assert minutes(text) is None


@given(st.integers(0, DAY_MIN))
def test_a_time_is_read_as_it_is_written(minute: int) -> None:
    assert minutes(clock_time(minute)) == minutes(clock_time(minute) + ":00") == minute


def test_a_week_names_every_entry_at_fault() -> None:
    with pytest.raises(InvalidSchedule) as refusal:
        week([(0, "9", "18:00", True), (9, "09:00", "18:00", True), (0, "09:00", "09:00", True)])
    assert sorted(refusal.value.errors) == ["items.0.start_time", "items.1", "items.2"]
    with pytest.raises(InvalidSchedule):
        week([(0, "09:00", "18:00", True)] * 101)
    (window,) = week([(4, "22:00", "02:00", False)])
    assert words(window) == "Fri 22:00–02:00 (off)"
    with pytest.raises(ValueError, match="24:00"):
        CallingWindow(0, -1, 5)
