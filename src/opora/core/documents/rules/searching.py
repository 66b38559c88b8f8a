"""How documents are looked for by words."""

from unicodedata import normalize

WORDS_MAX = 8
"""How many words of a search count."""


def folded(text: str) -> str:
    """Return text as it is compared: without regard to case, ё and е, and forms of one letter."""
    return " ".join(normalize("NFKC", text).casefold().replace("ё", "е").split())


def words(q: str | None) -> tuple[str, ...]:
    """Return the words that are looked for, each to be found somewhere."""
    return tuple(folded(q).split()[:WORDS_MAX]) if q else ()
