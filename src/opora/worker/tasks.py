"""The one taskiq task: a message says that work was committed, and the engine looks for it."""

from collections.abc import Callable, Sequence

from taskiq import AsyncBroker

WAKE_TASK = "opora.wake"


def listen(broker: AsyncBroker, *wakes: Callable[[], None]) -> None:
    """Register the task that wakes the engine and the loops of this process."""

    async def wake(ids: Sequence[str]) -> None:  # noqa: ARG001  # ids are for the reader of the queue; rows decide
        for one in wakes:
            one()

    broker.register_task(wake, task_name=WAKE_TASK)
