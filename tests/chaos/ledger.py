"""What the clients of a run asked for and what they were told: their own book, kept apart from any database."""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum


class Fate(StrEnum):
    """What a client knows of something it asked for."""

    OPEN = "open"
    """No answer that settles it: it may have happened, once."""
    DONE = "done"
    """Acknowledged: it has happened, once."""
    REFUSED = "refused"
    """Refused: it has not happened."""


@dataclass(slots=True)
class Deed:
    """Something a client wants to happen once, however often it has to ask.

    `mark` is in what is asked for and in what it leaves behind, and nowhere else. `parts` is how many rows one effect
    leaves.
    """

    kind: str
    mark: str
    parts: int = 1
    fate: Fate = Fate.OPEN

    def __str__(self) -> str:
        return f"{self.kind} {self.mark}"


@dataclass(slots=True)
class Book:
    """Everything the clients of a run wrote down."""

    deeds: list[Deed] = field(default_factory=list)
    let_in: list[str] = field(default_factory=list)
    """Calls of nobody who may that were answered well."""
    wrong: list[str] = field(default_factory=list)
    """Answers that are promised never to be given."""
    answers: Counter[str] = field(default_factory=Counter)
    """Answers by status; `cut` where the connection broke."""
    probes: int = 0

    def deed(self, kind: str, mark: str, parts: int = 1) -> Deed:
        """Write down what is about to be asked for."""
        self.deeds.append(Deed(kind, mark, parts))
        return self.deeds[-1]

    def of_fate(self, fate: Fate) -> list[Deed]:
        """Return the deeds that ended so."""
        return [deed for deed in self.deeds if deed.fate is fate]
