"""A second factor from its secret to its removal, and erasing oneself."""

import asyncio
import json
from base64 import b32decode
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from core.access.stage import HERE, PASSWORD, ListedRecords
from opora.adapters.crypto.factors import SealedFactors
from opora.adapters.crypto.sealing import AesSeal
from opora.adapters.sql.proofs import SqlArrivals
from opora.core.access.errors import (
    CodeWrong,
    ConfirmationWrong,
    CredentialsWrong,
    FactorUnreadable,
    KeyRevoked,
    LastAdmin,
    LoginLimited,
    MfaRequired,
    MfaTokenInvalid,
    NoSecondFactor,
    NoSuchUser,
    RefreshInvalid,
    SecondFactorPresent,
    TokenRevoked,
)
from opora.core.access.model.keys import NewKey
from opora.core.access.model.people import UserChanges
from opora.core.access.model.scopes import Role
from opora.core.access.rules.totp import code_at, step_of
from opora.core.jobs.model import NewJob
from opora.core.kernel.model import SYSTEM, Actor, Origin

pytestmark = pytest.mark.anyio

EMAIL = "anna@example.org"


def code(stage, secret, away=0):
    """Return the code that a device with this secret shows."""
    return code_at(b32decode(secret), step_of(stage.clock.now()) + away)


async def enrolled(stage):
    """Give Anna a second factor; return her, the secret and the recovery codes."""
    user = await stage.a_person()
    actor = stage.acting(user)
    shown = await stage.enrol(actor)
    confirmed = await stage.confirm(actor, code(stage, shown.secret))
    assert confirmed.recovery_codes == shown.recovery_codes
    stage.clock.pass_by(seconds=30)
    return user, shown.secret, shown.recovery_codes


async def first_step(stage, origin=HERE):
    """Give the password and return what the second step wants."""
    with pytest.raises(MfaRequired) as asked:
        await stage.log_in(EMAIL, PASSWORD, origin)
    return asked.value.facts["mfa_token"]


async def test_nothing_is_asked_before_a_code_has_confirmed_the_secret(stage):
    user = await stage.a_person()
    shown = await stage.enrol(stage.acting(user))
    assert len(set(shown.recovery_codes)) == 10 and shown.secret in shown.uri
    assert await stage.log_in(EMAIL, PASSWORD, HERE)
    with pytest.raises(ConfirmationWrong):
        await stage.confirm(stage.acting(user), "000000")
    with pytest.raises(NoSecondFactor):
        await stage.remove_factor(stage.acting(user))


async def test_a_log_in_with_a_second_factor_opens_nothing_before_the_code(stage):
    user, secret, _ = await enrolled(stage)
    token = await first_step(stage)
    assert (await stage.noted("topic", "outbox"))[-2:] == ["user.created", "user.second_factor_added"]
    pair = await stage.finish(token, code(stage, secret), HERE)
    caller = await stage.enter(token=pair.access_token)
    assert caller.actor.user_id == user.id
    assert caller.proof.methods == ("pwd", "otp") and caller.proof.has_second_factor
    with pytest.raises(MfaTokenInvalid):
        await stage.finish(token, code(stage, secret, 1), HERE)


async def test_a_code_is_taken_once_whichever_log_in_it_finishes(stage):
    _, secret, _ = await enrolled(stage)
    one, other = await first_step(stage), await first_step(stage)
    await stage.finish(one, code(stage, secret), HERE)
    with pytest.raises(CodeWrong):
        await stage.finish(other, code(stage, secret), HERE)
    stage.clock.pass_by(seconds=30)
    assert await stage.finish(other, code(stage, secret), HERE)


async def test_of_many_who_bring_one_code_at_once_one_gets_in(stage):
    _, secret, _ = await enrolled(stage)
    tokens = [await first_step(stage) for _ in range(4)]
    given = code(stage, secret)
    ended = await asyncio.gather(*(stage.finish(one, given, HERE) for one in tokens), return_exceptions=True)
    assert sum(not isinstance(one, Exception) for one in ended) == 1


async def test_one_log_in_is_finished_once_whatever_codes_are_brought(stage):
    _, secret, recovery = await enrolled(stage)
    token = await first_step(stage)

    class Overtaken(SqlArrivals):
        async def by_token(self, *asked):
            found = await super().by_token(*asked)
            await stage.finish(token, code(stage, secret), HERE)
            return found

    slow = replace(stage.finish, arrivals=Overtaken(stage.database))
    with pytest.raises(MfaTokenInvalid):
        await slow(token, recovery[0], HERE)
    left = await stage.database.read.fetch("SELECT 1 FROM recovery_codes")
    assert len(left) == 10  # a code that opened nothing is still good


async def test_of_two_confirmations_at_once_one_counts(stage):
    user = await stage.a_person()
    shown = await stage.enrol(stage.acting(user))

    class Late:
        """A transaction whose confirmation comes after another's."""

        def __init__(self, tx):
            self.tx, self.second_factors = tx, self

        def __getattr__(self, name):
            return getattr(self.tx, name)

        async def get(self, user_id):
            return await self.tx.second_factors.get(user_id)

        async def confirm(self, *_):
            return False

    @asynccontextmanager
    async def unit():
        async with stage.unit() as tx:
            yield Late(tx)

    with pytest.raises(SecondFactorPresent):
        await replace(stage.confirm, unit=unit)(stage.acting(user), code(stage, shown.secret))


