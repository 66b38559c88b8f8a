"""JSON of no fixed shape: every text in it is judged as a field of text is."""

import re
from collections.abc import Iterator

from opora.api.errors import ValidationFailed
from opora.api.faults import FAULTS_MAX
from opora.api.values import TEXT_PATTERN

SOUND = re.compile(TEXT_PATTERN)
UNSOUND = "holds no control characters, nor marks that turn text around"
NAME_SHOWN_MAX = 80


def refuse_unsound(field: str, value: object) -> None:
    """Raise ValidationFailed that names every place under a field whose text, or name, no log or page can bear."""
    errors: dict[str, list[str]] = {}
    for place in unsound(field, value):
        errors[place] = [UNSOUND]
        if len(errors) >= FAULTS_MAX:
            break
    if errors:
        raise ValidationFailed(errors=errors)


def unsound(field: str, value: object) -> Iterator[str]:
    """Yield the places of texts that are not sound; one with such a name is told by what holds it.

    Without recursion: how deep a value goes is the sender's choice.
    """
    waiting = [(field, value)]
    while waiting:
        place, one = waiting.pop()
        if isinstance(one, str):
            if not SOUND.match(one):
                yield place
        elif isinstance(one, list):
            waiting += [(f"{place}.{index}", part) for index, part in enumerate(one)]
        elif isinstance(one, dict):
            if not all(map(SOUND.match, one)):
                yield place
            waiting += [(f"{place}.{name[:NAME_SHOWN_MAX]}", part) for name, part in one.items() if SOUND.match(name)]
