"""Lists that come in pages: iterate over the records, or over the pages themselves."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

from msgspec import Struct


class Page[T](Struct, frozen=True, kw_only=True):
    """A page: `count` is of the whole list, exact if `count_exact` says so."""

    count: int
    count_exact: bool
    next: str | None
    previous: str | None
    results: list[T]


class Paging[T]:
    """A list that is asked for as it is read."""

    def __init__(self, fetch: Callable[[str | None], Page[T]]) -> None:
        self._fetch = fetch

    def first(self) -> Page[T]:
        """Ask for the first page alone."""
        return self._fetch(None)

    def pages(self) -> Iterator[Page[T]]:
        """Ask for page after page."""
        page = self._fetch(None)
        yield page
        while page.next:
            page = self._fetch(page.next)
            yield page

    def __iter__(self) -> Iterator[T]:
        for page in self.pages():
            yield from page.results


class AsyncPaging[T]:
    """A list that is asked for as it is read."""

    def __init__(self, fetch: Callable[[str | None], Awaitable[Page[T]]]) -> None:
        self._fetch = fetch

    async def first(self) -> Page[T]:
        """Ask for the first page alone."""
        return await self._fetch(None)

    async def pages(self) -> AsyncIterator[Page[T]]:
        """Ask for page after page."""
        page = await self._fetch(None)
        yield page
        while page.next:
            page = await self._fetch(page.next)
            yield page

    async def __aiter__(self) -> AsyncIterator[T]:
        async for page in self.pages():
            for one in page.results:
                yield one