async def test_a_recovery_code_is_good_once_and_however_it_is_written(stage):
    _, _, codes = await enrolled(stage)
    assert await stage.finish(await first_step(stage), f" {codes[3].upper().replace('-', ' ')} ", HERE)
    with pytest.raises(CodeWrong):
        await stage.finish(await first_step(stage), codes[3], HERE)
    assert await stage.finish(await first_step(stage), codes[4], HERE)


async def test_tries_of_a_code_are_counted_before_they_are_looked_at(stage):
    _, secret, _ = await enrolled(stage)
    token = await first_step(stage)
    guesses = [stage.finish(token, f"{number:06}", HERE) for number in range(20)]
    ended = await asyncio.gather(*guesses, return_exceptions=True)
    assert sum(isinstance(one, CodeWrong) for one in ended) <= 5
    assert sum(isinstance(one, LoginLimited) for one in ended) >= 15
    with pytest.raises(LoginLimited):
        await stage.finish(token, code(stage, secret), HERE)


async def test_strangers_who_know_the_password_cannot_keep_the_owner_from_giving_a_code(stage):
    _, secret, _ = await enrolled(stage)
    await stage.finish(await first_step(stage), code(stage, secret), HERE)
    there = Origin("198.51.100.1", "strange")
    token = await first_step(stage, there)
    for _ in range(6):
        with pytest.raises((CodeWrong, LoginLimited)):
            await stage.finish(token, "000000", there)
    stage.clock.pass_by(seconds=30)
    assert await stage.finish(await first_step(stage), code(stage, secret), HERE)


async def test_a_log_in_does_not_wait_for_ever_and_not_for_who_was_blocked(stage):
    user, secret, _ = await enrolled(stage)
    token = await first_step(stage)
    stage.clock.pass_by(seconds=301)
    with pytest.raises(MfaTokenInvalid):
        await stage.finish(token, code(stage, secret), HERE)
    token = await first_step(stage)
    await stage.update_user(SYSTEM, user.id, UserChanges(is_active=False))
    for text in (token, "opt_unknown"):
        with pytest.raises(MfaTokenInvalid):
            await stage.finish(text, code(stage, secret), HERE)


async def test_a_second_secret_replaces_the_first_until_one_is_confirmed(stage):
    user = await stage.a_person()
    first = await stage.enrol(stage.acting(user))
    second = await stage.enrol(stage.acting(user))
    with pytest.raises(ConfirmationWrong):
        await stage.confirm(stage.acting(user), code(stage, first.secret))
    await stage.confirm(stage.acting(user), code(stage, second.secret))
    for again in (stage.enrol(stage.acting(user)), stage.confirm(stage.acting(user), code(stage, second.secret, 1))):
        with pytest.raises(SecondFactorPresent):
            await again


async def test_without_a_second_factor_there_is_none_to_confirm_or_to_remove_and_keys_have_none(stage):
    user = await stage.a_person()
    for call in (stage.confirm(stage.acting(user), "000000"), stage.remove_factor(stage.acting(user))):
        with pytest.raises(NoSecondFactor):
            await call
    key = Actor(user_id=user.id, key_id=7)
    for call in (stage.enrol(key), stage.confirm(key, "000000"), stage.remove_factor(key), stage.erase(key)):
        with pytest.raises(NoSuchUser):
            await call


async def test_once_removed_the_password_suffices_and_old_recovery_codes_are_gone(stage):
    user, _, codes = await enrolled(stage)
    token = await first_step(stage)
    await stage.remove_factor(stage.acting(user))
    with pytest.raises(CodeWrong):
        await stage.finish(token, codes[0], HERE)
    assert await stage.log_in(EMAIL, PASSWORD, HERE)
    assert await stage.noted("kind", "notices") == ["access.second_factor_added", "access.second_factor_removed"]


async def test_the_secret_is_kept_sealed_for_its_owner_and_recovery_codes_as_digests(stage):
    user, secret, codes = await enrolled(stage)
    (factor,) = await stage.database.read.fetch("SELECT sealed FROM second_factors")
    kept = bytes(factor["sealed"])
    assert b32decode(secret) not in kept
    seal = SealedFactors(AesSeal(bytes(32)))
    assert seal.open(kept, user.id) == b32decode(secret)
    with pytest.raises(FactorUnreadable):
        seal.open(kept, user.id + 1)
    rows = await stage.database.read.fetch("SELECT digest FROM recovery_codes")
    assert len(rows) == len(codes) and not any(code.encode() in bytes(row["digest"]) for code in codes for row in rows)


async def test_an_administrator_reset_by_the_machines_owner_needs_no_code(stage):
    await enrolled(stage)
    await stage.reset_admin(EMAIL, "another long phrase")
    assert await stage.log_in(EMAIL, "another long phrase", HERE)


