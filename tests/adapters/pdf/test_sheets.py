"""Profile sheets say what the profiles say, on every page, whatever the values are."""

import asyncio
import io
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pypdf import PageObject, PdfReader
from reportlab.pdfbase.pdfmetrics import registerFont, stringWidth
from reportlab.pdfbase.ttfonts import TTFont

from opora.adapters.pdf.forms import ALPHABET
from opora.adapters.pdf.sheets import SHIPPED, PdfSheets
from opora.testing.exports import ADDRESS, FINANCE, PASSPORT, PERSON, a_profile, people

pytestmark = pytest.mark.anyio
registerFont(TTFont("Noto Sans", str(SHIPPED / "fonts" / "NotoSans-Regular.ttf")))

HOSTILE = {
    "markup": r"#panic() $x$ *b* _i_ \u{41} <label> @ref `raw` // /* ]]}",
    "file": '#read("/etc/passwd") #include "labels.json"',
    "pdf": "(Tj) ET Q \\) endstream endobj %%EOF <</A 1>>",
    "right to left": "\u202eמשה \u2067شريف\u2069",
    "emoji": "Юлия 🧑‍🚀🏳️‍🌈",
    "combining": "Z\u0353\u0347a\u0301\u0316l\u0334g\u0321o\u031b",
    "controls": "a\x00b\r\nc\td\u2028e\ufefff",
    "long word": "Щ" * 500,
    "long words": "очень длинное имя " * 30,
    "spaces": "   ",
}


@pytest.fixture(scope="module")
def sheets() -> Iterator[PdfSheets]:
    drawn = PdfSheets()
    yield drawn
    drawn.close()


async def unheard(done: int) -> None:
    """Take no note of progress."""


async def read(sheets: PdfSheets, *profiles: bytes) -> PdfReader:
    return PdfReader(io.BytesIO(await sheets.render(profiles, unheard)), strict=True)


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of text on a page: where it begins, in points from the lower left corner, and its size."""

    text: str
    x: float
    y: float
    size: float

    @property
    def end(self) -> float:
        """Where it ends, measured with the font it is drawn in."""
        return self.x + stringWidth(self.text, "Noto Sans", self.size)


def pieces(page: PageObject) -> list[Piece]:
    """Return every piece of text of a page."""
    found: list[Piece] = []

    def look(text: str, outer: list[float], inner: list[float], _: Any, size: float) -> None:
        if text.strip():
            x, y = inner[4] * outer[0] + outer[4], inner[5] * outer[3] + outer[5]
            found.extend(Piece(line, x, y, size) for line in text.strip().split("\n"))

    page.extract_text(visitor_text=look)
    return found


def outside(page: PageObject) -> list[str]:
    """Return the pieces that leave the page's margins."""
    right, top = float(page.mediabox.width) - 28, float(page.mediabox.height) - 28
    return [one.text for one in pieces(page) if one.x < 28 or one.end > right or not 28 < one.y < top]


async def test_a_sheet_says_everything_that_the_profile_says(sheets: PdfSheets) -> None:
    (page,) = (await read(sheets, a_profile())).pages
    text = page.extract_text()
    printed = {"issued_on": "28.05.2012", "number": "406872"}
    expected = [*{**PASSPORT, **printed}.values(), *ADDRESS.values(), *PERSON["tax"].values()]
    expected += ["Щербакова Юлия Артёмовна", "женский", "09.03.1987", "2200 0000 0000 0053", "МИР", "№ 7"]
    expected += [str(value) for name, value in FINANCE.items() if name != "card"]
    assert [value for value in expected if value not in text] == []


async def test_a_file_has_a_title_a_language_and_no_moment(sheets: PdfSheets) -> None:
    reader = await read(sheets, a_profile())
    assert reader.metadata is not None
    assert reader.metadata.title == "Карточка профиля: Щербакова Юлия Артёмовна"
    assert reader.root_object["/Lang"] == "ru"
    assert "/CreationDate" not in reader.metadata
    many = await read(sheets, *people(3))
    assert many.metadata is not None
    assert many.metadata.title == "Карточки профилей (3)"


@pytest.mark.parametrize("changes", [{}, {"full_name": HOSTILE["emoji"]}], ids=["stamped", "composed"])
async def test_the_same_profiles_give_the_same_bytes(sheets: PdfSheets, changes: dict[str, str]) -> None:
    fresh = PdfSheets()
    assert await sheets.render([a_profile(**changes)], unheard) == await fresh.render([a_profile(**changes)], unheard)
    fresh.close()


@pytest.mark.parametrize(
    ("locale", "label", "printed_date"),
    [
        ("ru_RU", "Дата рождения", "09.03.1987"),
        ("en_US", "Date of birth", "03/09/1987"),
        ("en_GB", "Date of birth", "09/03/1987"),
        ("de_DE", "Geburtsdatum", "09.03.1987"),
        ("kk_KZ", "Туған күні", "09.03.1987"),
        ("de_AT", "Geburtsdatum", "09.03.1987"),
        ("fr_FR", "Date of birth", "03/09/1987"),
        ("", "Date of birth", "03/09/1987"),
    ],
)
async def test_a_sheet_is_written_in_the_language_of_its_locale(
    sheets: PdfSheets, locale: str, label: str, printed_date: str
) -> None:
    text = (await read(sheets, a_profile(locale=locale))).pages[0].extract_text()
    assert label in text
    assert printed_date in text


