"""Every line that a run of chaos ends with turns red when its promise is broken, and only then."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import httpx
import pytest

from chaos.callers import Caller, fate_of, is_wrong
from chaos.ledger import Book, Deed, Fate
from chaos.promises import Evidence, Seat, Sold, kept

NINE = datetime(2030, 1, 7, 9, tzinfo=UTC)


def a_seat(session: int, start_min: int = 0, length_min: int = 60, staff_id: int = 1, place: int = 0) -> Seat:
    starts_at = NINE + timedelta(minutes=start_min)
    return Seat(staff_id, session, place, starts_at, starts_at + timedelta(minutes=length_min))


def a_book() -> Book:
    """Return the book of a run in which everything can end: done, refused and open."""
    deeds = [Deed("people", "7", 3, Fate.DONE), Deed("booking", "b", 1, Fate.REFUSED), Deed("text", "t", 1, Fate.OPEN)]
    return Book(deeds)


WHOLE = Evidence(
    effects={("people", "7"): 3, ("text", "t"): 1},
    seats=[a_seat(1), a_seat(2, 60), a_seat(3, staff_id=2), a_seat(4, 240, place=0), a_seat(4, 240, place=1)],
    sold=[Sold(1, "generate.requests", 100, 100)],
)


def counts(book: Book, evidence: Evidence) -> dict[str, int]:
    return {promise.name: promise.count for promise in kept(book, evidence) if promise.count}


def test_a_run_in_which_all_held_counts_nothing() -> None:
    assert counts(a_book(), WHOLE) == {}
    assert counts(a_book(), replace(WHOLE, effects={("people", "7"): 3})) == {}, "what is open may not have happened"


@pytest.mark.parametrize(
    ("line", "broken"),
    [
        ("lost", {"effects": {("people", "7"): 2}}),
        ("lost", {"effects": {}}),
        ("lost", {"unfinished": ["export 1: running"]}),
        ("doubled", {"effects": {("people", "7"): 6}}),
        ("doubled", {"effects": {("people", "7"): 3, ("text", "t"): 2}}),
        ("doubled", {"effects": {("people", "7"): 3, ("booking", "b"): 1}}),
        ("doubled", {"effects": {("people", "7"): 3, ("payment", "p"): 1}}),
        ("doubled", {"twice": ["export.completed of 1: 2"]}),
        ("overlaps", {"seats": [a_seat(1), a_seat(2, 59)]}),
        ("overlaps", {"seats": [a_seat(1), a_seat(1)]}),
        ("oversold", {"sold": [Sold(1, "generate.requests", 100, 101)]}),
        ("oversold", {"discrepancies": ["person:1"]}),
        ("audit breaks", {"audit": ["at 7: altered"]}),
    ],
)
def test_what_the_database_shows_turns_its_line_red_and_no_other(line: str, broken: dict[str, Any]) -> None:
    assert counts(a_book(), replace(WHOLE, **broken)) == {line: 1}


def test_who_was_let_in_and_what_may_not_be_answered_are_counted() -> None:
    book = a_book()
    book.let_in.append("nobody: 200 to GET /x")
    book.wrong.append("500 to GET /x")
    assert counts(book, WHOLE) == {"let in": 1, "wrong answers": 1}


def answered(status: int, code: str = "", **headers: str) -> httpx.Response:
    return httpx.Response(
        status, json={"code": code}, headers={name.replace("_", "-"): one for name, one in headers.items()}
    )


def test_answers_settle_what_they_settle() -> None:
    assert [fate_of(one, {"slot_taken"}) for one in (
        None, answered(503), answered(502), answered(429, "rate_limited"), answered(409, "idempotency_still_running"),
        answered(422, "validation_failed"),
    )] == [Fate.OPEN] * 6  # fmt: skip
    assert fate_of(answered(201), ()) is fate_of(answered(409, "idempotency_answer_lost"), ()) is Fate.DONE
    assert fate_of(answered(409, "slot_taken"), {"slot_taken"}) is Fate.REFUSED


def test_a_5xx_is_wrong_unless_it_says_when_to_come_again() -> None:
    assert [is_wrong(answered(status)) for status in (500, 502, 503, 504)] == [True] * 4
    assert not is_wrong(answered(503, retry_after="1")) and not is_wrong(answered(404))


@pytest.mark.anyio
async def test_a_caller_asks_again_until_it_is_told_and_writes_every_answer_down() -> None:
    turns = iter([answered(503), answered(500), answered(201, retry_after="1")])

    def answer(request: httpx.Request) -> httpx.Response:
        seen[request.headers["Idempotency-Key"]] += 1
        return next(turns)

    seen, book = Counter[str](), Book()
    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
        caller = Caller(["http://a", "http://b"], book, NoWaiting(), http)
        deed = book.deed("people", "7")
        assert await caller.settled(deed, "POST", "/x") is not None
    assert (deed.fate, seen, len(book.wrong)) == (Fate.DONE, {"people-7": 3}, 2)
    assert book.answers == {"503": 1, "500": 1, "201": 1}


class NoWaiting(Random):
    """Chance that never lets a caller wait."""

    def random(self) -> float:
        return 0.0
