from hypothesis import given, settings
from hypothesis import strategies as st

from opora.core.profiles.rules.control import luhn_contributions, luhn_weigh
from opora.core.profiles.rules.draws import PEOPLE_MAX, Weighted, keystream, permutation, spread, stream_key

keys = st.binary(min_size=32, max_size=32)


def test_the_permutation_takes_every_index_to_an_index_of_its_own():
    permute = permutation(stream_key(1, "ru_RU", 42))
    assert set(map(permute, range(PEOPLE_MAX))) == set(range(PEOPLE_MAX))


@given(keys, keys)
def test_another_seed_permutes_otherwise(one, other):
    same = list(map(permutation(one), range(50))) == list(map(permutation(other), range(50)))
    assert same == (one == other)


@given(keys, st.text(), st.integers(2, 300), st.integers(0, 10**6))
@settings(max_examples=50)
def test_a_spread_fills_its_domain(key, field, size, start):
    factor, offset = spread(key, field, size)
    assert {(number * factor + offset) % size for number in range(start, start + size)} == set(range(size))


def test_fields_locales_versions_and_seeds_draw_apart():
    keys = {stream_key(version, locale, seed) for version in (1, 2) for locale in ("ru_RU", "en_US") for seed in (0, 1)}
    assert len(keys) == 8
    assert len({keystream(key)(5) for key in keys}) == 8
    assert spread(b"k" * 32, "inn", 10**6) != spread(b"k" * 32, "snils", 10**6)


def test_nothing_to_choose_from_has_a_total_that_divides():
    assert Weighted([], []).total == 1


def test_three_digits_weigh_what_they_weigh_one_by_one():
    assert luhn_contributions(doubled=True)[789] == luhn_weigh("789", doubled=True) == 5 + 8 + 9
    assert luhn_contributions(doubled=False)[789] == 7 + 7 + 9