async def test_a_reset_keeps_the_second_factor_of_a_verified_person_and_drops_a_strangers(stage):
    user, _, _ = await enrolled(stage)
    for verified in (False, True):
        async with stage.unit() as tx:
            before = await tx.users.get(user.id)
            await tx.users.save(replace(before, email_verified=verified, version=before.version + 1))
        if verified:
            shown = await stage.enrol(stage.acting(user))
            await stage.confirm(stage.acting(user), code(stage, shown.secret))
        await stage.forgot(EMAIL, HERE)
        await stage.run("access.send_reset", stage.send_reset)
        phrase = f"a phrase for {verified}"
        await stage.reset(stage.one_time.told[-1], phrase, HERE)
        if verified:
            with pytest.raises(MfaRequired):
                await stage.log_in(EMAIL, phrase, HERE)
        else:
            assert await stage.log_in(EMAIL, phrase, HERE)


async def test_whoever_erases_themselves_is_nobody_any_more(stage):
    user, secret, _ = await enrolled(stage)
    pair = await stage.finish(await first_step(stage), code(stage, secret), HERE)
    actor = (await stage.enter(token=pair.access_token)).actor
    key = await stage.issue(SYSTEM, NewKey(label="mine", scopes=frozenset({"profiles:read"}), owner_id=user.id))
    gone = await stage.issue(SYSTEM, NewKey(label="gone", scopes=frozenset({"profiles:read"}), owner_id=user.id))
    await stage.revoke(SYSTEM, gone.id)
    await stage.erase(actor)
    with pytest.raises(TokenRevoked):
        await stage.enter(token=pair.access_token)
    with pytest.raises(RefreshInvalid):
        await stage.refresh(pair.refresh_token, HERE)
    with pytest.raises(KeyRevoked):
        await stage.enter(key=key.key)
    with pytest.raises(CredentialsWrong):
        await stage.log_in(EMAIL, PASSWORD, HERE)
    for table in ("sessions", "known_devices", "second_factors", "recovery_codes", "one_time_tokens"):
        assert await stage.database.read.fetch(f"SELECT 1 FROM {table}") == []
    async with stage.unit() as tx:
        left = await tx.users.get(user.id)
    assert (left.email, left.full_name, left.password_hash, left.is_active) == (f"erased:{user.id}", "", None, False)
    with pytest.raises(NoSuchUser):
        await stage.update_user(SYSTEM, user.id, UserChanges(is_active=True))


async def test_neither_the_log_nor_what_is_kept_names_who_was_erased(stage):
    user = await stage.a_person()
    await stage.update_own(stage.acting(user), UserChanges(full_name="Anna Petrova"))
    await stage.erase(stage.acting(user))
    for table in ("users", "audit_log", "outbox"):
        text = str([[*row] for row in await stage.database.read.fetch(f"SELECT * FROM {table}")])
        assert "anna" not in text.lower() and "petrova" not in text.lower()
    rows = await stage.database.read.fetch("SELECT entity_id FROM audit_log WHERE action = 'user.erased'")
    assert [row["entity_id"] for row in rows] == [str(user.id)]
    assert (await stage.a_person()).id != user.id


async def test_the_last_admin_cannot_be_erased(stage):
    admin = await stage.a_person(Role.ADMIN)
    with pytest.raises(LastAdmin):
        await stage.erase(stage.acting(admin))


async def test_every_context_erases_its_own_after_the_person_however_often_it_is_told(stage):
    class Letters(type(stage.registry.records[0])):
        section = "letters"
        erased: list[int] = []  # noqa: RUF012  # one test's

        async def erase(self, user_id):
            self.erased.append(user_id)

    stage.erase_records = replace(stage.erase_records, registry=ListedRecords(Letters(stage.database)))
    user = await stage.a_person()
    async with stage.unit() as tx:
        payload = {"event_id": "1", "topic": "user.erased", "event": {"subject": user.id}}
        await tx.jobs.add(NewJob(kind="access.erase_records", payload=payload))
    assert await stage.run("access.erase_records", stage.erase_records) == 1
    assert Letters.erased == [user.id]


async def test_people_are_shown_all_that_is_held_on_them_and_no_secret(stage):
    user, secret, codes = await enrolled(stage)
    await stage.finish(await first_step(stage), code(stage, secret), HERE)
    await stage.issue(SYSTEM, NewKey(label="mine", scopes=frozenset({"profiles:read"}), owner_id=user.id))
    found = {}
    async for section, records in await stage.export_own(stage.acting(user)):
        found[section] = [record async for record in records]
    kinds = {record["record"] for record in found["access"]}
    assert kinds == {"account", "role", "session", "device", "second_factor", "api_key", "activity"}
    text = json.dumps(found, default=str)
    assert EMAIL in text and HERE.address in text
    assert not any(word in text for word in ("argon2", "digest", "password_hash", secret, codes[0]))
    with pytest.raises(NoSuchUser):
        await stage.export_own(Actor(user_id=user.id, key_id=1))
