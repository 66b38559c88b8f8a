"""News of people's lists within one process."""

from collections.abc import Callable, Collection

from opora.core.notifications.ports.channels import Live

type Heard = Callable[[Collection[int]], None]


class LocalLive(Live):
    """Reaches the readers of this process; those of others find the news by looking."""

    def __init__(self) -> None:
        self._heard: list[Heard] = []

    async def announce(self, user_ids: Collection[int]) -> None:
        self.tell(user_ids)

    def tell(self, user_ids: Collection[int]) -> None:
        """Tell every reader of this process."""
        for heard in self._heard:
            heard(user_ids)

    def listen(self, heard: Heard) -> None:
        """Call `heard` with the users of every announcement from now on."""
        self._heard.append(heard)

    async def close(self) -> None:
        """Tell nobody any more."""
        self._heard.clear()
