from datetime import UTC, datetime, time, timedelta
from uuid import uuid4

import pytest

from opora.adapters.outbound.addresses import Addresses, CheckedDestinations
from opora.adapters.sql.notifications.reports import SqlDeliveryViews, SqlNoticeHousekeeping
from opora.adapters.system.randomness import SystemRandomness
from opora.core.jobs.model import NewJob
from opora.core.kernel.model import Actor, PageRequest
from opora.core.notifications.errors import (
    Deferred,
    NoSuchDelivery,
    NoSuchNotice,
    NoSuchPlace,
    NotRetryable,
    PersonRequired,
    PlaceInvalid,
    PreferencesInvalid,
    Refused,
    TargetGone,
    TooManyPlaces,
)
from opora.core.notifications.model import kinds
from opora.core.notifications.model.deliveries import TIDY, DeliveryFilter, DeliveryState
from opora.core.notifications.model.kinds import Channel, Kind, kind
from opora.core.notifications.model.letters import Recipient
from opora.core.notifications.model.places import ENDPOINTS_MAX, SUBSCRIPTIONS_MAX, WebhookEndpoint
from opora.core.notifications.model.preferences import Digest, Preferences, QuietHours
from opora.core.notifications.usecases.gathering import NoticePolicy, TidyNotices
from opora.core.notifications.usecases.operating import RetryDelivery
from opora.core.notifications.usecases.personal import ReadNotice, TryNotices
from opora.core.notifications.usecases.placing import KeepEndpoint, KeepSubscription
from opora.testing.notices import a_delivery, a_notice

pytestmark = pytest.mark.anyio

ME, NOBODY = Actor(user_id=3), Actor(key_id=7)
POINT, AUTH = b"\x04" + bytes(64), bytes(16)
OPEN = CheckedDestinations(Addresses(["127.0.0.0/8"]))
BROWSER = "http://127.0.0.1/push/1"


def anna(**changes):
    return Recipient(user_id=3, email="anna@example.org", locale="en", **changes)


@pytest.fixture
def browsers(stage):
    return KeepSubscription(stage.unit, OPEN, stage.clock)


@pytest.fixture
def programs(stage):
    return KeepEndpoint(stage.unit, OPEN, SystemRandomness(), stage.clock)


@pytest.fixture
def declared(monkeypatch):
    """Declare a kind for the length of a test; its words are those of the trial."""

    def declare(one: Kind) -> Kind:
        for module in (kinds,):
            monkeypatch.setitem(module.KINDS, one.name, one)
        return one

    return declare


async def test_one_notice_goes_by_every_channel_and_stands_in_the_list(stage, browsers, programs):
    subscription = await browsers(ME, BROWSER, POINT, AUTH)
    endpoint = await programs(ME, "http://127.0.0.1/hook", [])
    wishes = Preferences(channels={"notifications.trial": {"sms": True}}, phone="+79120000000")
    stage.people.known[3] = anna(preferences=wishes, subscriptions=(subscription.id,), endpoints=(endpoint,))
    await stage.add(a_notice(user_id=3))
    await stage.run_due()
    names = sorted(type(one).__name__ for one in stage.postman.letters)
    assert names == ["Letter", "PushMessage", "TextMessage", "WebhookCall"]
    assert await stage.states() == [("sent", 1)] * 4
    assert stage.crier.told == [3]
    assert await stage.rows("SELECT number, title FROM inbox") == [(1, "A trial of Opora's notices")]


async def test_a_browser_that_is_gone_is_forgotten(stage, browsers):
    subscription = await browsers(ME, BROWSER, POINT, AUTH)
    stage.people.known[3] = Recipient(user_id=3, subscriptions=(subscription.id,))
    stage.postman.refusals.append(TargetGone("410"))
    await stage.add(a_notice(user_id=3))
    await stage.run_due()
    assert await stage.states() == [("failed", 1)]
    assert await browsers.all(ME) == []
    stage.people.known[3] = Recipient(user_id=3, subscriptions=(subscription.id,))
    await stage.add(a_notice(user_id=3))
    await stage.run_due()
    assert (await stage.states())[-1] == ("failed", 1)


