"""What a token must say, what it still grants, and what a spent refresh token means."""

from dataclasses import replace
from datetime import timedelta

import pytest

from opora.core.access.errors import ScopeBeyondGrant, TokenExpired, TokenInvalid, TokenRevoked
from opora.core.access.model.scopes import Role
from opora.core.access.model.tokens import (
    SIGNING_KEY_MOVES,
    Algorithm,
    SigningKey,
    SigningKeyState,
    TokenStanding,
    looks_like_token,
)
from opora.core.access.rules.tokens import (
    SpentToken,
    TokenPolicy,
    claims_for,
    judge_spent,
    refresh_expiry,
    refuse_bad_claims,
    refuse_beyond_grant,
    same_service,
    session_scopes,
    token_rights,
)
from opora.core.kernel.errors import IllegalMove
from opora.testing.access import HOUR, NOON, SECOND, a_refresh_token, a_session, a_user

POLICY = TokenPolicy()
CLAIMS = claims_for(a_user(), a_session(), "one", NOON + timedelta(milliseconds=600), POLICY)
STANDING = TokenStanding(3, frozenset({Role.CLIENT}), is_active=True, epoch_at=None, revoked=False)


def test_a_new_token_says_who_for_how_long_and_with_what():
    assert (CLAIMS.subject, CLAIMS.session_id, CLAIMS.token_id) == (3, 5, "one")
    assert CLAIMS.issued_at == NOON and CLAIMS.expires_at == NOON + timedelta(minutes=15)
    assert "profiles:read" in CLAIMS.scopes and CLAIMS.methods == ("pwd",)


def test_a_token_holds_within_its_time_give_or_take_the_leeway():
    refuse_bad_claims(CLAIMS, NOON - 30 * SECOND, POLICY)
    refuse_bad_claims(CLAIMS, CLAIMS.expires_at + 29 * SECOND, POLICY)
    with pytest.raises(TokenExpired):
        refuse_bad_claims(CLAIMS, CLAIMS.expires_at + 30 * SECOND, POLICY)
    with pytest.raises(TokenInvalid):
        refuse_bad_claims(CLAIMS, NOON - 31 * SECOND, POLICY)


@pytest.mark.parametrize("changes", [{"issuer": "other"}, {"audience": "other"}])
def test_a_token_of_another_issuer_or_for_another_audience_is_refused(changes):
    with pytest.raises(TokenInvalid):
        refuse_bad_claims(replace(CLAIMS, **changes), NOON, POLICY)


@pytest.mark.parametrize(
    ("issuer", "ours", "same"),
    [
        ("opora", "opora", True),
        ("opora", "other", False),
        ("http://127.0.0.1:8001", "http://127.0.0.1:8002", True),
        ("https://api.example.org", "https://api.example.org:443", True),
        ("http://api.example.org", "https://api.example.org", False),
        ("https://api.example.org.evil", "https://api.example.org", False),
        ("https://api.example.org/x", "https://api.example.org", False),
        ("http://[", "http://127.0.0.1:8000", False),
        ("opora", "http://127.0.0.1:8000", False),
    ],
)
def test_processes_of_one_address_are_one_issuer_whatever_their_ports(issuer, ours, same):
    assert same_service(issuer, ours) is same


def test_a_session_of_less_grants_less_and_never_more_than_its_owner_holds():
    narrow = a_session(scopes=frozenset({"profiles:read", "billing:manage"}))
    assert session_scopes(a_user(), narrow) == {"profiles:read"}
    admin = a_user(roles=frozenset({Role.ADMIN}))
    assert session_scopes(admin, a_session(scopes=frozenset({"profiles:read"}))) == {"profiles:read"}
    assert session_scopes(admin, a_session()) == {"admin"}


def test_what_is_asked_for_is_granted_already_or_refused():
    refuse_beyond_grant(frozenset({"profiles:read"}), frozenset({"profiles:read", "exports:read"}))
    refuse_beyond_grant(frozenset({"profiles:read", "users:write"}), frozenset({"admin"}))
    for wanted, granted in (
        ({"users:write"}, {"profiles:read"}),
        ({"no:such"}, {"admin"}),
        ({"admin"}, {"users:read"}),
    ):
        with pytest.raises(ScopeBeyondGrant):
            refuse_beyond_grant(frozenset(wanted), frozenset(granted))


def test_a_token_grants_what_its_owner_still_holds():
    assert token_rights(CLAIMS, STANDING) == CLAIMS.scopes
    demoted = replace(CLAIMS, scopes=frozenset({"admin"}))
    assert token_rights(demoted, STANDING) == CLAIMS.scopes


@pytest.mark.parametrize(
    "standing",
    [
        None,
        replace(STANDING, is_active=False),
        replace(STANDING, revoked=True),
        replace(STANDING, epoch_at=NOON + SECOND),
    ],
)
def test_a_token_is_refused_once_it_or_its_owner_was_shut_out(standing):
    with pytest.raises(TokenRevoked):
        token_rights(CLAIMS, standing)


def test_a_token_of_the_epochs_own_second_is_not_taken_for_an_older_one():
    assert token_rights(CLAIMS, replace(STANDING, epoch_at=NOON + timedelta(milliseconds=300)))


def test_a_spent_token_is_a_repeat_within_ten_seconds_and_a_theft_after():
    spent = a_refresh_token(used_at=NOON)
    assert judge_spent(spent, NOON + 10 * SECOND, POLICY) is SpentToken.REPEAT
    assert judge_spent(spent, NOON + 10 * SECOND + timedelta(microseconds=1), POLICY) is SpentToken.REUSE
    assert judge_spent(a_refresh_token(), NOON, POLICY) is SpentToken.REPEAT


def test_no_refresh_outlives_its_session():
    session = a_session(expires_at=NOON + HOUR)
    assert refresh_expiry(session, NOON, POLICY) == NOON + HOUR
    assert refresh_expiry(a_session(expires_at=NOON + 10_000 * HOUR), NOON, POLICY) == NOON + timedelta(days=14)


def test_a_session_stands_until_it_ends_or_is_ended():
    assert a_session().open(NOON)
    assert not a_session(ended_at=NOON).open(NOON)
    assert not a_session(expires_at=NOON).open(NOON)


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("a.b.c", True),
        ("a.b", False),
        ("a.b.c.d", False),
        ("a.b.c=", False),
        ("a..c", False),
        ("a.b.c\n", False),
        ("a.b." + "c" * 8192, False),
    ],
)
def test_a_token_has_three_unpadded_parts(text, is_one):
    assert looks_like_token(text) is is_one


def a_signing_key(**changes):
    key = SigningKey(
        id="kid",
        algorithm=Algorithm.ES256,
        state=SigningKeyState.PENDING,
        public_jwk="{}",
        private_sealed=b"",
        created_at=NOON,
    )
    return replace(key, **changes)


@pytest.mark.parametrize("state", SigningKeyState)
@pytest.mark.parametrize("target", SigningKeyState)
def test_a_signing_key_moves_only_by_the_table(state, target):
    key = a_signing_key(state=state)
    if target in SIGNING_KEY_MOVES.table[state]:
        assert key.move(target).state is target
    else:
        with pytest.raises(IllegalMove):
            key.move(target)


def test_a_retired_key_is_published_until_its_last_token_is_gone():
    assert a_signing_key().published(NOON)
    assert a_signing_key(retires_at=NOON + SECOND).published(NOON)
    assert not a_signing_key(retires_at=NOON).published(NOON)
