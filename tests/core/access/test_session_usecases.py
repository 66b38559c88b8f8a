"""Coming in with a password, staying by refreshing, leaving; and the keys that sign it all."""

import asyncio
from dataclasses import replace
from statistics import median
from time import process_time

import bcrypt
import pytest

from core.access.stage import HERE, PASSWORD, Stage
from opora.adapters.crypto.passwords import ArgonPasswords, HashCost
from opora.core.access.errors import (
    CredentialsWrong,
    LoginLimited,
    RefreshInvalid,
    RefreshReused,
    TokenExpired,
    TokenInvalid,
    TokenMalformed,
    TokenRevoked,
    UserInvalid,
)
from opora.core.access.model.rates import Admission
from opora.core.access.model.tokens import KeyPurpose, SigningKeyState
from opora.core.access.rules.login import LoginPolicy
from opora.core.access.rules.tokens import claims_for
from opora.core.kernel.model import Origin
from opora.testing.access import a_session, a_user

pytestmark = pytest.mark.anyio


async def test_a_log_in_gives_tokens_that_say_how_long_and_for_what(stage):
    user = await stage.a_person()
    pair = await stage.log_in("anna@example.org", PASSWORD, HERE)
    assert (pair.token_type, pair.expires_in) == ("bearer", 900)
    assert "profiles:read" in pair.scope.split()
    caller = await stage.enter(token=pair.access_token)
    assert (caller.actor.user_id, caller.limit_subject) == (user.id, f"user:{user.id}")
    assert len(caller.revocation) == 4 and caller.issued_at == stage.clock.at
    assert pair.access_token not in repr(pair) and pair.refresh_token not in repr(pair)


async def test_what_is_stored_of_a_session_opens_nothing(stage):
    await stage.a_person()
    pair = await stage.log_in("anna@example.org", PASSWORD, HERE)
    for table in ("sessions", "refresh_tokens", "users", "signing_keys", "outbox", "audit_log"):
        rows = [str(tuple(row)) for row in await stage.database.read.fetch(f"SELECT * FROM {table}")]
        assert rows and not any(pair.refresh_token in row or PASSWORD in row for row in rows)


async def test_an_unknown_address_and_a_wrong_password_get_the_same_words(stage):
    await stage.a_person()
    refusals = []
    for email, password in (("anna@example.org", "wrong"), ("nobody@example.org", PASSWORD), ("nonsense", PASSWORD)):
        with pytest.raises(CredentialsWrong) as refusal:
            await stage.log_in(email, password, HERE)
        refusals.append((str(refusal.value), refusal.value.facts))
    assert len(set(map(str, refusals))) == 1


async def test_an_unknown_address_and_a_wrong_password_take_the_same_work(stage):
    hasher = ArgonPasswords(stage.threads, HashCost(memory_kib=8192, passes=2))
    log_in = replace(stage.log_in, check=replace(stage.log_in.check, hasher=hasher))
    stage.create_user = replace(stage.create_user, hasher=hasher)
    await stage.a_person()

    lengths = {"anna@example.org": [], "nobody@example.org": []}
    for number in range(15):
        for email, spent in lengths.items():
            stage.seconds += 60
            begun = process_time()  # of all threads, so that neighbours on the machine do not count
            with pytest.raises(CredentialsWrong):
                await log_in(email, "wrong", Origin(f"198.51.100.{number}"))
            spent.append(process_time() - begun)
    known_s, unknown_s = map(median, lengths.values())
    assert 0.7 < known_s / unknown_s < 1.4


async def test_the_sixth_failure_in_a_minute_is_not_heard_and_a_success_costs_nothing(stage):
    await stage.a_person()
    for _ in range(5):
        assert await stage.log_in("anna@example.org", PASSWORD, HERE)
        with pytest.raises(CredentialsWrong):
            await stage.log_in("anna@example.org", "wrong", HERE)
    for password in ("wrong", PASSWORD):
        with pytest.raises(LoginLimited) as refusal:
            await stage.log_in("anna@example.org", password, HERE)
    assert refusal.value.facts["limit"] == 5 and refusal.value.facts["remaining"] == 0
    stage.seconds += 60
    assert await stage.log_in("anna@example.org", PASSWORD, HERE)


