"""What contexts hold on people is shown and erased on both relational stores."""

import re

import pytest

from opora.adapters.sql.personal import (
    PAGE,
    SqlAccessRecords,
    SqlBookingRecords,
    SqlNotificationRecords,
    SqlProfileRecords,
    SqlRecords,
    following,
    wanted,
)
from opora.bootstrap import contexts
from opora.core.access.rules.letters import password_changed
from opora.core.kernel.model import Origin
from opora.testing.access import NOON, a_session, a_user

pytestmark = pytest.mark.anyio


async def held(records, user_id):
    """Name the kinds of record that are held on a person."""
    return {record["record"] async for record in records.held(user_id)}


async def test_people_are_shown_their_own_records_and_nobody_elses(unit, database):
    async with unit() as tx:
        for number in (3, 4):
            user = a_user(id=number, email=f"{number}@example.org")
            await tx.users.add(user)
            await tx.sessions.add(a_session(id=number, user_id=number))
            await tx.notices.add(password_changed(user, Origin("203.0.113.9"), NOON))
    access, notifications = SqlAccessRecords(database), SqlNotificationRecords(database)
    assert await held(access, 3) == {"account", "role", "session"}
    assert await held(notifications, 3) == {"notice"}
    assert await held(access, 99) == await held(notifications, 99) == set()
    assert [one["email"] async for one in access.held(3) if one["record"] == "account"] == ["3@example.org"]


async def test_what_is_erased_is_gone_for_one_person_alone_and_twice_is_as_good_as_once(unit, database):
    async with unit() as tx:
        for number in (3, 4):
            user = a_user(id=number, email=f"{number}@example.org")
            await tx.users.add(user)
            await tx.notices.add(password_changed(user, Origin("203.0.113.9"), NOON))
    records = SqlNotificationRecords(database)
    for _ in range(2):
        await records.erase(3)
        assert await held(records, 3) == set()
    assert await held(records, 4) == {"notice"}


@pytest.mark.parametrize("kind", [SqlAccessRecords, SqlNotificationRecords, SqlProfileRecords])
async def test_every_statement_runs_where_nothing_is_held(database, kind):
    records = kind(database)
    assert await held(records, 3) == set()
    await records.erase(3)


def test_every_section_of_the_export_has_a_name_of_its_own():
    sections = [kind.section for context in contexts.ALL for kind in context.personal]
    assert len(sections) == len(set(sections)) and {"access", "notifications", "profiles"} <= set(sections)


OF_ROWS = [one for context in contexts.ALL for one in context.personal if issubclass(one, SqlRecords)]


@pytest.mark.parametrize("kind", [*OF_ROWS, SqlBookingRecords], ids=lambda kind: kind.section)
async def test_every_query_can_be_read_past_its_first_page(database, kind):
    for sql in kind.shown.values():
        names, next_page = following(sql)
        assert bool(names) == (":most" in sql) and " OR " not in sql
        selected = sql.partition("FROM")[0]
        assert all(re.search(rf"\b{name}\b", selected) for name in names), sql
        if names:
            last = {f"after_{number}": None for number in range(len(names))}
            assert await database.read.fetch(next_page, **wanted(next_page, 3), **last) == []


def test_a_query_is_ordered_one_way():
    with pytest.raises(ValueError, match="both ways"):
        following("SELECT a, b FROM c WHERE d = :user_id ORDER BY a, b DESC LIMIT :most")
    names, text = following("SELECT x.a, b FROM x WHERE d = :user_id ORDER BY x.a DESC, b DESC LIMIT :most")
    assert names == ("a", "b") and "AND (x.a, b) < (:after_0, :after_1)" in text


async def test_nothing_is_left_out_however_much_is_held(unit, database):
    count = 2 * PAGE + 7
    async with unit() as tx:
        await tx.users.add(a_user(id=3, email="3@example.org"))
        for number in range(count):
            await tx.sessions.add(a_session(id=number + 1, user_id=3))
    shown = [one["id"] async for one in SqlAccessRecords(database).held(3) if one["record"] == "session"]
    assert shown == list(range(count, 0, -1))
