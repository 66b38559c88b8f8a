"""The rules of appointments told their facts: hours, terms, fees, spans, and who may do what."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.bookings.builders import (
    ADMIN,
    CLIENT,
    DAY,
    HOUR,
    NOW,
    STAFF,
    an_appointment,
    an_offering,
    hours,
)
from opora.core.bookings.errors import InvalidAvailability, InvalidOffering, InvalidPeriod, InvalidZone
from opora.core.bookings.model.appointments import MOVES, Status
from opora.core.bookings.model.hours import Availability, Closure, DayException, WeeklyHours, instant_of
from opora.core.bookings.model.offerings import Band, CancellationPolicy
from opora.core.bookings.model.waiting import WAIT_MOVES, WaitStatus
from opora.core.bookings.rules import booking, cancellation, letters, offerings, openings, zones
from opora.core.bookings.rules import hours as hour_rules
from opora.core.kernel.errors import IllegalMove
from opora.core.kernel.model import Actor

MOSCOW = ZoneInfo("Europe/Moscow")


def faults(availability: Availability) -> list[str]:
    """Return the fields of hours that are refused."""
    with pytest.raises(InvalidAvailability) as refused:
        hour_rules.checked(availability)
    return sorted(refused.value.errors)


@pytest.mark.parametrize(
    ("availability", "fields"),
    [
        (hours((7, 0, 60)), ["weekly.0.weekday"]),
        (hours((0, 600, 600)), ["weekly.0.end"]),
        (hours((0, 1320, 120)), ["weekly.0.end"]),
        (hours((0, 0, 1441)), ["weekly.0.end"]),
        (hours((0, 540, 720), (0, 700, 800)), ["weekly"]),
        (hours(*[(0, 0, 1)] * 71), ["weekly"]),
        (hours(exceptions=(DayException(date(2030, 1, 1), 60),)), ["exceptions.0.end"]),
        (hours(exceptions=(DayException(date(2030, 1, 1), 60, 30),)), ["exceptions.0.end"]),
        (hours(exceptions=(DayException(date(2030, 1, 1)), DayException(date(2030, 1, 1), 1, 2))), ["exceptions"]),
        (hours(closures=(Closure(NOW, NOW - HOUR),)), ["blackouts.0.ends_at"]),
        (hours((9, 5, 1), (0, 5, 1)), ["weekly.0.end", "weekly.0.weekday", "weekly.1.end"]),
    ],
)
def test_hours_that_do_not_fit_are_refused_with_every_field_at_fault(
    availability: Availability, fields: list[str]
) -> None:
    assert faults(availability) == fields


def test_hours_that_touch_fit_and_are_kept_in_order() -> None:
    day = date(2030, 1, 1)
    found = hour_rules.checked(
        hours(
            (0, 720, 1440),
            (0, 0, 720),
            exceptions=(DayException(day, 60, 90), DayException(day, 0, 60)),
            closures=(Closure(NOW, NOW + HOUR),),
        )
    )
    assert found.weekly == (WeeklyHours(0, 0, 720), WeeklyHours(0, 720, 1440))
    assert [one.start_min for one in found.exceptions] == [0, 60]


@pytest.mark.parametrize(
    "name", ["", "Mars/Olympus", "Europe", "../../etc/passwd", "/etc/passwd", "Europe/Moscow\n", "x" * 65, "tzdata.zi"]
)
def test_only_the_name_of_a_zone_is_taken(name: str) -> None:
    with pytest.raises(InvalidZone):
        zones.zone_of(name)


def test_a_local_day_begins_where_its_clocks_say() -> None:
    assert zones.day_starts(date(2030, 1, 7), MOSCOW) == datetime(2030, 1, 6, 21, tzinfo=UTC)


def test_spans_are_joined_and_cut() -> None:
    assert hour_rules.joined([(0, 5), (5, 9), (6, 7), (12, 13)]) == [(0, 9), (12, 13)]
    assert hour_rules.without([(0, 10), (20, 30)], [(0, 2), (4, 6), (9, 22), (40, 50)]) == [(2, 4), (6, 9), (22, 30)]
    assert hour_rules.without([(0, 10)], [(0, 10)]) == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": "  "}, "name"),
        ({"duration_min": 1441, "step_min": 60}, "duration_min"),
        ({"capacity": 501}, "capacity"),
        ({"price_minor": -1}, "price_minor"),
        ({"currency": "rub"}, "currency"),
        ({"horizon_days": 0}, "horizon_days"),
        ({"staff_ids": (1, 1)}, "staff_ids"),
        ({"staff_ids": tuple(range(1, 102))}, "staff_ids"),
        ({"policy": CancellationPolicy(tuple(Band(one, 0) for one in range(11)))}, "cancellation"),
        ({"policy": CancellationPolicy((Band(-1, 0),))}, "cancellation"),
        ({"policy": CancellationPolicy((Band(0, 101),))}, "cancellation"),
        ({"policy": CancellationPolicy((Band(5, 0), Band(5, 1)))}, "cancellation"),
        ({"policy": CancellationPolicy((Band(24, 50), Band(0, 10)))}, "cancellation"),
        ({"policy": CancellationPolicy(grace_min=-1)}, "cancellation_grace_min"),
        ({"policy": CancellationPolicy(exempt_roles=("king",))}, "cancellation_exempt_roles"),
    ],
)
def test_a_service_out_of_bounds_is_refused_with_its_field(changes: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidOffering) as refused:
        offerings.checked(an_offering(**changes))
    assert list(refused.value.errors) == [field]


def test_every_field_at_fault_is_named() -> None:
    with pytest.raises(InvalidOffering) as refused:
        offerings.checked(an_offering(name="", duration_min=0, currency="?", step_min=5))
    assert sorted(refused.value.errors) == ["currency", "duration_min", "name"]


# --- fees

POLICIES = st.lists(
    st.tuples(st.integers(0, 100), st.integers(0, 100)), min_size=0, max_size=5, unique_by=lambda band: band[0]
).map(lambda bands: CancellationPolicy(tuple(Band(*one) for one in in_order(bands))))


def in_order(bands: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return bands whose fee does not fall as the notice gets shorter."""
    notices = sorted((one for one, _ in bands), reverse=True)
    return list(zip(notices, sorted(fee for _, fee in bands), strict=True))


