"""Files of numbers for the benches, and the program in this process over a store, with its memory watched."""

import asyncio
import random
import threading
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from e2e.running import SECRET
from opora.bootstrap.container import application
from opora.bootstrap.sources import load
from opora.core.jobs.ports import JobLeases
from opora.core.kernel.model import SYSTEM, Blob
from opora.core.kernel.ports import UnitOfWork
from opora.core.numbers.model.projects import EVERY_PROJECT
from opora.core.numbers.model.transfers import EXPORT, IMPORT, Transfer
from opora.core.numbers.ports.transfers import TransferTx, TransferViews
from opora.core.numbers.rules.transfers import checked_export, checked_import
from opora.core.numbers.usecases.exporting import ExportNumbers
from opora.core.numbers.usecases.importing import ImportNumbers
from opora.core.numbers.usecases.transfers import KeepUpload, RequestExport, RequestImport
from opora.testing.numbers import a_project

BLOCK = 1 << 20
AT_ONCE = 100_000
FORMS = ("+7{}", "8{}", "7{}", "+7 {}", "8-{}")


def write(file: Path, count: int, *, clean: bool = False) -> None:
    """Write a file of mobile numbers, each once: in several spellings and with some that are none, or clean."""
    chosen = random.Random(7)  # noqa: S311  # the same file each time
    step = 999_999_937  # prime to the span below: every number once, in no order
    with file.open("w") as sink:
        sink.write("phone\n" if not clean else "")
        for start in range(0, count, AT_ONCE):
            places = range(start, min(start + AT_ONCE, count))
            nationals = [9_100_000_000 + place * step % 190_000_000 for place in places]
            if clean:
                sink.write("".join(f"+7{one},1,1,1\n" for one in nationals))
                continue
            form = chosen.choice(FORMS)
            sink.write("".join(f"{form.format(one)}\n" for one in nationals))
            sink.write("no number\n" * (len(nationals) // 100))


@dataclass(slots=True)
class Growth:
    """How much memory this process and its children took beyond what they held at first."""

    before: int = 0
    most: int = 0

    @property
    def bytes(self) -> int:
        """The growth."""
        return max(0, self.most - self.before)


@contextmanager
def watched() -> Iterator[Growth]:
    """Watch this process and its children for the length of a block."""
    me, growth, done = psutil.Process(), Growth(), threading.Event()
    growth.before = growth.most = me.memory_info().rss
    ours = me.cmdline()

    def look() -> None:
        while not done.wait(0.05):
            total = me.memory_info().rss
            for one in me.children(recursive=True):
                try:
                    if one.cmdline() != ours:  # between fork and exec a child is this process over again
                        total += one.memory_info().rss
                except psutil.NoSuchProcess:
                    continue
            growth.most = max(growth.most, total)

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    yield growth
    done.set()
    watcher.join()


class Depot:
    """The program's imports and exports over one store."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def project(self) -> int:
        """Keep a new project."""
        unit = await self.app.get(UnitOfWork[TransferTx])
        async with unit() as tx:
            id = await tx.projects.next_id()
            await tx.projects.add(a_project(id))
        return int(id)

    async def send(self, file: Path) -> Blob:
        """Send a file, as an upload does."""

        async def blocks() -> AsyncGenerator[bytes]:
            with file.open("rb") as source:
                while some := source.read(BLOCK):
                    yield some

        return await (await self.app.get(KeepUpload))(blocks(), 1 << 40)

    async def bring(self, project_id: int, file: Path) -> tuple[Transfer, float]:
        """Import a file: how it went, and in how many seconds from its arrival on."""
        blob = await self.send(file)
        started_s = time.perf_counter()
        transfer = await (await self.app.get(RequestImport))(
            SYSTEM, checked_import(project_id, "a.csv", None, None), blob
        )
        await self.work(IMPORT, ImportNumbers)
        took_s = time.perf_counter() - started_s
        report = await (await self.app.get(TransferViews)).one(transfer.id, EVERY_PROJECT)
        return report.transfer, took_s

    async def send_out(self, project_id: int, format: str) -> float:
        """Export a project's numbers into a file; the seconds it took."""
        started_s = time.perf_counter()
        await (await self.app.get(RequestExport))(SYSTEM, checked_export(project_id, "a.csv", format, "download", {}))
        await self.work(EXPORT, ExportNumbers)
        return time.perf_counter() - started_s

    async def work(self, kind: str, use_case: type[Any]) -> None:
        """Carry out the job that waits."""
        (claim,) = await (await self.app.get(JobLeases)).claim([kind], 1, 3600.0)
        await (await self.app.get(use_case))(claim)


@asynccontextmanager
async def depot(home: Path, database_url: str = "") -> AsyncGenerator[Depot]:
    """Open the program over a store."""
    told = {"OPORA_HOME": str(home), "OPORA_SECRET_KEY": SECRET, "OPORA_IMPORT_SIZE_MAX_MB": "65536"}
    if database_url:
        told["OPORA_DATABASE_URL"] = database_url
    async with application(load(told, home)) as app:
        yield Depot(app)


def run[T](work: Any) -> T:
    """Run what awaits."""
    found: T = asyncio.run(work)
    return found
