"""Which plans may be offered together, and what publishing them changes for whom."""

from dataclasses import replace
from typing import Any

import pytest

from core.billing.builders import DAY, NOW, REQUESTS, a_plan
from core.billing.kiosk import ANNA, Kiosk
from opora.core.billing.errors.plans import PlansInvalid, PlanUnknown
from opora.core.billing.model.plans import Limit, Period, Plan
from opora.core.billing.rules import publishing as rules
from opora.core.kernel.model import SYSTEM

FREE = a_plan(code="free", rank=0, price_minor=0)
END = NOW.replace(month=12)


def wrong(*plans: Plan) -> dict[str, list[str]]:
    """Return what is wrong about plans that are to be offered together."""
    with pytest.raises(PlansInvalid) as refusal:
        rules.refuse_bad_plans(plans)
    return refusal.value.errors


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("code", {"code": "Gold"}),
        ("code", {"code": "g" * 33}),
        ("rank", {"rank": 10_001}),
        ("price_minor", {"price_minor": -1}),
        ("price_minor", {"price_minor": 10**15 + 1}),
        ("names", {"names": {"en": ""}}),
        ("features", {"features": ("Post",)}),
        ("features", {"features": ("generate.*.post",)}),
        ("features", {"features": ("g" * 65,)}),
        ("limits", {"limits": (Limit("generate.*", Period.DAY, 1),)}),
        ("limits", {"limits": (Limit(REQUESTS, Period.DAY, 0),)}),
        ("limits", {"limits": (Limit(REQUESTS, Period.DAY, 1), Limit(REQUESTS, Period.DAY, 2))}),
    ],
)
def test_a_field_out_of_its_bounds_is_named(field: str, changes: dict[str, Any]) -> None:
    assert set(wrong(FREE, a_plan(**changes))) == {f"plans.1.{field}"}


def test_a_currency_that_does_not_exist_is_named() -> None:
    assert set(wrong(replace(FREE, currency="XXZ"))) == {"plans.0.currency"}


@pytest.mark.parametrize(
    ("plans", "told"),
    [
        ([a_plan()], "hold `free`"),
        ([replace(FREE, price_minor=1)], "hold `free`"),
        ([FREE, a_plan(), a_plan(rank=11)], "codes of their own"),
        ([FREE, a_plan(), a_plan(code="plus")], "ranks of their own"),
        ([FREE, a_plan(currency="EUR")], "one currency"),
        ([replace(FREE, rank=20), a_plan()], "rank above"),
        ([FREE, *(a_plan(code=f"p{one}", rank=one) for one in range(1, 51))], "50 at most"),
    ],
)
def test_plans_that_do_not_fit_together_are_told_why(plans: list[Plan], told: str) -> None:
    (message,) = wrong(*plans)["plans"]
    assert told in message


def test_terms_that_are_the_same_are_no_new_version() -> None:
    kept = [FREE, a_plan(version=3), a_plan(code="old", rank=5)]
    wanted = [replace(FREE, created_at=END), a_plan(price_minor=1), a_plan(code="new", rank=30)]
    found = rules.publication(wanted, kept, END)
    assert [(one.code, one.version, one.created_at) for one in found.added] == [("standard", 4, END), ("new", 1, END)]
    assert (found.offered, found.withdrawn) == (("free",), ("old",))


@pytest.mark.anyio
async def test_who_is_on_older_terms_keeps_them_until_the_period_ends(kiosk: Kiosk) -> None:
    await kiosk.top_up(1_000_000)
    await kiosk.subscribe(ANNA, "standard")
    free, standard, premium = await kiosk.plans.offered()
    dearer = replace(standard, price_minor=60_000, limits=(Limit(REQUESTS, Period.MONTH, 5),))
    changed = await kiosk.publish(SYSTEM, [free, dearer])
    assert ([one.code for one in changed.added], changed.withdrawn) == (["standard"], ("premium",))
    assert [one.code for one in await kiosk.plans.offered()] == ["free", "standard"]
    with pytest.raises(PlanUnknown):
        await kiosk.change(ANNA, premium.code)
    assert (await kiosk.standing(ANNA)).plan == standard
    await kiosk.turn(END + DAY)
    assert await kiosk.balance() == 1_000_000 - 49_000 - 60_000
    assert (await kiosk.standing(ANNA)).plan.limits == dearer.limits
    assert (await kiosk.audited())[1:3] == ["plan.published", "plan.published"]


@pytest.mark.anyio
async def test_publishing_the_same_again_changes_nothing_and_a_plan_comes_back_as_it_was(kiosk: Kiosk) -> None:
    free, standard, premium = await kiosk.plans.offered()
    nothing = await kiosk.publish(SYSTEM, [free, standard, premium])
    assert (nothing.added, nothing.offered, nothing.withdrawn) == ((), (), ())
    assert await kiosk.audited() == []
    await kiosk.publish(SYSTEM, [free, standard])
    back = await kiosk.publish(SYSTEM, [free, standard, premium])
    assert (back.added, back.offered) == ((), ("premium",))
    assert await kiosk.plans.offered() == [free, standard, premium]
    with pytest.raises(PlansInvalid):
        await kiosk.publish(SYSTEM, [standard])