async def test_strangers_who_spend_every_limit_cannot_keep_the_owner_off_a_known_device(stage):
    await stage.a_person()
    assert await stage.log_in("anna@example.org", PASSWORD, HERE)
    for number in range(1000):
        with pytest.raises((CredentialsWrong, LoginLimited)):
            await stage.log_in("anna@example.org", "wrong", Origin(f"198.51.{number % 100}.7", "strange"))
    with pytest.raises(LoginLimited):
        await stage.log_in("anna@example.org", PASSWORD, Origin("192.0.2.200", "an unknown device"))
    assert await stage.log_in("anna@example.org", PASSWORD, HERE)


async def test_the_failures_of_everybody_together_are_bounded_too(stage):
    await stage.a_person()
    assert await stage.log_in("anna@example.org", PASSWORD, HERE)
    stage.check = replace(stage.check, policy=LoginPolicy(everybody_per_min=3))
    for number in range(3):
        with pytest.raises(CredentialsWrong):
            await stage.check(f"user{number}@example.org", "wrong", Origin(f"198.51.{number}.1"))
    with pytest.raises(LoginLimited) as refusal:
        await stage.check("user9@example.org", "wrong", Origin("198.51.9.1"))
    assert refusal.value.facts["policy"] == "login-everybody"
    assert await stage.check("anna@example.org", PASSWORD, HERE)


async def test_every_failure_is_audited_and_names_nobody_where_nobody_was_meant(stage):
    anna = await stage.a_person()
    for email in ("anna@example.org", "nobody@example.org"):
        with pytest.raises(CredentialsWrong):
            await stage.log_in(email, "wrong", HERE)
    sql = "SELECT action, entity_id, new_values, address FROM audit_log WHERE action = 'session.refused' ORDER BY id"
    rows = [tuple(row) for row in await stage.database.read.fetch(sql)]
    assert rows == [
        ("session.refused", str(anna.id), '{"proof":"password"}', HERE.address),
        ("session.refused", "unknown", '{"proof":"password"}', HERE.address),
    ]


async def test_a_letter_tells_of_a_sign_in_from_where_nobody_came_from_before(stage):
    await stage.a_person()
    for origin in (HERE, HERE, Origin("198.51.100.1", "tests"), Origin("198.51.100.1", "tests")):
        await stage.log_in("anna@example.org", PASSWORD, origin)
    assert await stage.noted("kind", "notices") == ["access.new_device"]


async def test_an_address_that_tries_many_accounts_is_not_heard_after_twenty(stage):
    for number in range(20):
        with pytest.raises(CredentialsWrong):
            await stage.log_in(f"user{number}@example.org", "wrong", HERE)
    with pytest.raises(LoginLimited):
        await stage.log_in("user99@example.org", "wrong", HERE)
    with pytest.raises(CredentialsWrong):
        await stage.log_in("user99@example.org", "wrong", Origin("198.51.100.1"))


async def test_of_fifty_guesses_at_once_only_five_are_answered(stage):
    await stage.a_person()

    async def guess(number):
        try:
            await stage.log_in("anna@example.org", f"guess {number}", Origin(f"198.51.100.{number}"))
        except CredentialsWrong:
            return "wrong"
        except LoginLimited:
            return "limited"

    answers = await asyncio.gather(*(guess(number) for number in range(50)))
    assert (answers.count("wrong"), answers.count("limited")) == (5, 45)


