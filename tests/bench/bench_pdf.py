"""Profile sheets as PDF beside reportlab and fpdf2 drawing the same page with the same fonts.

Each way gets the profile as JSON and gives the bytes of a file; what each drew is read back with pypdf before the clock
starts. The peers keep what their documentation lets them keep between files: reportlab its parsed fonts. fpdf2 parses
the font for every document.
"""

import asyncio
import io
import json
from collections.abc import Callable, Sequence

from fpdf import FPDF
from pypdf import PdfReader
from reportlab.lib.pagesizes import A4
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from bench.figures import Figure, at_least, seconds_per_call
from opora.adapters.pdf.sheets import SHIPPED, PdfSheets
from opora.adapters.pdf.words import Words, read_words, sheet_values
from opora.testing.exports import people

MANY = 1000
MARGIN, TOP, GUTTER, ROW = 56.7, 780.0, 14.0, 31.0
COLUMN = (482.0 - 3 * GUTTER) / 4
REGULAR, BOLD = str(SHIPPED / "fonts" / "NotoSans-Regular.ttf"), str(SHIPPED / "fonts" / "NotoSans-Bold.ttf")

type Text = Callable[[float, float, str, float, bool], None]
"""Draws (x, y, text, size, bold)."""


def figures() -> list[Figure]:
    """Measure one-pagers and a file of 1,000 pages, every way in the same run."""
    pdfmetrics.registerFont(TTFont("Noto", REGULAR))
    pdfmetrics.registerFont(TTFont("Noto-Bold", BOLD))
    words = read_words(SHIPPED / "labels.json")["ru_RU"]
    sheets, profiles = PdfSheets(), people(MANY)
    turn = iter(range(10**9))

    def one() -> list[bytes]:
        return [profiles[next(turn) % MANY]]

    with asyncio.Runner() as runner:

        def ours(some: Sequence[bytes]) -> bytes:
            return runner.run(sheets.render(some, unheard))

        for way in (ours, lambda some: by_reportlab(some, words), lambda some: by_fpdf(some, words)):
            text = PdfReader(io.BytesIO(way(profiles[:1]))).pages[0].extract_text()
            if "Щербакова Юлия 0001-я" not in text or "Корреспондентский счёт" not in text:
                raise AssertionError("a peer did not draw the page")
        single = seconds_per_call(
            {
                "ours": lambda: ours(one()),
                "reportlab": lambda: by_reportlab(one(), words),
                "fpdf2": lambda: by_fpdf(one(), words),
            }
        )
        many = seconds_per_call(
            {"ours": lambda: ours(profiles), "reportlab": lambda: by_reportlab(profiles, words)}, rounds=3
        )
    sheets.close()
    return [
        at_least("PDF one-pager", single["ours"], "reportlab", single["reportlab"], 1),
        at_least("PDF one-pager", single["ours"], "fpdf2", single["fpdf2"], 10),
        at_least("PDF page of a file of 1,000", many["ours"] / MANY, "reportlab", many["reportlab"] / MANY, 5),
    ]


async def unheard(done: int) -> None:
    """Take no note of progress."""


def by_reportlab(profiles: Sequence[bytes], words: Words) -> bytes:
    """Draw the sheets on a reportlab canvas."""
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=A4)
    canvas.setTitle(words.title)

    def text(x: float, y: float, value: str, size: float, bold: bool) -> None:
        canvas.setFont("Noto-Bold" if bold else "Noto", size)
        canvas.drawString(x, y, value)

    for profile in profiles:
        for height in draw(profile, words, text):
            canvas.line(MARGIN, height, MARGIN + 482, height)
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def by_fpdf(profiles: Sequence[bytes], words: Words) -> bytes:
    """Draw the sheets with fpdf2."""
    file = FPDF(unit="pt", format="A4")
    file.set_title(words.title)
    file.add_font("Noto", "", REGULAR)
    file.add_font("Noto", "B", BOLD)

    def text(x: float, y: float, value: str, size: float, bold: bool) -> None:
        file.set_font("Noto", "B" if bold else "", size)
        file.text(x, A4[1] - y, value)

    for profile in profiles:
        file.add_page()
        for height in draw(profile, words, text):
            file.line(MARGIN, A4[1] - height, MARGIN + 482, A4[1] - height)
    return bytes(file.output())


def draw(profile: bytes, words: Words, text: Text) -> list[float]:
    """Draw one page of words through `text` and return the heights of its rules."""
    values = sheet_values(json.loads(profile), words)
    text(MARGIN, TOP, words.title, 8, False)
    text(MARGIN, TOP - 30, values["full_name"], 20, True)
    height, rules = TOP - 60, []
    for section in words.sections:
        text(MARGIN, height, section.title, 11, True)
        rules.append(height - 6)
        height -= 25
        column = 0
        for slot, label, span in section.fields:
            if column + span > 4:
                column, height = 0, height - ROW
            x = MARGIN + column * (COLUMN + GUTTER)
            text(x, height, label, 7.5, False)
            text(x, height - 12, values[slot], 10.5, False)
            column += span
        height -= ROW + 12
    text(MARGIN + 100, 30, words.notice, 7.5, False)
    return rules
