"""Connections that are held open and lent: a loan without waiting makes no task, no timer and no proxy."""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import asyncpg

from opora.core.kernel.errors import DatabaseUnavailable

UNSURE = (
    asyncio.CancelledError,
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    DatabaseUnavailable,
)
"""What ends a loan without telling whether a statement still runs."""
IDLE_S = 300.0
"""A connection that nobody used for so long is closed."""
LOOK_S = 60.0
CLOSE_S = 5.0
CLOSED = "The connections are being closed."


class HeldConnections:
    """Up to `size` connections to one server; those given back stay open, the last one given back is lent first.

    Whoever finds all of them lent waits in turn, and gets the next one that is given back, or the place of one that was
    lost. Nothing here awaits between taking a connection and lending it, so that a cancelled caller loses none.
    """

    def __init__(self, connect: Callable[[], Awaitable[asyncpg.Connection]], size: int, wait_s: float) -> None:
        """`wait_s` bounds waiting for a turn and for a new connection together."""
        self._connect = connect
        self._size = size
        self._wait_s = wait_s
        self._idle: deque[tuple[asyncpg.Connection, float]] = deque()
        self._lent: set[asyncpg.Connection] = set()
        self._places = 0
        self._waiting: deque[asyncio.Future[asyncpg.Connection | None]] = deque()
        self._look: asyncio.TimerHandle | None = None
        self._is_closing = False
        self._all_back = asyncio.Event()

    async def acquire(self) -> asyncpg.Connection:
        """Lend a connection; raises TimeoutError, and what the driver says of a server that it cannot reach."""
        if self._is_closing:
            raise asyncpg.InterfaceError(CLOSED)
        while self._idle:
            driver, _ = self._idle.pop()
            if not driver.is_closed():
                self._lent.add(driver)
                return driver
            self._places -= 1  # lost while nobody used it
        async with asyncio.timeout(self._wait_s):
            return await (self._opened() if self._places < self._size else self._awaited())

    async def _opened(self) -> asyncpg.Connection:
        self._places += 1
        return await self._fill_place()

    async def _fill_place(self) -> asyncpg.Connection:
        try:
            driver = await self._connect()
        except BaseException:
            self._vacate()
            raise
        self._lent.add(driver)
        if self._is_closing:
            self.drop(driver)
            raise asyncpg.InterfaceError(CLOSED)
        return driver

    async def _awaited(self) -> asyncpg.Connection:
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            driver = await turn
        except BaseException:
            if turn.done() and not turn.cancelled():  # given up at the moment it was served
                self._pass_on(turn.result())
            raise
        return await self._fill_place() if driver is None else driver

    def _pass_on(self, driver: asyncpg.Connection | None) -> None:
        if driver is None:
            self._vacate()
        else:
            self.release(driver)

    def release(self, driver: asyncpg.Connection, error: BaseException | None = None) -> None:
        """Take a connection back; `error` is what ended the loan.

        One that was lost meanwhile, was left in a transaction, or may still be at a statement is dropped.
        """
        if self._is_closing or isinstance(error, UNSURE) or driver.is_closed() or driver.is_in_transaction():
            self.drop(driver)
            return
        turn = self._next()
        if turn is not None:
            turn.set_result(driver)
            return
        self._lent.discard(driver)
        loop = asyncio.get_running_loop()
        self._idle.append((driver, loop.time()))
        if self._look is None:
            self._look = loop.call_later(LOOK_S, self._close_idle)

    def drop(self, driver: asyncpg.Connection) -> None:
        """Take a connection back that nobody knows the state of, and close it."""
        if driver in self._lent:
            self._lent.discard(driver)
            self._vacate()
        driver.terminate()
        if self._is_closing and not self._lent:
            self._all_back.set()

    def _vacate(self) -> None:
        turn = self._next()
        if turn is None:
            self._places -= 1
        else:
            turn.set_result(None)

    def _next(self) -> asyncio.Future[asyncpg.Connection | None] | None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                return turn
        return None

    def _close_idle(self) -> None:
        loop = asyncio.get_running_loop()
        while self._idle and self._idle[0][1] <= loop.time() - IDLE_S:
            driver, _ = self._idle.popleft()
            self._places -= 1
            driver.terminate()
        self._look = loop.call_later(LOOK_S, self._close_idle) if self._idle else None

    @asynccontextmanager
    async def returned(self, driver: asyncpg.Connection) -> AsyncIterator[None]:
        """Take a connection back that was lent, at the end of the block."""
        try:
            yield
        except BaseException as error:
            self.release(driver, error)
            raise
        self.release(driver)

    async def close(self) -> None:
        """Close what is idle, and what is lent as it comes back; what does not in time is cut."""
        self._is_closing = True
        if not self._lent:
            self._all_back.set()
        if self._look is not None:
            self._look.cancel()
        idle = [driver for driver, _ in self._idle]
        self._idle.clear()
        await asyncio.gather(*(driver.close(timeout=CLOSE_S) for driver in idle), return_exceptions=True)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_S):
                await self._all_back.wait()
        for driver in list(self._lent):
            self.drop(driver)
