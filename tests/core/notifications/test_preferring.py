from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from opora.core.notifications.errors import PreferencesInvalid
from opora.core.notifications.model.kinds import Channel, Kind, kind
from opora.core.notifications.model.letters import Recipient
from opora.core.notifications.model.notices import KeptNotice, Notice, NoticeState
from opora.core.notifications.model.places import WebhookEndpoint
from opora.core.notifications.model.preferences import Digest, Preferences, QuietHours
from opora.core.notifications.rules import delivering, preferring, wording

ZONES = ("Europe/Moscow", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "UTC")
INSTANTS = st.datetimes(datetime(2025, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC))
CLOCKS = st.times().map(lambda one: one.replace(second=0, microsecond=0))
NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
NIGHT = QuietHours(time(22), time(8))
PLAIN = kind("plain")
LETTER = Kind(name="letter", channels=(Channel.EMAIL, Channel.SMS))
URGENT = Kind(name="urgent", channels=(Channel.EMAIL,), mandatory=True)
AN_ENDPOINT = WebhookEndpoint(
    id=4, user_id=3, url="https://x.example", kinds=("plain",), secret="", is_active=True, created_at=NOON
)


def anna(**wishes):
    return Recipient(
        user_id=3,
        email="anna@example.org",
        preferences=Preferences(**wishes),
        subscriptions=(7, 8),
        endpoints=(AN_ENDPOINT,),
    )


@given(INSTANTS, CLOCKS, CLOCKS, st.sampled_from(ZONES))
@example(datetime(2026, 3, 29, 0, 30, tzinfo=UTC), time(1, 30), time(2, 30), "Europe/Berlin")
@example(datetime(2026, 10, 25, 0, 30, tzinfo=UTC), time(2, 0), time(2, 45), "Europe/Berlin")
def test_quiet_hours_end_by_the_persons_clock_within_a_day_and_a_change_of_it(now, start, end, zone):
    if start == end:
        return
    until = preferring.quiet_until(now, QuietHours(start, end), zone)
    clock = now.astimezone(ZoneInfo(zone)).time()
    inside = start <= clock < end if start < end else clock >= start or clock < end
    assert (until is not None) == inside
    if until is not None:
        assert now <= until <= now + timedelta(hours=25)
        there = until.astimezone(ZoneInfo(zone))
        gap = (datetime.combine(there.date(), end) - there.replace(tzinfo=None)).total_seconds()
        assert until == now or abs(gap) <= 3600


def test_without_quiet_hours_nobody_waits():
    assert preferring.quiet_until(NOON, None, "UTC") is None


@given(INSTANTS, st.sampled_from(ZONES))
def test_a_digest_comes_at_nine_by_the_persons_clock_and_never_at_once(now, zone):
    due = preferring.digest_due(now, zone)
    assert due.astimezone(ZoneInfo(zone)).time() == preferring.DIGEST_AT
    assert preferring.DIGEST_GRACE <= due - now <= timedelta(hours=26)


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        (Preferences(timezone="Mars/Olympus"), "timezone"),
        (Preferences(language="fr"), "language"),
        (Preferences(phone="89120000000"), "phone"),
        (Preferences(quiet_hours=QuietHours(time(8), time(8))), "quiet_hours"),
        (Preferences(channels={"no.such": {"email": True}}), "channels.no.such"),
        (Preferences(channels={"notifications.digest": {"sms": True}}), "channels.notifications.digest.sms"),
    ],
)
def test_what_cannot_be_preferred_is_named(wanted, field):
    with pytest.raises(PreferencesInvalid) as refused:
        preferring.refuse_bad_preferences(wanted)
    assert refused.value.errors.keys() == {field}


def test_what_always_comes_cannot_be_turned_off(monkeypatch):
    monkeypatch.setitem(preferring.KINDS, "urgent", URGENT)
    with pytest.raises(PreferencesInvalid, match="kept"):
        preferring.refuse_bad_preferences(Preferences(channels={"urgent": {"email": False}}))
    wishes = Preferences(channels={"urgent": {"email": False}}, quiet_hours=QuietHours(time(0), time(23, 59)))
    route = delivering.route(URGENT, Recipient(user_id=3, email="a@b.c", is_active=False, preferences=wishes), NOON)
    assert [(leg.channel, leg.at) for leg in route.legs] == [(Channel.EMAIL, NOON)]


def test_good_preferences_are_let_through():
    preferring.refuse_bad_preferences(
        Preferences(
            channels={"notifications.trial": {"email": False}}, language="ru", phone="+79120000000", quiet_hours=NIGHT
        )
    )


def test_a_common_notice_goes_to_every_place_there_is():
    route = delivering.route(PLAIN, anna(), NOON)
    found = [(leg.channel, leg.target) for leg in route.legs]
    assert found == [
        (Channel.EMAIL, "anna@example.org"),
        (Channel.WEBPUSH, "7"),
        (Channel.WEBPUSH, "8"),
        (Channel.WEBHOOK, "4"),
    ]
    assert (route.to_inbox, route.digest_at, route.is_empty) == (True, None, False)


def test_channels_come_and_go_as_preferred():
    wishes = {"plain": {"email": False, "sms": True, "webpush": False, "inbox": False}}
    route = delivering.route(PLAIN, anna(channels=wishes, phone="+79120000000"), NOON)
    assert [leg.channel for leg in route.legs] == [Channel.SMS, Channel.WEBHOOK]
    assert not route.to_inbox


def test_sms_without_a_number_and_letters_without_an_address_go_nowhere():
    recipient = Recipient(user_id=3, email=None)
    assert delivering.route(LETTER, recipient, NOON).is_empty


