"""What admins do with people, and what people do with themselves."""

import asyncio
import re
from dataclasses import replace

import pytest

from core.access.stage import HERE, PASSWORD
from opora.adapters.memory.token_standings import CachedStandings
from opora.adapters.sql.sessions import SqlTokenStandings
from opora.core.access.errors import (
    BeyondOwnRights,
    CredentialsWrong,
    EmailTaken,
    LastAdmin,
    NoSuchUser,
    RefreshInvalid,
    TokenRevoked,
    UserInvalid,
)
from opora.core.access.model.callers import Caller, Credentials
from opora.core.access.model.keys import NewKey
from opora.core.access.model.people import NewUser, UserChanges
from opora.core.access.model.rates import Admission
from opora.core.access.model.scopes import Role
from opora.core.access.rules.scopes import refuse_beyond
from opora.core.kernel.model import SYSTEM, Actor

pytestmark = pytest.mark.anyio

ADMIN = frozenset({Role.ADMIN})


async def test_a_created_user_can_log_in_and_one_without_a_password_cannot(stage):
    await stage.a_person()
    await stage.create_user(SYSTEM, NewUser(email="boris@example.org", full_name="Борис"))
    assert (await stage.log_in("ANNA@example.org", PASSWORD, HERE)).token_type == "bearer"
    for password in ("", PASSWORD):
        with pytest.raises(CredentialsWrong):
            await stage.log_in("boris@example.org", password, HERE)


async def test_an_address_has_one_user_in_any_spelling(stage):
    await stage.a_person(email="Анна@Example.org")
    with pytest.raises(EmailTaken):
        await stage.a_person(email="аННА@example.ORG")


async def test_a_user_at_fault_is_not_created(stage):
    with pytest.raises(UserInvalid) as refusal:
        await stage.create_user(SYSTEM, NewUser(email="anna@example.org", password="short"))
    assert refusal.value.errors.keys() == {"password"}


async def test_nobody_grants_roles_beyond_their_own(stage):
    manager = Actor(user_id=9, scopes=frozenset({"users:write", "profiles:read"}))
    admin = await stage.a_person(Role.ADMIN)
    for attempt in (
        stage.create_user(manager, NewUser(email="x@example.org", roles=ADMIN)),
        stage.update_user(manager, admin.id, UserChanges(full_name="Mine")),
    ):
        with pytest.raises(BeyondOwnRights):
            await attempt
    refuse_beyond(manager, frozenset({"profiles:read"}))


async def test_a_block_ends_tokens_and_sessions_at_once_and_an_unblock_lets_the_user_in_again(stage):
    user = await stage.a_person()
    pair = await stage.log_in(user.email, PASSWORD, HERE)
    assert (await stage.enter(token=pair.access_token)).actor.user_id == user.id
    stage.clock.pass_by(seconds=1)
    await stage.update_user(SYSTEM, user.id, UserChanges(is_active=False))
    with pytest.raises(TokenRevoked):
        await stage.enter(token=pair.access_token)
    with pytest.raises(RefreshInvalid):
        await stage.refresh(pair.refresh_token, HERE)
    with pytest.raises(CredentialsWrong):
        await stage.log_in(user.email, PASSWORD, HERE)
    await stage.update_user(SYSTEM, user.id, UserChanges(is_active=True))
    with pytest.raises(TokenRevoked):
        await stage.enter(token=pair.access_token)
    fresh = await stage.log_in(user.email, PASSWORD, HERE)
    assert await stage.enter(token=fresh.access_token)
    topics = [topic for topic in await stage.noted("topic", "outbox") if "block" in topic]
    assert topics == ["user.blocked", "user.unblocked"]


async def test_a_demotion_takes_effect_on_the_next_request(stage):
    user = await stage.a_person(Role.MANAGER)
    pair = await stage.log_in(user.email, PASSWORD, HERE)
    assert (await stage.enter(token=pair.access_token)).actor.may("keys:write")
    await stage.update_user(SYSTEM, user.id, UserChanges(roles=frozenset({Role.CLIENT})))
    caller = await stage.enter(token=pair.access_token)
    assert not caller.actor.may("keys:write") and caller.actor.roles == {"client"}


