"""The passwords that everybody tries first, read from a file that travels with the program."""

from functools import cache
from pathlib import Path

FILE = Path(__file__).with_name("common_passwords.txt")
RUSSIAN = "[ru]"
_CYRILLIC = "йцукенгшщзхъфывапролджэячсмитьбюё"
_KEYS = "qwertyuiop[]asdfghjkl;'zxcvbnm,.`"
_LATIN = "y ts u k e n g sh sch z h - f y v a p r o l d zh e ya ch s m i t - b yu e"
"""One after the other for `_CYRILLIC`; `-` for the signs, which have no sound."""
_TYPED = str.maketrans(_CYRILLIC, _KEYS)
_WRITTEN = str.maketrans(dict(zip(_CYRILLIC, (one.strip("-") for one in _LATIN.split()), strict=True)))


@cache
def common_passwords() -> frozenset[str]:
    """Return them folded; a Russian word also as it is typed on a Latin keyboard, and written in Latin letters."""
    found: set[str] = set()
    is_russian = False
    for line in FILE.read_text("utf-8").splitlines():
        if line.startswith(("#", "[")):
            is_russian = line == RUSSIAN if line.startswith("[") else is_russian
            continue
        for word in line.casefold().split():
            found.add(word)
            if is_russian:
                found |= {word.translate(_TYPED), word.translate(_WRITTEN)}
    return frozenset(found)
