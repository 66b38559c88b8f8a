from datetime import date

import pytest

from opora.core.profiles.errors import InvalidGeneration
from opora.core.profiles.model.people import Sex
from opora.core.profiles.model.requests import GenerationRequest, Recipe
from opora.core.profiles.rules.asking import recipe

TODAY = date(2026, 11, 21)


def asked(tables, **wanted):
    return recipe(GenerationRequest(**wanted), tables, TODAY, lambda: 99)


def faults(tables, **wanted):
    with pytest.raises(InvalidGeneration) as refusal:
        asked(tables, **wanted)
    return {
        field: [message.partition(":")[0] for message in messages] for field, messages in refusal.value.errors.items()
    }


def test_an_empty_request_means_a_russian_adult_of_any_seed_today(tables):
    assert asked(tables) == Recipe("ru_RU", 99, TODAY, None, 18, 80, None)


def test_what_is_asked_for_is_kept(tables):
    wanted = {"locale": "en_US", "seed": 0, "sex": "female", "age_min": 30, "age_max": 30, "region": "Wyoming"}
    made = asked(tables, **wanted, as_of=date(2030, 1, 1), ttl_seconds=60, count=100, index=999_900)
    assert made == Recipe("en_US", 0, date(2030, 1, 1), Sex.FEMALE, 30, 30, "WY")


@pytest.mark.parametrize(
    ("low", "high", "made"), [(None, 16, (16, 16)), (90, None, (90, 90)), (20, None, (20, 80)), (None, 30, (18, 30))]
)
def test_one_bound_of_age_moves_the_other_out_of_its_way(tables, low, high, made):
    found = asked(tables, age_min=low, age_max=high)
    assert (found.age_min, found.age_max) == made


@pytest.mark.parametrize("name", ["77", "москва", " RU-MOW ", "mow"])
def test_a_region_goes_by_its_code_its_name_and_its_iso_code(tables, name):
    assert asked(tables, region=name).region == "77"


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"count": 0}, {"count": ["count_out_of_range"]}),
        ({"count": 101}, {"count": ["count_out_of_range"]}),
        ({"index": -1}, {"index": ["index_out_of_range"]}),
        ({"index": 999_901, "count": 100}, {"index": ["index_out_of_range"]}),
        ({"seed": -1}, {"seed": ["seed_out_of_range"]}),
        ({"seed": 2**63}, {"seed": ["seed_out_of_range"]}),
        ({"as_of": date(2004, 12, 31)}, {"as_of": ["as_of_out_of_range"]}),
        ({"sex": "x"}, {"sex": ["unknown_sex"]}),
        ({"age_min": 13}, {"age_min": ["age_out_of_range"]}),
        ({"age_max": 101}, {"age_max": ["age_out_of_range"]}),
        ({"age_min": 40, "age_max": 39}, {"age_max": ["age_max_below_age_min"]}),
        ({"locale": "fr_FR", "region": "77"}, {"locale": ["unknown_locale"]}),
        ({"region": "Atlantis"}, {"region": ["unknown_region"]}),
        ({"ttl_seconds": 59}, {"ttl_seconds": ["ttl_out_of_range"]}),
    ],
)
def test_what_is_out_of_bounds_is_refused_by_field(tables, wanted, found):
    assert faults(tables, **wanted) == found


def test_every_fault_is_told_at_once(tables):
    assert set(faults(tables, count=0, seed=-1, sex="", age_min=90, age_max=3, locale="xx")) == {
        *("count", "seed", "sex", "age_max", "locale"),
    }