async def test_a_right_password_among_guesses_past_the_limit_is_not_told(stage):
    await stage.a_person()
    held = asyncio.Event()
    hasher = stage.hasher

    class Slow:
        async def check(self, password, stored):
            found = await hasher.check(password, stored)
            await held.wait()
            return found

    slow = replace(stage.log_in, check=replace(stage.log_in.check, hasher=Slow()))
    right = asyncio.ensure_future(slow("anna@example.org", PASSWORD, HERE))
    await asyncio.sleep(0)
    for _ in range(5):
        with pytest.raises(CredentialsWrong):
            await stage.log_in("anna@example.org", "wrong", HERE)
    held.set()
    with pytest.raises(LoginLimited):
        await right


async def test_a_password_past_any_bound_costs_no_hashing(stage):
    await stage.a_person()
    with pytest.raises(UserInvalid):
        await replace(stage.log_in, check=replace(stage.log_in.check, hasher=None))(
            "anna@example.org", "x" * 1025, HERE
        )


async def test_an_imported_bcrypt_hash_lets_its_holder_in_and_is_made_anew(stage):
    user = await stage.a_person()
    old = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
    async with stage.unit() as tx:
        assert await tx.users.replace_hash(user.id, user.password_hash, old)
    assert await stage.log_in(user.email, PASSWORD, HERE)
    async with stage.unit() as tx:
        stored = (await tx.users.get(user.id)).password_hash
    assert stored.startswith("$argon2id$")
    assert await stage.log_in(user.email, PASSWORD, HERE)


async def test_a_refresh_gives_a_new_pair_and_spends_the_old_token(stage):
    await stage.a_person()
    first = await stage.log_in("anna@example.org", PASSWORD, HERE)
    second = await stage.refresh(first.refresh_token, HERE)
    assert second.refresh_token != first.refresh_token and second.access_token != first.access_token
    assert await stage.enter(token=second.access_token)
    third = await stage.refresh(second.refresh_token, HERE)
    assert len({first.refresh_token, second.refresh_token, third.refresh_token}) == 3


async def test_a_repeat_within_ten_seconds_gives_the_same_successor_and_one_later_ends_the_session(stage):
    await stage.a_person()
    first = await stage.log_in("anna@example.org", PASSWORD, HERE)
    second = await stage.refresh(first.refresh_token, HERE)
    stage.clock.pass_by(seconds=10)
    assert (await stage.refresh(first.refresh_token, HERE)).refresh_token == second.refresh_token
    stage.clock.pass_by(seconds=1)
    with pytest.raises(RefreshReused):
        await stage.refresh(first.refresh_token, HERE)
    for token in (first.refresh_token, second.refresh_token):
        with pytest.raises(RefreshInvalid):
            await stage.refresh(token, HERE)
    with pytest.raises(TokenRevoked):
        await stage.enter(token=second.access_token)
    assert (await stage.noted("topic", "outbox"))[-1] == "user.refresh_token_reused"


async def test_a_made_up_or_expired_refresh_token_is_refused_and_not_spent(stage):
    await stage.a_person()
    pair = await stage.log_in("anna@example.org", PASSWORD, HERE)
    for text in ("", "opr_" + "0" * 43, pair.access_token, "\ud800"):
        with pytest.raises(RefreshInvalid):
            await stage.refresh(text, HERE)
    stage.clock.pass_by(days=14)
    with pytest.raises(RefreshInvalid):
        await stage.refresh(pair.refresh_token, HERE)
    assert await stage.database.read.fetch_value("SELECT count(*) FROM refresh_tokens WHERE used_at IS NOT NULL") == 0


async def test_no_refresh_prolongs_a_session_past_its_end(stage):
    await stage.a_person()
    pair = await stage.log_in("anna@example.org", PASSWORD, HERE)
    for _ in range(8):
        stage.clock.pass_by(days=11)
        pair = await stage.refresh(pair.refresh_token, HERE)
    stage.clock.pass_by(days=2)
    with pytest.raises(RefreshInvalid):
        await stage.refresh(pair.refresh_token, HERE)