async def test_an_endpoint_that_was_removed_or_turned_off_is_not_called(stage, programs):
    endpoint = await programs(ME, "http://127.0.0.1/hook", ["notifications.trial"])
    stage.people.known[3] = Recipient(user_id=3, endpoints=(endpoint,))
    await stage.add(a_notice(user_id=3))
    assert not (await programs.switch(ME, endpoint.id, is_active=False)).is_active
    await stage.run_due()
    assert await stage.states() == [("failed", 1)]
    assert stage.postman.letters == []


async def test_in_quiet_hours_a_letter_waits_also_for_its_next_attempt(stage):
    stage.people.known[3] = anna()
    stage.postman.refusals.append(Deferred("451"))
    await stage.add(a_notice(user_id=3))
    await stage.run_due()
    now = stage.clock.now()
    quiet = QuietHours((now - timedelta(hours=1)).time(), (now + timedelta(hours=2)).time())
    stage.people.known[3] = anna(preferences=Preferences(quiet_hours=quiet))
    await stage.hasten()
    await stage.run_due()
    assert await stage.states() == [("queued", 1)]
    [(run_at,)] = await stage.rows("SELECT run_at FROM jobs WHERE state = 'queued'")
    assert timedelta(hours=1) < datetime.fromisoformat(run_at) - now < timedelta(hours=3)
    stage.people.known[3] = anna()
    await stage.hasten()
    await stage.run_due()
    assert await stage.states() == [("sent", 2)]


async def test_gathered_notices_come_in_one_letter_in_their_order_without_the_withdrawn(stage):
    stage.people.known[3] = anna(preferences=Preferences(digest=Digest.DAILY))
    for number in range(3):
        await stage.add(a_notice(user_id=3, about=f"a:{number}"))
    await stage.run_due()
    assert stage.postman.letters == []
    async with stage.unit() as tx:
        assert await tx.notices.withdraw("a:1") == 1
    await stage.hasten()
    await stage.run_due()
    [letter] = stage.postman.letters
    assert letter.subject == "2 notices of the day"
    assert letter.text.count("A trial of Opora's notices") == 2
    assert await stage.rows("SELECT count(*) FROM digest_items") == [(0,)]


async def test_a_digest_of_nothing_is_no_letter(stage):
    stage.people.known[3] = anna(preferences=Preferences(digest=Digest.DAILY))
    await stage.add(a_notice(user_id=3, about="a:1"))
    await stage.run_due()
    async with stage.unit() as tx:
        await tx.notices.withdraw("a:1")
    await stage.hasten()
    await stage.run_due()
    assert stage.postman.letters == []


async def test_more_than_a_letter_holds_comes_in_another(stage, monkeypatch):
    monkeypatch.setattr("opora.core.notifications.usecases.gathering.ITEMS_MAX", 2)
    stage.people.known[3] = anna(preferences=Preferences(digest=Digest.DAILY))
    for _ in range(3):
        await stage.add(a_notice(user_id=3))
    await stage.run_due()
    await stage.hasten()
    await stage.run_due()
    assert sorted(letter.subject for letter in stage.postman.letters) == ["1 notice of the day", "2 notices of the day"]


async def test_what_is_no_longer_true_or_of_use_when_it_fires_is_not_sent(stage, declared, monkeypatch):
    asked = []

    async def holds(notice):
        asked.append(notice.about)
        return notice.about == "appointment:5"

    trial = kinds.KINDS["notifications.trial"]
    declared(kind("notifications.trial", *trial.variables, relevance="still", late_max=timedelta(minutes=30)))
    stage.checks["still"] = holds
    stage.people.known[3] = anna()
    for about, ago in (("appointment:5", 0), ("appointment:6", 0), ("appointment:5", 60)):
        fire_at = datetime.now(UTC) - timedelta(minutes=ago)
        await stage.add(a_notice(user_id=3, about=about, fire_at=fire_at))
    await stage.run_due()
    assert len(stage.postman.letters) == 1
    assert sorted(await stage.notice_states()) == ["fired", "skipped", "skipped"]
    assert set(asked) == {"appointment:5", "appointment:6"}


