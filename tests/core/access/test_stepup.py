"""When a fresh sign-in is wanted."""

from datetime import timedelta

import pytest

from opora.core.access.errors import StepUpNeeded
from opora.core.access.model.proofs import Proof
from opora.core.access.model.tokens import TokenStanding
from opora.core.access.rules.stepup import StepUpPolicy, refuse_stale
from opora.core.access.rules.tokens import TokenPolicy, claims_for, proof_of
from opora.testing.access import NOON, SECOND, a_session, a_user

POLICY = StepUpPolicy(max_age_s=600)


@pytest.mark.parametrize(
    "proof",
    [
        None,
        Proof(NOON, ("pwd",)),
        Proof(NOON - 600 * SECOND, ("pwd",)),
        Proof(NOON, ("pwd", "otp"), has_second_factor=True),
    ],
)
def test_a_key_and_whoever_signed_in_lately_with_all_they_have_pass(proof):
    refuse_stale(proof, NOON, POLICY)


@pytest.mark.parametrize(
    "proof", [Proof(NOON - 601 * SECOND, ("pwd", "otp"), True), Proof(NOON, ("pwd",), has_second_factor=True)]
)
def test_an_old_sign_in_and_one_without_the_second_factor_are_asked_again(proof):
    with pytest.raises(StepUpNeeded) as refusal:
        refuse_stale(proof, NOON, POLICY)
    assert refusal.value.facts["max_age"] == 600


def test_a_refresh_makes_no_sign_in_younger():
    session = a_session(created_at=NOON, methods=("pwd", "otp"))
    claims = claims_for(a_user(), session, "t", NOON + timedelta(hours=2), TokenPolicy())
    standing = TokenStanding(3, frozenset(), True, None, False, has_second_factor=True)
    assert proof_of(claims, standing) == Proof(NOON, ("pwd", "otp"), True)
    assert not proof_of(claims, None).has_second_factor
