"""Children are bounded, hold no secret, and their end harms nobody."""

import asyncio
import errno
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapters.sandbox.sightings import ended, pid_of, said_in
from opora.adapters.sandbox.children import Limits, Sandbox
from opora.adapters.sandbox.hearing import MIB, ChildFailed, Patience, failure
from opora.adapters.sandbox.judge import PRELOADED, SandboxedJudge
from opora.core.documents.errors import DamagedFile, FileBomb, JudgeUnavailable
from opora.core.documents.model.documents import MediaType
from opora.core.documents.model.files import Received
from opora.core.documents.ports.files import FileJudge
from opora.testing.papers import a_pdf

pytestmark = pytest.mark.anyio

DEEDS = "adapters.sandbox.deeds"


@pytest.fixture
async def sandbox(anyio_backend: str) -> AsyncIterator[Sandbox]:
    sandbox = Sandbox((DEEDS,), children_max=4)
    yield sandbox
    await sandbox.close()


async def test_returns_what_the_function_found(sandbox: Sandbox, file: str) -> None:
    assert await sandbox.run(f"{DEEDS}:size", file, times=2) == 10
    both = await asyncio.gather(*(sandbox.run(f"{DEEDS}:size", file, times=number) for number in range(8)))
    assert both == [5 * number for number in range(8)]