NOTICES = st.lists(st.integers(1, 5000), min_size=2, max_size=5)


@given(policy=POLICIES, price_minor=st.integers(0, 10**12), notices=NOTICES)
def test_a_fee_never_falls_as_the_start_comes_near_and_never_passes_the_price(
    policy: CancellationPolicy, price_minor: int, notices: list[int]
) -> None:
    one = an_appointment(policy=policy, price_minor=price_minor, created_at=NOW - 1000 * DAY)
    fees = [
        cancellation.fee(one, CLIENT, one.starts_at - timedelta(minutes=minutes)).amount_minor
        for minutes in sorted(notices, reverse=True)
    ]
    assert fees == sorted(fees)
    assert all(0 <= fee <= price_minor for fee in fees)
    assert fees[-1] <= cancellation.missed_fee(one).amount_minor <= price_minor


def test_a_band_holds_from_its_notice_on_and_the_dearest_below_the_last() -> None:
    policy = CancellationPolicy((Band(2, 50), Band(24, 0)))
    notices = {24 * HOUR: 0, 24 * HOUR - timedelta(seconds=1): 50, 2 * HOUR: 50, HOUR: 50}
    assert {notice: cancellation.percent(policy, notice) for notice in notices} == notices
    assert cancellation.percent(CancellationPolicy(()), HOUR) == 0
    assert cancellation.share(an_appointment(price_minor=333), 50).amount_minor == 167


def test_waiting_grace_and_exempt_roles_cost_nothing() -> None:
    one = an_appointment(starts_at=NOW + HOUR, ends_at=NOW + 2 * HOUR)
    assert cancellation.fee(one, CLIENT, NOW).amount_minor == 250_000
    free = [
        cancellation.fee(replace(one, status=Status.PENDING), CLIENT, NOW),
        cancellation.fee(replace(one, policy=CancellationPolicy(grace_min=1)), CLIENT, NOW),
        cancellation.fee(one, STAFF, NOW),
        cancellation.fee(one, ADMIN, NOW),
        cancellation.fee(one, Actor(key_id=1, scopes=frozenset({"admin"})), NOW),
        cancellation.fee(replace(one, policy=CancellationPolicy(exempt_roles=("client",))), CLIENT, NOW),
    ]
    assert {fee.amount_minor for fee in free} == {0}
    after_grace = replace(one, policy=CancellationPolicy(grace_min=1))
    assert cancellation.fee(after_grace, CLIENT, NOW + timedelta(minutes=1)).amount_minor == 250_000
    assert cancellation.fee(replace(one, client_id=10), STAFF, NOW).amount_minor == 250_000  # one's own visit


# --- spans


def span(start: str, end: str, zone: ZoneInfo = MOSCOW) -> tuple[datetime, datetime]:
    """Return a span as instants."""
    found = openings.span(start, end, zone)
    return instant_of(found.from_min), instant_of(found.before_min)


def test_a_span_is_of_instants_or_of_local_days_the_last_included() -> None:
    midnight = datetime(2030, 1, 6, 21, tzinfo=UTC)
    assert span("2030-01-07", "2030-01-07") == (midnight, midnight + DAY)
    assert span("2030-01-07T00:00:00+03:00", "2030-01-06T22:00:00Z") == (midnight, midnight + HOUR)
    assert span("2030-01-07T00:00:00 03:00", "2030-01-07")[0] == midnight  # a plus that a query made a space
    assert span("2030-01-06T21:00:01Z", "2030-01-07")[0] == midnight + timedelta(minutes=1)
    assert span("2027-03-14", "2027-05-14", ZoneInfo("America/New_York"))[0].hour == 5


