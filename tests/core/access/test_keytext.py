"""The text of a key: what it carries, and what it gives away of a mistake."""

import re
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opora.core.access.model.keytext import ALPHABET, Environment, KeyFormat, base62, checksum

FORMAT = KeyFormat()
secrets = st.binary(min_size=32, max_size=32)
environments = st.sampled_from(Environment)


@given(environments, secrets)
def test_a_composed_key_is_read_back_whole(environment, secret):
    key = FORMAT.compose(environment, secret)
    assert FORMAT.parse(key.text) == key
    assert re.fullmatch(rf"opk_{environment}_[0-9A-Za-z]{{49}}", key.text)


@given(secrets, secrets)
def test_different_randomness_gives_different_keys(one, other):
    alike = FORMAT.compose(Environment.LIVE, one).text == FORMAT.compose(Environment.LIVE, other).text
    assert alike == (one == other)


@given(environments, secrets, st.integers(0, 57), st.sampled_from(ALPHABET))
def test_one_mistyped_character_anywhere_is_noticed(environment, secret, place, typo):
    text = FORMAT.compose(environment, secret).text
    mistyped = text[:place] + typo + text[place + 1 :]
    assert (FORMAT.parse(mistyped) is None) == (mistyped != text)


@given(secrets, st.integers(0, 56))
def test_two_swapped_neighbours_are_noticed(secret, place):
    text = FORMAT.compose(Environment.TEST, secret).text
    swapped = text[:place] + text[place + 1] + text[place] + text[place + 2 :]
    assert (FORMAT.parse(swapped) is None) == (swapped != text)


@given(st.text(max_size=80))
def test_no_text_breaks_the_reader(text):
    assert FORMAT.parse(text) is None
    assert FORMAT.parse("opk_live_" + text) is None


def test_letters_of_other_scripts_are_no_base62():
    body = "opk_live_" + "٣" * 43
    assert FORMAT.parse(body + checksum(body)) is None


def test_the_checksum_is_the_crc32_of_all_before_it():
    key = FORMAT.compose(Environment.LIVE, bytes(32))
    number = 0
    for character in key.text[-6:]:
        number = number * 62 + ALPHABET.index(character)
    assert number == crc32(key.text[:-6].encode())


def test_only_the_start_and_the_last_four_are_shown():
    key = FORMAT.compose(Environment.LIVE, bytes(range(32)))
    assert key.text.startswith(key.start) and len(key.start) == len("opk_live_") + 4
    assert key.text.endswith(key.last4) and len(key.last4) == 4
    assert key.text not in repr(key)


def test_the_prefix_is_a_setting_and_keys_of_another_prefix_are_not_read():
    theirs = KeyFormat("acme").compose(Environment.LIVE, bytes(32)).text
    assert theirs.startswith("acme_live_")
    assert FORMAT.parse(theirs) is None


@pytest.mark.parametrize("prefix", ["", "a", "A", "1a", "a-b", "a" * 17, "a_b"])
def test_a_prefix_that_would_confuse_the_reader_is_refused(prefix):
    with pytest.raises(ValueError):
        KeyFormat(prefix)


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_key_carries_exactly_256_bits(size):
    with pytest.raises(ValueError):
        FORMAT.compose(Environment.LIVE, bytes(size))


def test_a_number_that_does_not_fit_is_refused():
    with pytest.raises(ValueError):
        base62(62, 1)


@pytest.mark.parametrize(
    ("text", "could_be"),
    [
        ("sk_live_4eC39HqLyjWDarjtT1zdp7dc", True),
        ("prefix.randomSuffix0123456789", True),
        ("opk_live_4eC39HqLyjWDarjtT1zdp7dc", False),
        ("short", False),
        ("a" * 73, False),
        ("sk_live_4eC39HqLyjWDarjtT1zdp7d\n", False),
        ("sk live 4eC39HqLyjWDarjtT1zdp7dc", False),
    ],
)
def test_only_texts_of_another_form_can_be_imported_keys(text, could_be):
    assert FORMAT.foreign(text) is could_be
