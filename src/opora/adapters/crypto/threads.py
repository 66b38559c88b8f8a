"""A bounded number of threads for work that is slow and must not be queued without end."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Lock

from opora.core.access.errors import HashingBusy


class BoundedThreads:
    """Runs work on `threads` threads and lets `waiting_max` more wait; whoever comes beyond is sent away at once.

    A permit belongs to the work and not to who asked for it: a request that goes away frees nothing before its thread
    is done, so that coming and going cannot pile up more work than the bound.
    """

    def __init__(self, threads: int = 2, waiting_max: int = 64) -> None:
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="opora-hash")
        self._free = threads + waiting_max
        self._lock = Lock()

    async def run[T](self, work: Callable[[], T]) -> T:
        """Return what the work returns; raise HashingBusy when the bound is reached."""
        with self._lock:
            if self._free == 0:
                raise HashingBusy
            self._free -= 1
        future = self._executor.submit(work)
        # Called when the thread ends, and when work is cancelled that no thread had begun.
        future.add_done_callback(lambda _: self._release())
        return await asyncio.wrap_future(future)

    def _release(self) -> None:
        with self._lock:
            self._free += 1

    def close(self) -> None:
        """Let the threads end their work and go."""
        self._executor.shutdown(wait=True, cancel_futures=True)
