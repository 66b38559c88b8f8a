"""Which plans may be offered together, and what publishing a list of them changes."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from opora.core.billing.errors.plans import PlansInvalid
from opora.core.billing.model.currencies import EXPONENTS
from opora.core.billing.model.ledger import AMOUNT_MINOR_MAX
from opora.core.billing.model.plans import FREE, Plan
from opora.core.billing.model.quotas import UNITS_MAX

CODE = re.compile(r"[a-z][a-z0-9_-]{0,31}")
FEATURE = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)*(\.\*)?")
FEATURE_MAX = 64
PLANS_MAX = 50
RANK_MAX = 10_000
NAME_MAX = 100


@dataclass(frozen=True, slots=True)
class Publication:
    """What a list of plans changes: versions to be added, plans to be offered again, and plans no more on offer."""

    added: tuple[Plan, ...]
    offered: tuple[str, ...]
    withdrawn: tuple[str, ...]


def refuse_bad_plans(plans: Sequence[Plan]) -> None:
    """Raise PlansInvalid, naming every fault under `plans.N`, unless these may be offered together."""
    errors: dict[str, list[str]] = {}
    for number, plan in enumerate(plans):
        for field, message in _faults(plan):
            errors.setdefault(f"plans.{number}.{field}", []).append(message)
    together = _faults_together(plans)
    if together:
        errors["plans"] = together
    if errors:
        raise PlansInvalid(errors=errors)


def _faults(plan: Plan) -> list[tuple[str, str]]:
    found = [
        ("code", "is a word of small letters, 32 at most", CODE.fullmatch(plan.code) is None),
        ("rank", f"is 0 to {RANK_MAX}", not 0 <= plan.rank <= RANK_MAX),
        ("price_minor", f"is 0 to {AMOUNT_MINOR_MAX}", not 0 <= plan.price_minor <= AMOUNT_MINOR_MAX),
        ("currency", "is a code of ISO 4217", plan.currency not in EXPONENTS),
        ("names", f"are 1 to {NAME_MAX} characters", not all(0 < len(one) <= NAME_MAX for one in plan.names.values())),
        ("features", "are words parted by points, the last perhaps a star", not all(map(_is_feature, plan.features))),
        ("limits", "are of features without a star", not all(_is_plain(one.feature) for one in plan.limits)),
        ("limits", f"are 1 to {UNITS_MAX} units, or null", not all(_fits(one.units) for one in plan.limits)),
        ("limits", "name a feature and a period once", len(_names(plan)) != len(plan.limits)),
    ]
    return [(field, message) for field, message, is_wrong in found if is_wrong]


def _is_feature(text: str) -> bool:
    return len(text) <= FEATURE_MAX and FEATURE.fullmatch(text) is not None


def _is_plain(text: str) -> bool:
    return _is_feature(text) and not text.endswith("*")


def _fits(units: int | None) -> bool:
    return units is None or 0 < units <= UNITS_MAX


def _names(plan: Plan) -> set[tuple[str, str]]:
    return {(one.feature, one.period) for one in plan.limits}


def _faults_together(plans: Sequence[Plan]) -> list[str]:
    free = [plan for plan in plans if plan.code == FREE]
    others = [plan for plan in plans if plan.code != FREE]
    found = [
        (f"are {PLANS_MAX} at most", len(plans) > PLANS_MAX),
        ("have codes of their own", len({plan.code for plan in plans}) != len(plans)),
        ("have ranks of their own", len({plan.rank for plan in plans}) != len(plans)),
        ("are in one currency", len({plan.currency for plan in plans}) > 1),
        (f"hold `{FREE}`, which costs nothing", not free or any(plan.price_minor for plan in free)),
        (f"rank above `{FREE}`", any(plan.rank <= one.rank for plan in others for one in free)),
    ]
    return [message for message, is_wrong in found if is_wrong]


def publication(plans: Sequence[Plan], kept: Sequence[Plan], now: datetime) -> Publication:
    """Return what has to be done for exactly these plans to be on offer; terms that are the same stay as they are."""
    newest: Mapping[str, Plan] = {plan.code: plan for plan in kept}
    added, offered = [], []
    for plan in plans:
        known = newest.get(plan.code)
        if known is None or not is_same(plan, known):
            added.append(replace(plan, version=known.version + 1 if known else 1, created_at=now))
        else:
            offered.append(plan.code)
    wanted = {plan.code for plan in plans}
    return Publication(tuple(added), tuple(offered), tuple(code for code in newest if code not in wanted))


def is_same(one: Plan, other: Plan) -> bool:
    """Tell whether two versions say the same."""
    return replace(one, version=other.version, created_at=other.created_at) == other
