"""Which new passwords are refused, and which are left alone."""

from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opora.adapters.files.passwords import common_passwords
from opora.core.access.errors import UserInvalid
from opora.core.access.rules.passwords import (
    PasswordPolicy,
    is_common,
    is_own_address,
    is_walked,
    password_faults,
    refuse_bad_password,
    unit_of,
)

COMMON = common_passwords()
POLICY = PasswordPolicy(common=COMMON)


def test_thousands_are_listed_and_all_are_folded():
    assert len(COMMON) > 4000
    assert all(word == word.casefold() and word.strip() == word for word in COMMON)


@pytest.mark.parametrize(
    "password",
    [
        "password1234", "Password123!", "P@ssw0rd2024!", "!!!password!!!", "passwordpassword", "iloveyou-1990",
        "qwertyuiop123", "1q2w3e4r5t6y", "qwertyqwerty", "123456789012", "098765432109", "abcdefghijkl",
        "aaaaaaaaaaaa", "abcabcabcabc", "йцукенгшщзхъ", "Пароль123456", "gfhjkm123456", "lyubov2020!!",
        "ｐａｓｓｗｏｒｄ１２３４", "letmein-letmein", "Administrator1", "changeme2026!", "dr4g0nfly-99",
    ],
)  # fmt: skip
def test_what_guessers_try_first_is_refused(password):
    assert is_common(password, COMMON)
    assert any("tried first" in fault for fault in password_faults(password, POLICY))


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery", "Str0ng-Passw0rd!", "S3cret-passw0rd", "не самая простая фраза", "tr0ub4dor&3xkcd",
        "welcome to 2024!", "Xk9$mQ2#vL7p", "password-of-the-harbour", "", "!?.;-!;?.-;!", "9271-5520-1187",
    ],
)  # fmt: skip
def test_what_is_not_is_left_alone(password):
    assert not is_common(password, COMMON)


@pytest.mark.parametrize("password", ["anna.petrova@example.org", "Anna.Petrova1990", "anna.petrova!!!"])
def test_ones_own_address_is_no_password(password):
    assert is_own_address(password, "anna.petrova@example.org")
    assert not is_own_address(password, "") and not is_own_address("something else", "anna.petrova@example.org")
    with pytest.raises(UserInvalid):
        refuse_bad_password(password, POLICY, "anna.petrova@example.org")


def test_a_good_password_passes_whole():
    refuse_bad_password("correct horse battery", POLICY, "anna@example.org")


def test_ten_thousand_characters_cost_nothing_to_refuse():
    before = process_time()
    for _ in range(100):
        assert password_faults("qwerty" * 1_667, POLICY) == ["at most 1024 bytes"]
    assert process_time() - before < 0.1


@given(st.text(max_size=200))
def test_any_text_is_judged(password):
    assert is_common(password, COMMON) in {True, False}


@given(st.text("ab", min_size=1, max_size=6), st.integers(1, 5))
def test_the_unit_of_a_text_repeats_to_it(unit, times):
    text = unit * times
    found = unit_of(text)
    assert found * (len(text) // len(found)) == text and len(found) <= len(unit)


def test_nothing_is_no_walk():
    assert not is_walked("") and unit_of("") == ""
