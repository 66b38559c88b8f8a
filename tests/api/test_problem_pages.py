"""Every problem code has its page under docs/problems, where its `type` points."""

from pathlib import Path

import pytest

from opora.api import catalogue

FOLDER = Path(__file__).parents[2] / "docs" / "problems"


@pytest.mark.parametrize("code", catalogue.codes())
def test_a_code_has_a_page_in_both_languages(code: str) -> None:
    text = (FOLDER / f"{code}.md").read_text(encoding="utf-8")
    assert text.startswith(f"# `{code}`\n")
    assert any("а" <= letter.lower() <= "я" for letter in text)


def test_no_page_is_left_of_a_code_that_is_gone() -> None:
    assert {path.stem for path in FOLDER.glob("*.md")} - {"README"} == catalogue.codes().keys()


def test_the_index_is_up_to_date() -> None:
    assert (FOLDER / "README.md").read_text(encoding="utf-8") == catalogue.index()
