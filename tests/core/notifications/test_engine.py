from datetime import UTC, datetime, timedelta

import pytest

from opora.core.notifications.errors import Deferred, Refused, Unsure
from opora.core.notifications.model.letters import Recipient
from opora.core.notifications.model.preferences import Preferences
from opora.testing.notices import a_notice

pytestmark = pytest.mark.anyio

ANNA = Recipient(user_id=3, email="anna@example.org", locale="ru", preferences=Preferences(timezone="Europe/Moscow"))


def soon():
    return datetime.now(UTC) + timedelta(hours=1)


async def test_a_notice_to_an_address_leaves_as_one_letter_under_its_deliverys_name(stage):
    await stage.add(a_notice(locale="en"))
    assert await stage.run_due() == 2
    [letter] = stage.postman.letters
    [(id,)] = await stage.rows("SELECT id FROM deliveries")
    assert (letter.to, letter.message_id) == ("anna@example.org", f"<{id}@opora.example>")
    assert letter.subject == "A trial of Opora's notices"
    assert await stage.states() == [("sent", 1)]


async def test_a_notice_to_a_user_goes_to_their_address_in_their_language_and_zone(stage):
    stage.people.known[3] = ANNA
    await stage.add(a_notice(user_id=3))
    await stage.run_due()
    [letter] = stage.postman.letters
    assert letter.to == "anna@example.org"
    assert "1 января 2030, 15:00" in letter.text


async def test_nothing_is_sent_before_its_time(stage):
    await stage.add(a_notice(fire_at=soon()))
    assert await stage.run_due() == 0
    await stage.hasten()
    await stage.run_due()
    assert len(stage.postman.letters) == 1


async def test_what_was_withdrawn_does_not_leave_before_or_after_it_fired(stage):
    await stage.add(a_notice(about="a:1", fire_at=soon()))
    await stage.add(a_notice(about="a:1"))
    assert await stage.run_due(rounds=1) == 1
    async with stage.unit() as tx:
        assert await tx.notices.withdraw("a:1") == 2
    await stage.hasten()
    await stage.run_due()
    assert stage.postman.letters == []
    assert await stage.notice_states() == ["withdrawn", "withdrawn"]
    assert await stage.states() == [("withdrawn", 0)]


async def test_nobody_is_told_who_is_gone_or_blocked(stage):
    stage.people.known[3] = Recipient(user_id=3, email="anna@example.org", is_active=False)
    await stage.add(a_notice(user_id=3))
    await stage.add(a_notice(user_id=4))
    await stage.run_due()
    assert stage.postman.letters == []
    assert await stage.notice_states() == ["skipped", "skipped"]


@pytest.mark.parametrize("error", [Deferred("451 later"), Unsure("dropped after DATA")])
async def test_what_was_put_off_or_is_unsure_leaves_again_under_the_same_name(stage, error):
    stage.postman.refusals.append(error)
    await stage.add(a_notice())
    await stage.run_due()
    assert await stage.states() == [("queued", 1)]
    await stage.hasten()
    await stage.run_due()
    assert await stage.states() == [("sent", 2)]
    assert len({letter.message_id for letter in stage.postman.letters}) == 1
    log = await stage.rows("SELECT number, outcome, answer FROM delivery_attempts ORDER BY number")
    assert log[0][2] == str(error)
    assert [row[1] for row in log][1] == "sent"


async def test_what_is_refused_for_good_is_not_tried_again(stage):
    stage.postman.refusals.append(Refused("550 no such user"))
    await stage.add(a_notice())
    await stage.run_due()
    await stage.hasten()
    assert await stage.run_due() == 0
    assert await stage.states() == [("failed", 1)]


async def test_a_delivery_is_given_up_after_its_last_pause(stage):
    stage.postman.refusals += [Deferred("451 later")] * 20
    await stage.add(a_notice())
    for _ in range(12):
        await stage.run_due()
        await stage.hasten()
    assert await stage.states() == [("failed", 9)]
