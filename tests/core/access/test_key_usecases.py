"""What people do with keys, and what a key lets in."""

import asyncio
import re
from dataclasses import replace
from datetime import timedelta

import bcrypt
import pytest

from core.access.stage import HERE, Stage
from opora.core.access.errors import (
    AddressNotAllowed,
    BeyondOwnRights,
    CredentialsAmbiguous,
    KeyDisabled,
    KeyExpired,
    KeyInvalid,
    KeyMalformed,
    KeyNotRotatable,
    KeyOwnerBlocked,
    KeyRevoked,
    KeyRotated,
    KeyTaken,
    KeyUnknown,
    NoSuchKey,
    NoSuchUser,
)
from opora.core.access.model.callers import Credentials
from opora.core.access.model.keys import KeyChanges, KeyFilter, KeyState, NewKey
from opora.core.access.model.people import UserChanges
from opora.core.access.model.rates import Admission
from opora.core.access.model.scopes import Role
from opora.core.access.ports.rates import RateGate
from opora.core.access.rules.keys import reach
from opora.core.kernel.errors import Unavailable
from opora.core.kernel.model import SYSTEM, Actor, PageRequest
from opora.testing.access import HOUR, NOON

pytestmark = pytest.mark.anyio

READ = frozenset({"profiles:read"})
WANTED = NewKey(label="QA", scopes=READ)


async def test_a_new_key_lets_its_holder_in_and_its_text_is_stored_nowhere(stage):
    made = await stage.issue(SYSTEM, replace(WANTED, rate_limit_per_min=7))
    caller = await stage.enter(key=made.key)
    assert caller.actor == Actor(
        key_id=made.id, scopes=READ, origin=replace(HERE, user_agent="", request_id=""), family_id=made.id
    )
    assert (caller.limit_subject, caller.revocation) == (f"key:{made.id}", (f"key:{made.id}",))
    assert [policy.quota for policy in caller.policies] == [7]
    assert await stage.enter(token=made.key) == caller
    tables = ("api_keys", "audit_log", "outbox")
    dump = [str(tuple(row)) for table in tables for row in await stage.database.read.fetch(f"SELECT * FROM {table}")]
    assert dump and not any(made.key in row for row in dump)


async def test_every_change_leaves_an_audit_entry_and_an_event(stage):
    made = await stage.issue(SYSTEM, WANTED)
    await stage.update_key(SYSTEM, made.id, KeyChanges(label="CI"))
    rotated = await stage.rotate(SYSTEM, made.id)
    await stage.revoke(SYSTEM, rotated.id)
    await stage.import_key(SYSTEM, WANTED, bcrypt.hashpw(b"x", bcrypt.gensalt(4)).decode(), "sk_live_4eC3")
    expected = ["key.issued", "key.changed", "key.rotated", "key.issued", "key.revoked", "key.imported"]
    assert (await stage.noted("topic", "outbox"))[2:] == expected
    assert (await stage.noted("action", "audit_log"))[2:] == expected


async def test_a_key_is_the_caller_that_the_first_of_its_family_was(stage):
    first = await stage.issue(SYSTEM, WANTED)
    second = await stage.rotate(SYSTEM, first.id)
    third = await stage.rotate(SYSTEM, second.id)
    callers = [(await stage.enter(key=one.key)).actor for one in (first, second, third)]
    assert [one.key_id for one in callers] == [first.id, second.id, third.id]
    assert {one.subject for one in callers} == {f"key:{first.id}"}


async def test_nobody_is_anonymous_under_the_limit_of_their_address(stage):
    caller = await stage.enter()
    assert caller.actor.subject == "anonymous" and caller.limit_subject == "address:203.0.113.9"


async def test_two_different_credentials_are_refused_and_the_same_twice_is_one(stage):
    made = await stage.issue(SYSTEM, WANTED)
    assert (await stage.enter(key=made.key, token=made.key)).actor.key_id == made.id
    with pytest.raises(CredentialsAmbiguous):
        await stage.enter(key=made.key, token="other")