def test_what_rings_waits_for_the_morning_and_what_does_not_ring_does_not():
    late = NOON.replace(hour=23)
    route = delivering.route(PLAIN, anna(quiet_hours=NIGHT), late)
    assert {leg.channel: leg.at for leg in route.legs} == {
        Channel.EMAIL: late + timedelta(hours=9),
        Channel.WEBPUSH: late + timedelta(hours=9),
        Channel.WEBHOOK: late,
    }


def test_gathered_letters_wait_and_what_is_pressing_does_not():
    route = delivering.route(PLAIN, anna(digest=Digest.DAILY), NOON)
    assert Channel.EMAIL not in {leg.channel for leg in route.legs}
    assert route.digest_at == preferring.digest_due(NOON, "UTC")
    hurried = kind("hurried", late_max=timedelta(hours=1))
    for one in (hurried, kind("secret", secrets=("token",)), URGENT):
        assert delivering.route(one, anna(digest=Digest.DAILY), NOON).digest_at is None


def test_who_has_no_account_gets_a_letter_and_nothing_else():
    route = delivering.route(PLAIN, Recipient(email="bob@example.org"), NOON)
    assert [(leg.channel, leg.target) for leg in route.legs] == [(Channel.EMAIL, "bob@example.org")]
    assert not route.to_inbox


@pytest.mark.parametrize("channel", delivering.PAUSES)
@given(fraction=st.floats(0, 1, exclude_max=True))
def test_pauses_grow_within_their_jitter_and_end(channel, fraction):
    pauses = delivering.PAUSES[channel]
    found = [delivering.pause_after(channel, n, fraction) for n in range(1, len(pauses) + 2)]
    assert found[-1] is None
    assert list(pauses) == sorted(pauses)
    for pause, least in zip(found, pauses, strict=False):
        assert pause is None or least <= pause <= least * 1.2


def a_kept_notice(fire_at):
    given = {"kind": "plain", "user_id": 3, "email": None, "locale": None, "data": {}, "about": ""}
    return KeptNotice(**given, id=None, state=NoticeState.WAITING, fire_at=fire_at, created_at=NOON)


def test_a_notice_past_its_use_is_late():
    hurried = kind("hurried", late_max=timedelta(hours=1))
    assert not delivering.is_late(hurried, a_kept_notice(NOON), NOON + timedelta(hours=1))
    assert delivering.is_late(hurried, a_kept_notice(NOON), NOON + timedelta(hours=1, seconds=1))
    assert not delivering.is_late(PLAIN, a_kept_notice(NOON), NOON + timedelta(days=400))


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "no.such"},
        {"email": None},
        {"user_id": 3},
        {"data": {}},
        {"data": {"sent_at": "x", "more": 1}},
        {"secret": {"token": "x"}},
        {"data": {"sent_at": "x" * 5000}},
        {"fire_at": datetime(2030, 1, 1)},
        {"about": "x" * 101},
        {"dedup_key": "x" * 201},
    ],
)
def test_a_notice_that_no_kind_declares_is_a_fault(changes):
    given = {"kind": "notifications.trial", "email": "a@b.c", "data": {"sent_at": NOON.isoformat()}}
    with pytest.raises(ValueError):
        Notice(**given | changes)


@pytest.mark.parametrize(
    "rest",
    [
        {"secrets": ("token",), "channels": (Channel.INBOX,)},
        {"secrets": ("token",), "channels": (Channel.EMAIL,), "offered": (Channel.WEBHOOK,)},
    ],
)
def test_a_secret_is_kept_out_of_lists_and_other_programs(rest):
    with pytest.raises(ValueError):
        kind("leaky", **rest)
    with pytest.raises(ValueError):
        kind("twice", "token", secrets=("token",))


@given(st.integers(-(10**6), 10**6))
def test_russian_numbers_are_followed_by_their_form(count):
    form = wording.plural_ru(count, "день", "дня", "дней")
    last, pair = abs(count) % 10, abs(count) % 100
    if 11 <= pair <= 14 or last in {0, 5, 6, 7, 8, 9}:
        assert form == "дней"
    else:
        assert form == ("день" if last == 1 else "дня")


@pytest.mark.parametrize(("count", "form"), [(0, "days"), (1, "day"), (-1, "day"), (2, "days"), (21, "days")])
def test_english_numbers_are_followed_by_their_form(count, form):
    assert wording.plural_en(count, "day", "days") == form


@pytest.mark.parametrize(
    ("locale", "found"), [("ru", "ru"), ("ru-RU", "ru"), ("en_GB", "en"), ("EN", "en"), ("kk", "ru"), ("", "ru")]
)
def test_a_locale_without_templates_reads_the_first_language(locale, found):
    assert wording.language(locale) == found


def test_times_and_sums_are_told_as_people_do():
    assert wording.moment(NOON, "Europe/Moscow", "ru") == "1 января 2030, 15:00"
    assert wording.moment(NOON, "America/New_York", "en") == "1 January 2030, 07:00"
    assert wording.money(125050, "RUB", "ru") == "1\u00a0250,50\u00a0RUB"
    assert wording.money(-5, "USD", "en") == "-0.05\u00a0USD"
    assert wording.money(1500, "JPY", "en") == "1,500\u00a0JPY"
    assert wording.money(1500, "KWD", "ru") == "1,500\u00a0KWD"
    assert wording.money(2**62, "RUB", "en") == "46,116,860,184,273,879.04\u00a0RUB"


@given(st.text())
def test_a_line_stays_a_line(text):
    assert len(wording.one_line(text).splitlines()) <= 1
    assert wording.one_line(text).isprintable()


def test_a_kind_uses_no_channel_that_it_does_not_offer():
    with pytest.raises(ValueError, match="does not offer"):
        Kind(name="odd", channels=(Channel.SMS,), offered=(Channel.EMAIL,))
