"""Becoming known, verifying an address, and ways back to a forgotten password."""

import asyncio
from dataclasses import replace

import pytest

from core.access.stage import HERE, PASSWORD
from opora.core.access.errors import (
    CredentialsWrong,
    CurrentPasswordWrong,
    LoginLimited,
    NoSuchUser,
    OneTimeTokenInvalid,
    RefreshInvalid,
    TokenRevoked,
    UserInvalid,
)
from opora.core.access.model.people import NewUser, UserChanges
from opora.core.access.model.scopes import Role
from opora.core.kernel.errors import Stale
from opora.core.kernel.model import SYSTEM, Actor, Origin

pytestmark = pytest.mark.anyio

ANNA = NewUser(email="Anna@Example.org", password=PASSWORD)
OTHER = "another long phrase"


async def user_of(stage, email="anna@example.org"):
    async with stage.unit() as tx:
        return await tx.users.with_email(email)


async def told(stage):
    """Run the jobs that forgotten passwords started; return the token of the letter, None where none was written."""
    known = len(stage.one_time.told)
    letters = len(await stage.noted("kind", "notices"))
    await stage.run("access.send_reset", stage.send_reset)
    return stage.one_time.told[known] if len(await stage.noted("kind", "notices")) > letters else None


async def test_who_registers_is_a_client_unverified_and_may_log_in_at_once(stage):
    assert await stage.register(ANNA, HERE) == "anna@example.org"
    user = await user_of(stage)
    assert (user.roles, user.email_verified) == (frozenset({Role.CLIENT}), False)
    assert await stage.log_in("anna@example.org", PASSWORD, HERE)
    assert (await stage.noted("topic", "outbox"))[-2:] == ["user.registered", "user.logged_in"]
    assert (await stage.noted("action", "audit_log"))[-2:] == ["user.registered", "session.opened"]
    assert await stage.noted("kind", "notices") == ["access.welcome"]


async def test_nobody_registers_with_more_than_a_clients_roles(stage):
    wish = NewUser(email="a@b", password=PASSWORD, roles=frozenset({Role.ADMIN}), email_verified=True)
    await stage.register(wish, HERE)
    user = await user_of(stage, "a@b")
    assert user.roles == {Role.CLIENT} and not user.email_verified


async def test_a_taken_address_answers_alike_and_its_owner_gets_a_letter(stage):
    await stage.a_person()
    before = await user_of(stage)
    assert await stage.register(NewUser(email="anna@example.org", password=OTHER), HERE) == "anna@example.org"
    assert await user_of(stage) == before
    assert await stage.noted("kind", "notices") == ["access.address_taken"]


async def test_a_stranger_can_have_few_letters_written_to_an_address(stage):
    await stage.a_person()
    for _ in range(7):
        await stage.register(NewUser(email="anna@example.org", password=OTHER), HERE)
    assert len(await stage.noted("kind", "notices")) == 5


async def test_a_blocked_owner_gets_no_letter(stage):
    user = await stage.a_person()
    await stage.update_user(SYSTEM, user.id, UserChanges(is_active=False))
    await stage.register(NewUser(email="anna@example.org", password=OTHER), HERE)
    await stage.forgot("anna@example.org", HERE)
    assert await told(stage) is None and await stage.noted("kind", "notices") == []


@pytest.mark.parametrize("email", ["anna@example.org", "ёлка@пример.рф"])
async def test_of_many_who_register_one_address_at_once_in_any_writing_one_is_taken_in(stage, email):
    spellings = [email, email.upper(), f" {email} ", email.replace("ё", "е\u0308")] * 3
    answers = await asyncio.gather(*(stage.register(NewUser(email=one, password=PASSWORD), HERE) for one in spellings))
    assert set(answers) == {email}
    (count,) = await stage.database.read.fetch_one("SELECT count(*) FROM users")
    assert count == 1


@pytest.mark.parametrize(
    "wanted",
    [
        NewUser(email="a@b\r\nBcc: all@example.org", password=PASSWORD),
        NewUser(email="a@b", password=PASSWORD, full_name="Anna\r\nBcc: all@example.org"),
        NewUser(email="a@b", password=PASSWORD, full_name="Anna\u2028"),
        NewUser(email="a@b", password=PASSWORD, full_name="\u202eannA"),
        NewUser(email="a@b", password="password1234"),
        NewUser(email="a@b", password="short"),
        NewUser(email="a@b", password="x" * 10_000),
        NewUser(email="a@b", password=None),
    ],
)
async def test_what_could_break_a_header_or_a_password_is_refused(stage, wanted):
    with pytest.raises(UserInvalid):
        await stage.register(wanted, HERE)


