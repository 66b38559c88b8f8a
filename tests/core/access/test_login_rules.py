"""What a failed log-in is charged to, and when no more are heard."""

import pytest

from opora.core.access.errors import LoginLimited
from opora.core.access.model.callers import address_subject
from opora.core.access.model.rates import Decision, FailureMode, Verdict
from opora.core.access.rules.login import LoginPolicy, failures, refuse_spent
from opora.testing.access import NOON, SECOND

POLICY = LoginPolicy()


def test_a_failure_is_charged_to_the_account_and_to_the_network_address():
    account, address = failures("anna@example.org", "203.0.113.9", POLICY)
    assert (account.policies[0].quota, address.policies[0].quota) == (5, 20)
    assert address.subject == "login:address:203.0.113.9"
    assert account.policies[0].on_store_failure is FailureMode.CLOSED


def test_an_account_is_counted_under_a_name_that_does_not_tell_it():
    account, _ = failures("anna@example.org", "", POLICY)
    assert "anna" not in account.subject and len(account.subject) < 64
    assert account.subject == failures("anna@example.org", "", POLICY)[0].subject
    assert account.subject != failures("anne@example.org", "", POLICY)[0].subject


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
    verdict = Verdict(failures("", "", POLICY)[0].policies[0], True, 3, 10.0, 0.0)
    refuse_spent([Decision((verdict,))], NOON)


def test_the_limit_that_frees_last_is_named_with_its_wait():
    account, address = (one.policies[0] for one in failures("", "", POLICY))
    short = Decision((Verdict(account, False, 0, 12.0, 2.5),))
    long = Decision((Verdict(address, False, 0, 30.0, 29.2),))
    with pytest.raises(LoginLimited) as refusal:
        refuse_spent([short, long], NOON)
    assert refusal.value.facts == {
        "limit": 20,
        "remaining": 0,
        "reset_at": (NOON + 30 * SECOND).isoformat(),
        "retry_after_s": 30,
        "policy": "login-address",
    }