class NoStore:
    """A look-up that must not be asked."""

    def __getattr__(self, name):
        raise AssertionError("the store was asked")


async def test_a_mistyped_key_is_refused_without_a_look_up(stage):
    made = await stage.issue(SYSTEM, WANTED)
    last = "0" if made.key[-1] != "0" else "1"
    blind = replace(stage.authenticate, keys=replace(stage.authenticate.keys, lookup=NoStore()))
    for text in (made.key[:-1] + last, "", "x", "a.b", "ключ", "opk_live_", "\ud800" * 30):
        with pytest.raises(KeyMalformed):
            await blind(Credentials(api_key=text), HERE)


async def test_a_well_formed_key_that_nobody_was_given_is_unknown(stage):
    for text in (stage.format.compose("live", bytes(32)).text, "sk_live_4eC39HqLyjWDarjtT1zdp7dc"):
        with pytest.raises(KeyUnknown):
            await stage.enter(key=text)


async def test_each_end_of_a_key_has_its_own_refusal(stage):
    short = await stage.issue(SYSTEM, replace(WANTED, expires_at=NOON + HOUR))
    bound = await stage.issue(SYSTEM, replace(WANTED, allowed_ips=("10.0.0.0/8",)))
    off = await stage.issue(SYSTEM, WANTED)
    gone = await stage.issue(SYSTEM, WANTED)
    await stage.update_key(SYSTEM, off.id, KeyChanges(state=KeyState.DISABLED))
    await stage.revoke(SYSTEM, gone.id)
    stage.clock.pass_by(hours=1)
    for key, refusal in ((short, KeyExpired), (bound, AddressNotAllowed), (off, KeyDisabled), (gone, KeyRevoked)):
        with pytest.raises(refusal):
            await stage.enter(key=key.key)
    assert (await stage.enter(key=bound.key, address="10.9.9.9")).actor.key_id == bound.id


async def test_a_revoked_key_is_refused_at_once_though_it_is_remembered(stage):
    made = await stage.issue(SYSTEM, WANTED)
    credentials = Credentials(api_key=made.key)
    assert await stage.authenticate(credentials, HERE)
    await stage.revoke(SYSTEM, made.id)
    with pytest.raises(KeyRevoked):
        await stage.authenticate(credentials, HERE)
    decision = await stage.gate.admit(Admission(f"key:{made.id}", (), revocation=(f"key:{made.id}",)))
    assert decision.revoked


async def test_another_process_refuses_a_revoked_key_within_half_a_second_without_being_told(stage):
    made = await stage.issue(SYSTEM, WANTED)
    other = Stage(stage.database, stage.unit, stage.threads)
    credentials = Credentials(api_key=made.key)
    assert await other.authenticate(credentials, HERE)
    await stage.revoke(SYSTEM, made.id)
    assert await other.authenticate(credentials, HERE)
    other.seconds += 0.5
    with pytest.raises(KeyRevoked):
        await other.authenticate(credentials, HERE)


async def test_revoking_twice_is_as_good_as_once(stage):
    made = await stage.issue(SYSTEM, WANTED)
    assert await stage.revoke(SYSTEM, made.id) == await stage.revoke(SYSTEM, made.id)
    assert (await stage.noted("topic", "outbox")).count("key.revoked") == 1


class SilentGate(RateGate):
    """A gate whose store does not answer."""

    async def admit(self, *_):
        raise Unavailable

    peek = deny = lift = end_before = admit


async def test_a_silent_gate_does_not_keep_a_key_from_being_revoked(stage):
    made = await stage.issue(SYSTEM, WANTED)
    await replace(stage.revoke, gate=SilentGate())(SYSTEM, made.id)
    with pytest.raises(KeyRevoked):
        await stage.enter(key=made.key)