async def test_after_logging_out_neither_the_token_nor_its_family_opens_anything(stage):
    await stage.a_person()
    first = await stage.log_in("anna@example.org", PASSWORD, HERE)
    other = await stage.log_in("anna@example.org", PASSWORD, HERE)
    second = await stage.refresh(first.refresh_token, HERE)
    names = (await stage.enter(token=second.access_token)).revocation
    await stage.log_out(second.access_token, HERE)
    await stage.log_out(second.access_token, HERE)
    for token in (first.access_token, second.access_token):
        with pytest.raises(TokenRevoked):
            await stage.enter(token=token)
    with pytest.raises(RefreshInvalid):
        await stage.refresh(second.refresh_token, HERE)
    assert (await stage.gate.admit(Admission("x", (), revocation=names))).revoked
    assert await stage.enter(token=other.access_token)
    assert (await stage.noted("topic", "outbox")).count("user.logged_out") == 1


async def test_a_token_without_a_session_is_logged_out_by_its_own_name(stage):
    user = await stage.a_person()
    claims = claims_for(user, a_session(user_id=user.id), "alone", stage.clock.at, stage.policy)
    text = await stage.tokens.issue(replace(claims, session_id=None))
    assert len((await stage.enter(token=text)).revocation) == 3
    await stage.log_out(text, HERE)
    with pytest.raises(TokenRevoked):
        await stage.enter(token=text)


async def test_a_token_that_is_none_or_is_over_lets_nobody_in(stage):
    await stage.a_person()
    pair = await stage.log_in("anna@example.org", PASSWORD, HERE)
    with pytest.raises(TokenMalformed):
        await stage.enter(token="a.b.c")
    stage.clock.pass_by(minutes=16)
    with pytest.raises(TokenExpired):
        await stage.enter(token=pair.access_token)


async def test_a_token_of_a_user_who_is_gone_lets_nobody_in(stage):
    user = a_user(id=99)
    text = await stage.tokens.issue(claims_for(user, a_session(user_id=user.id), "one", stage.clock.at, stage.policy))
    with pytest.raises(TokenRevoked):
        await stage.enter(token=text)


async def test_processes_share_their_signing_keys(stage):
    await stage.a_person()
    pair = await stage.log_in("anna@example.org", PASSWORD, HERE)
    other = Stage(stage.database, stage.unit, stage.threads)
    with pytest.raises(TokenInvalid):
        other.tokens.verify(pair.access_token, stage.clock.at)
    await other.ensure_signing_key()
    assert other.tokens.verify(pair.access_token, stage.clock.at)
    assert other.ring.jwks() == stage.ring.jwks()
    assert other.ring.jwks(KeyPurpose.IDENTITY) == stage.ring.jwks(KeyPurpose.IDENTITY) != stage.ring.jwks()


async def test_a_token_of_a_key_that_another_process_has_just_made_is_no_strangers(stage):
    await stage.a_person()
    pair = await stage.log_in("anna@example.org", PASSWORD, HERE)
    other = Stage(stage.database, stage.unit, stage.threads)
    callers = await asyncio.gather(*(other.enter(token=pair.access_token) for _ in range(20)))
    assert {caller.actor.user_id for caller in callers} == {1}


async def test_of_processes_that_start_at_once_one_makes_the_first_signing_key(sqlite_database, sqlite_unit, threads):
    stages = [Stage(sqlite_database, sqlite_unit, threads) for _ in range(4)]
    await asyncio.gather(*(stage.ensure_signing_key() for stage in stages))
    async with sqlite_unit() as tx:
        keys = await tx.signing_keys.all()
    assert [(key.purpose, key.state) for key in sorted(keys, key=lambda key: key.purpose)] == [
        (purpose, SigningKeyState.ACTIVE) for purpose in KeyPurpose
    ]
    assert all(stage.tokens.jwks() == stages[0].tokens.jwks() for stage in stages)
    assert await stages[0].noted("topic", "outbox") == ["signing_key.made"] * 2
