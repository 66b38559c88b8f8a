"""Functions over files, each call in a child process of its own, with bounds on memory and time."""

import asyncio
import json
import os
import socket
import sys
from collections.abc import AsyncIterable, AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import asdict, dataclass
from typing import Any

from opora.adapters.sandbox.hearing import MIB, ChildFailed, Hearing, Patience, SilentNursery, child, failure, fed

PASSED_ON = ("TMPDIR",)
"""Variables of the service's environment that children know too."""
ASKED_FOR_A_CHILD = 16
"""How many calls stand before the nursery for each child that may live: a busy event loop hears of an end late, and by
then the next child has begun and ended."""
ASKED_MAX = 64
"""How many calls stand before the nursery at the most, beside those whose child lives: each holds three descriptors
here and three there, and a process may often have 1024, most of them for its clients. The other calls wait without."""
GOING_S = 5.0
"""How long a nursery may take to end once its socket has closed; one that is stuck is killed then."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one child is given; `written_bytes` bounds each file that it may keep aside."""

    memory_bytes: int = 512 * MIB
    cpu_s: int = 10
    written_bytes: int = 0


class Sandbox:
    """Runs `module:function` of this program on a file, in a child that holds no secret of ours.

    The children are forked by a process that has `preloaded` modules ready; it starts with the first call and goes
    after `idle_s` without one.
    """

    def __init__(
        self,
        preloaded: tuple[str, ...] = (),
        children_max: int = 2,
        patience: Patience | None = None,
        idle_s: float = 30.0,
    ) -> None:
        """The calls past `children_max` wait their turn, the first of them before the nursery."""
        self._preloaded = preloaded
        self._children_max = children_max
        self._turns = asyncio.Semaphore(children_max + min(children_max * ASKED_FOR_A_CHILD, ASKED_MAX))
        self._patience = patience or Patience()
        self._idle_s = idle_s
        self._control: socket.socket | None = None
        self._nursery: asyncio.subprocess.Process | None = None
        self._starting = asyncio.Lock()
        self._going: asyncio.TimerHandle | None = None
        self._calls = 0

    async def run(self, target: str, place: str, limits: Limits | None = None, **options: object) -> Any:
        """Return what the function of a path and plain options returned, as JSON; raises ChildFailed.

        A child that never began, or was killed from outside, is followed by another one.
        """
        asked: dict[str, object] = {
            "target": target,
            "place": place,
            "options": options,
            "limits": asdict(limits or Limits()),
        }
        async with self._turn():
            for last in (False, True):
                try:
                    async with self._child(asked) as (hearing, _):
                        return await hearing.answer()
                except ChildFailed as failed:
                    if last or failed.cause not in {"started", "killed"}:
                        raise
        raise AssertionError  # the last try returns or raises

    @asynccontextmanager
    async def running(
        self, target: str, content: AsyncIterable[bytes], limits: Limits | None = None
    ) -> AsyncIterator[Hearing]:
        """Lend what a function of a source and a sink writes, as it reads the content; raises ChildFailed.

        On leaving the child is ended, however far it is. What `content` raises is raised here.
        """
        asked: dict[str, object] = {"target": target, "limits": asdict(limits or Limits())}
        async with self._turn(), self._child(asked) as (hearing, food), fed(hearing, food, content):
            yield hearing

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        if self._calls >= self._patience.waiting_max:
            raise failure("crowd")
        self._calls += 1
        try:
            try:
                async with asyncio.timeout(self._patience.turn_s):
                    await self._turns.acquire()
            except TimeoutError:
                raise failure("crowd") from None
            try:
                yield
            finally:
                self._turns.release()
        finally:
            self._calls -= 1
            self._rest()

    @asynccontextmanager
    async def _child(self, asked: dict[str, object]) -> AsyncIterator[tuple[Hearing, asyncio.StreamWriter]]:
        async with AsyncExitStack() as stack:
            try:
                control = await self._ready()
                lent = await stack.enter_async_context(child(control, json.dumps(asked).encode(), self._patience))
            except SilentNursery:
                await self._close(control)
                raise failure("started") from None
            except OSError as error:  # no descriptors or no process to be had
                raise failure("machine", type(error).__name__) from error
            yield lent

    async def _ready(self) -> socket.socket:
        async with self._starting:
            if self._going is not None:
                self._going.cancel()
                self._going = None
            if self._control is None or has_hung_up(self._control):
                await self.close()
                ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
                ours.setblocking(False)  # a nursery that is stuck reads nothing, and must not hold the event loop
                try:
                    with theirs:
                        self._nursery = await self._started(theirs.fileno())
                except BaseException:
                    ours.close()
                    raise
                self._control = ours
            return self._control

    async def _started(self, descriptor: int) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "opora.adapters.sandbox.nursery",
            str(descriptor),
            str(self._children_max),
            *self._preloaded,
            pass_fds=[descriptor],
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            cwd="/",
            env={
                "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
                "LC_ALL": "C.UTF-8",
                **{name: os.environ[name] for name in PASSED_ON if name in os.environ},
            },
        )

    def _rest(self) -> None:
        """Let the nursery go after a while without calls."""
        if not self._calls and self._control is not None:
            loop = asyncio.get_running_loop()
            self._going = loop.call_later(self._idle_s, lambda: loop.create_task(self._leave()))

    async def _leave(self) -> None:
        if not self._calls:
            await self.close()

    async def _close(self, control: socket.socket) -> None:
        """Let that nursery go, unless another call has done so and a new one is there."""
        if control is self._control:
            await self.close()

    async def close(self) -> None:
        """Let the nursery go; it ends, and its children with it, when its socket closes, or it is killed."""
        if self._going is not None:
            self._going.cancel()
            self._going = None
        nursery, self._nursery = self._nursery, None
        control, self._control = self._control, None
        if control is not None:
            control.close()
        if nursery is not None:
            await gone(nursery)


def has_hung_up(control: socket.socket) -> bool:
    """Tell whether a nursery, which says nothing on its socket, has ended, be it that nobody waited for it yet."""
    try:
        return not control.recv(1, socket.MSG_PEEK)
    except BlockingIOError:
        return False
    except ConnectionError:  # it left messages unread
        return True


async def gone(nursery: asyncio.subprocess.Process) -> None:
    """Wait until a nursery has ended; one that does not end, or that we cannot wait for, is killed."""
    with suppress(TimeoutError):
        try:
            async with asyncio.timeout(GOING_S):
                await nursery.wait()
        finally:
            if nursery.returncode is None:
                with suppress(ProcessLookupError):
                    nursery.kill()
    await nursery.wait()