async def test_a_rotated_key_works_beside_its_successor_under_one_limit_until_the_overlap_ends(stage):
    old = await stage.issue(SYSTEM, replace(WANTED, rate_limit_per_min=5))
    new = await stage.rotate(SYSTEM, old.id, timedelta(hours=2))
    by_old, by_new = await stage.enter(key=old.key), await stage.enter(key=new.key)
    assert by_old.limit_subject == by_new.limit_subject == f"key:{old.id}"
    assert by_old.notice == (NOON, NOON + 2 * HOUR) and by_new.notice is None
    assert (new.rotated_from, new.rate_limit_per_min, new.scopes) == (old.id, 5, old.scopes)
    stage.clock.pass_by(hours=2)
    assert await stage.enter(key=new.key)
    with pytest.raises(KeyRotated):
        await stage.enter(key=old.key)


async def test_a_rotation_without_overlap_ends_the_old_key_at_once(stage):
    old = await stage.issue(SYSTEM, WANTED)
    await stage.authenticate(Credentials(api_key=old.key), HERE)
    await stage.rotate(SYSTEM, old.id, timedelta(0))
    with pytest.raises(KeyRotated):
        await stage.authenticate(Credentials(api_key=old.key), HERE)


async def test_a_key_is_rotated_once_for_the_overlap_of_the_settings(stage):
    old = await stage.issue(SYSTEM, WANTED)
    await stage.rotate(SYSTEM, old.id)
    assert (await stage.views.one(reach(SYSTEM), old.id, NOON)).sunset_at == NOON + HOUR
    with pytest.raises(KeyNotRotatable):
        await stage.rotate(SYSTEM, old.id)


async def test_a_key_grants_what_its_owner_holds_at_the_moment(stage):
    owner = await stage.a_person(Role.MANAGER)
    made = await stage.issue(stage.acting(owner), replace(WANTED, scopes=READ | {"keys:write"}))
    caller = await stage.enter(key=made.key)
    assert caller.actor.may("keys:write") and caller.actor.user_id == owner.id
    assert caller.actor.roles == {"manager"}
    await stage.update_user(SYSTEM, owner.id, UserChanges(roles=frozenset({Role.CLIENT})))
    caller = await stage.enter(key=made.key)
    assert caller.actor.may("profiles:read") and not caller.actor.may("keys:write")
    await stage.update_user(SYSTEM, owner.id, UserChanges(is_active=False))
    with pytest.raises(KeyOwnerBlocked):
        await stage.enter(key=made.key)


async def test_nobody_makes_or_touches_a_key_with_more_than_their_own_rights(stage):
    manager = stage.acting(await stage.a_person(Role.MANAGER))
    strong = await stage.issue(SYSTEM, replace(WANTED, scopes=frozenset({"admin"}), owner_id=manager.user_id))
    own = await stage.issue(manager, WANTED)
    for attempt in (
        stage.issue(manager, replace(WANTED, scopes=frozenset({"audit:read"}))),
        stage.import_key(manager, replace(WANTED, scopes=frozenset({"admin"})), "$2b$04$" + "x" * 53, "sk_live_4eC3"),
        stage.rotate(manager, strong.id),
        stage.update_key(manager, strong.id, KeyChanges(label="mine")),
        stage.update_key(manager, own.id, KeyChanges(scopes=frozenset({"admin"}))),
    ):
        with pytest.raises(BeyondOwnRights):
            await attempt


async def test_what_is_out_of_reach_is_not_there(stage):
    manager = stage.acting(await stage.a_person(Role.MANAGER))
    made = await stage.issue(SYSTEM, WANTED)
    for attempt in (
        stage.rotate(manager, made.id),
        stage.revoke(manager, made.id),
        stage.update_key(manager, made.id, KeyChanges(label="mine")),
        stage.revoke(SYSTEM, 999),
    ):
        with pytest.raises(NoSuchKey):
            await attempt
    page = await stage.views.page(reach(manager), KeyFilter(), PageRequest(), NOON)
    assert page.count == 0


async def test_a_key_cannot_be_given_to_a_user_who_is_not_there(stage):
    with pytest.raises(NoSuchUser):
        await stage.issue(SYSTEM, replace(WANTED, owner_id=99))
    with pytest.raises(NoSuchUser):
        await stage.import_key(SYSTEM, replace(WANTED, owner_id=99), "$2b$04$" + "x" * 53, "sk_live_4eC3")


