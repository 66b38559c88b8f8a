"""What exports need from the outside."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence


class ProfileSheets(ABC):
    """Profiles drawn on paper."""

    @abstractmethod
    async def render(self, profiles: Sequence[bytes], progress: Callable[[int], Awaitable[None]]) -> bytes:
        """Return one PDF file with a sheet for each profile (a JSON object), in the order given.

        At least one profile and at most 1,000. The same profiles give the same bytes. `progress` is told how many are
        done, several times in a long file; what it raises ends the work. No value of a profile is ever read as markup;
        letters the fonts do not have are drawn as boxes. Does not hold up the event loop.
        """
