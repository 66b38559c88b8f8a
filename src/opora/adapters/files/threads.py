"""Threads that touch a disk, so that the event loop never waits on it."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from opora.core.kernel.errors import NoSuchBlob, StorageUnavailable


class DiskThreads:
    """A few threads of one store's own: a slow disk holds up nobody else."""

    def __init__(self, name: str, threads: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)

    async def do[**P, T](self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what the work gives; raise NoSuchBlob for a file that is not there, StorageUnavailable for a fault."""

        def translated() -> T:
            with disk():
                return work(*args, **kwargs)

        return await asyncio.get_running_loop().run_in_executor(self._pool, translated)

    def close(self) -> None:
        """Let the threads go; what they are doing is finished first."""
        self._pool.shutdown()


@contextmanager
def disk() -> Iterator[None]:
    """Name a failure of the disk in the core's words."""
    try:
        yield
    except FileNotFoundError as error:
        raise NoSuchBlob from error
    except OSError as error:
        raise StorageUnavailable(retry_after_s=10) from error