async def test_the_token_of_the_letter_verifies_once(stage):
    await stage.register(ANNA, HERE)
    (token,) = stage.one_time.told
    await stage.verify(token, HERE)
    assert (await user_of(stage)).email_verified
    for again in (token, "opt_unknown", "\ud800"):
        with pytest.raises(OneTimeTokenInvalid):
            await stage.verify(again, HERE)
    assert (await stage.noted("topic", "outbox"))[-1] == "user.email_verified"


async def test_of_fifty_who_spend_one_token_at_once_one_does(stage):
    await stage.register(ANNA, HERE)
    (token,) = stage.one_time.told
    answers = await asyncio.gather(*(stage.verify(token, HERE) for _ in range(50)), return_exceptions=True)
    assert sum(one is None for one in answers) == 1


async def test_a_token_has_its_time_and_its_purpose(stage):
    await stage.register(ANNA, HERE)
    (token,) = stage.one_time.told
    with pytest.raises(OneTimeTokenInvalid):
        await stage.reset(token, OTHER, HERE)
    stage.clock.pass_by(days=3)
    with pytest.raises(OneTimeTokenInvalid):
        await stage.verify(token, HERE)


async def test_another_token_comes_to_those_who_are_not_verified_yet(stage):
    await stage.register(ANNA, HERE)
    user = await user_of(stage)
    await stage.ask_verification(stage.acting(user))
    await stage.verify(stage.one_time.told[1], HERE)
    with pytest.raises(OneTimeTokenInvalid):
        await stage.verify(stage.one_time.told[0], HERE)
    await stage.ask_verification(stage.acting(user))
    assert await stage.noted("kind", "notices") == ["access.welcome", "access.verify_email"]
    with pytest.raises(NoSuchUser):
        await stage.ask_verification(Actor(key_id=7))


async def test_only_digests_of_tokens_are_kept(stage):
    await stage.register(ANNA, HERE)
    (row,) = await stage.database.read.fetch("SELECT * FROM one_time_tokens")
    assert bytes(row["digest"]) == stage.one_time.digest(stage.one_time.told[0])
    assert stage.one_time.told[0] not in str([*row])


async def test_a_forgotten_password_is_replaced_and_every_session_ends(stage):
    await stage.a_person()
    pair = await stage.log_in("anna@example.org", PASSWORD, HERE)
    await stage.forgot("ANNA@example.org", HERE)
    token = await told(stage)
    stage.clock.pass_by(seconds=1)
    await stage.reset(token, OTHER, HERE)
    with pytest.raises(TokenRevoked):
        await stage.enter(token=pair.access_token)
    with pytest.raises(RefreshInvalid):
        await stage.refresh(pair.refresh_token, HERE)
    with pytest.raises(CredentialsWrong):
        await stage.log_in("anna@example.org", PASSWORD, HERE)
    assert await stage.log_in("anna@example.org", OTHER, HERE)
    assert (await user_of(stage)).email_verified
    with pytest.raises(OneTimeTokenInvalid):
        await stage.reset(token, OTHER, HERE)
    assert await stage.noted("kind", "notices") == ["access.reset_password", "access.password_changed"]


async def test_for_an_unknown_address_the_same_is_stored_and_nobody_gets_a_letter(stage):
    await stage.a_person()
    await stage.forgot("anna@example.org", HERE)
    await stage.forgot("nobody@example.org", HERE)
    await stage.forgot("no address", HERE)
    rows = await stage.database.read.fetch("SELECT kind, state, priority FROM jobs")
    assert len(rows) == 3 and len({tuple(row) for row in rows}) == 1
    await told(stage)
    assert await stage.noted("kind", "notices") == ["access.reset_password"]


async def test_letters_about_forgotten_passwords_are_few_and_nothing_tells_that_there_are_no_more(stage):
    await stage.a_person()
    for _ in range(8):
        await stage.forgot("anna@example.org", HERE)
    assert len(await stage.database.read.fetch("SELECT id FROM jobs")) == 5


