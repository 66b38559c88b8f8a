"""A nursery that is stuck, broken or short of descriptors harms no caller, and leaves no child behind."""

import asyncio
import os
import resource
import signal
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from adapters.sandbox.sightings import ended, pid_of, said_in
from opora.adapters.sandbox import hearing
from opora.adapters.sandbox.children import Sandbox
from opora.adapters.sandbox.hearing import ChildFailed, Patience

pytestmark = pytest.mark.anyio

DEEDS = "adapters.sandbox.deeds"
SIZE = f"{DEEDS}:size"
SLEEP = f"{DEEDS}:sleep"
Made = Callable[..., Sandbox]
Nursery = asyncio.subprocess.Process


@pytest.fixture(params=[False, True], ids=["asyncio", "uvloop"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    """A nursery is heard on either event loop: each closes descriptors in its own way."""
    return "asyncio", {"use_uvloop": request.param}


@pytest.fixture
async def made(anyio_backend: object) -> AsyncIterator[Made]:
    """Make sandboxes that go with the test."""
    sandboxes = []

    def make(**options: Any) -> Sandbox:
        sandboxes.append(Sandbox((DEEDS,), **options))
        return sandboxes[-1]

    yield make
    for sandbox in sandboxes:
        await sandbox.close()


async def warm(sandbox: Sandbox, file: str) -> Nursery:
    """Return the nursery of a sandbox once it has answered."""
    assert await sandbox.run(SIZE, file) == 5
    assert sandbox._nursery is not None
    return sandbox._nursery


@asynccontextmanager
async def stuck(nursery: Nursery) -> AsyncIterator[None]:
    """Stop a nursery; it does not outlive the test."""
    os.kill(nursery.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            nursery.kill()


def descriptors_of(pid: int) -> set[int]:
    """Return the descriptors that a process has open."""
    return {int(one.name) for one in Path(f"/proc/{pid}/fd").iterdir()}


async def has_open(pid: int, descriptors: int) -> None:
    """Wait until a process has exactly that many descriptors open."""
    for _ in range(200):
        if len(descriptors_of(pid)) == descriptors:
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"{len(descriptors_of(pid))} descriptors are open instead of {descriptors}")


def works(pid: int) -> bool:
    """Tell whether a process lives; one that is dead may wait for a new parent to notice."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


async def works_no_more(pid: int) -> None:
    """Wait until a process is dead."""
    for _ in range(200):
        if not works(pid):
            return
        await asyncio.sleep(0.05)
    os.kill(pid, signal.SIGKILL)
    raise AssertionError("the child lives on")


async def test_a_call_that_meets_a_stuck_nursery_is_answered_by_the_next(
    made: Made, file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("opora.adapters.sandbox.children.GOING_S", 0.3)
    sandbox = made(children_max=1, patience=Patience(start_s=3.0))
    nursery = await warm(sandbox, file)
    async with stuck(nursery), asyncio.timeout(20):
        assert await sandbox.run(SIZE, file) == 5
        assert sandbox._nursery is not nursery
        assert await nursery.wait() == -signal.SIGKILL


async def test_a_sandbox_closes_though_its_nursery_is_stuck_and_its_child_goes_with_it(
    made: Made, file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("opora.adapters.sandbox.children.GOING_S", 0.3)
    sandbox = made()
    nursery = await warm(sandbox, file)
    running = asyncio.create_task(sandbox.run(SLEEP, file))
    pid = await pid_of(tmp_path)
    async with stuck(nursery), asyncio.timeout(20):
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await sandbox.close()
        await works_no_more(pid)


async def test_closing_that_is_given_up_leaves_no_stuck_nursery(made: Made, file: str) -> None:
    sandbox = made()
    nursery = await warm(sandbox, file)
    async with stuck(nursery), asyncio.timeout(20):
        with suppress(TimeoutError):
            await asyncio.wait_for(sandbox.close(), 0.2)
        assert await nursery.wait() == -signal.SIGKILL


async def test_a_nursery_that_reads_nothing_does_not_hold_the_event_loop(
    made: Made, file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("opora.adapters.sandbox.children.GOING_S", 0.3)
    sandbox = made()
    nursery = await warm(sandbox, file)
    async with stuck(nursery):
        freeing = threading.Timer(10.0, os.kill, (nursery.pid, signal.SIGCONT))  # or a blocked loop would hang the test
        freeing.start()
        for _ in range(1000):  # until the socket is full of messages that nobody reads
            given_up = asyncio.create_task(sandbox.run(SIZE, file))
            await asyncio.wait([given_up], timeout=0.005)
            given_up.cancel()
            await asyncio.gather(given_up, return_exceptions=True)
            if sandbox._nursery is not nursery:
                break
        freeing.cancel()
        assert sandbox._nursery is not nursery
        assert await sandbox.run(SIZE, file) == 5


@pytest.mark.parametrize("turns", range(6))
async def test_a_call_given_up_before_it_heard_of_its_child_ends_it(
    made: Made, file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, turns: int
) -> None:
    sandbox = made(children_max=1, patience=Patience(turn_s=5.0))
    await warm(sandbox, file)
    ask, begun, lives = hearing.asked, list[int](), asyncio.Event()

    def asked(control: socket.socket, message: bytes) -> list[socket.socket]:
        """Hold the event loop until the child lives: what the nursery has said of it is unread."""
        ours = ask(control, message)
        for _ in range(1000):
            if pid := said_in(tmp_path):
                begun.append(pid)
                lives.set()
                break
            time.sleep(0.01)
        return ours

    with monkeypatch.context() as patched:
        patched.setattr(hearing, "asked", asked)
        running = asyncio.create_task(sandbox.run(SLEEP, file))
        await lives.wait()
        for _ in range(turns):
            await asyncio.sleep(0)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
    assert await sandbox.run(SIZE, file) == 5
    await ended(begun[0])


async def test_who_gives_up_waiting_holds_no_descriptors_of_the_nursery(made: Made, file: str, tmp_path: Path) -> None:
    sandbox = made(children_max=1)
    nursery = await warm(sandbox, file)
    before = len(descriptors_of(nursery.pid))
    first = asyncio.create_task(sandbox.run(SLEEP, file))
    pid = await pid_of(tmp_path)
    waiting = [asyncio.create_task(sandbox.run(SLEEP, file)) for _ in range(8)]
    await has_open(nursery.pid, before + 1 + 8 * 3)
    for one in waiting[1::2]:
        one.cancel()
    await has_open(nursery.pid, before + 1 + 4 * 3)
    for one in (first, *waiting):
        one.cancel()
    await asyncio.gather(first, *waiting, return_exceptions=True)
    await ended(pid)
    await has_open(nursery.pid, before)
    found = await asyncio.gather(*(sandbox.run(SIZE, file, times=number) for number in range(8)))
    assert found == [5 * number for number in range(8)]
    await has_open(nursery.pid, before)


@pytest.mark.parametrize("room", [1, 2])
async def test_a_nursery_short_of_descriptors_refuses_one_call_and_keeps_the_others(
    made: Made, file: str, tmp_path: Path, room: int
) -> None:
    sandbox = made(children_max=2)
    nursery = await warm(sandbox, file)
    before = len(descriptors_of(nursery.pid))
    running = asyncio.create_task(sandbox.run(SLEEP, file))
    pid = await pid_of(tmp_path)
    await has_open(nursery.pid, before + 1)
    free = [number for number in range(100) if number not in descriptors_of(nursery.pid)]
    limits = resource.prlimit(nursery.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(nursery.pid, resource.RLIMIT_NOFILE, (free[room], limits[1]))
    with pytest.raises(ChildFailed, match="machine") as failed:
        await sandbox.run(SIZE, file)
    assert failed.value.is_ours
    await has_open(nursery.pid, before + 1)
    resource.prlimit(nursery.pid, resource.RLIMIT_NOFILE, limits)
    assert await sandbox.run(SIZE, file) == 5
    assert sandbox._nursery is nursery
    os.kill(pid, 0)
    assert not running.done()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


@pytest.mark.parametrize("fate", ["killed", "broken"])
async def test_no_child_outlives_its_nursery(made: Made, file: str, tmp_path: Path, fate: str) -> None:
    sandbox = made(children_max=1)
    nursery = await warm(sandbox, file)
    running = asyncio.create_task(sandbox.run(SLEEP, file))
    pid = await pid_of(tmp_path)
    if fate == "killed":
        nursery.kill()
    else:
        assert sandbox._control is not None
        socket.send_fds(sandbox._control, [b"no JSON"], [0, 0, 0])
    await works_no_more(pid)
    second = await pid_of(tmp_path)  # its caller asks once more, of the next nursery
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await ended(second)
