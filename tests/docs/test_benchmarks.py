"""The picture of the benchmarks is drawn from their page, with every ratio that has a goal."""

import re

from bench.picture import margins, picture
from docs.pages import REPOSITORY

PAGE = REPOSITORY / "docs" / "benchmarks.md"


def test_the_picture_is_of_the_page_as_it_is() -> None:
    page = PAGE.read_text("utf-8")
    assert PAGE.with_suffix(".svg").read_text("utf-8") == picture(page)
    assert f"]({PAGE.stem}.svg)" in page


def test_every_judged_ratio_has_its_bar_on_the_side_that_the_page_says() -> None:
    page = PAGE.read_text("utf-8")
    judged = re.findall(r"× \| [≥≤] [\d.]+× \| (yes|no) \|$", page, re.MULTILINE)
    assert len(judged) > 20
    assert ["yes" if one.times >= 1 else "no" for one in margins(page)] == judged


def test_bars_point_right_where_a_goal_is_met_and_left_where_it_is_missed() -> None:
    rows = (
        "a | 1 s | b: 2 s | 4× | ≥ 2× | yes",
        "c | 1 s | d: 2 s | 3× | ≤ 1.5× | no",
        "e | 1 s | – | – | ≤ 5 s | yes",
    )
    page = "".join(f"| {row} |\n" for row in rows)
    assert [(one.path, one.against, one.times) for one in margins(page)] == [("a", "b", 2.0), ("c", "d", 0.5)]
    assert picture(page).count('class="met"') == picture(page).count('class="missed"') == 1