@pytest.mark.parametrize(
    ("start", "end", "field"),
    [
        ("2030-01-07T09:00:00", "2030-01-08", "from"),  # no zone
        ("2030-01-07", "tomorrow", "to"),
        ("2030-02-30", "2030-03-01", "from"),
        ("2030-01-07", "2030-01-06", "to"),
        ("2030-01-07T09:00:00Z", "2030-01-07T09:00:00Z", "to"),
        ("2030-01-01", "2030-03-04", "to"),
        ("1969-01-01", "2030-01-01", "from"),
        ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "from"),
        ("2030-01-01", "9999-12-31", "to"),
    ],
)
def test_a_span_out_of_order_or_bounds_is_refused(start: str, end: str, field: str) -> None:
    with pytest.raises(InvalidPeriod) as refused:
        span(start, end)
    assert field in refused.value.errors


def test_an_answer_is_cut_between_two_instants() -> None:
    assert openings.cut([1, 2, 3]) == 3
    most = openings.SLOTS_MAX
    assert openings.cut(list(range(most + 9))) == most
    assert openings.cut([*range(most - 2), *[most] * 9]) == most - 2
    assert openings.cut([1] * (most + 1)) == 0
    assert openings.told(openings.edge("2030-01-07T09:30:00Z", MOSCOW, is_end=False)) == "2030-01-07T09:30:00Z"


# --- states


@pytest.mark.parametrize("status", Status)
def test_an_appointment_moves_by_the_table_alone(status: Status) -> None:
    one = an_appointment(status=status)
    steps = {
        Status.CONFIRMED: lambda: one.confirm(NOW),
        Status.CANCELLED: lambda: one.cancel("user:1", None, 0, NOW),
        Status.COMPLETED: lambda: one.complete(NOW),
        Status.NO_SHOW: lambda: one.miss(0, NOW),
        Status.LAPSED: lambda: one.lapse(NOW),
    }
    for target, step in steps.items():
        if target in MOVES.table[status]:
            assert step().status is target
            assert step().version == 2
        else:
            with pytest.raises(IllegalMove):
                step()


def test_what_is_over_has_no_place_and_nothing_follows_it() -> None:
    assert MOVES.final() == {Status.CANCELLED, Status.COMPLETED, Status.NO_SHOW, Status.LAPSED}
    assert an_appointment().cancel("user:1", None, 0, NOW).place is None
    assert an_appointment(status=Status.HELD).lapse(NOW).engagement_id is None
    assert WAIT_MOVES.final() == {WaitStatus.TAKEN, WaitStatus.LAPSED, WaitStatus.WITHDRAWN}


def test_reminders_are_a_day_and_an_hour_before_and_only_of_what_is_confirmed_and_ahead() -> None:
    one = an_appointment()
    told = list(letters.reminders(one, ("Cut", "Boris"), NOW))
    assert [notice.fire_at for notice in told] == [one.starts_at - DAY, one.starts_at - HOUR]
    assert len({notice.dedup_key for notice in told}) == 2
    assert [n.kind for n in letters.reminders(one, ("", ""), one.starts_at - DAY)] == ["bookings.reminder_hour"]
    assert list(letters.reminders(replace(one, status=Status.PENDING), ("", ""), NOW)) == []


def test_a_letter_names_every_appointment_it_is_about_and_the_first_ones_time_and_place() -> None:
    told = letters.letter("bookings.confirmed", [an_appointment(), an_appointment(id=6)], ("Cut", ""), further_count=1)
    assert (told.data["starts_at"], told.data["timezone"]) == ("2030-01-09T06:00:00Z", "Europe/Moscow")
    assert (told.data["appointment_ids"], told.about) == ([5, 6], "appointment:5")


def test_confirming_moving_and_cancelling_are_each_a_new_sequence_for_calendars() -> None:
    one = an_appointment(status=Status.PENDING)
    steps = [one.confirm(NOW), one.moved(10, NOW + DAY, "UTC", NOW), one.cancel("user:1", None, 0, NOW)]
    assert [step.sequence for step in steps] == [1, 1, 1]


def test_who_has_no_account_sees_nobodys_appointments_and_an_overseer_everyones() -> None:
    assert booking.reach(Actor(key_id=1, scopes=CLIENT.scopes)).client_id == 0
    assert booking.reach(ADMIN).is_everyones
    assert (booking.reach(CLIENT).staff_id, booking.reach(STAFF).staff_id) == (None, 10)
