"""What a failed log-in is charged to, and when no more are heard."""

import pytest

from opora.core.access.errors import LoginLimited
from opora.core.access.model.callers import address_subject
from opora.core.access.model.rates import Decision, FailureMode, Verdict
from opora.core.access.rules.login import (
    LoginPolicy,
    code_failures,
    failures,
    judged_after,
    letter,
    marks_of,
    place_mark,
    refuse_spent,
    token_mark,
)
from opora.core.kernel.model import Origin
from opora.testing.access import NOON

POLICY = LoginPolicy()


def test_a_failure_is_charged_to_the_account_the_network_address_and_everybody():
    charges = failures("anna@example.org", "203.0.113.9", POLICY)
    account, address, everybody = charges.charged
    assert [one.policies[0].quota for one in charges.charged] == [5, 20, 1000]
    assert address.subject == "login:address:203.0.113.9" and everybody.subject == "login:everybody"
    assert account.policies[0].on_store_failure is FailureMode.CLOSED
    assert charges.judged == charges.charged


def test_a_known_device_is_charged_too_and_judged_by_its_own_failures_alone():
    charges = failures("anna@example.org", "203.0.113.9", POLICY, known_mark=bytes(32))
    assert charges.charged[:3] == failures("anna@example.org", "203.0.113.9", POLICY).charged
    (own,) = charges.judged
    assert own == charges.charged[3] and own.policies[0].name == "login-device"
    other = failures("anna@example.org", "203.0.113.9", POLICY, known_mark=bytes([1]) * 32)
    assert other.judged[0].subject != own.subject
    decisions = [Decision((Verdict(one.policies[0], one is own, 0, 1.0, 1.0),)) for one in charges.charged]
    refuse_spent(judged_after(charges, decisions), NOON)
    with pytest.raises(LoginLimited):
        refuse_spent(decisions, NOON)


def test_a_device_is_known_again_in_its_network_and_by_what_it_was_given():
    here, beside = Origin("203.0.113.9", "Firefox"), Origin("203.0.113.77", "Firefox")
    assert place_mark(here) == place_mark(beside)
    assert len({place_mark(here), place_mark(Origin("203.0.114.9", "Firefox")), place_mark(Origin("", "curl"))}) == 3
    assert place_mark(Origin("2001:db8:1:2:3::1", "")) == place_mark(Origin("2001:db8:1:2:4::1", ""))
    assert marks_of(here, None) == (place_mark(here),)
    assert marks_of(here, "given") == (token_mark("given"), place_mark(here))


def test_a_code_has_fewer_tries_and_a_known_device_has_its_own():
    stranger, known = code_failures(3, POLICY), code_failures(3, POLICY, bytes(32))
    assert [one.quota for one in stranger.judged[0].policies] == [5, 50]
    assert stranger.judged == stranger.charged
    assert known.judged[0].subject != stranger.judged[0].subject


def test_letters_are_bounded_by_address_and_kind():
    assert letter("anna@example.org", "reset", POLICY) == letter("anna@example.org", "reset", POLICY)
    assert letter("anna@example.org", "reset", POLICY).subject != letter("anna@example.org", "taken", POLICY).subject
    assert "anna" not in letter("anna@example.org", "reset", POLICY).subject


def test_an_account_is_counted_under_a_name_that_does_not_tell_it():
    account = failures("anna@example.org", "", POLICY).charged[0]
    assert "anna" not in account.subject and len(account.subject) < 64
    assert account.subject == failures("anna@example.org", "", POLICY).charged[0].subject
    assert account.subject != failures("anne@example.org", "", POLICY).charged[0].subject


@pytest.mark.parametrize(
    ("address", "subject"),
    [
        ("203.0.113.9", "address:203.0.113.9"),
        ("::ffff:203.0.113.9", "address:203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "address:2001:db8:1:2::/64"),
        ("", "address:unknown"),
        ("testclient", "address:unknown"),
    ],
)
def test_an_address_is_counted_as_what_one_host_has(address, subject):
    assert address_subject(address) == subject


def test_while_every_limit_has_room_nothing_is_refused():
    verdict = Verdict(failures("", "", POLICY).charged[0].policies[0], True, 3, 10.0, 0.0)
    refuse_spent([Decision((verdict,))], NOON)


def test_the_limit_that_frees_last_is_named_with_its_wait():
    account, address = (one.policies[0] for one in failures("", "", POLICY).charged[:2])
    short = Decision((Verdict(account, False, 0, 12.0, 2.5),))
    long = Decision((Verdict(address, False, 0, 30.0, 29.2),))
    with pytest.raises(LoginLimited) as refusal:
        refuse_spent([short, long], NOON)
    assert refusal.value.facts == {
        "limit": 20,
        "remaining": 0,
        "reset_at": "2030-01-01T12:00:30Z",
        "retry_after_s": 30,
        "policy": "login-address",
    }
