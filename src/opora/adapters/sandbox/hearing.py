"""What is heard of a child process, how it is fed, and what its end says."""

import asyncio
import json
import signal
import socket
from collections.abc import AsyncIterable, AsyncIterator, Iterable
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

MIB = 1024 * 1024
ANSWER_MAX_BYTES = 4 * MIB
READ_AHEAD_BYTES = 256 * 1024
CAUSES = {
    signal.SIGXCPU: "time",
    **dict.fromkeys((signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGILL, signal.SIGFPE), "broken"),
}
"""Why a process ended that its work broke; any other signal came from outside, the kernel's for want of memory too."""
SPENT = frozenset({"memory", "time", "broken", "chatter"})
MACHINES = frozenset({"crowd", "started", "late", "killed", "machine"})


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a call waits for the machine: for its turn, for its child to begin, for what the child says next.

    None of it tells anything of the file: a busy machine makes the best file wait. What a file may cost is in Limits.
    """

    turn_s: float = 30.0
    start_s: float = 30.0
    wall_s: float = 120.0
    waiting_max: int = 512


class ChildFailed(Exception):
    """A child gave no answer. `cause` says why, and `is_ours` whether the machine is at fault and not the file.

    Of the file: `memory`, `time` (of the processor), `broken`, `chatter` (too long an answer), all of them ChildSpent,
    and `fault` (an exception). Of the machine: `crowd` (too many calls wait), `started` (no child began), `late`,
    `killed` (from outside), and `machine` (no file, descriptor or process to be had).
    """

    def __init__(self, cause: str, kind: str = "") -> None:
        super().__init__(f"{cause} {kind}".strip())
        self.cause = cause
        self.is_ours = cause in MACHINES


class ChildSpent(ChildFailed):
    """The file asked for more than a child is given, or broke its reader."""


class SilentNursery(Exception):
    """Nothing was heard of a child that was asked for."""


def failure(cause: str, kind: str = "") -> ChildFailed:
    """Return what a cause is."""
    return (ChildSpent if cause in SPENT else ChildFailed)(cause, kind)


class Hearing:
    """What is heard of one child: lines on what becomes of it, and its answer."""

    def __init__(
        self,
        told: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        found: asyncio.StreamReader,
        patience: Patience,
    ) -> None:
        self._lines, self._line = told
        self._found = found
        self._patience = patience
        self._told: dict[str, Any] = {}

    async def begun(self) -> None:
        """Wait until the child has begun; raises SilentNursery, ChildFailed where others come first for too long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._patience.start_s):
                await self._hear()
        if not self._told:
            raise SilentNursery
        try:
            async with asyncio.timeout(self._patience.turn_s):
                while self._told.keys() == {"waits"}:
                    if not await self._hear():
                        raise SilentNursery
        except TimeoutError:
            raise failure("crowd") from None

    async def answer(self) -> Any:
        """Return the JSON value that the child found; raises ChildFailed."""
        async with self._patiently():
            answer = b""
            while some := await self._found.read(READ_AHEAD_BYTES):
                answer += some
                if len(answer) > ANSWER_MAX_BYTES:
                    raise failure("chatter")
            await self._over()
        if self._told.get("signal") or "failed" in self._told:
            raise self._why()
        try:
            return json.loads(answer)
        except ValueError:
            raise self._why() from None

    async def read(self, size: int) -> bytes:
        """Return exactly that many bytes of what the child writes; raises ChildFailed where it ends before."""
        async with self._patiently():
            try:
                return await self._found.readexactly(size)
            except asyncio.IncompleteReadError:
                await self._over()
        raise self._why()

    @asynccontextmanager
    async def _patiently(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self._patience.wall_s):
                yield
        except TimeoutError:
            raise failure("late") from None

    async def _hear(self) -> bool:
        """Take a line in; False where there will be none."""
        line = await self._lines.readline()
        if line:
            self._told |= json.loads(line)
        return bool(line)

    async def _over(self) -> None:
        """Hear all that is told of the child's end."""
        while await self._hear():
            pass

    def _why(self) -> ChildFailed:
        told = self._told
        if "failed" in told:
            return failure(told["failed"], told.get("type", ""))
        if told.get("signal"):
            return failure(CAUSES.get(told["signal"], "killed"))
        # It ended by itself without a word; where nobody told of its end, the nursery was ended with it.
        return failure("broken" if "signal" in told else "killed")

    def end(self) -> None:
        """Hang up: the nursery kills the child if it still lives, or never begins it. No more is told of it."""
        self._line.close()


@asynccontextmanager
async def child(
    control: socket.socket, message: bytes, patience: Patience
) -> AsyncIterator[tuple[Hearing, asyncio.StreamWriter]]:
    """Ask for a child, lend what it is heard by and fed through; raises SilentNursery, or OSError for no descriptors.

    They are sockets and no pipes: uvloop closes the descriptor of a pipe twice, the second time whoever has it by then.
    Each way has its own: a child that ends without having read all would take with it what it had written. On leaving,
    wherever that happens, the socket on which it is told closes, and that ends the child.
    """
    async with AsyncExitStack() as stack:
        ours = asked(control, message)  # the child is on its way: each line takes a turn of the event loop to open
        stack.callback(close_all, ours)
        lines: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        while ours:
            lines.append(await stack.enter_async_context(line_on(ours.pop(0))))
        told, (found, _), (_, food) = lines
        hearing = Hearing(told, found, patience)
        await hearing.begun()
        yield hearing, food


def asked(control: socket.socket, message: bytes) -> list[socket.socket]:
    """Ask for a child and return our ends of the three sockets that it is given the others of."""
    with ExitStack() as ours, ExitStack() as theirs:
        pairs: list[tuple[socket.socket, socket.socket]] = []
        for _ in range(3):
            one, other = socket.socketpair()
            pairs.append((ours.enter_context(one), theirs.enter_context(other)))
        with suppress(ConnectionError, BlockingIOError):  # it died, or reads nothing: then all end without a word
            socket.send_fds(control, [message], [other.fileno() for _, other in pairs])
        ours.pop_all()
    return [one for one, _ in pairs]


def close_all(sockets: Iterable[socket.socket]) -> None:
    """Let those go that nobody has opened a line on."""
    for one in sockets:
        one.close()


@asynccontextmanager
async def line_on(ours: socket.socket) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Lend the two ends of a socket."""
    try:
        reader, writer = await asyncio.open_unix_connection(sock=ours, limit=READ_AHEAD_BYTES)
    except BaseException:
        ours.close()
        raise
    try:
        yield reader, writer
    finally:
        writer.close()


@asynccontextmanager
async def fed(hearing: Hearing, food: asyncio.StreamWriter, content: AsyncIterable[bytes]) -> AsyncIterator[None]:
    """Write the content to a child for as long as the block lasts; what `content` raises ends the child, then us."""
    feeding = asyncio.create_task(feed(hearing, food, content))
    try:
        yield
        await feeding
    except ChildFailed:
        if feeding.done() and not feeding.cancelled():
            feeding.result()  # it was ended because its content failed: that is what went wrong
        raise
    finally:
        feeding.cancel()
        await asyncio.gather(feeding, return_exceptions=True)


async def feed(hearing: Hearing, food: asyncio.StreamWriter, content: AsyncIterable[bytes]) -> None:
    """Write the content to the child; one that ends early has read enough. A failing content ends the child."""
    try:
        async for some in content:
            food.write(some)
            try:
                await food.drain()
            except ConnectionError:
                return
    except BaseException:
        hearing.end()
        raise
    if not food.is_closing():
        food.write_eof()
