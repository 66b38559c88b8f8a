"""What answers say of limits: valid structured fields, and numbers a client may act on."""

from math import inf

import http_sf
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opora.api.rate_headers import headers, retry_after
from opora.core.access.model.rates import Decision, RatePolicy, Verdict

MINUTE = RatePolicy("minute", 100, 60)
DAY = RatePolicy("day.ai-texts_2", 5000, 86_400)

verdicts = st.builds(
    Verdict,
    st.sampled_from([MINUTE, DAY]),
    st.booleans(),
    st.integers(0, 10**7),
    st.floats(0, 4e7),
    st.one_of(st.floats(0, 4e7), st.just(inf)),
)


def fields(*found: Verdict) -> dict[bytes, bytes]:
    pairs = headers(Decision(found))
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


def test_names_every_policy_and_what_is_left_of_it():
    found = fields(Verdict(MINUTE, True, 99, 60.0, 0.0), Verdict(DAY, True, 4210, 3599.1, 0.0))
    assert found[b"ratelimit-policy"] == b'"minute";q=100;w=60, "day.ai-texts_2";q=5000;w=86400'
    assert found[b"ratelimit"] == b'"minute";r=99;t=60, "day.ai-texts_2";r=4210;t=3600'


@given(st.lists(verdicts, min_size=1, max_size=4))
def test_both_fields_are_lists_of_quoted_names_with_whole_numbers(some):
    found = fields(*some)
    policies = http_sf.parse(found[b"ratelimit-policy"], tltype="list")
    states = http_sf.parse(found[b"ratelimit"], tltype="list")
    assert [(type(name), name) for name, _ in policies] == [(str, one.policy.name) for one in some]
    assert [name for name, _ in states] == [one.policy.name for one in some]
    for (_, policy), (_, state), one in zip(policies, states, some, strict=True):
        assert policy == {"q": one.policy.quota, "w": one.policy.window_s}
        assert state["r"] == one.remaining
        assert state["t"] - 1 < one.reset_after_s <= state["t"]


@given(st.lists(verdicts, min_size=1, max_size=4))
def test_the_plain_fields_are_whole_numbers_of_one_of_the_policies(some):
    found = fields(*some)
    told = tuple(int(found[b"x-ratelimit-" + name]) for name in (b"limit", b"remaining"))
    assert told in {(one.policy.quota, one.remaining) for one in some}
    assert int(found[b"x-ratelimit-reset"]) >= 0


def test_the_plain_fields_speak_of_the_refusal_that_lasts_longest():
    refused = Verdict(DAY, False, 3, 500.0, 500.0)
    found = fields(Verdict(MINUTE, True, 0, 60.0, 0.0), refused, Verdict(MINUTE, False, 1, 9.0, 9.0))
    assert found[b"x-ratelimit-limit"] == b"5000"
    assert found[b"x-ratelimit-reset"] == b"500"


def test_the_plain_fields_speak_of_the_fewest_calls_left_when_all_passed():
    found = fields(Verdict(MINUTE, True, 50, 60.0, 0.0), Verdict(DAY, True, 2, 60.0, 0.0))
    assert found[b"x-ratelimit-remaining"] == b"2"


def test_says_nothing_where_nothing_was_measured():
    assert headers(Decision(())) == []


@pytest.mark.parametrize(
    ("wait_s", "seconds"), [(0.000001, 1), (0.5, 1), (1.0, 1), (1.000001, 2), (59.2, 60), (inf, None)]
)
def test_the_wait_is_told_in_whole_seconds_never_too_early_and_never_none(wait_s, seconds):
    assert retry_after(Decision((Verdict(MINUTE, False, 0, 60.0, wait_s),))) == seconds


def test_the_wait_is_that_of_the_last_policy_to_give_way():
    refused = (Verdict(MINUTE, False, 0, 60.0, 7.0), Verdict(DAY, False, 0, 60.0, 30.0))
    assert retry_after(Decision(refused)) == 30


def test_no_wait_is_told_to_whom_passed():
    assert retry_after(Decision((Verdict(MINUTE, True, 1, 60.0, 0.0),))) is None
