"""A worker process as `opora worker` runs it, with one more kind of job, started fast: forked from a warm parent.

Each line on standard input asks for one more process; its id is the answer. An empty line is a worker, `pay 40` an
errand of the counter.
"""

import asyncio
import os
import signal
import sys
from dataclasses import dataclass

from faults.counter import ERRANDS
from opora.adapters.sql.unit import SqlUnitOfWork
from opora.bootstrap import serving
from opora.bootstrap.container import application
from opora.bootstrap.sources import load
from opora.bootstrap.worker import working
from opora.core.jobs.model import Claim
from opora.core.kernel.model import SYSTEM, Change
from opora.core.kernel.ports import Clock

KIND, EFFECT = "faults.work", "faults.effect"


@dataclass(frozen=True, slots=True)
class Work:
    """Takes its time, then has its one effect: an entry of the audit log."""

    unit: SqlUnitOfWork
    clock: Clock

    async def __call__(self, claim: Claim) -> None:
        await asyncio.sleep(float(str(claim.payload["seconds"])))
        async with self.unit() as tx:
            await tx.audit.record(
                Change(actor=SYSTEM, action=EFFECT, entity_type="job", entity_id=str(claim.id), at=self.clock.now())
            )
            await tx.jobs.finish(claim)


async def work() -> None:
    """Serve the worker until it is told to end."""
    settings = load()
    serving.log(settings)
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    async with application(settings) as container, working(container, settings) as engine:
        handler = Work(await container.get(SqlUnitOfWork), await container.get(Clock))
        engine.handlers = {**engine.handlers, KIND: handler}
        engine.wake()
        await ended.wait()


async def run(errand: str, argument: str) -> None:
    """Do one errand and end."""
    settings = load()
    async with application(settings) as container:
        await ERRANDS[errand](container, settings, int(argument))


def main() -> None:
    """Fork a process a line; leave when the input ends."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        pid = os.fork()
        if not pid:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            asyncio.run(run(*line.split()) if line.strip() else work())
            os._exit(0)
        print(pid, flush=True)  # noqa: T201  # the answer


if __name__ == "__main__":
    main()