async def test_what_another_process_remembers_of_the_demoted_is_refused_until_it_looks_again(stage):
    """`stage.standings` and `stage.keys` remember here what another process would; the change goes by others."""
    user = await stage.a_person(Role.MANAGER)
    pair = await stage.log_in(user.email, PASSWORD, HERE)
    manager = (await stage.enter(token=pair.access_token)).actor
    own, others = [
        await stage.issue(by, NewKey(label="own", scopes=frozenset({"projects:read"}))) for by in (manager, SYSTEM)
    ]
    sent = [Credentials(pair.access_token), Credentials(api_key=own.key), Credentials(api_key=others.key)]

    async def come() -> list[tuple[bool, bool]]:
        """Tell of each whether the gate refuses them, and whether they may what they could."""
        callers = [await stage.authenticate(one, HERE) for one in sent]
        asked = [await stage.gate.peek(Admission(one.limit_subject, (), 1, one.revocation)) for one in callers]
        for one in callers:
            stage.forget(one)
        return [(one.revoked, caller.actor.may("projects:read")) for one, caller in zip(asked, callers, strict=True)]

    assert await come() == [(False, True)] * 3
    for one in sent:
        await stage.authenticate(one, HERE)
    elsewhere = replace(stage.update_user, standings=CachedStandings(SqlTokenStandings(stage.database)))
    await elsewhere(SYSTEM, user.id, UserChanges(roles=frozenset({Role.CLIENT})))
    assert await come() == [(True, True), (True, True), (False, True)]
    token, key, system = [await stage.authenticate(one, HERE) for one in sent]
    assert not token.actor.may("projects:read") and not key.actor.may("projects:read")
    assert system.actor.may("projects:read")
    assert await come() == [(False, False), (False, False), (False, True)]
    stage.forget(Caller(Actor(), "address:203.0.113.9", ()))


async def test_the_last_admin_stays_though_two_demote_each_other_at_once(stage):
    admins = [await stage.a_person(Role.ADMIN, email=f"{name}@example.org") for name in "ab"]

    async def demote(user_id):
        try:
            await stage.update_user(SYSTEM, user_id, UserChanges(roles=frozenset({Role.CLIENT})))
        except LastAdmin:
            return False
        return True

    assert sorted(await asyncio.gather(*(demote(admin.id) for admin in admins))) == [False, True]


async def test_a_change_is_audited_and_no_change_is_nothing(stage):
    user = await stage.a_person()
    before = await stage.noted("action", "audit_log")
    assert (await stage.update_user(SYSTEM, user.id, UserChanges(is_active=True))).version == 1
    assert await stage.noted("action", "audit_log") == before
    await stage.update_user(SYSTEM, user.id, UserChanges(full_name="Anna"))
    assert await stage.noted("action", "audit_log") == [*before, "user.changed"]
    with pytest.raises(NoSuchUser):
        await stage.update_user(SYSTEM, 99, UserChanges(full_name="Anna"))


async def test_people_change_their_own_name_and_nothing_that_gives_them_rights(stage):
    user = await stage.a_person()
    actor = stage.acting(user)
    view = await stage.update_own(actor, UserChanges(full_name="Anna", roles=ADMIN, is_active=False))
    assert (view.full_name, view.roles, view.is_active) == ("Anna", (Role.CLIENT,), True)
    assert (await stage.update_own(actor, UserChanges())).version == 2
    with pytest.raises(NoSuchUser):
        await stage.update_own(Actor(key_id=1), UserChanges(full_name="Anna"))


async def test_the_first_admin_is_made_once_and_their_password_told_once(stage):
    password = await stage.first_admin("admin@localhost")
    assert password is not None and re.fullmatch(r"[0-9A-Za-z]{22}", password)
    assert await stage.first_admin("admin@localhost") is None
    assert await stage.first_admin("other@localhost", PASSWORD) is None
    pair = await stage.log_in("admin@localhost", password, HERE)
    assert pair.scope == "admin"


async def test_of_processes_that_start_at_once_one_makes_the_first_admin(stage):
    made = await asyncio.gather(*(stage.first_admin("admin@localhost", PASSWORD) for _ in range(4)))
    assert sorted(map(str, made)) == ["None", "None", "None", PASSWORD]


async def test_a_reset_admin_is_admin_unblocked_and_alone_with_the_new_password(stage):
    user = await stage.a_person()
    pair = await stage.log_in(user.email, PASSWORD, HERE)
    await stage.update_user(SYSTEM, user.id, UserChanges(is_active=False))
    view = await stage.reset_admin("Anna@Example.org", "another long password")
    assert view.is_active and Role.ADMIN in view.roles
    with pytest.raises(TokenRevoked):
        await stage.enter(token=pair.access_token)
    with pytest.raises(CredentialsWrong):
        await stage.log_in(user.email, PASSWORD, HERE)
    fresh = await stage.log_in(user.email, "another long password", HERE)
    assert (await stage.enter(token=fresh.access_token)).actor.may("users:write")


async def test_a_reset_needs_a_sound_password_and_somebody_to_reset(stage):
    with pytest.raises(UserInvalid):
        await stage.reset_admin("anna@example.org", "short")
    with pytest.raises(NoSuchUser):
        await stage.reset_admin("anna@example.org", PASSWORD)


async def test_an_admin_keeps_the_other_roles_when_reset(stage):
    user = await stage.a_person(Role.MANAGER)
    view = await stage.reset_admin(user.email, PASSWORD)
    assert set(view.roles) == {Role.MANAGER, Role.ADMIN}
