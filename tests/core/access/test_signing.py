"""Signing keys from being made to being let go: published before use, turned by one process, followed by all."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import jwt
import pytest

from core.access.stage import HERE, PASSWORD, Stage
from opora.core.access.errors import RotationUnderWay, TokenInvalid
from opora.core.access.model.identities import Identity
from opora.core.access.model.tokens import Algorithm, KeyPurpose, SigningKeyState
from opora.core.access.rules import signing
from opora.core.access.rules.signing import HAND_OVER, SigningPolicy
from opora.core.kernel.model import SYSTEM
from opora.testing.access import NOON, SECOND
from opora.testing.sessions import a_signing_key

pytestmark = pytest.mark.anyio

POLICY = SigningPolicy(publish_s=360, token_ttl_s=930)
ACTIVE = a_signing_key("old", SigningKeyState.ACTIVE)
WAITING = replace(a_signing_key("new"), activates_at=NOON + 360 * SECOND)


def test_nothing_turns_before_its_time():
    assert signing.turned([ACTIVE, WAITING], NOON + 359 * SECOND, POLICY) == []
    assert signing.turned([ACTIVE], NOON + timedelta(days=1), POLICY) == []
    assert signing.turned([ACTIVE, replace(WAITING, activates_at=None)], NOON + timedelta(days=1), POLICY) == []


def test_the_old_key_goes_before_the_new_one_comes_and_checks_until_its_last_token_is_over():
    now = NOON + 360 * SECOND
    old, new = signing.turned([ACTIVE, WAITING], now, POLICY)
    assert (old.id, old.state, old.retires_at) == ("old", SigningKeyState.RETIRED, now + 930 * SECOND + HAND_OVER)
    assert (new.id, new.state) == ("new", SigningKeyState.ACTIVE)
    assert old.published(now) and not old.published(old.retires_at)


def test_a_key_turns_where_there_is_none_before_it_and_purposes_do_not_mix():
    other = replace(ACTIVE, purpose=KeyPurpose.IDENTITY)
    (new,) = signing.turned([other, WAITING], NOON + 360 * SECOND, POLICY)
    assert new.id == "new"
    signing.refuse_second([WAITING], KeyPurpose.IDENTITY)
    for waiting in (WAITING, replace(WAITING, activates_at=None)):
        with pytest.raises(RotationUnderWay):
            signing.refuse_second([waiting], KeyPurpose.ACCESS)


def test_a_withdrawn_key_is_good_for_nothing():
    retired = signing.retired(ACTIVE, NOON, POLICY)
    for key in (ACTIVE, WAITING, retired):
        gone = signing.withdrawn(key, NOON)
        assert gone.state is SigningKeyState.RETIRED and not gone.published(NOON)
        assert gone.version == key.version + 1


def kids(stage: Stage) -> set[str]:
    return {key["kid"] for key in stage.ring.jwks()["keys"]}


async def log_in(stage: Stage) -> str:
    return (await stage.log_in("anna@example.org", PASSWORD, HERE)).access_token


def signer(token: str) -> str:
    return jwt.get_unverified_header(token)["kid"]


async def test_a_new_key_is_published_signs_later_and_the_old_one_checks_until_its_tokens_are_over(stage):
    await stage.a_person()
    first = await log_in(stage)
    made = await stage.rotate_signing_key(SYSTEM)
    assert made.state is SigningKeyState.PENDING and made.algorithm is Algorithm.EDDSA
    assert kids(stage) == {signer(first), made.id}
    assert signer(await log_in(stage)) == signer(first)
    with pytest.raises(RotationUnderWay):
        await stage.rotate_signing_key(SYSTEM)
    stage.clock.pass_by(seconds=360)
    await stage.ensure_signing_key()
    second = await log_in(stage)
    assert signer(second) == made.id and kids(stage) == {signer(first), made.id}
    assert await stage.enter(token=first) and await stage.enter(token=second)
    stage.clock.pass_by(seconds=930, minutes=5)
    await stage.ensure_signing_key()
    assert kids(stage) == {made.id}
    assert (await stage.noted("topic", "outbox"))[-1] == "user.logged_in"
    assert "signing_key.turned" in await stage.noted("topic", "outbox")
    assert (await stage.noted("action", "audit_log")).count("signing_key.turned") == 2


async def test_of_processes_that_turn_at_once_one_does_and_all_follow(stage):
    others = [Stage(stage.database, stage.unit, stage.threads) for _ in range(3)]
    for other in others:
        other.clock = stage.clock
        await other.ensure_signing_key()
    made = await stage.rotate_signing_key(SYSTEM, after_s=60)
    stage.clock.pass_by(seconds=60)
    stages = [stage, *others]
    await asyncio.gather(*(replace(one.ensure_signing_key, clock=stage.clock)() for one in stages))
    assert (await stage.noted("topic", "outbox")).count("signing_key.turned") == 1
    assert {one.tokens._ring.signer.id for one in stages} == {made.id}


async def test_a_key_may_sign_at_once_and_other_processes_learn_it_from_its_first_token(stage):
    await stage.a_person()
    other = Stage(stage.database, stage.unit, stage.threads)
    await other.ensure_signing_key()
    made = await stage.rotate_signing_key(SYSTEM, after_s=0)
    assert made.state is SigningKeyState.ACTIVE
    token = await log_in(stage)
    assert signer(token) == made.id and made.id not in kids(other)
    assert await other.enter(token=token)


async def test_the_keys_of_identities_turn_by_themselves(stage):
    before = kids(stage)
    made = await stage.rotate_signing_key(SYSTEM, KeyPurpose.IDENTITY, after_s=0)
    assert made.algorithm is Algorithm.ES256
    assert kids(stage) == before
    assert made.id in {key["kid"] for key in stage.ring.jwks(KeyPurpose.IDENTITY)["keys"]}
    text = stage.identities.sign(Identity(user_id=3), "upstream", stage.clock.at)
    assert signer(text) == made.id


async def test_what_a_withdrawn_key_signed_is_refused(stage):
    await stage.a_person()
    token = await log_in(stage)
    made = await stage.withdraw_signing_keys(SYSTEM)
    assert kids(stage) == {made.id}
    with pytest.raises(TokenInvalid):
        await stage.enter(token=token)
    assert await stage.enter(token=await log_in(stage))
    assert "signing_key.withdrawn" in await stage.noted("topic", "outbox")


async def test_made_up_keys_cost_a_few_looks_a_second(stage):
    looks = 0

    async def take():
        nonlocal looks
        looks += 1

    stage.news._take = take
    await stage.a_person()
    token = await log_in(stage)
    _, claims, signature = token.split(".")
    unknown = jwt.utils.base64url_encode(b'{"alg":"EdDSA","kid":"made up","typ":"at+jwt"}').decode()
    answers = await asyncio.gather(
        *(stage.enter(token=f"{unknown}.{claims}.{signature}") for _ in range(100)), return_exceptions=True
    )
    assert all(isinstance(answer, TokenInvalid) for answer in answers)
    assert looks == 1
