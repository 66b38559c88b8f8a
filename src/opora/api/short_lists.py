"""Pages of what people have a few of: the store gives all of it, for it is bounded there."""

from collections.abc import Sequence

from opora.core.kernel.model import Page, PageRequest


def short_page[T](items: Sequence[T], request: PageRequest) -> Page[T]:
    """Return the page of a list that is there as a whole."""
    end = request.offset + request.limit
    return Page(items[request.offset : end], len(items), more=end < len(items))
