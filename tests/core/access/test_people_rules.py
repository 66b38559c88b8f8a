"""What an address, a password and a change to a person must be."""

from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opora.core.access.errors import BeyondOwnRights, LastAdmin, NoSuchUser, UserInvalid
from opora.core.access.model.people import NewUser, UserChanges, user_view
from opora.core.access.model.scopes import Role
from opora.core.access.rules.changes import user_change
from opora.core.access.rules.passwords import PasswordPolicy, password_faults, refuse_long_password
from opora.core.access.rules.people import (
    changed_user,
    folded_email,
    known,
    login_email,
    new_user,
    refuse_losing_last_admin,
)
from opora.core.access.rules.scopes import refuse_beyond
from opora.core.kernel.model import SYSTEM, Actor
from opora.testing.access import NOON, a_user

POLICY = PasswordPolicy()
local_parts = st.text(st.characters(categories=["L", "Nd"]), min_size=1, max_size=8)


@given(local_parts)
def test_an_address_is_the_same_in_either_case_and_either_normal_form(local):
    address = f"{local}@Example.ORG"
    folded = folded_email(address)
    assert folded == folded_email(folded)
    assert folded == folded_email(normalize("NFC", address)) == folded_email(normalize("NFD", address))
    assert folded == folded_email(address.casefold())


@pytest.mark.parametrize(
    "address",
    [
        "",
        "@",
        "anna",
        "anna@",
        "@example.org",
        "anna@exa mple.org",
        "anna@@example.org",
        "anna@-example.org",
        "anna@example..org",
        "anna@example.org\r\nBcc: x@y.z",
        "an\x00na@example.org",
        "an\u202ena@example.org",
        "an\ud800na@example.org",
        "anna <anna@example.org>",
        "a" * 65 + "@example.org",
        "a@" + "b" * 253,
    ],
)
def test_what_is_no_address_is_refused_and_never_found(address):
    with pytest.raises(UserInvalid) as refusal:
        folded_email(address)
    assert refusal.value.errors.keys() == {"email"}
    assert login_email(address) == ""


def test_an_address_of_a_bare_host_is_taken():
    assert login_email(" Admin@localhost ") == "admin@localhost"


def test_a_password_has_a_least_length_and_a_bound_in_bytes():
    words = "Ещё одна фраза из слов " * 100
    assert password_faults("a b c d e f", POLICY) and not password_faults("a b c d e fg", POLICY)
    assert not password_faults(bounded(words, 1024), POLICY) and password_faults(bounded(words, 1026) + "...", POLICY)
    assert not password_faults("\ud800 \ud801 \ud802 a word", POLICY)


def bounded(text: str, size: int) -> str:
    """Cut a text to so many bytes."""
    return text.encode()[:size].decode("utf-8", "ignore")


def test_a_password_of_ten_thousand_characters_is_refused_before_hashing():
    with pytest.raises(UserInvalid):
        refuse_long_password("x" * 10_000)
    refuse_long_password("x" * 1024)


def test_every_field_of_a_new_user_at_fault_is_named_at_once():
    wanted = NewUser(email="x", password="x", roles=frozenset(), full_name="a\nb", locale="!")
    with pytest.raises(UserInvalid) as refusal:
        new_user(wanted, POLICY, NOON)
    assert refusal.value.errors.keys() == {"email", "password", "roles", "full_name", "locale"}


def test_a_sound_new_user_is_kept_under_the_folded_address():
    assert new_user(NewUser(email="Anna@Example.org"), POLICY, NOON).email == "anna@example.org"
    assert new_user(NewUser(email="anna@example.org", password="a b c d e fg"), POLICY, NOON).password_hash is None


def test_a_locale_is_kept_as_a_language_tag_however_it_is_written():
    asked = NewUser(email="anna@example.org", locale="ru_RU")
    assert new_user(asked, POLICY, NOON).locale == "ru-RU"
    assert changed_user(a_user(), UserChanges(locale="en_GB")).locale == "en-GB"


def test_a_change_keeps_the_rest_and_no_change_keeps_the_user():
    user = a_user()
    after = changed_user(user, UserChanges(full_name="Anna"))
    assert (after.full_name, after.version, after.roles) == ("Anna", 2, user.roles)
    assert changed_user(user, UserChanges(is_active=True, locale="en")) is user


def test_a_change_that_leaves_no_role_is_refused():
    with pytest.raises(UserInvalid) as refusal:
        changed_user(a_user(), UserChanges(roles=frozenset(), locale=""))
    assert refusal.value.errors.keys() == {"roles", "locale"}


def test_the_last_admin_can_neither_step_down_nor_be_blocked():
    admin = a_user(roles=frozenset({Role.ADMIN}))
    for after in (a_user(), a_user(roles=frozenset({Role.ADMIN}), is_active=False)):
        with pytest.raises(LastAdmin):
            refuse_losing_last_admin(admin, after, other_admins=0)
        refuse_losing_last_admin(admin, after, other_admins=1)
    refuse_losing_last_admin(a_user(), a_user(is_active=False), other_admins=0)


def test_nobody_grants_what_they_do_not_hold():
    with pytest.raises(BeyondOwnRights) as refusal:
        refuse_beyond(Actor(scopes=frozenset({"keys:write"})), frozenset({"keys:write", "admin"}))
    assert refusal.value.facts == {"scopes": ["admin"]}
    refuse_beyond(SYSTEM, frozenset({"keys:write", "admin"}))


def test_a_user_who_is_not_there_is_named():
    with pytest.raises(NoSuchUser):
        known(None, 3)
    assert known(a_user(), 3) == a_user()


def test_neither_view_nor_audit_nor_log_holds_the_hash():
    user = a_user(password_hash="$argon2id$secret")
    entry = user_change(SYSTEM, "user.changed", user, user, NOON)
    assert "secret" not in f"{user_view(user)} {entry} {user}"
    assert user_change(SYSTEM, "user.created", None, user, NOON).old is None
