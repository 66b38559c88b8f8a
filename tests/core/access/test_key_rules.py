"""When a key lets a request in, how it moves, and what its fields may hold."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opora.core.access.errors import (
    AddressNotAllowed,
    KeyDisabled,
    KeyExpired,
    KeyInvalid,
    KeyNotRotatable,
    KeyOwnerBlocked,
    KeyRevoked,
    KeyRotated,
    NoSuchKey,
    ScopeMissing,
)
from opora.core.access.model.keys import (
    KEY_MOVES,
    KeyChanges,
    KeyOwner,
    KeyRecord,
    KeyState,
    KeyStatus,
    NewKey,
    issued,
    view_of,
)
from opora.core.access.model.keytext import Environment, KeyFormat
from opora.core.access.model.scopes import ROLE_SCOPES, SCOPES, Role, scopes_of, shared_scopes
from opora.core.access.rules.callers import CallerPolicy
from opora.core.access.rules.changes import key_change
from opora.core.access.rules.keys import (
    ADDRESS_RANGES_MAX,
    OVERLAP_MAX,
    Allow,
    Refuse,
    changed,
    decide,
    new_key,
    owner_for,
    reach,
    refuse_bad_fields,
    rotated,
    seen,
    sunset,
    within,
)
from opora.core.kernel.errors import IllegalMove
from opora.core.kernel.model import SYSTEM, Actor
from opora.testing.access import HOUR, NOON, SECOND, a_key

scopes = st.frozensets(st.sampled_from(sorted(SCOPES)))


def judged(key, owner=None, now=NOON, address="", required=frozenset()):
    return decide(KeyRecord(key, "hmac-sha256:p1", owner), now, address, required)


def reason(verdict):
    assert isinstance(verdict, Refuse)
    return type(verdict.reason)


def test_a_working_key_grants_its_scopes():
    key = a_key()
    assert judged(key) == Allow(key.scopes)


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"state": KeyState.REVOKED}, KeyRevoked),
        ({"state": KeyState.DISABLED}, KeyDisabled),
        ({"expires_at": NOON}, KeyExpired),
        ({"sunset_at": NOON, "rotated_at": NOON}, KeyRotated),
        ({"state": KeyState.REVOKED, "expires_at": NOON}, KeyRevoked),
    ],
)
def test_each_way_of_being_over_has_its_own_refusal(changes, refusal):
    assert reason(judged(a_key(**changes))) is refusal


def test_a_key_works_until_the_very_instant_it_expires():
    key = a_key(expires_at=NOON + HOUR)
    assert isinstance(judged(key, now=NOON + HOUR - timedelta(microseconds=1)), Allow)
    assert reason(judged(key, now=NOON + HOUR)) is KeyExpired


def test_a_rotated_key_works_until_its_sunset():
    key = a_key(rotated_at=NOON, sunset_at=NOON + HOUR)
    assert isinstance(judged(key, now=NOON + HOUR - SECOND), Allow)
    assert reason(judged(key, now=NOON + HOUR)) is KeyRotated


def test_a_blocked_owner_shuts_the_key_out():
    owner = KeyOwner(1, frozenset({Role.ADMIN}), is_active=False)
    assert reason(judged(a_key(), owner)) is KeyOwnerBlocked


@given(scopes, st.frozensets(st.sampled_from(Role), min_size=1))
def test_a_key_never_grants_more_than_its_owner_holds_now(key_scopes, roles):
    verdict = judged(a_key(scopes=key_scopes), KeyOwner(1, roles, is_active=True))
    assert isinstance(verdict, Allow)
    actor, owner = Actor(scopes=verdict.scopes), Actor(scopes=scopes_of(roles))
    assert all(owner.may(scope) for scope in SCOPES if actor.may(scope))


@given(scopes, scopes)
def test_shared_scopes_grant_what_both_grant_and_nothing_else(one, other):
    for scope in SCOPES:
        both = Actor(scopes=one).may(scope) and Actor(scopes=other).may(scope)
        assert Actor(scopes=shared_scopes(one, other)).may(scope) == both


@pytest.mark.parametrize(
    ("address", "inside"),
    [
        ("10.1.2.3", True),
        ("::ffff:10.1.2.3", True),
        ("11.0.0.1", False),
        ("2001:db8::5", True),
        ("2001:db9::5", False),
        ("", False),
        ("not an address", False),
    ],
)
def test_a_key_bound_to_networks_is_refused_elsewhere(address, inside):
    key = a_key(allowed_ips=("10.0.0.0/8", "2001:db8::/32"))
    verdict = judged(key, address=address)
    assert isinstance(verdict, Allow) if inside else reason(verdict) is AddressNotAllowed
    assert within(address, key.allowed_ips) is inside


def test_a_scope_that_is_asked_for_and_missing_is_named():
    verdict = judged(a_key(), required=frozenset({"profiles:read", "keys:write"}))
    assert reason(verdict) is ScopeMissing
    assert isinstance(verdict, Refuse) and verdict.reason.facts == {"scopes": ["keys:write"]}


def test_admin_answers_for_every_scope():
    assert isinstance(judged(a_key(scopes=frozenset({"admin"})), required=frozenset({"keys:write"})), Allow)


@pytest.mark.parametrize("state", KeyState)
@pytest.mark.parametrize("target", KeyState)
def test_a_key_moves_only_by_the_table(state, target):
    key = a_key(state=state)
    if target in KEY_MOVES.table[state]:
        assert key.move(target).version == key.version + 1
    else:
        with pytest.raises(IllegalMove):
            key.move(target)


def test_a_revoked_key_stays_revoked():
    assert KEY_MOVES.final() == {KeyState.REVOKED}


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, KeyStatus.ACTIVE),
        ({"state": KeyState.DISABLED, "expires_at": NOON}, KeyStatus.DISABLED),
        ({"expires_at": NOON}, KeyStatus.EXPIRED),
        ({"expires_at": NOON, "sunset_at": NOON}, KeyStatus.ROTATED),
    ],
)
def test_the_view_tells_what_the_key_is_now(changes, status):
    assert view_of(a_key(**changes), NOON).status is status


def test_an_issued_key_shows_its_text_but_never_in_logs():
    view = issued(a_key(), "opk_live_secret", NOON)
    assert view.key == "opk_live_secret"
    assert "secret" not in repr(view)


def test_fields_come_back_in_one_spelling():
    wanted = NewKey(label="  QA ", scopes=frozenset({"admin"}), allowed_ips=("10.0.0.7", "10.0.0.7/32", "::1"))
    sound = refuse_bad_fields(wanted, NOON)
    assert sound.label == "QA"
    assert sound.allowed_ips == ("10.0.0.7/32", "::1/128")


def test_every_field_at_fault_is_named_at_once():
    wanted = NewKey(
        label=" ",
        scopes=frozenset({"everything:do"}),
        rate_limit_per_min=0,
        expires_at=NOON,
        allowed_ips=("10.0.0.1/8", "nonsense"),
    )
    with pytest.raises(KeyInvalid) as refusal:
        refuse_bad_fields(wanted, NOON)
    assert refusal.value.errors.keys() == {"label", "scopes", "rate_limit_per_min", "expires_at", "allowed_ips"}
    assert len(refusal.value.errors["allowed_ips"]) == 2


def test_a_key_without_scopes_and_one_with_endless_networks_are_refused():
    many = tuple(f"10.0.{number}.0/24" for number in range(ADDRESS_RANGES_MAX + 1))
    with pytest.raises(KeyInvalid) as refusal:
        refuse_bad_fields(NewKey(label="QA", scopes=frozenset(), allowed_ips=many), NOON)
    assert refusal.value.errors.keys() == {"scopes", "allowed_ips"}


def test_asking_for_what_is_changes_nothing():
    key = a_key(expires_at=NOON - HOUR, state=KeyState.DISABLED)
    assert changed(key, KeyChanges(label="QA", state=KeyState.DISABLED, expires_at=NOON - HOUR), NOON) is key


def test_a_change_keeps_the_rest_and_takes_the_next_version():
    key = a_key(rate_limit_per_min=5)
    after = changed(key, KeyChanges(state=KeyState.DISABLED, rate_limit_per_min=None), NOON)
    assert (after.state, after.rate_limit_per_min, after.version) == (KeyState.DISABLED, None, 2)
    assert (after.label, after.scopes) == (key.label, key.scopes)


def test_a_revoked_key_cannot_be_switched_on_again():
    with pytest.raises(IllegalMove):
        changed(a_key(state=KeyState.REVOKED), KeyChanges(state=KeyState.ACTIVE), NOON)


def test_a_new_expiry_must_lie_ahead():
    with pytest.raises(KeyInvalid):
        changed(a_key(), KeyChanges(expires_at=NOON - SECOND), NOON)


@given(st.integers(0, OVERLAP_MAX.days * 24), st.integers(1, 60 * 24) | st.none())
def test_an_overlap_never_outlives_the_old_expiry(overlap_h, expiry_h):
    expires_at = None if expiry_h is None else NOON + expiry_h * HOUR
    end = sunset(a_key(expires_at=expires_at), NOON, overlap_h * HOUR)
    assert NOON <= end <= NOON + overlap_h * HOUR
    assert expires_at is None or end <= expires_at


@pytest.mark.parametrize("overlap", [timedelta(seconds=-1), OVERLAP_MAX + SECOND])
def test_an_overlap_past_its_bounds_is_refused(overlap):
    with pytest.raises(KeyInvalid):
        sunset(a_key(), NOON, overlap)


@pytest.mark.parametrize("changes", [{"state": KeyState.DISABLED}, {"rotated_at": NOON}, {"expires_at": NOON}])
def test_only_a_working_key_is_rotated_and_only_once(changes):
    with pytest.raises(KeyNotRotatable):
        sunset(a_key(**changes), NOON, HOUR)


def test_a_rotation_copies_the_settings_and_keeps_the_family():
    key = a_key(rate_limit_per_min=9, allowed_ips=("10.0.0.0/8",), last_used_at=NOON, family_id=2)
    text = KeyFormat().compose(Environment.LIVE, bytes(32))
    old, new = rotated(key, 8, text, SYSTEM, NOON, HOUR)
    assert (old.rotated_at, old.sunset_at, old.version) == (NOON, NOON + HOUR, 2)
    assert (new.id, new.rotated_from, new.family_id, new.version) == (8, 7, 2, 1)
    assert (new.label, new.scopes, new.rate_limit_per_min, new.allowed_ips) == (
        key.label,
        key.scopes,
        9,
        key.allowed_ips,
    )
    assert new.last_used_at is None and new.sunset_at is None and new.start == text.start


def test_a_new_key_belongs_to_its_maker_unless_an_admin_says_otherwise():
    wanted = NewKey(label="QA", scopes=frozenset({"profiles:read"}), owner_id=9)
    manager = Actor(user_id=4, scopes=frozenset({"keys:write"}))
    assert owner_for(manager, wanted.owner_id) == 4
    assert owner_for(SYSTEM, wanted.owner_id) == 9
    text = KeyFormat().compose(Environment.LIVE, bytes(32))
    assert new_key(8, wanted, text, manager, NOON).owner_id == 4
    assert new_key(8, wanted, text, manager, NOON).family_id == 8


@pytest.mark.parametrize(
    ("actor", "visible"),
    [
        (SYSTEM, True),
        (Actor(user_id=1), True),
        (Actor(user_id=2), True),
        (Actor(user_id=3), False),
        (Actor(key_id=1), False),
        (Actor(), False),
    ],
)
def test_a_key_is_seen_by_admins_its_owner_and_its_maker_alone(actor, visible):
    key = a_key(owner_id=2, created_by="user:1")
    assert reach(actor).covers(key) is visible
    if visible:
        assert seen(key, actor, 7) is key
    else:
        with pytest.raises(NoSuchKey):
            seen(key, actor, 7)


def test_a_key_that_is_not_there_is_not_seen():
    with pytest.raises(NoSuchKey):
        seen(None, SYSTEM, 7)


def test_the_audit_entry_holds_before_and_after_in_plain_values():
    before, after = a_key(expires_at=NOON), a_key(sunset_at=NOON)
    entry = key_change(SYSTEM, "key.changed", before, after, NOON)
    assert entry.old is not None and entry.old["expires_at"] == "2030-01-01T12:00:00Z"
    assert entry.new is not None and entry.new["sunset_at"] == "2030-01-01T12:00:00Z"
    assert key_change(SYSTEM, "key.issued", None, after, NOON).old is None


def test_a_keys_own_limit_goes_before_the_base_limit():
    policy = CallerPolicy(base_per_min=100, anonymous_per_min=50)
    assert policy.for_key(a_key(rate_limit_per_min=7))[0].quota == 7
    assert policy.for_key(a_key())[0].quota == 100
    assert policy.for_person()[0].quota == 100
    assert policy.for_anonymous()[0].quota == 50


def test_every_role_grants_only_scopes_there_are():
    assert set(ROLE_SCOPES) == set(Role)
    assert all(granted and granted <= SCOPES.keys() for granted in ROLE_SCOPES.values())
