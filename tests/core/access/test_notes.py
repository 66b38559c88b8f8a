"""What other services may read of tokens, from the first token to the last change of its owner."""

from dataclasses import replace
from uuid import UUID

import pytest

from core.access.stage import HERE, PASSWORD, Stage
from opora.adapters.memory.token_notes import NoTokenNotes
from opora.adapters.sql.contacts import SqlContacts
from opora.adapters.sql.leases import SqlJobLeases
from opora.core.access.events import UserChanged
from opora.core.access.model.keys import NewKey
from opora.core.access.model.people import UserChanges
from opora.core.access.model.scopes import Role
from opora.core.access.usecases.notes import NotedTokens, RenewTokenNotes
from opora.core.jobs.model import NewJob
from opora.core.kernel.errors import Unavailable
from opora.core.kernel.model import SYSTEM

pytestmark = pytest.mark.anyio


class KeptNotes(NoTokenNotes):
    """Notes in a dictionary; `is_down` makes the store silent."""

    def __init__(self):
        self.kept = {}
        self.is_down = False

    async def keep(self, note):
        if self.is_down:
            raise Unavailable
        self.kept[note.token_id] = note

    async def of(self, user_id):
        return [note for note in self.kept.values() if note.user_id == user_id]

    async def renew(self, note):
        self.kept[note.token_id] = note

    async def drop(self, user_id, token_id):
        del self.kept[token_id]


class Tiers:
    """Plans by person."""

    def __init__(self):
        self.by_person = {}

    async def tier_of(self, user_id):
        return self.by_person.get(user_id, "free")


@pytest.fixture
def notes(stage):
    """Notes of every token that the stage signs."""
    notes, tiers = KeptNotes(), Tiers()
    issuer = NotedTokens(stage.tokens, SqlContacts(stage.database), tiers, notes)
    stage.tiers = tiers
    stage.log_in = replace(stage.log_in, sessions=replace(stage.opening, issuer=issuer))
    stage.refresh = replace(stage.refresh, issuer=issuer)
    stage.grant_to_client = replace(stage.grant_to_client, issuer=issuer)
    return notes


async def renewed(stage: Stage, notes: KeptNotes, user_id: int) -> dict:
    """Run the job that an event about a person starts; return what it ended with."""
    event = {"subject": user_id, "at": stage.clock.at.isoformat()}
    async with stage.unit() as tx:
        await tx.jobs.add(NewJob(kind="access.renew_token_notes", payload={"event": event}))
    leases = SqlJobLeases(stage.database, stage.identifiers, stage.randomness, stage.clock)
    (claim,) = await leases.claim(["access.renew_token_notes"], 1, 30.0)
    await RenewTokenNotes(stage.unit, stage.unit, notes, stage.tiers, stage.clock)(claim)
    return await stage.database.read.fetch_value("SELECT result FROM jobs WHERE id = :id", id=UUID(str(claim.id)))


async def test_every_token_of_a_person_is_noted_with_what_they_are(stage, notes):
    user = await stage.a_person(Role.CLIENT)
    pair = await stage.log_in(user.email, PASSWORD, HERE)
    await stage.refresh(pair.refresh_token, HERE)
    first, second = notes.kept.values()
    assert (first.user_id, first.email, first.tier, first.email_verified) == (user.id, user.email, "free", False)
    assert first.roles == ("client",) and " ".join(first.scopes) == pair.scope
    assert first.session_id == second.session_id and first.token_id != second.token_id
    claims = stage.tokens.verify(pair.access_token, stage.clock.at)
    assert (first.token_id, first.expires_at) == (claims.token_id, claims.expires_at)


async def test_a_key_s_own_token_is_noted_nowhere(stage, notes):
    key = await stage.issue(SYSTEM, NewKey(label="QA", scopes=frozenset({"profiles:read"})))
    assert await stage.grant_to_client(str(key.id), key.key, HERE)
    assert notes.kept == {}


async def test_without_the_store_people_come_in_all_the_same(stage, notes):
    user = await stage.a_person()
    notes.is_down = True
    assert await stage.log_in(user.email, PASSWORD, HERE)
    assert notes.kept == {}


async def test_a_change_of_roles_or_plan_reaches_the_notes_and_what_is_given_back_is_granted_again(stage, notes):
    user = await stage.a_person(Role.OPERATOR)
    await stage.log_in(user.email, PASSWORD, HERE)
    for roles, tier, scope in (
        ({Role.CLIENT}, "premium", "profiles:read"),
        ({Role.OPERATOR}, "standard", "jobs:read"),
    ):
        await stage.update_user(SYSTEM, user.id, UserChanges(roles=frozenset(roles)))
        stage.tiers.by_person[user.id] = tier
        await renewed(stage, notes, user.id)
        (note,) = notes.kept.values()
        assert (note.roles, note.tier) == (tuple(roles), tier)
        assert scope in note.scopes
        assert ("jobs:read" in note.scopes) == (Role.OPERATOR in roles)


async def test_the_notes_of_ended_sessions_and_of_the_blocked_go(stage, notes):
    user = await stage.a_person()
    left, stays = [await stage.log_in(user.email, PASSWORD, HERE) for _ in range(2)]
    await stage.log_out(left.access_token, HERE)
    await renewed(stage, notes, user.id)
    (note,) = notes.kept.values()
    assert note.token_id == stage.tokens.verify(stays.access_token, stage.clock.at).token_id
    await stage.update_user(SYSTEM, user.id, UserChanges(is_active=False))
    await renewed(stage, notes, user.id)
    assert notes.kept == {}
    await renewed(stage, notes, user.id)
    await renewed(stage, notes, 99)


def test_the_job_starts_with_events_that_there_are():
    from opora.bootstrap.access import CHANGES_OF_PEOPLE, CONTEXT

    assert UserChanged.topic in CHANGES_OF_PEOPLE
    assert set(CONTEXT.subscriptions) == set(CHANGES_OF_PEOPLE)