async def test_asking_for_what_is_writes_nothing(stage):
    made = await stage.issue(SYSTEM, WANTED)
    assert (await stage.update_key(SYSTEM, made.id, KeyChanges(label="QA"))).version == 1
    assert await stage.noted("topic", "outbox") == ["signing_key.made", "signing_key.made", "key.issued"]


THEIRS = "sk_live_4eC39HqLyjWDarjtT1zdp7dc"


async def imported(stage: Stage, text: str = THEIRS):
    hashed = bcrypt.hashpw(text.encode(), bcrypt.gensalt(4)).decode()
    return await stage.import_key(SYSTEM, WANTED, hashed, text[:12])


async def test_an_imported_key_is_checked_slowly_once_and_is_like_any_other_after(stage):
    decoy = await imported(stage, "sk_live_4eC3somethingElse")
    view = await imported(stage)
    assert view.prefix == "sk_live_4eC3" and decoy.id != view.id
    assert (await stage.enter(key=THEIRS)).actor.key_id == view.id
    quick = replace(stage.authenticate, keys=replace(stage.authenticate.keys, hasher=NoStore()))
    stage.seconds += 1
    assert (await quick(Credentials(api_key=THEIRS), HERE)).actor.key_id == view.id
    with pytest.raises(KeyUnknown):
        await stage.enter(key="sk_live_4eC3nobodyWasGivenThis")


async def test_an_imported_key_used_by_many_at_once_lets_each_in(stage):
    view = await imported(stage)
    callers = await asyncio.gather(*(stage.enter(key=THEIRS) for _ in range(4)))
    assert {caller.actor.key_id for caller in callers} == {view.id}


async def test_one_hash_is_imported_once_and_nonsense_never(stage):
    hashed = bcrypt.hashpw(b"x", bcrypt.gensalt(4)).decode()
    await stage.import_key(SYSTEM, WANTED, hashed, "sk_live_4eC3")
    with pytest.raises(KeyTaken):
        await stage.import_key(SYSTEM, WANTED, hashed, "sk_live_4eC3")
    with pytest.raises(KeyInvalid) as refusal:
        await stage.import_key(SYSTEM, WANTED, "plain", "short")
    assert refusal.value.errors.keys() == {"bcrypt_hash", "lookup_prefix"}


async def test_a_key_under_an_old_pepper_is_rewritten_under_the_new_one_at_its_first_use(stage):
    made = await stage.issue(SYSTEM, WANTED)
    after = Stage(stage.database, stage.unit, stage.threads, peppers={"p1": bytes(32), "p2": bytes(31) + b"x"})
    assert (await after.enter(key=made.key)).actor.key_id == made.id
    schemes = await stage.database.read.fetch("SELECT digest_scheme FROM api_keys")
    assert [row[0] for row in schemes] == ["hmac-sha256:p2"]
    alone = Stage(stage.database, stage.unit, stage.threads, peppers={"p2": bytes(31) + b"x"})
    assert (await alone.enter(key=made.key)).actor.key_id == made.id


async def test_a_use_is_noted_without_a_write_and_shown_after_the_flush(stage):
    made = await stage.issue(SYSTEM, WANTED)
    stage.clock.pass_by(minutes=5)
    await stage.enter(key=made.key)
    assert (await stage.views.one(reach(SYSTEM), made.id, NOON)).last_used_at is None
    await stage.usage.flush()
    assert (await stage.views.one(reach(SYSTEM), made.id, NOON)).last_used_at == NOON + timedelta(minutes=5)


async def test_a_key_looks_as_secret_scanners_expect_it(stage):
    made = await stage.issue(SYSTEM, replace(WANTED, environment="test"))
    assert re.fullmatch(r"opk_test_[0-9A-Za-z]{49}", made.key)
    assert made.key.startswith(made.prefix) and made.key.endswith(made.last4)
