"""The pages of docs/security answer every requirement of OWASP ASVS 5.0, levels 1 and 2, and name tests that exist."""

import re
from collections import Counter

import pytest

from docs.pages import REPOSITORY, Page
from docs.test_conformance import NAMED, missing

ASVS = Page(REPOSITORY / "docs" / "security" / "asvs.md")
ACCESS = Page(REPOSITORY / "docs" / "security" / "access.md")
REQUIRED = dict(line.split() for line in (REPOSITORY / "tests" / "docs" / "asvs.txt").read_text().splitlines())
ROW = re.compile(r"^\| (\d+\.\d+\.\d+) \| ([123]) \| (.+?) \| (.+?) \| (.+?) \| (.+) \|$", re.MULTILINE)
ANSWERS = ("met", "part", "operator", "n/a")


def test_every_requirement_has_one_row_under_its_number_and_level() -> None:
    rows = ROW.findall(ASVS.text)
    assert [number for number, count in Counter(row[0] for row in rows).items() if count > 1] == []
    assert {row[0]: row[1] for row in rows} == REQUIRED
    assert len(REQUIRED) == 253


def test_every_row_answers_and_what_is_met_is_shown() -> None:
    for number, _, about, answer, how, shown in ROW.findall(ASVS.text):
        assert answer in ANSWERS, number
        assert about and how.strip(), number
        if answer in {"met", "part"}:
            assert NAMED.search(shown) or shown.startswith("by reading: "), number


@pytest.mark.parametrize("page", [ASVS, ACCESS], ids=["asvs", "access"])
def test_every_test_that_a_page_names_exists(page: Page) -> None:
    assert missing(page.text) == []
    assert [path for path, name in NAMED.findall(page.text) if not name] == []


def test_every_row_about_access_names_a_test_or_says_not_yet() -> None:
    rows = [line for line in ACCESS.text.splitlines() if line.startswith("| ") and not line.endswith("shown by |")]
    told = [line for line in rows if not set(line) <= set("| -")]
    assert len(told) > 60
    assert [line for line in told if not NAMED.search(line) and not line.endswith("| not yet |")] == []
