"""What a reader of a stream still lacks: an exact suffix of the words that count, or all of them after a reset."""

from collections.abc import Iterator
from dataclasses import dataclass

from opora.core.generation.model.texts import ENDED, Place, Text, Words

PLACE_DIGITS = 9


@dataclass(frozen=True, slots=True)
class Reset:
    """All that was said before does not count: another call of an engine began, or the place was never there."""

    place: Place


@dataclass(frozen=True, slots=True)
class More:
    """Some more of the text, and how far it leads."""

    text: str
    place: Place


@dataclass(frozen=True, slots=True)
class End:
    """The text has ended, well or badly; nothing follows."""

    text: Text


type Step = Reset | More | End


def place_of(sent: str | None) -> Place:
    """Read `attempt.offset`, as the events of a stream are named; anything else is the beginning."""
    attempt, _, offset = (sent or "").partition(".")
    if not all(one.isascii() and one.isdecimal() and len(one) <= PLACE_DIGITS for one in (attempt, offset)):
        return Place()
    return Place(int(attempt), int(offset))


def steps(place: Place, words: Words) -> Iterator[Reset | More]:
    """Yield what brings a reader from a place to the end of these words.

    The words begin at 0, or within what the reader has read of the same call. Who read of another call, or past what
    was said, is reset.
    """
    if place.attempt != words.attempt or place.offset > words.offset + len(words.text):
        if place.offset:
            yield Reset(Place(words.attempt, 0))
        place = Place(words.attempt, 0)
    more = words.text[place.offset - words.offset :]
    if more:
        yield More(more, Place(words.attempt, words.offset + len(words.text)))


def whole(text: Text) -> Words:
    """Return the words of a text that has ended."""
    return Words(text.attempts, 0, text.content or "")


def is_over(text: Text) -> bool:
    """Tell whether nothing follows."""
    return text.status in ENDED
