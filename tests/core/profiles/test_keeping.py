from datetime import UTC, datetime

import pytest

from opora.core.kernel.model import SYSTEM, Actor
from opora.core.profiles.model.exports import EVERYONES, Reach
from opora.core.profiles.rules.keeping import folded, reach, wanted

DAY = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("actor", "seen"),
    [
        (Actor(user_id=3, key_id=7), Reach("key:7")),
        (Actor(key_id=9, family_id=7), Reach("key:7")),
        (Actor(user_id=3), Reach("user:3")),
        (Actor(), Reach("anonymous")),
        (Actor(user_id=3, scopes=frozenset({"profiles:read_all"})), EVERYONES),
        (SYSTEM, EVERYONES),
    ],
)
def test_callers_see_their_own_unless_they_may_read_all(actor, seen):
    assert reach(actor) == seen


def test_names_are_compared_without_case_yo_and_composition():
    assert folded("  СОЛОВЬЁВА\tАнна ") == folded("соловьева анна") == "соловьева анна"
    assert folded("Bjo\u0308rn") == folded("BJÖRN")


def test_a_filter_takes_eight_words_and_a_number_for_a_key():
    made = wanted(DAY, None, "7", "ru_RU", "а б в г д е ж з и к")
    assert made.created_after == DAY
    assert made.source_key == "key:7"
    assert made.q == tuple("абвгдежз")
    assert wanted(source="user:3").source_key == "user:3"
    assert wanted() == wanted(q=" ")
