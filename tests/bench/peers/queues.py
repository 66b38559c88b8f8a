"""Other systems of jobs that outlive their process, each with a worker in this process and a task that does nothing."""

import asyncio
import threading
import time
from uuid import uuid4

CONCURRENCY = 32


class Counted:
    """How many tasks of a burst are still to be done; may be told from any thread."""

    def __init__(self) -> None:
        self.left = 0
        self._lock = threading.Lock()
        self.done = threading.Event()

    def expect(self, count: int) -> None:
        """A burst of so many begins."""
        self.left = count
        self.done.clear()

    def tell(self) -> None:
        """One is done."""
        with self._lock:
            self.left -= 1
            if not self.left:
                self.done.set()


class Procrastinate:
    """Jobs as rows of PostgreSQL, woken by NOTIFY; its own tables in a database of ours."""

    def __init__(self, url: str) -> None:
        from procrastinate import App, PsycopgConnector

        self.counted = Counted()
        self.app = App(connector=PsycopgConnector(conninfo=url))
        self._working: asyncio.Task[None] | None = None

        @self.app.task(name=f"bench-{uuid4().hex[:8]}")
        async def run() -> None:
            self.counted.tell()

        self.task = run

    async def start(self) -> None:
        """Make the tables and a worker."""
        await self.app.open_async()
        await self.app.schema_manager.apply_schema_async()
        work = self.app.run_worker_async(concurrency=CONCURRENCY, install_signal_handlers=False)
        self._working = asyncio.create_task(work)

    async def burst(self, count: int) -> float:
        """Seconds a job, deferred one by one by eight callers."""
        self.counted.expect(count)
        start_s = time.perf_counter()

        async def caller() -> None:
            for _ in range(count // 8):
                await self.task.defer_async()

        await asyncio.gather(*(caller() for _ in range(8)))
        await finished(self.counted)
        return (time.perf_counter() - start_s) / count

    async def stop(self) -> None:
        """Let the worker go."""
        if self._working is not None:
            self._working.cancel()
            await asyncio.gather(self._working, return_exceptions=True)
        await self.app.close_async()


class Celery:
    """Messages in Redis, each acknowledged after its task: what a worker that dies held is delivered again."""

    def __init__(self, url: str) -> None:
        from celery import Celery as App

        self.counted = Counted()
        self.app = App("bench", broker=url)
        self.app.conf.update(
            task_acks_late=True,
            task_ignore_result=True,
            task_default_queue=f"opora_bench:{uuid4().hex[:8]}",
            worker_hijack_root_logger=False,
            broker_connection_retry_on_startup=True,
        )

        @self.app.task(name=f"bench-{uuid4().hex[:8]}")
        def run() -> None:
            self.counted.tell()

        self.task = run
        self._worker: object = None

    async def start(self) -> None:
        """Start a worker in a thread of this process."""
        from celery.contrib.testing.worker import start_worker

        self._worker = start_worker(self.app, perform_ping_check=False, pool="threads", concurrency=8, loglevel="error")
        await asyncio.to_thread(self._worker.__enter__)  # type: ignore[attr-defined]

    async def burst(self, count: int) -> float:
        """Seconds a message, sent one by one by eight threads."""
        self.counted.expect(count)
        start_s = time.perf_counter()

        def caller() -> None:
            for _ in range(count // 8):
                self.task.delay()

        await asyncio.gather(*(asyncio.to_thread(caller) for _ in range(8)))
        await finished(self.counted)
        return (time.perf_counter() - start_s) / count

    async def stop(self) -> None:
        """Let the worker go and its queue with it."""
        await asyncio.to_thread(self._worker.__exit__, None, None, None)  # type: ignore[attr-defined]
        self.app.control.purge()


async def finished(counted: Counted) -> None:
    """Wait for the end of a burst; raises TimeoutError after a minute."""
    if not await asyncio.to_thread(counted.done.wait, 60):
        raise TimeoutError(f"{counted.left} jobs were never done")
