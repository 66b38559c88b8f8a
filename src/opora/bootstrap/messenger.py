"""How committed work is announced and heard of: through RabbitMQ or Redis where one is given, else in the process."""

from abc import abstractmethod
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from uuid import UUID

from dishka import AnyOf, Provider, Scope, provide

from opora.bootstrap.settings import Settings
from opora.core.jobs.ports import Announcer

type Wake = Callable[[], None]


class Messenger(Announcer):
    """Announces work, and tells a worker what is announced."""

    @abstractmethod
    def heard(self, *wakes: Wake) -> AbstractAsyncContextManager[None]:
        """Call each of `wakes` for every announcement while the block runs."""

    async def close(self) -> None:
        """Let an announcement under way be sent."""
        return


class LocalMessenger(Messenger):
    """Reaches the worker of this process, if it has one; those of others find the work by their sweep."""

    def __init__(self) -> None:
        self._wakes: Sequence[Wake] = ()

    def announce(self, ids: Sequence[UUID], kinds: Collection[str] = ()) -> None:  # noqa: ARG002  # the rows say what the work is
        for wake in self._wakes:
            wake()

    @asynccontextmanager
    async def heard(self, *wakes: Wake) -> AsyncIterator[None]:
        self._wakes = wakes
        try:
            yield
        finally:
            self._wakes = ()


class LateMessenger(Messenger):
    """Builds the messenger at its first use: taskiq costs more than the rest of a command, and few commit a job."""

    def __init__(self, build: Callable[[], Messenger]) -> None:
        self._build = build
        self._built: Messenger | None = None

    def built(self) -> Messenger:
        """Return the messenger; the first call builds it."""
        if self._built is None:
            self._built = self._build()
        return self._built

    def announce(self, ids: Sequence[UUID], kinds: Collection[str] = ()) -> None:
        self.built().announce(ids, kinds)

    def heard(self, *wakes: Wake) -> AbstractAsyncContextManager[None]:
        return self.built().heard(*wakes)

    async def close(self) -> None:
        if self._built is not None:
            await self._built.close()


class Messages(Provider):
    """The messenger that the settings choose."""

    scope = Scope.APP

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._settings = settings

    @provide
    async def messenger(self) -> AsyncIterator[AnyOf[Messenger, Announcer]]:
        apart = self._settings.broker_chosen != "none"
        messenger = LateMessenger(self._through_broker) if apart else LocalMessenger()
        yield messenger
        await messenger.close()

    def _through_broker(self) -> Messenger:
        from opora.bootstrap.taskiq_messenger import messenger_of  # noqa: PLC0415  # for what LateMessenger is

        return messenger_of(self._settings)