async def test_a_worker_that_died_while_sending_leaves_a_letter_that_is_sent_again_under_its_name(stage):
    await stage.add(a_notice())
    stage.postman.refusals.append(ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        await stage.run_due()
    assert await stage.states() == [("sending", 1)]
    await stage.database.read.execute("UPDATE jobs SET lease_until = now() WHERE state = 'running'")
    await stage.run_due()
    assert await stage.states() == [("sent", 2)]
    assert len({letter.message_id for letter in stage.postman.letters}) == 1
    assert await stage.rows("SELECT number, outcome FROM delivery_attempts") == [(1, None), (2, "sent")]


async def test_a_failed_delivery_is_sent_again_by_hand_and_no_other(stage):
    retry = RetryDelivery(stage.unit, stage.clock)
    stage.postman.refusals.append(Refused("550"))
    await stage.add(a_notice())
    await stage.run_due()
    views = SqlDeliveryViews(stage.database.read)
    [report] = (await views.page(DeliveryFilter(state=DeliveryState.FAILED), PageRequest())).items
    assert report.delivery.error == "550"
    await retry(ME, report.delivery.id)
    await stage.run_due()
    assert await stage.states() == [("sent", 2)]
    one = await views.one(report.delivery.id)
    assert [attempt.answer for attempt in one.attempts] == ["550", "250 taken"]
    with pytest.raises(NotRetryable):
        await retry(ME, report.delivery.id)
    with pytest.raises(NoSuchDelivery):
        await retry(ME, uuid4())
    assert await stage.rows("SELECT action FROM audit_log") == [("delivery.retried",)]
    assert await views.one(uuid4()) is None
    for wanted, count in (({"channel": Channel.EMAIL}, 1), ({"user_id": 3}, 0), ({"kind": "x"}, 0)):
        assert (await views.page(DeliveryFilter(**wanted), PageRequest())).count == count


async def test_a_trial_comes_once_a_minute(stage):
    try_notices = TryNotices(stage.unit, stage.clock)
    stage.clock.ahead = timedelta(seconds=60 - stage.clock.now().second)
    for _ in range(3):
        await try_notices(ME)
    assert await stage.rows("SELECT count(*) FROM notices") == [(1,)]
    with pytest.raises(PersonRequired):
        await try_notices(NOBODY)


async def test_ones_list_is_read_by_oneself_alone(stage):
    stage.people.known[3] = anna()
    read = ReadNotice(stage.unit, stage.clock)
    for _ in range(2):
        await stage.add(a_notice(user_id=3))
    await stage.run_due()
    await read(ME, 1)
    await read(ME, 1)
    with pytest.raises(NoSuchNotice):
        await read(Actor(user_id=4), 1)
    assert await read.all(ME) == 1
    assert await read.all(ME) == 0


@pytest.mark.parametrize(
    ("endpoint", "p256dh", "auth", "field"),
    [
        (BROWSER, b"\x04", AUTH, "keys.p256dh"),
        (BROWSER, b"\x02" + bytes(64), AUTH, "keys.p256dh"),
        (BROWSER, POINT, b"", "keys.auth"),
        ("https://10.0.0.1/push", POINT, AUTH, "endpoint"),
        ("https://127.0.0.1/" + "x" * 2000, POINT, AUTH, "endpoint"),
    ],
)
async def test_a_place_that_cannot_be_one_is_refused(browsers, endpoint, p256dh, auth, field):
    with pytest.raises(PlaceInvalid) as refused:
        await browsers(ME, endpoint, p256dh, auth)
    assert refused.value.errors.keys() == {field}


async def test_a_browser_changes_hands_and_is_forgotten_by_its_owner_alone(browsers):
    first = await browsers(ME, BROWSER, POINT, AUTH)
    again = await browsers(Actor(user_id=4), BROWSER, POINT, AUTH)
    assert again.id == first.id
    assert await browsers.all(ME) == []
    with pytest.raises(NoSuchPlace):
        await browsers.remove(ME, again.id)
    await browsers.remove(Actor(user_id=4), again.id)


async def test_nobody_has_more_places_than_there_may_be(browsers, programs):
    for number in range(SUBSCRIPTIONS_MAX):
        await browsers(ME, f"{BROWSER}{number}", POINT, AUTH)
    await browsers(ME, f"{BROWSER}0", POINT, AUTH)
    with pytest.raises(TooManyPlaces):
        await browsers(ME, f"{BROWSER}x", POINT, AUTH)
    for number in range(ENDPOINTS_MAX):
        await programs(ME, f"http://127.0.0.1/{number}", [])
    with pytest.raises(TooManyPlaces):
        await programs(ME, "http://127.0.0.1/x", [])


async def test_the_secret_of_an_endpoint_is_sealed_at_rest_and_its_end_is_its_owners(stage, programs):
    with pytest.raises(PlaceInvalid):
        await programs(ME, "http://127.0.0.1/hook", ["no.such"])
    endpoint = await programs(ME, "http://127.0.0.1/hook", [])
    assert [one.secret for one in await programs.all(ME)] == [endpoint.secret]
    [(sealed,)] = await stage.rows("SELECT secret_sealed FROM webhook_endpoints")
    assert endpoint.secret.encode() not in sealed
    for meddle in (programs.switch(Actor(user_id=4), endpoint.id, is_active=False), programs.remove(ME, 99)):
        with pytest.raises(NoSuchPlace):
            await meddle
    with pytest.raises(NoSuchPlace):
        await programs.remove(Actor(user_id=4), endpoint.id)
    await programs.remove(ME, endpoint.id)
    assert isinstance(endpoint, WebhookEndpoint)


async def test_what_was_told_long_ago_is_deleted_and_secrets_are_forgotten_once_they_left(stage, declared):
    trial = kinds.KINDS["notifications.trial"]
    declared(kind("notifications.trial", *trial.variables, secrets=("token",)))
    id = await stage.add(a_notice(secret={"token": "s3cret"}))
    waiting = await stage.add(a_notice(secret={"token": "x"}, fire_at=datetime.now(UTC) + timedelta(days=1)))
    [(sealed,), _] = await stage.rows("SELECT secret_sealed FROM notices ORDER BY id")
    assert b"s3cret" not in sealed
    async with stage.unit() as tx:
        assert (await tx.notices.get(id)).secret == {"token": "s3cret"}
    await stage.run_due()
    tidy = TidyNotices(stage.unit, SqlNoticeHousekeeping(stage.database.read), NoticePolicy(timedelta(0)))
    async with stage.unit() as tx:
        await tx.jobs.add(NewJob(kind=TIDY))
    [claim] = await stage.leases.claim([TIDY], 1, 30.0)
    await tidy(claim)
    left = await stage.rows("SELECT id, secret_sealed IS NULL FROM notices")
    assert left == [(str(waiting), 0)]


async def test_the_times_of_quiet_hours_are_kept(stage):
    wishes = Preferences(
        channels={"notifications.trial": {"email": False}},
        quiet_hours=QuietHours(time(22, 30), time(7)),
        timezone="Europe/Moscow",
        language="en",
        digest=Digest.DAILY,
        phone="+79120000000",
    )
    async with stage.unit() as tx:
        assert await tx.preferences.get(3) == Preferences()
        for one in (Preferences(language="ru"), wishes):
            await tx.preferences.put(3, one)
            assert await tx.preferences.get(3) == one


async def test_wishes_are_judged_before_they_are_kept(stage):
    change = stage.prefer
    assert await change.find(ME) == Preferences()
    wanted = Preferences(language="ru")
    assert await change(ME, wanted) == await change.find(ME) == wanted
    with pytest.raises(PreferencesInvalid):
        await change(ME, Preferences(language="fr"))
    with pytest.raises(PersonRequired):
        await change.find(NOBODY)
    assert await change.find(ME) == wanted


async def test_jobs_of_what_is_not_there_any_more_end_quietly(stage):
    await stage.add(a_notice())
    await stage.run_due(rounds=1)
    await stage.database.read.execute("DELETE FROM notices")
    async with stage.unit() as tx:
        await tx.jobs.add(NewJob(kind="notifications.fire", payload={"notice_id": str(uuid4())}))
    assert await stage.run_due() == 2
    assert await stage.rows("SELECT DISTINCT state FROM jobs") == [("succeeded",)]


async def test_a_list_that_is_not_wanted_does_not_grow_while_its_letter_is_gathered(stage):
    off = {"notifications.trial": {"inbox": False, "webpush": False, "webhook": False}}
    stage.people.known[3] = anna(preferences=Preferences(digest=Digest.DAILY, channels=off))
    await stage.add(a_notice(user_id=3))
    await stage.run_due()
    assert await stage.rows("SELECT (SELECT count(*) FROM inbox), (SELECT count(*) FROM digest_items)") == [(0, 1)]


async def test_the_list_takes_no_deliveries(stage):
    id = await stage.add(a_notice())
    async with stage.unit() as tx:
        notice = await tx.notices.get(id)
    with pytest.raises(TargetGone):
        await stage.deliver.carry(a_delivery(id, channel=Channel.INBOX), notice, Recipient())