async def test_a_bad_new_password_does_not_spend_the_token(stage):
    await stage.a_person()
    await stage.forgot("anna@example.org", HERE)
    token = await told(stage)
    for bad in ("short", "password1234", "anna@example.org", "x" * 10_000):
        with pytest.raises(UserInvalid):
            await stage.reset(token, bad, HERE)
    await stage.reset(token, OTHER, HERE)


async def test_whoever_is_kept_out_by_strangers_comes_in_by_a_reset(stage):
    await stage.a_person()
    there = Origin("192.0.2.77", "a new phone")
    for number in range(6):
        with pytest.raises((CredentialsWrong, LoginLimited)):
            await stage.log_in("anna@example.org", "wrong", Origin(f"198.51.{number}.7"))
    with pytest.raises(LoginLimited):
        await stage.log_in("anna@example.org", PASSWORD, there)
    await stage.forgot("anna@example.org", there)
    await stage.reset(await told(stage), OTHER, there)
    assert await stage.log_in("anna@example.org", OTHER, there)


async def test_of_two_resets_with_one_token_at_once_one_counts(stage):
    await stage.a_person()
    await stage.forgot("anna@example.org", HERE)
    token = await told(stage)
    phrases = ["first long phrase", "second long phrase"]
    ended = await asyncio.gather(*(stage.reset(token, one, HERE) for one in phrases), return_exceptions=True)
    assert sorted(type(one) for one in ended if one) == [OneTimeTokenInvalid]
    winner = phrases[ended.index(None)]
    assert await stage.log_in("anna@example.org", winner, HERE)


async def test_a_change_wants_the_present_password_and_ends_every_other_session(stage):
    user = await stage.a_person()
    mine, other = [await stage.log_in("anna@example.org", PASSWORD, HERE) for _ in range(2)]
    actor = (await stage.enter(token=mine.access_token)).actor
    with pytest.raises(CurrentPasswordWrong):
        await stage.change(actor, "wrong", OTHER)
    with pytest.raises(UserInvalid):
        await stage.change(actor, PASSWORD, "short")
    await stage.change(actor, PASSWORD, OTHER)
    assert (await stage.enter(token=mine.access_token)).actor.user_id == user.id
    with pytest.raises(TokenRevoked):
        await stage.enter(token=other.access_token)
    assert await stage.log_in("anna@example.org", OTHER, HERE)
    assert await stage.noted("kind", "notices") == ["access.password_changed"]


async def test_guesses_of_the_present_password_are_bounded_like_any(stage):
    user = await stage.a_person()
    actor = stage.acting(user)
    for _ in range(5):
        with pytest.raises(CurrentPasswordWrong):
            await stage.change(actor, "wrong", OTHER)
    with pytest.raises(LoginLimited):
        await stage.change(actor, PASSWORD, OTHER)


async def test_a_key_cannot_change_its_owners_password(stage):
    user = await stage.a_person()
    with pytest.raises(NoSuchUser):
        await stage.change(Actor(user_id=user.id, key_id=7), PASSWORD, OTHER)


async def test_a_change_does_not_undo_a_reset_that_was_quicker(stage):
    user = await stage.a_person()

    class Reset(type(stage.hasher)):
        async def hash(self, password):
            async with stage.unit() as tx:
                await tx.users.replace_hash(user.id, user.password_hash, "$reset$")
            return "$changed$"

    slow = replace(stage.change, hasher=Reset(stage.threads))
    with pytest.raises(Stale):
        await slow(stage.acting(user), PASSWORD, OTHER)
    assert (await user_of(stage)).password_hash == "$reset$"


async def test_a_token_that_comes_after_a_reset_has_shown_the_same_changes_nothing(stage):
    await stage.register(ANNA, HERE)
    await stage.forgot("anna@example.org", HERE)
    await stage.reset(await told(stage), OTHER, HERE)
    before = await user_of(stage)
    await stage.verify(stage.one_time.told[0], HERE)
    assert await user_of(stage) == before


async def test_an_owner_who_is_gone_by_then_is_told_nothing(stage):
    await stage.register._tell_owner("nobody@example.org", HERE, stage.clock.now(), heard=True)
    assert await stage.noted("kind", "notices") == []