async def test_children_know_nothing_of_the_service_but_where_to_keep_things_aside(
    sandbox: Sandbox, file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPORA_SECRET_KEY", "a secret of the service that nobody may read")
    monkeypatch.setenv("TMPDIR", "/somewhere")
    assert await sandbox.run(f"{DEEDS}:secrets", file) == ["LC_ALL", "PYTHONPATH", "TMPDIR"]


@pytest.mark.parametrize(
    ("deed", "cause"),
    [
        ("grow", "memory"),
        ("spin", "time"),
        ("fail", "fault"),
        ("die", "broken"),
        ("crash", "broken"),
        ("chatter", "chatter"),
        ("write", "machine"),
    ],
)
async def test_a_child_that_breaks_its_bounds_is_told_from_one_that_fails(
    sandbox: Sandbox, file: str, deed: str, cause: str
) -> None:
    with pytest.raises(ChildFailed) as failed:
        await sandbox.run(f"{DEEDS}:{deed}", file, Limits(memory_bytes=256 * MIB, cpu_s=1))
    assert failed.value.cause == cause
    assert "secret" not in str(failed.value)
    assert await sandbox.run(f"{DEEDS}:size", file) == (0 if deed == "write" else 5)


async def test_a_child_that_is_late_is_ended_and_its_lateness_is_not_the_files(file: str, tmp_path: Path) -> None:
    sandbox = Sandbox((DEEDS,), patience=Patience(wall_s=0.5))
    with pytest.raises(ChildFailed, match="late") as failed:
        await sandbox.run(f"{DEEDS}:sleep", file)
    assert failed.value.is_ours
    await ended(await pid_of(tmp_path))
    await sandbox.close()


async def test_a_call_that_is_given_up_ends_its_child(sandbox: Sandbox, file: str, tmp_path: Path) -> None:
    running = asyncio.create_task(sandbox.run(f"{DEEDS}:sleep", file))
    pid = await pid_of(tmp_path)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await ended(pid)


async def test_a_child_that_is_killed_from_outside_is_followed_by_another(
    sandbox: Sandbox, file: str, tmp_path: Path
) -> None:
    running = asyncio.create_task(sandbox.run(f"{DEEDS}:sleep", file))
    first = await pid_of(tmp_path)
    os.kill(first, signal.SIGKILL)
    second = await pid_of(tmp_path)
    assert second != first
    os.kill(second, signal.SIGKILL)
    with pytest.raises(ChildFailed, match="killed") as failed:
        await running
    assert failed.value.is_ours


async def test_children_end_with_the_nursery_whose_service_was_killed(file: str, tmp_path: Path) -> None:
    sandbox = Sandbox((DEEDS,))
    running = asyncio.create_task(sandbox.run(f"{DEEDS}:sleep", file))
    pid = await pid_of(tmp_path)
    await sandbox.close()
    await ended(pid)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await sandbox.close()


async def test_calls_past_a_bound_and_past_their_patience_are_sent_away(file: str, tmp_path: Path) -> None:
    sandbox = Sandbox((DEEDS,), children_max=1, patience=Patience(turn_s=0.2, waiting_max=2))
    running = asyncio.create_task(sandbox.run(f"{DEEDS}:sleep", file))
    await pid_of(tmp_path)
    waiting = asyncio.create_task(sandbox.run(f"{DEEDS}:size", file))
    await asyncio.sleep(0)
    for late in (sandbox.run(f"{DEEDS}:size", file), waiting):
        with pytest.raises(ChildFailed, match="crowd") as failed:
            await late
        assert failed.value.is_ours
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert await sandbox.run(f"{DEEDS}:size", file) == 5
    await sandbox.close()


async def test_no_more_children_live_than_may_and_who_gave_up_begins_none(file: str, tmp_path: Path) -> None:
    sandbox = Sandbox((DEEDS,), children_max=1)
    first = asyncio.create_task(sandbox.run(f"{DEEDS}:sleep", file))
    await pid_of(tmp_path)
    given_up = asyncio.create_task(sandbox.run(f"{DEEDS}:sleep", file))
    others = [asyncio.create_task(sandbox.run(f"{DEEDS}:size", file, times=number)) for number in range(40)]
    await asyncio.sleep(0.2)
    given_up.cancel()
    assert not any(one.done() for one in others)
    first.cancel()
    assert await asyncio.gather(*others) == [5 * number for number in range(40)]
    assert said_in(tmp_path) is None
    await asyncio.gather(first, given_up, return_exceptions=True)
    await sandbox.close()


async def test_who_waits_before_a_nursery_that_dies_waits_before_the_next(file: str, tmp_path: Path) -> None:
    sandbox = Sandbox((DEEDS,), children_max=1)
    first = asyncio.create_task(sandbox.run(f"{DEEDS}:sleep", file))
    await pid_of(tmp_path)
    waiting = asyncio.create_task(sandbox.run(f"{DEEDS}:size", file))
    await asyncio.sleep(0.2)
    nursery = sandbox._nursery
    assert nursery is not None
    first.cancel()
    nursery.kill()
    assert await waiting == 5
    await asyncio.gather(first, return_exceptions=True)
    await sandbox.close()


async def test_a_machine_without_descriptors_or_processes_is_told_from_a_bad_file(
    file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none_left(*_: object) -> None:
        raise OSError(errno.EMFILE, "too many open files")

    sandbox = Sandbox((DEEDS,))
    monkeypatch.setattr("opora.adapters.sandbox.hearing.socket.socketpair", none_left)
    with pytest.raises(ChildFailed, match="machine") as failed:
        await sandbox.run(f"{DEEDS}:size", file)
    assert failed.value.is_ours
    monkeypatch.undo()
    assert await sandbox.run(f"{DEEDS}:size", file) == 5
    await sandbox.close()


async def test_a_file_that_is_not_there_is_not_called_damaged(sandbox: Sandbox) -> None:
    with pytest.raises(JudgeUnavailable) as refused:
        await SandboxedJudge(sandbox).examine(Received("/no/such/file", 5, ""))
    assert refused.value.retry_after_s > 0


async def test_a_nursery_that_died_is_replaced(sandbox: Sandbox, file: str) -> None:
    await sandbox.run(f"{DEEDS}:size", file)
    nursery = sandbox._nursery
    assert nursery is not None
    nursery.kill()
    await nursery.wait()
    assert await sandbox.run(f"{DEEDS}:size", file) == 5


async def test_a_nursery_that_cannot_start_is_told(file: str) -> None:
    sandbox = Sandbox(("no.such.module",))
    with pytest.raises(ChildFailed, match="started"):
        await sandbox.run(f"{DEEDS}:size", file)
    with pytest.raises(JudgeUnavailable):
        await SandboxedJudge(sandbox).examine(Received(file, 5, ""))


async def test_the_nursery_goes_when_it_is_idle_and_comes_back(file: str) -> None:
    sandbox = Sandbox((DEEDS,), idle_s=0.05)
    await sandbox.run(f"{DEEDS}:size", file)
    for _ in range(100):
        if sandbox._nursery is None:
            break
        await asyncio.sleep(0.05)
    assert sandbox._nursery is None
    assert await sandbox.run(f"{DEEDS}:size", file) == 5
    await sandbox.close()


class Fated(Sandbox):
    """A sandbox whose children end as the test says."""

    def __init__(self, cause: str) -> None:
        super().__init__()
        self.cause = cause

    async def run(self, target: str, place: str, limits: Limits | None = None, **options: object) -> object:
        raise failure(self.cause)


async def test_the_judge_names_what_it_saw(tmp_path: Path) -> None:
    place = tmp_path / "file"
    place.write_bytes(a_pdf())
    sandbox = Sandbox(PRELOADED)
    judge: FileJudge = SandboxedJudge(sandbox)
    found = await judge.examine(Received(str(place), 1, ""))
    assert (found.media_type, found.pages, found.text) == (MediaType.PDF, 1, "Lease 1")
    place.write_bytes(a_pdf()[:-20])
    with pytest.raises(DamagedFile, match="cut off"):
        await judge.examine(Received(str(place), 1, ""))
    await sandbox.close()


@pytest.mark.parametrize(
    ("cause", "refusal"),
    [
        ("time", FileBomb),
        ("memory", FileBomb),
        ("broken", FileBomb),
        ("chatter", FileBomb),
        ("fault", DamagedFile),
        ("crowd", JudgeUnavailable),
        ("started", JudgeUnavailable),
        ("late", JudgeUnavailable),
        ("killed", JudgeUnavailable),
        ("machine", JudgeUnavailable),
    ],
)
async def test_a_file_that_kills_its_reader_is_refused_and_a_busy_machine_refuses_none(
    cause: str, refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        await SandboxedJudge(Fated(cause)).examine(Received("nowhere", 1, ""))
