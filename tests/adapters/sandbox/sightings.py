"""Where children of the tests are seen, and when they are gone."""

import asyncio
import os
from pathlib import Path


def said_in(folder: Path) -> int | None:
    """Return the id that a sleeping child has left, once."""
    for said in folder.glob("pid-*"):
        said.unlink()
        return int(said.name.removeprefix("pid-"))
    return None


async def pid_of(folder: Path) -> int:
    """Wait for the child that sleeps and return its id."""
    for _ in range(600):
        pid = said_in(folder)
        if pid is not None:
            return pid
        await asyncio.sleep(0.05)
    raise AssertionError("no child began")


async def ended(pid: int) -> None:
    """Wait until a process is gone."""
    for _ in range(600):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        await asyncio.sleep(0.05)
    raise AssertionError("the child lives on")
