"""Words that are looked for."""

from opora.core.kernel.rules import words


def test_words_are_looked_for_without_regard_to_case_and_form() -> None:
    assert words("  Ёлка ДОГОВОР\ufb01 ") == ("елка", "договорfi")
    assert (words(None), words(""), len(words("a " * 20))) == ((), (), 8)
