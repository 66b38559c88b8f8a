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
"""What ends a loan without telling whether its statement still runs."""
IDLE_S = 300.0
"""A connection that nobody used for so long is closed."""
LOOK_S = 60.0
SETTLE_S = 5.0
"""A server that has not left off a statement by then is given up, and the place with it."""
CLOSE_S = 5.0
CLOSED = "The connections are being closed."


class HeldConnections:
    """Up to `size` connections to one server; those given back stay open, the last one given back is lent first.

    Whoever finds all of them lent waits in turn, and gets the next one that is given back, or the place of one that was
    lost. Nothing here awaits between taking a connection and lending it, so that a cancelled caller loses none. One
    whose statement may still run keeps its place until the server has left off: a closed socket alone ends no
    statement, and `size` is how many the server bears.
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
        self._settling: set[asyncio.Task[None]] = set()
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
            if not turn.done():
                self._waiting.remove(turn)
            elif not turn.cancelled():  # given up at the moment it was served
                self._vacate() if turn.result() is None else self.release(turn.result())
            raise
        if driver is None and self._is_closing:
            self._vacate()
            raise asyncpg.InterfaceError(CLOSED)
        return await self._fill_place() if driver is None else driver

    @property
    def is_full(self) -> bool:
        """Whether all are lent: who asks now waits for somebody."""
        return not self._idle and self._places >= self._size

    def release(self, driver: asyncpg.Connection, error: BaseException | None = None) -> None:
        """Take a connection back; `error` is what ended the loan.

        One that was lost meanwhile is dropped. One that may still be at a statement, or was left in a transaction, is
        settled first.
        """
        if driver.is_closed():
            self.drop(driver)
            return
        if isinstance(error, UNSURE) or driver.is_in_transaction():
            settling = asyncio.get_running_loop().create_task(self._settle(driver))
            self._settling.add(settling)
            settling.add_done_callback(self._settling.discard)
            return
        if self._is_closing:
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

    async def _settle(self, driver: asyncpg.Connection) -> None:
        """Have the driver end the statement that nobody waits for any more, and the transaction it was in."""
        try:
            with contextlib.suppress(asyncpg.InFailedSQLTransactionError):
                await driver.execute("SELECT 1", timeout=SETTLE_S)
            if driver.is_in_transaction():
                await driver.execute("ROLLBACK", timeout=SETTLE_S)
        except BaseException as error:
            self.drop(driver)
            if not isinstance(error, Exception):
                raise
        else:
            self.release(driver)

    def drop(self, driver: asyncpg.Connection) -> None:
        """Take a connection back that is lost or cannot be settled, and close it."""
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
        for settling in self._settling:
            settling.cancel()
        for driver in list(self._lent):
            self.drop(driver)
