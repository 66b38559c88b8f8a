"""Which services can be offered, and who may change one."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise

from opora.core.billing.model.currencies import EXPONENTS
from opora.core.bookings.errors import InvalidOffering, NotYourOffering
from opora.core.bookings.model import offerings as bounds
from opora.core.bookings.model.offerings import CancellationPolicy, Offering
from opora.core.kernel.model import Actor

OVERSEE = "appointments:read_all"
"""What lets its holder reach everyone's appointments and hours; `admin` includes it."""
ROLES = frozenset({"client", "staff", "operator", "manager", "admin"})
PER_CENT = 100
POLICY = "policy."
RANGES = (
    ("duration_min", 1, bounds.DURATION_MIN_MAX),
    ("capacity", 1, bounds.CAPACITY_MAX),
    ("price_minor", 0, bounds.PRICE_MINOR_MAX),
    ("buffer_before_min", 0, bounds.BUFFER_MIN_MAX),
    ("buffer_after_min", 0, bounds.BUFFER_MIN_MAX),
    ("step_min", 1, bounds.DURATION_MIN_MAX),
    ("min_notice_min", 0, bounds.NOTICE_MIN_MAX),
    ("horizon_days", 1, bounds.HORIZON_DAYS_MAX),
)


def checked(offering: Offering) -> Offering:
    """Return the service, its lists in order; raises InvalidOffering that names every field at fault."""
    errors = {
        name: [f"is {least} to {most}"] for name, least, most in RANGES if not least <= getattr(offering, name) <= most
    }
    if not offering.name.strip():
        errors["name"] = ["is not empty"]
    if offering.currency not in EXPONENTS:
        errors["currency"] = ["is a code of ISO 4217 such as RUB"]
    if len(offering.staff_ids) > bounds.STAFF_MAX:
        errors["staff_ids"] = [f"takes at most {bounds.STAFF_MAX}"]
    elif len(set(offering.staff_ids)) < len(offering.staff_ids):
        errors["staff_ids"] = ["names somebody twice"]
    errors |= _faults(offering.policy)
    if errors:
        raise InvalidOffering(errors=errors)
    return offering


def changed(offering: Offering, changes: Mapping[str, object]) -> Offering:
    """Return the service with these fields changed; names that begin with `policy.` are fields of its policy."""
    terms = {name.removeprefix(POLICY): value for name, value in changes.items() if name.startswith(POLICY)}
    fields = {name: value for name, value in changes.items() if not name.startswith(POLICY)}
    policy = replace(offering.policy, **terms)  # type: ignore[arg-type]  # the edge's fields are of the same types
    return replace(offering, policy=policy, **fields)  # type: ignore[arg-type]  # as above


def ordered(policy: CancellationPolicy) -> CancellationPolicy:
    """Return the policy with its bands from the longest notice to the shortest, and its roles by name."""
    bands = tuple(sorted(policy.bands, key=lambda band: -band.notice_hours))
    return CancellationPolicy(bands, policy.grace_min, tuple(sorted(set(policy.exempt_roles))))


def _faults(policy: CancellationPolicy) -> dict[str, list[str]]:
    """Name what is wrong with a policy; a shorter notice never costs less."""
    errors: dict[str, list[str]] = {}
    bands = ordered(policy).bands
    if len(bands) > bounds.BANDS_MAX:
        errors["cancellation"] = [f"takes at most {bounds.BANDS_MAX} bands"]
    elif any(
        not 0 <= band.notice_hours <= bounds.NOTICE_HOURS_MAX or not 0 <= band.fee_percent <= PER_CENT for band in bands
    ):
        errors["cancellation"] = [f"notice_hours are 0 to {bounds.NOTICE_HOURS_MAX} and fee_percent 0 to {PER_CENT}"]
    elif any(one.notice_hours == other.notice_hours for one, other in pairwise(bands)):
        errors["cancellation"] = ["names a notice twice"]
    elif any(one.fee_percent > other.fee_percent for one, other in pairwise(bands)):
        errors["cancellation"] = ["a shorter notice costs no less than a longer one"]
    if not 0 <= policy.grace_min <= bounds.GRACE_MIN_MAX:
        errors["cancellation_grace_min"] = [f"is 0 to {bounds.GRACE_MIN_MAX}"]
    if not ROLES.issuperset(policy.exempt_roles):
        errors["cancellation_exempt_roles"] = [f"are of {', '.join(sorted(ROLES))}"]
    return errors


def refuse_others(actor: Actor, *before_and_after: tuple[int, ...]) -> None:
    """Raise NotYourOffering unless the caller oversees everything or nobody but they give the service."""
    if actor.may(OVERSEE):
        return
    for staff_ids in before_and_after:
        if staff_ids not in ((), (actor.user_id,)):
            raise NotYourOffering(staff_ids=list(staff_ids))
