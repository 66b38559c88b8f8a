"""Who asks, pages, money, intervals, moves and blobs."""

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opora.core.kernel.errors import IllegalMove
from opora.core.kernel.model import SYSTEM, Actor, BlobName, Interval, Money, Moves, Page, PageRequest

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
AMOUNTS = st.integers(-(10**15), 10**15)
HOURS = st.integers(0, 50)


class Door(StrEnum):
    OPEN = "open"
    AJAR = "ajar"
    SHUT = "shut"


MOVES = Moves({Door.OPEN: frozenset({Door.SHUT, Door.AJAR}), Door.AJAR: frozenset({Door.SHUT}), Door.SHUT: frozenset()})


def test_a_scope_that_was_granted_is_allowed_and_no_other() -> None:
    assert Actor(scopes=frozenset({"a:read"})).may("a:read")
    assert not Actor(scopes=frozenset({"a:read"})).may("a:write")


def test_admin_is_every_scope() -> None:
    assert Actor(scopes=frozenset({"admin"})).may("anything:at_all")
    assert SYSTEM.may("anything:at_all")


def test_a_key_is_named_before_the_person_behind_it() -> None:
    assert Actor(user_id=3, key_id=7).subject == "key:7"
    assert Actor(user_id=3).subject == "user:3"
    assert Actor().subject == "anonymous"


def test_pages_are_counted_from_one() -> None:
    assert [PageRequest(limit=20, number=number).offset for number in (1, 2, 5)] == [0, 20, 80]


@given(AMOUNTS, AMOUNTS)
def test_money_adds_and_takes_back_to_the_last_kopeck(first: int, second: int) -> None:
    one, other = Money(first, "RUB"), Money(second, "RUB")
    assert one + other - other == one
    assert one + -one == Money(0, "RUB")


def test_money_of_two_currencies_is_never_added() -> None:
    with pytest.raises(ValueError, match="EUR cannot be added to RUB"):
        _ = Money(1, "RUB") + Money(1, "EUR")
    with pytest.raises(ValueError, match="cannot be added"):
        _ = Money(1, "RUB") - Money(1, "EUR")


def an_interval(start: int, hours: int) -> Interval:
    return Interval(NOON + start * HOUR, NOON + (start + hours) * HOUR)


@given(HOURS, st.integers(1, 9), HOURS, st.integers(1, 9))
def test_two_intervals_overlap_where_they_share_an_hour(a: int, a_hours: int, b: int, b_hours: int) -> None:
    one, other = an_interval(a, a_hours), an_interval(b, b_hours)
    shared = set(range(a, a + a_hours)) & set(range(b, b + b_hours))
    assert one.overlaps(other) == other.overlaps(one) == bool(shared)


def test_an_interval_has_a_length_and_a_zone() -> None:
    for start, end in ((NOON, NOON), (NOON, NOON - HOUR)):
        with pytest.raises(ValueError, match="ends after it starts"):
            Interval(start, end)
    naive = NOON.replace(tzinfo=None)
    for start, end in ((naive, NOON), (NOON, naive)):
        with pytest.raises(ValueError, match="with a zone"):
            Interval(start, end)


def test_a_move_of_the_table_is_allowed_and_any_other_is_refused_with_what_would_be() -> None:
    MOVES.check(Door.OPEN, Door.SHUT)
    with pytest.raises(IllegalMove, match="ajar cannot become open") as refusal:
        MOVES.check(Door.AJAR, Door.OPEN)
    assert refusal.value.facts == {"state": "ajar", "target": "open", "allowed": ["shut"]}


def test_the_table_of_moves_tells_what_follows_and_what_nothing_follows() -> None:
    assert MOVES.allowed(Door.OPEN) == [Door.AJAR, Door.SHUT]
    assert MOVES.final() == {Door.SHUT}


def test_a_blobs_name_is_read_as_it_was_written() -> None:
    name = BlobName("exports", UUID(int=7))
    assert BlobName.parse(str(name)) == name


@pytest.mark.parametrize("folder", ["", "Exports", "ex/ports", "..", "экспорт", "a1"])
def test_a_folder_of_blobs_is_one_word_of_small_letters(folder: str) -> None:
    with pytest.raises(ValueError, match="lower-case letters"):
        BlobName(folder, UUID(int=7))


def test_a_text_that_names_no_blob_is_refused() -> None:
    with pytest.raises(ValueError, match="badly formed"):
        BlobName.parse("exports/../../etc/passwd")


def test_a_page_that_is_shown_otherwise_says_the_same_of_its_list() -> None:
    page = Page([1, 2], 10_001, more=True, cursor="2", count_exact=False)
    assert page.shown_as(str) == Page(["1", "2"], 10_001, more=True, cursor="2", count_exact=False)
