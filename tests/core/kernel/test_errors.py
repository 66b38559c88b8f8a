"""Refusals: what they say and what they tell the program that asked."""

from collections.abc import Iterator

from opora.core.kernel import errors
from opora.core.kernel.errors import DatabaseUnavailable, DomainError, Invalid, NotFound, Stale, Unavailable


def kinds(kind: type[DomainError]) -> Iterator[type[DomainError]]:
    for one in kind.__subclasses__():
        yield one
        yield from kinds(one)


def test_an_error_says_its_detail_or_else_its_title() -> None:
    assert str(Stale("who?")) == "who?"
    assert str(NotFound()) == "There is no such thing, or the caller may not see it."


def test_an_error_carries_the_facts_it_was_given() -> None:
    assert Stale(job_id="7", allowed=["a"]).facts == {"job_id": "7", "allowed": ["a"]}


def test_what_is_invalid_is_told_field_by_field() -> None:
    assert Invalid(errors={"a.b": ["is empty"]}, hint=1).errors == {"a.b": ["is empty"]}
    assert Invalid().errors == {}


def test_what_is_away_says_when_to_ask_again() -> None:
    assert DatabaseUnavailable().retry_after_s == 1
    assert Unavailable("later", retry_after_s=30, store="redis").retry_after_s == 30


def test_every_kernel_error_has_a_code_of_its_own_and_a_title_of_one_sentence() -> None:
    own = [kind for kind in kinds(DomainError) if kind.__module__ == errors.__name__]
    assert len({kind.code for kind in own}) == len(own)
    assert all(kind.__doc__ and kind.__doc__.strip().split("\n")[0].endswith(".") for kind in own)
