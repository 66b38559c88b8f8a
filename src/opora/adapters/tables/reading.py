"""Tables read in a process of their own: what strangers send can neither hold up nor bring down the program."""

from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator
from contextlib import AbstractAsyncContextManager, aclosing
from typing import Protocol

from opora.adapters.tables.frames import END, FRAME, order, part_of
from opora.core.numbers.errors.tables import TableReaderFailed, TableTooCostly
from opora.core.numbers.model.tables import Part, Reading, TableHead
from opora.core.numbers.ports.tables import TableReader

READER = "opora.adapters.tables.child"
SERVE = f"{READER}:serve"


class Output(Protocol):
    """What a process writes."""

    async def read(self, size: int) -> bytes:
        """Return exactly that many bytes."""
        ...


class Start(Protocol):
    """Starts a function of a source and a sink in a bounded process and feeds it."""

    def __call__(self, target: str, content: AsyncIterable[bytes]) -> AbstractAsyncContextManager[Output]:
        """Return what it writes, for as long as the block lasts."""
        ...


class ProcessTableReader(TableReader):
    """Reads tables in processes that `start` makes.

    They end with `failed`, and with `spent`, a kind of it, where the table was too much for its bounds.
    """

    def __init__(self, start: Start, spent: type[Exception], failed: type[Exception]) -> None:
        self._start = start
        self._spent = spent
        self._failed = failed

    async def head(self, content: AsyncIterable[bytes], reading: Reading) -> TableHead:
        """See the port."""
        async with aclosing(self._parts(content, reading, only_head=True)) as parts:
            async for part in parts:
                if isinstance(part, TableHead):
                    return part
        raise TableReaderFailed

    def read(self, content: AsyncIterable[bytes], reading: Reading) -> AsyncGenerator[Part]:
        """See the port."""
        return self._parts(content, reading, only_head=False)

    async def _parts(self, content: AsyncIterable[bytes], reading: Reading, *, only_head: bool) -> AsyncGenerator[Part]:
        ordered = after(order(reading, only_head=only_head), content)
        try:
            async with self._start(SERVE, ordered) as output:
                while True:
                    kind, size = FRAME.unpack(await output.read(FRAME.size))
                    if kind == END:
                        return
                    yield part_of(kind, await output.read(size))
        except self._spent as error:
            raise TableTooCostly from error
        except self._failed as error:
            raise TableReaderFailed(str(error)) from error


async def after(first: bytes, content: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    """Yield the first bytes, then the content."""
    yield first
    async for some in content:
        yield some
