"""A simulated process: tasks and connections that live and die together."""

import asyncio
import random
from collections.abc import Callable, Collection, Coroutine
from contextvars import ContextVar
from typing import Any

from opora.bootstrap.simulation.chance import Storm
from opora.bootstrap.simulation.faults import FaultyDatabase, Rewrite, never
from opora.bootstrap.simulation.yard import Yard, YardDatabase

STEP_S = 0.004
PAUSED = 0.1
FREEZE_S = (4.0, 16.0)


class Crashed(BaseException):
    """The process is dead: nothing of it touches the store again."""


class Process:
    """One process: its database, its tasks, and what fate does to them. It is the Fate of its own database."""

    def __init__(self, name: str, yard: Yard, chance: random.Random, rewrite: Rewrite) -> None:
        self.name = name
        self.chance = chance
        self.storm: Storm | None = None
        self.watch: Callable[[Collection[str]], None] | None = None
        """Hears which tables each transaction wrote that was committed."""
        self.dead = False
        self.died = asyncio.Event()
        self._tasks: dict[asyncio.Task[Any], None] = {}
        self._frozen_until_s = 0.0
        self.database = FaultyDatabase(YardDatabase(yard, chance.random), self, rewrite)

    async def open(self) -> None:
        """Connect; the storm begins when it is given one."""
        await self.database.open()

    def spawn[T](self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Run something in this process; every task it starts belongs to the process too."""
        mark = RUNNING_IN.set(self)
        try:
            return asyncio.get_running_loop().create_task(work)
        finally:
            RUNNING_IN.reset(mark)

    def adopt(self, task: asyncio.Task[Any]) -> None:
        """Take a task for one of this process."""
        self._tasks[task] = None
        task.add_done_callback(lambda done: self._tasks.pop(done, None))

    async def crash(self) -> None:
        """Die between two instructions: open transactions are undone by the file alone, no task cleans up."""
        if self.dead:
            return
        self.dead = True
        self.died.set()
        await self.database.close()
        for task in list(self._tasks):
            task.cancel()

    async def meet(self, *, holding: bool) -> None:
        """See Fate."""
        if self.dead:
            raise Crashed
        storm, chance = self.storm, self.chance
        if storm is None:
            return
        if chance.random() < storm.crash:
            await self.crash()
            await never()
        if not holding and chance.random() < storm.freeze:
            self._frozen_until_s = asyncio.get_running_loop().time() + chance.uniform(*FREEZE_S)
        await self._pass_time(holding)
        if self.dead:
            raise Crashed

    async def _pass_time(self, holding: bool) -> None:
        if not holding:
            frozen_s = self._frozen_until_s - asyncio.get_running_loop().time()
            if frozen_s > 0:
                await asyncio.sleep(frozen_s)
        if self.chance.random() < PAUSED:
            await asyncio.sleep(self.chance.expovariate(1 / STEP_S))

    def frozen(self) -> bool:
        """Tell whether it is stopped now, with calls half done that will go on later."""
        return not self.dead and self._frozen_until_s >= asyncio.get_running_loop().time() - STEP_S * 100

    def committed(self, tables: Collection[str]) -> None:
        """See Fate."""
        if self.watch is not None:
            self.watch(tables)

    def refuses(self) -> bool:
        """See Fate."""
        return self.storm is not None and self.chance.random() < self.storm.refusal

    def loses_answer(self) -> bool:
        """See Fate."""
        return self.storm is not None and self.chance.random() < self.storm.lost_answer


RUNNING_IN: ContextVar[Process | None] = ContextVar("opora_simulated_process", default=None)
"""The process that the running task belongs to."""


def owned(loop: asyncio.AbstractEventLoop, work: Any, **options: Any) -> asyncio.Task[Any]:
    """Make a task, and give it to the process that starts it: the loop's task factory."""
    task: asyncio.Task[Any] = asyncio.Task(work, loop=loop, **options)
    process = RUNNING_IN.get()
    if process is not None:
        process.adopt(task)
    return task
