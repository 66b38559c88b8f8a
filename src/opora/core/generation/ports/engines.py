"""Engines that write text."""

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Sequence

from opora.core.generation.model.engines import Began, Broke, Ended, Said, Wish


class TextEngine(ABC):
    """One engine. Plug-ins fulfil this port."""

    @abstractmethod
    def write(self, wish: Wish) -> AsyncGenerator[Said | Ended]:
        """Yield the text as it is written: any number of `Said`, then one `Ended`, and nothing after it.

        Raises EngineUnavailable for a trouble that may pass (no connection, an answer that is late, cut off or cannot
        be read, a provider that is busy, with its `retry_after_s` where it named one), EngineRefused for what no
        repetition mends. Words are whole characters, however bytes were cut on their way. Closing the generator ends
        the call: its connection is closed, so that the provider writes no more.
        """

    @abstractmethod
    async def models(self) -> Sequence[str]:
        """Return the names of the models there are, the one used by default first; raises as `write`."""

    @abstractmethod
    async def check(self) -> str:
        """Say in one line that it is there; raises as `write`. Costs no text."""

    @abstractmethod
    async def close(self) -> None:
        """Hang up."""


class TextEngines(ABC):
    """The engines in the order of the settings: tried again by the rule, passed over while they fail."""

    @abstractmethod
    def write(self, wish: Wish) -> AsyncGenerator[Began | Said | Broke | Ended]:
        """Yield one call after another until one ends well: `Began`, words, then `Broke`, or `Ended` as the last.

        Nothing is called before `Began` was taken. Words before a `Broke` do not count. Raises EngineRefused at once,
        EngineUnavailable when no engine is left; a `Broke` goes before either where a call had begun. Each engine's
        patience is bounded. Closing the generator closes the engine's.
        """

    @abstractmethod
    async def models(self) -> Sequence[tuple[str, str]]:
        """Return model and engine of all that can be asked for, the default first; engines that fail have none."""

    @abstractmethod
    async def lacks(self, model: str) -> bool:
        """Tell that every engine answers and none lists a model; one that does not answer may have it.

        What they list may be remembered for a while.
        """
