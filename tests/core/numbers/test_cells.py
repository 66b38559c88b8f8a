"""A column read at once says of every cell what the rule for one says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opora.core.numbers.rules import cells
from opora.core.numbers.rules.cells import Unread, alternatives, quickly_all, verdicts
from opora.core.numbers.rules.phones import quickly

DIGITS = st.text("0123456789", min_size=10, max_size=10)
NATIONAL = st.one_of(
    DIGITS,
    DIGITS.map(lambda text: "930" + text[3:]),
    DIGITS.map(lambda text: "9300" + text[4:]),
    DIGITS.map(lambda text: "71" + text[2:]),
    DIGITS.map(lambda text: "495" + text[3:]),
)
SPELLED = st.builds(
    lambda national, form: form.format(national[:3], national[3:6], national[6:]),
    NATIONAL,
    st.sampled_from(["+7{}{}{}", "8 ({}) {}-{}", "7{}{}{}", "{}{}{}", "+7\u00a0{} {} {}", "8-{}-{}–{}", "+77{}{}{}"]),
)
ANY = st.one_of(SPELLED, st.text(max_size=20), st.text("+78 ()-٠١٢", max_size=14))


@given(st.lists(ANY, min_size=1, max_size=30), st.sampled_from(["RU", "KZ", "DE"]))
def test_a_column_says_what_each_of_its_cells_says(column: list[str], region: str) -> None:
    assert quickly_all(region)(column) == [quickly(one, region) or 0 for one in column]


def test_every_beginning_is_settled_or_left_to_the_pattern() -> None:
    found = verdicts()
    assert found["916"] is True
    assert found["930"] is None
    assert "000" not in found
    assert 200 < len(found) < 300


def test_patterns_are_read_digit_by_digit() -> None:
    found = alternatives(r"9(?:1[0-3]|2)\d{2}")
    assert [["".join(sorted(one)) for one in way] for way in found] == [
        ["9", "1", "0123", "0123456789", "0123456789"],
        ["9", "2", "0123456789", "0123456789"],
    ]


@pytest.mark.parametrize("pattern", ["a+", "1)2", "(?=1)2", "[^1]"])
def test_a_pattern_that_is_not_understood_is_not_guessed_at(pattern: str) -> None:
    with pytest.raises(Unread):
        alternatives(pattern)


def test_where_no_pattern_is_understood_each_number_is_asked_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def unread(pattern: str) -> list[cells.Sets]:
        raise Unread(pattern)

    monkeypatch.setattr(cells, "alternatives", unread)
    verdicts.cache_clear()
    try:
        assert quickly_all("RU")(["+79160000001", "+70000000001"]) == [79160000001, 0]
    finally:
        verdicts.cache_clear()
