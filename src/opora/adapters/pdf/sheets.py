"""Profile sheets as PDF: stamped onto a form where every value is plain, laid out by typst where one is not."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from typing import cast

import msgspec
import typst

from opora.adapters.pdf.forms import Form, open_template, read_form
from opora.adapters.pdf.stamps import About, Stamped, stamp, write_file
from opora.adapters.pdf.words import Dictionary, nearest_locale, read_words, sheet_values
from opora.core.profiles.ports.exports import ProfileSheets

SHIPPED = Path(__file__).parent / "templates"
PROFILES_AT_ONCE = 100

type Sheet = tuple[str, dict[str, str]]
"""A locale of the template and the text of every slot."""


class PdfSheets(ProfileSheets):
    """Sheets drawn from a folder that holds `sheet.typ`, `slots.typ` and `labels.json`, in a few threads of its own.

    The template is read at the first file and kept: an edited one is used after the next start.
    """

    def __init__(self, template: Path = SHIPPED, threads: int = 2) -> None:
        self._template = template
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="sheets")
        self._compiling = Lock()
        self._laid_out: tuple[typst.Compiler, Form, Dictionary] | None = None

    async def render(self, profiles: Sequence[bytes], progress: Callable[[int], Awaitable[None]]) -> bytes:
        """See the port; a file with one strange value is laid out whole, at some 2 ms a page, in one step."""
        loop = asyncio.get_running_loop()
        sheets: list[Sheet] = []
        stamped: list[Stamped] = []
        plain = True
        for start in range(0, len(profiles), PROFILES_AT_ONCE):
            some = profiles[start : start + PROFILES_AT_ONCE]
            read, pages = await loop.run_in_executor(self._pool, self._stamp, some, plain)
            sheets += read
            plain = pages is not None
            if pages is not None:
                stamped += pages
                await progress(len(sheets))
        if plain:
            return await loop.run_in_executor(self._pool, self._write, sheets, stamped)
        written = await loop.run_in_executor(self._pool, self._compose, sheets)
        await progress(len(sheets))
        return written

    def close(self) -> None:
        """Let the threads go; what they are doing is finished first."""
        self._pool.shutdown()

    def _form(self) -> tuple[typst.Compiler, Form, Dictionary]:
        with self._compiling:
            if self._laid_out is None:
                compiler = open_template(self._template, SHIPPED / "fonts")
                self._laid_out = compiler, read_form(compiler), read_words(self._template / "labels.json")
            return self._laid_out

    def _stamp(self, profiles: Sequence[bytes], wanted: bool) -> tuple[list[Sheet], list[Stamped] | None]:
        _, form, dictionary = self._form()
        sheets: list[Sheet] = []
        stamped: list[Stamped] | None = [] if wanted else None
        for encoded in profiles:
            profile = msgspec.json.decode(encoded, type=dict[str, object])
            locale = nearest_locale(str(profile.get("locale", "")), dictionary)
            values = sheet_values(profile, dictionary[locale])
            sheets.append((locale, values))
            if stamped is not None:
                pages = stamp(form.pages[locale], values)
                stamped = None if pages is None else [*stamped, *pages]
        return sheets, stamped

    def _about(self, sheets: Sequence[Sheet]) -> About:
        _, _, dictionary = self._form()
        locale, values = sheets[0]
        words = dictionary[locale]
        if len(sheets) == 1:
            return About(f"{words.title}: {values.get('full_name', '')}", words.language)
        return About(f"{words.titles} ({len(sheets)})", words.language)

    def _write(self, sheets: Sequence[Sheet], stamped: Sequence[Stamped]) -> bytes:
        _, form, _ = self._form()
        return write_file(form, {locale for locale, _ in sheets}, stamped, self._about(sheets))

    def _compose(self, sheets: Sequence[Sheet]) -> bytes:
        compiler, _, _ = self._form()
        data = json.dumps([{"locale": locale, "values": values} for locale, values in sheets])
        inputs = {"sheets": data, "title": self._about(sheets).title}
        with self._compiling:
            return cast("bytes", compiler.compile(format="pdf", sys_inputs=inputs))