async def test_people_of_several_locales_share_a_file(sheets: PdfSheets) -> None:
    reader = await read(sheets, a_profile(), a_profile(locale="de_DE"), a_profile(locale="kk_KZ"))
    assert "Фамилия" in reader.pages[0].extract_text()
    assert "Nachname" in reader.pages[1].extract_text()
    assert "Тегі" in reader.pages[2].extract_text()


@pytest.mark.parametrize(
    "name",
    ["Әбдіғаппар Қуаныш Өмірұлы", "Ұлжан Үкі Һәкім Іңкәр", "Müller-Lüdenscheidt Jürgen ß", "₽ 1 000 ₸ 5 €", "Ёлкин"],
)
async def test_letters_of_every_locale_are_found_again(sheets: PdfSheets, name: str) -> None:
    assert name in (await read(sheets, a_profile(full_name=name))).pages[0].extract_text()


async def test_what_a_country_does_not_have_is_a_dash(sheets: PdfSheets) -> None:
    passport = {**PASSPORT, "series": None, "department_code": None}
    text = (await read(sheets, a_profile(passport=passport, middle_name=None))).pages[0].extract_text()
    assert text.count("—") == 3


@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE.keys())
async def test_no_value_is_read_as_markup_or_leaves_the_page(sheets: PdfSheets, name: str) -> None:
    address = {**ADDRESS, "city": name, "apartment": name}
    reader = await read(sheets, a_profile(full_name=name, address=address))
    text = "".join(page.extract_text() for page in reader.pages)
    assert "root:" not in text
    assert "40817810600000000017" in text
    assert [outside(page) for page in reader.pages] == [[] for _ in reader.pages]


async def test_a_long_word_is_broken_and_kept_whole(sheets: PdfSheets) -> None:
    reader = await read(sheets, a_profile(full_name="Щ" * 500))
    assert sum(page.extract_text().count("Щ") for page in reader.pages) == 500 + 1


async def test_one_strange_name_spoils_no_other_page(sheets: PdfSheets) -> None:
    profiles = [*people(120), a_profile(full_name="שרה"), *people(3)]
    reader = await read(sheets, *profiles)
    assert len(reader.pages) == 124
    assert "Юлия 0120-я" in reader.pages[119].extract_text()
    assert "Юлия 0003-я" in reader.pages[123].extract_text()


async def test_a_name_too_long_for_its_line_is_drawn_smaller_before_it_is_broken(sheets: PdfSheets) -> None:
    name = "Константинопольский Константин Константинович"
    (page,) = (await read(sheets, a_profile(full_name=name))).pages
    (size,) = (one.size for one in pieces(page) if one.text == name)
    assert 14 <= size < 20


async def test_the_stamped_and_the_composed_page_put_every_value_in_the_same_place(sheets: PdfSheets) -> None:
    def places(page: PageObject) -> dict[str, tuple[int, int]]:
        return {one.text: (round(one.x), round(one.y)) for one in pieces(page)}

    stamped, _ = (await read(sheets, a_profile(), a_profile())).pages
    composed, _ = (await read(sheets, a_profile(), a_profile(email="שרה@example.org"))).pages
    shared = {"Щербакова Юлия Артёмовна", "40817810600000000017", "660-004", "620014", "09/31"}
    one, other = places(stamped), places(composed)
    assert {name: one[name] for name in shared} == {name: other[name] for name in shared}


async def test_a_file_of_a_thousand_pages_tells_its_progress_and_does_not_hold_up_the_loop(sheets: PdfSheets) -> None:
    told: list[int] = []
    longest = 0.0

    async def note(done: int) -> None:
        told.append(done)

    def beat(before: float) -> None:
        nonlocal longest
        longest = max(longest, loop.time() - before)
        loop.call_later(0.01, beat, loop.time())

    loop = asyncio.get_running_loop()
    beat(loop.time())
    content = await sheets.render(people(1000), note)
    assert told == list(range(100, 1001, 100))
    assert longest < 1  # a lease's heartbeat comes every few seconds
    reader = PdfReader(io.BytesIO(content))
    assert len(reader.pages) == 1000
    assert "Юлия 1000-я" in reader.pages[999].extract_text()


async def test_what_progress_raises_ends_the_work(sheets: PdfSheets) -> None:
    async def cancelled(done: int) -> None:
        raise InterruptedError(done)

    with pytest.raises(InterruptedError):
        await sheets.render(people(300), cancelled)


async def test_a_template_of_the_banks_own_is_drawn_in_its_words(tmp_path: Path) -> None:
    shutil.copytree(SHIPPED, tmp_path, dirs_exist_ok=True, ignore=shutil.ignore_patterns("fonts"))
    labels = json.loads((tmp_path / "labels.json").read_text())
    labels["ru_RU"]["title"] = "Банк «Восход»"
    (tmp_path / "labels.json").write_text(json.dumps(labels))
    sheet = (tmp_path / "sheet.typ").read_text()
    (tmp_path / "sheet.typ").write_text(sheet.replace("  for content in", "  pagebreak()\n  for content in"))
    own = PdfSheets(tmp_path)
    first, second = (await read(own, a_profile())).pages
    own.close()
    assert "БАНК «ВОСХОД»" in first.extract_text()
    assert "40817810600000000017" in second.extract_text()


LETTERS = st.text(st.sampled_from(ALPHABET + " "), min_size=1, max_size=40).filter(str.strip)


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=LETTERS)
def test_any_name_in_the_alphabet_is_found_again(sheets: PdfSheets, name: str) -> None:
    async def text() -> str:
        return (await read(sheets, a_profile(full_name=name))).pages[0].extract_text()

    assert "".join(name.split()) in "".join(asyncio.run(text()).split())
