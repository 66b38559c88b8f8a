"""The zones of many numbers are those of each."""

from array import array

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opora.core.numbers.model.registry import NO_PLAN, NumberingPlan
from opora.core.numbers.rules import zone_runs as rules
from opora.core.numbers.rules.cells import Unread
from opora.core.numbers.rules.phones import VALID_7
from opora.core.numbers.rules.zone_runs import ZonesOfMany, uniform_prefixes, zone_runs
from opora.core.numbers.rules.zones import zones_of

PREFIXES = st.sampled_from(["79", "7930", "7495", "7812", "7701", "77172", "7800"])
PHONES = st.builds(lambda prefix, rest: int((prefix + f"{rest:010}")[:11]), PREFIXES, st.integers(0, 10**10 - 1))
VALID = PHONES.filter(lambda phone: bool(VALID_7(str(phone)[1:])))
FOREIGN = st.sampled_from([4930123456, 12025550123, 380441234567])
PLAN = NumberingPlan(
    1,
    array("q", [79000000000, 79160000000, 79300000000]),
    array("q", [79009999999, 79169999999, 79304999999]),
    array("l", [0, 1, 2]),
    [("A", "Урал", ("Asia/Yekaterinburg",)), ("B", "Москва", ("Europe/Moscow",)), ("C", "-", ())],
)


@settings(max_examples=40, deadline=None)
@given(st.sets(st.one_of(VALID, FOREIGN), min_size=1, max_size=20), st.sampled_from([NO_PLAN, PLAN]))
def test_many_numbers_have_the_zones_that_each_has(phones: set[int], plan: NumberingPlan) -> None:
    numbers = sorted(phones)
    many = ZonesOfMany(numbers, zone_runs(numbers))
    many.by_plan(plan)
    assert [many.sets[place] for place in many.places] == [zones_of(phone, plan) for phone in numbers]


def test_a_registry_leaves_alone_what_it_has_no_zone_for_and_what_lies_past_its_end() -> None:
    numbers = [79000000001, 79300000001, 79990000001, 79990000002]
    many = ZonesOfMany(numbers, zone_runs(numbers))
    before = list(many.places)
    many.by_plan(PLAN)
    assert [many.sets[place] for place in many.places] == [zones_of(phone, PLAN) for phone in numbers]
    assert list(many.places)[1:] == before[1:]


def test_the_word_of_a_person_comes_first() -> None:
    numbers = [79160000001, 79160000002, 79160000003]
    many = ZonesOfMany(numbers, zone_runs(numbers))
    many.by_area([5, 0, 6], {5: "Asia/Tokyo", 6: None})
    assert [many.sets[place] == ("Asia/Tokyo",) for place in many.places] == [True, False, False]


def test_mobile_prefixes_have_no_place_and_cities_have() -> None:
    assert 916 in uniform_prefixes()
    assert 495 not in uniform_prefixes()


def test_where_no_pattern_is_understood_ten_thousand_numbers_are_one_stretch(monkeypatch: pytest.MonkeyPatch) -> None:
    def unread(pattern: str) -> list[object]:
        raise Unread(pattern)

    monkeypatch.setattr(rules, "alternatives", unread)
    uniform_prefixes.cache_clear()
    try:
        assert rules.stretch(79160000001)[0] == 79160009999
    finally:
        uniform_prefixes.cache_clear()
