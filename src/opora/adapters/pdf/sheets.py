"""Profile sheets as PDF: stamped onto a form where every value is plain, composed by typst where one is not."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import batched
from pathlib import Path
from threading import Lock

import msgspec
import typst

from opora.adapters.pdf.layout import Form, Graft, Sheet
from opora.adapters.pdf.stamps import About, Stamped, stamp, write_file
from opora.adapters.pdf.words import MISSING, Dictionary, nearest_locale, read_words, sheet_values
from opora.core.profiles.ports.exports import ProfileSheets

SHIPPED = Path(__file__).parent / "templates"
PROFILES_AT_ONCE = 100
COMPOSED_AT_ONCE = 8

type Pages = list[Stamped]
"""The pages of one profile."""


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
        """See the port; a sheet with a strange value is composed, at a hundred times the cost of a stamped one."""
        sheets: list[Sheet] = []
        pages: list[Pages | None] = []
        done = 0
        for some in batched(profiles, PROFILES_AT_ONCE):
            read, stamped = await self._do(self._stamp, some)
            sheets += read
            pages += stamped
            done += sum(one is not None for one in stamped)
            await progress(done)
        _, form, _ = await self._do(self._form)
        needed = frozenset().union(*(form.needs[locale] for locale, _ in sheets))
        objects = {number: form.objects[number] for number in needed}
        strange = [place for place, one in enumerate(pages) if one is None]
        for places in batched(strange, COMPOSED_AT_ONCE):
            graft = await self._do(self._compose, [sheets[place] for place in places], max(objects) + 1)
            objects |= graft.objects
            for place, composed in zip(places, graft.sheets, strict=True):
                pages[place] = [(page, b"") for page in composed]
            done += len(places)
            await progress(done)
        return await self._do(self._write, sheets, objects, [one for some in pages if some for one in some])

    def close(self) -> None:
        """Let the threads go; what they are doing is finished first."""
        self._pool.shutdown()

    async def _do[**P, T](self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, partial(work, *args, **kwargs))

    def _form(self) -> tuple[typst.Compiler, Form, Dictionary]:
        if self._laid_out is not None:  # without the lock, which a compilation may hold
            return self._laid_out
        with self._compiling:
            if self._laid_out is None:
                from opora.adapters.pdf.forms import open_template, read_form  # noqa: PLC0415  # pypdf: 20 MB, 0.1 s

                compiler = open_template(self._template, SHIPPED / "fonts")
                self._laid_out = compiler, read_form(compiler), read_words(self._template / "labels.json")
            return self._laid_out

    def _stamp(self, profiles: Sequence[bytes]) -> tuple[list[Sheet], list[Pages | None]]:
        _, form, dictionary = self._form()
        sheets: list[Sheet] = []
        pages: list[Pages | None] = []
        for encoded in profiles:
            profile = msgspec.json.decode(encoded, type=dict[str, object])
            locale = nearest_locale(str(profile.get("locale", "")), dictionary)
            values = sheet_values(profile, dictionary[locale])
            sheets.append((locale, values))
            pages.append(stamp(form.pages[locale], values))
        return sheets, pages

    def _compose(self, sheets: Sequence[Sheet], first: int) -> Graft:
        from opora.adapters.pdf.grafts import compose  # noqa: PLC0415  # as above

        compiler, _, _ = self._form()
        with self._compiling:  # one compiler, whose inputs are its own state
            return compose(compiler, sheets, first)

    def _write(self, sheets: Sequence[Sheet], objects: Mapping[int, bytes], pages: Sequence[Stamped]) -> bytes:
        _, _, dictionary = self._form()
        locale, values = sheets[0]
        words = dictionary[locale]
        title = f"{words.titles} ({len(sheets)})"
        if len(sheets) == 1:
            title = f"{words.title}: {values.get('full_name', MISSING)}"
        return write_file(objects, pages, About(title, words.language))
