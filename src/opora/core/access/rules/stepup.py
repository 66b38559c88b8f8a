"""When a call wants a fresh proof of who is asking (after RFC 9470)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from opora.core.access.errors import StepUpNeeded
from opora.core.access.model.proofs import Proof

SECOND_FACTOR = "otp"
"""How a one-time code is named in `amr` (RFC 8176)."""


@dataclass(frozen=True, slots=True)
class StepUpPolicy:
    """For how long after signing in a person may make the calls that want a fresh proof."""

    max_age_s: int = 3_600


COMMON = StepUpPolicy()
"""What holds where an operator says nothing else."""


def refuse_stale(proof: Proof | None, now: datetime, policy: StepUpPolicy) -> None:
    """Raise StepUpNeeded unless the person signed in lately, and with their second factor where they have one.

    Keys have no proof and pass: they prove themselves with every call, and their scopes were granted for such calls.
    """
    if proof is None:
        return
    lacks_factor = proof.has_second_factor and SECOND_FACTOR not in proof.methods
    if lacks_factor or now - proof.at > timedelta(seconds=policy.max_age_s):
        raise StepUpNeeded(max_age=policy.max_age_s, second_factor=proof.has_second_factor)
