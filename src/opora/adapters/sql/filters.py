"""The conditions of a list, written once for every list that callers narrow."""

from collections.abc import Iterable
from enum import Enum


class Filter:
    """A WHERE that grows by what was asked for, and its parameters; few texts, so that statements stay prepared."""

    def __init__(self, *parts: str, **parameters: object) -> None:
        """`parts` are the conditions that always hold, with their parameters."""
        self.parts = parts
        self.parameters = parameters

    @property
    def where(self) -> str:
        """All conditions as one; true of every row where there is none."""
        return " AND ".join(self.parts) or "true"

    def narrow(self, part: str, **parameter: object) -> None:
        """Add a condition; a parameter that is None was not asked for, and then nothing is added."""
        if None not in parameter.values():
            self.parts += (part,)
            self.parameters |= {
                name: value.value if isinstance(value, Enum) else value for name, value in parameter.items()
            }

    def containing(self, column: str, words: Iterable[str]) -> None:
        """Ask that the column contain each word; both in the same letters, for nothing is folded here."""
        for word in words:
            name = f"word_{len(self.parts)}"
            self.narrow(f"{column} LIKE :{name} ESCAPE '\\'", **{name: f"%{escaped(word)}%"})


def escaped(word: str) -> str:
    """Take the meaning from what LIKE reads as wildcards."""
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
