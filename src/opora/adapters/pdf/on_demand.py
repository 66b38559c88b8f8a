"""Sheets drawn by libraries that are loaded with the first file: most processes never draw one."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from opora.core.profiles.ports.exports import ProfileSheets


class SheetsOnDemand(ProfileSheets):
    """Stands for PdfSheets until a file is asked for. Loading takes a tenth of a second, in a thread."""

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._loading: asyncio.Task[ProfileSheets] | None = None

    async def render(self, profiles: Sequence[bytes], progress: Callable[[int], Awaitable[None]]) -> bytes:
        if self._loading is None:
            self._loading = asyncio.create_task(asyncio.to_thread(self._load))
        sheets = await asyncio.shield(self._loading)
        return await sheets.render(profiles, progress)

    def _load(self) -> ProfileSheets:
        from opora.adapters.pdf.sheets import PdfSheets  # noqa: PLC0415 — what this class is for

        return PdfSheets(threads=self._threads)
