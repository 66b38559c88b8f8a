"""What goes with a letter: its files, and the link that ends such letters by one click, where they may be ended."""

import asyncio
import re

import pytest

from opora.core.kernel.model import Actor, Origin
from opora.core.notifications.errors import UnsubscribeLinkInvalid
from opora.core.notifications.model.kinds import INVITATIONS, KINDS
from opora.core.notifications.model.letters import Attachment, Recipient
from opora.core.notifications.model.notices import Notice
from opora.core.notifications.model.preferences import Preferences
from opora.core.notifications.ports.channels import Attachments
from opora.testing.notices import a_notice

pytestmark = pytest.mark.anyio

ANNA = Recipient(user_id=3, email="anna@example.org", locale="ru")
LINK = re.compile(r"<https://opora\.example/unsubscribe/(opu_[A-Za-z0-9_-]+)>")
SECURITY = {"address": "203.0.113.9", "device": "", "happened_at": "2030-01-01T12:00:00Z"}
BOOKED = {
    "service": "Cut",
    "staff": "Boris",
    "starts_at": "2030-01-10T07:00:00Z",
    "timezone": "Europe/Moscow",
    "appointment_ids": [5],
    "further_count": 0,
}


class Files(Attachments):
    """One file a notice."""

    async def __call__(self, notice):
        return [Attachment(name=f"{notice.about}.ics", media_type="text/calendar", content=b"BEGIN")]


async def sent(stage, notice: Notice):
    """Send one letter and return it."""
    stage.people.known[3] = stage.people.known.get(3, ANNA)
    before = len(stage.postman.letters)
    await stage.add(notice)
    await stage.run_due()
    assert len(stage.postman.letters) == before + 1
    return stage.postman.letters[-1]


async def token_of(stage) -> str:
    """Return the token of the link in a letter."""
    letter = await sent(stage, a_notice(user_id=3))
    found = LINK.fullmatch(letter.headers["List-Unsubscribe"])
    assert found is not None
    return found[1]


async def preferences(stage) -> Preferences:
    async with stage.unit() as tx:
        return await tx.preferences.get(3)


async def test_a_common_letter_carries_a_link_of_one_click(stage):
    letter = await sent(stage, a_notice(user_id=3))
    assert LINK.fullmatch(letter.headers["List-Unsubscribe"])
    assert letter.headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


async def test_letters_of_security_and_of_what_was_agreed_and_to_strangers_carry_none(stage):
    stage.makers[INVITATIONS] = Files()
    letters = [
        await sent(stage, Notice(kind="access.password_changed", user_id=3, data=SECURITY)),
        await sent(stage, Notice(kind="bookings.confirmed", user_id=3, data=BOOKED)),
        await sent(stage, a_notice(email="stranger@example.org")),
    ]
    for letter in letters:
        assert not {"List-Unsubscribe", "List-Unsubscribe-Post"} & set(letter.headers)


def test_what_tells_of_security_or_of_an_agreement_never_ends_by_a_click():
    for name in ("access.welcome", "access.session_stolen", "bookings.cancelled", "bookings.moved"):
        assert not KINDS[name].ends_by_click
    assert KINDS["bookings.reminder_day"].ends_by_click


async def test_over_plain_http_the_link_leads_to_a_page_and_takes_no_click(stage):
    object.__setattr__(stage.deliver.carry.policy, "unsubscribe_url", "http://127.0.0.1:8000/unsubscribe")
    letter = await sent(stage, a_notice(user_id=3))
    assert letter.headers["List-Unsubscribe"].startswith("<http://127.0.0.1:8000/unsubscribe/opu_")
    assert "List-Unsubscribe-Post" not in letter.headers


async def test_the_link_ends_letters_of_its_kind_alone_and_twice_is_as_good_as_once(stage):
    token = await token_of(stage)
    async with stage.unit() as tx:
        await tx.preferences.put(3, Preferences(channels={"notifications.trial": {"sms": True}}, language="en"))
    for _ in range(2):
        await stage.unsubscribe(token, Origin("203.0.113.9"))
    kept = await preferences(stage)
    assert kept == Preferences(channels={"notifications.trial": {"sms": True, "email": False}}, language="en")
    entries = await stage.rows(
        "SELECT entity_id, address, new_values FROM audit_log WHERE action = 'preferences.changed'"
    )
    assert len(entries) == 1 and entries[0][:2] == ("3", "203.0.113.9")
    assert "notifications.trial" in entries[0][2] and "channels" in entries[0][2]


async def test_clicks_on_several_letters_at_once_all_count(stage):
    stage.people.known[3] = ANNA
    kinds = ["notifications.trial", "notifications.digest", "bookings.reminder_day", "bookings.reminder_hour"]
    tokens = [stage.unsubscribing.token(3, kind) for kind in kinds]
    await asyncio.gather(*(stage.unsubscribe(token, Origin()) for token in tokens))
    assert (await preferences(stage)).channels == {kind: {"email": False} for kind in kinds}


@pytest.mark.parametrize("wrong", ["", "opu_", "opu_AAAA", "opu_" + "A" * 500, "opt_x", "opu_я", "opu_%00", "x"])
async def test_a_link_that_was_not_made_here_ends_nothing(stage, wrong):
    with pytest.raises(UnsubscribeLinkInvalid):
        await stage.unsubscribe(wrong, Origin())
    assert await preferences(stage) == Preferences()


async def test_no_changed_character_of_a_link_is_taken(stage):
    token = stage.unsubscribing.token(3, "notifications.trial")
    for place in range(4, len(token)):
        other = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
        found = stage.unsubscribing.read(other)
        assert found is None or found == (3, "notifications.trial")  # spare bits at the end of base64 say nothing
    assert stage.unsubscribing.read(token) == (3, "notifications.trial")


@pytest.mark.parametrize("kind", ["access.welcome", "bookings.cancelled", "no.such_kind"])
async def test_what_may_not_be_ended_by_a_click_stays_whatever_link_there_is(stage, kind):
    stage.people.known[3] = ANNA
    await stage.unsubscribe(stage.unsubscribing.token(3, kind), Origin())
    assert await preferences(stage) == Preferences()


async def test_who_is_gone_is_not_kept_by_a_click(stage):
    token = stage.unsubscribing.token(3, "notifications.trial")
    await stage.unsubscribe(token, Origin())
    stage.people.known[3] = Recipient(user_id=3, is_active=False)
    await stage.unsubscribe(token, Origin())
    assert await stage.rows("SELECT user_id FROM notification_preferences") == []


async def test_a_change_of_preferences_is_in_the_log_without_what_they_are(stage):
    anna = Actor(user_id=3, scopes=frozenset({"notifications:write"}))
    await stage.prefer(anna, Preferences(phone="+79120000000", language="en"))
    [(entry,)] = await stage.rows("SELECT new_values FROM audit_log WHERE action = 'preferences.changed'")
    assert "phone" in entry and "language" in entry and "7912" not in entry


async def test_the_files_of_a_kind_go_with_its_letter_and_with_no_other(stage):
    stage.makers[INVITATIONS] = Files()
    letter = await sent(stage, Notice(kind="bookings.confirmed", user_id=3, data=BOOKED, about="appointment:5"))
    assert [one.name for one in letter.attachments] == ["appointment:5.ics"]
    assert (await sent(stage, a_notice(user_id=3))).attachments == ()
