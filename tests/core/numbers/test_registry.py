"""The regulator's ranges: read, joined, looked up, and where numbers lie."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opora.core.numbers.errors.calls import InvalidRegistry
from opora.core.numbers.model.registry import NO_PLAN, NumberingPlan, NumberRange
from opora.core.numbers.rules.regions import zones_of_region
from opora.core.numbers.rules.registry import joined, ranges_of
from opora.core.numbers.rules.zones import known_zones, zones_of

HEAD = "\ufeffАВС/ DEF;От;До;Емкость;Оператор;Регион;Территория ГАР;ИНН\n"
ROWS = [
    "916;0000000;0999999;1000000;ПАО МТС;г. Москва и Московская область;Москва;7740000076\n",
    "916;1000000;1999999;1000000;ПАО МТС;г. Москва и Московская область;Москва;7740000076\n",
    "924;0000000;0009999;10000;ПАО Мегафон;Республика Саха /Якутия/;;7812014560\n",
    "900;0000000;0061999;62000;ООО Т2 Мобайл;г. Абакан|Республика Хакасия;;1\n",
]


def a_plan(ranges: list[NumberRange]) -> NumberingPlan:
    told = sorted({(one.operator, one.region, one.zones) for one in ranges})
    kinds = [told.index((one.operator, one.region, one.zones)) for one in ranges]
    return NumberingPlan(1, [one.first for one in ranges], [one.last for one in ranges], kinds, told)


def test_files_are_read_and_neighbours_become_one() -> None:
    ranges = joined(ranges_of([HEAD, *ROWS, "\n"], "DEF-9xx.csv"))
    assert [(one.first, one.last, one.operator, one.zones) for one in ranges] == [
        (79000000000, 79000061999, "ООО Т2 Мобайл", ("Asia/Krasnoyarsk",)),
        (79160000000, 79161999999, "ПАО МТС", ("Europe/Moscow",)),
        (79240000000, 79240009999, "ПАО Мегафон", ("Asia/Srednekolymsk", "Asia/Vladivostok", "Asia/Yakutsk")),
    ]
    assert joined([*ranges, *ranges]) == ranges


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ("916;0;9\n", "3 columns"),
        ("91;0000000;0999999;1;МТС;Москва\n", "digits"),
        ("916;x;0999999;1;МТС;Москва\n", "digits"),
        ("916;00000000;0999999;1;МТС;Москва\n", "digits"),
        ("916;5;4;1;МТС;Москва\n", "before it begins"),
    ],
)
def test_a_line_that_is_no_range_is_named(row: str, fault: str) -> None:
    with pytest.raises(InvalidRegistry, match=f"DEF.csv, line 2: .*{fault}"):
        list(ranges_of([HEAD, row], "DEF.csv"))


def test_files_that_contradict_one_another_or_hold_nothing_are_refused() -> None:
    ranges = list(ranges_of(ROWS, "a"))
    with pytest.raises(InvalidRegistry, match="overlap"):
        joined([*ranges, NumberRange(79160500000, 79160600000, "Другой", "-", ())])
    with pytest.raises(InvalidRegistry, match="no range"):
        joined([])
    with pytest.raises(InvalidRegistry, match="more than 1"):
        joined(ranges, most=1)


def test_every_zone_of_a_region_is_one_there_is() -> None:
    for text in ("г. Москва", "Томская обл.", "Омская область", "Ямало-Ненецкий АО", "Ненецкий АО", "Сахалинская обл."):
        zones = zones_of_region(text)
        assert zones and set(zones) <= known_zones()
    assert zones_of_region("Томская обл.") == ("Asia/Tomsk",)
    assert zones_of_region("Ямало-Ненецкий АО") == ("Asia/Yekaterinburg",)
    assert zones_of_region("-") == zones_of_region("Российская Федерация") == ()


@given(st.lists(st.integers(0, 10**6), min_size=2, max_size=40, unique=True), st.integers(-1, 10**6 + 1))
def test_a_number_is_found_in_its_range_and_in_no_gap(edges: list[int], number: int) -> None:
    edges = sorted(edges)[: len(edges) // 2 * 2]
    ranges = [NumberRange(first, last, f"{first}", "", ()) for first, last in zip(edges[::2], edges[1::2], strict=True)]
    plan = a_plan(ranges)
    expected = next((one for one in ranges if one.first <= number <= one.last), None)
    assert plan.find(number) == expected
    assert NO_PLAN.find(number) is None


def test_the_registry_knows_better_than_metadata_and_a_person_better_than_both() -> None:
    plan = a_plan(joined(ranges_of(ROWS, "a")))
    assert zones_of(79160000001, plan) == ("Europe/Moscow",)
    wide = zones_of(79991234567, plan)
    assert len(wide) > 10 and wide == zones_of(79991234567, NO_PLAN)
    assert zones_of(79160000001, plan, "Asia/Omsk") == ("Asia/Omsk",)
    assert zones_of(74951234567, NO_PLAN) == ("Europe/Moscow",)
    assert zones_of(12025550143, NO_PLAN) == ("America/New_York",)
    assert zones_of(80000000001, NO_PLAN) == ()
