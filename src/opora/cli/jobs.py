"""`opora jobs`: background work as an operator sees it."""

from argparse import ArgumentParser
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from opora.cli.command import Call, Command
from opora.cli.exits import CommandFailed, Exit
from opora.cli.output import shown
from opora.cli.running import Application, run
from opora.cli.values import job_id, whole
from opora.core.jobs.model import Job, JobFilter, JobState
from opora.core.jobs.ports import JobViews
from opora.core.jobs.usecases import CancelJob, RetryJob
from opora.core.kernel.model import SYSTEM, Page, PageRequest
from opora.core.kernel.ports import Clock


def show(call: Call) -> None:
    """List jobs, the newest first, after a line with how many stand in each state."""
    given = call.arguments

    async def work(app: Application) -> tuple[Page[Job], Mapping[str, int]]:
        views = await app.get(JobViews)
        wanted = JobFilter(state=JobState(given.state) if given.state else None, kind=given.kind)
        return await views.page(wanted, PageRequest(given.limit, given.page)), await views.counts()

    page, counts = run(work)
    call.output.document({"count": page.count, "states": counts, "results": list(page.items)})
    call.output.line("  ".join(f"{state}: {counts.get(state, 0)}" for state in JobState))
    call.output.table(
        ["ID", "KIND", "STATE", "ATTEMPT", "PROGRESS", "RUN AT", "FINISHED", "ERROR"],
        [
            [job.id, job.kind, job.state, f"{job.attempt}/{job.attempts_max}", _progress(job), job.run_at,
             job.finished_at, (job.error or "")[:60]]
            for job in page.items
        ],
    )  # fmt: skip


def retry(call: Call) -> None:
    """Queue a dead job again."""
    _act(call, RetryJob)


def cancel(call: Call) -> None:
    """Cancel a job that waits, or ask the attempt that runs to stop."""
    _act(call, CancelJob)


def _act(call: Call, kind: type[RetryJob | CancelJob]) -> None:
    """Do something to a job and tell how it stands after."""

    async def work(app: Application) -> Job | None:
        act, views = await app.get(kind), await app.get(JobViews)
        await act(SYSTEM, call.arguments.id)
        return await views.one(call.arguments.id)

    job = run(work)
    if job is not None:
        call.output.document(job)
        asked = ", asked to stop" if job.cancel_requested and job.state is JobState.RUNNING else ""
        call.output.line(f"Job {job.id} is {job.state}{asked}.")


def why(call: Call) -> None:
    """Say why a job stands where it stands, and what can be done."""

    async def work(app: Application) -> tuple[Job | None, datetime]:
        views, clock = await app.get(JobViews), await app.get(Clock)
        return await views.one(call.arguments.id), clock.now()

    job, now = run(work)
    if job is None:
        raise CommandFailed(Exit.NO_INPUT, f"there is no job {call.arguments.id}", "opora jobs list")
    reasons = list(explained(job, now))
    call.output.document({"job": job, "why": reasons})
    call.output.line(f"{job.kind} {job.id} is {job.state}.")
    for reason in reasons:
        call.output.line(f"  {reason}")


def explained(job: Job, now: datetime) -> Iterator[str]:
    """Yield, in sentences, what a job's row says of its past and of what comes next."""
    yield f"Asked for at {shown(job.created_at)}" + (f" by request {job.request_id}." if job.request_id else ".")
    if job.attempt:
        yield f"Attempt {job.attempt} of {job.attempts_max}."
    if job.error:
        yield f"The last attempt failed: {job.error}"
    if job.state is JobState.QUEUED:
        yield from _waiting(job, now)
    elif job.state is JobState.RUNNING:
        yield from _running(job, now)
    elif job.state is JobState.DEAD:
        yield f"Given up at {shown(job.finished_at)}. `opora jobs retry {job.id}` queues it again."
    else:
        yield f"It ended at {shown(job.finished_at)}."


def _waiting(job: Job, now: datetime) -> Iterator[str]:
    if job.run_at > now:
        yield f"It waits until {shown(job.run_at)}: {_pause(job.run_at, now)} from now."
    else:
        yield f"It has been due for {_pause(now, job.run_at)}: no worker was free, or none runs. Is `opora worker` up?"


def _running(job: Job, now: datetime) -> Iterator[str]:
    if job.cancel_requested:
        yield "It was asked to stop and will at its next heartbeat."
    if job.progress_total:
        yield f"Progress: {_progress(job)}."
    if job.lease_until is not None and job.lease_until < now:
        yield f"Its worker fell silent: the lease ended at {shown(job.lease_until)}. The next look takes it over."
    else:
        yield f"Its worker's lease holds until {shown(job.lease_until)}."


def _pause(later: datetime, earlier: datetime) -> str:
    return str(later - earlier).partition(".")[0]


def _progress(job: Job) -> str:
    return f"{job.progress_done}/{job.progress_total}" if job.progress_total else "-"


def _list_arguments(parser: ArgumentParser) -> None:
    states: Any = [str(state) for state in JobState]
    parser.add_argument("--state", choices=states, help="only jobs in this state: " + ", ".join(states))
    parser.add_argument("--kind", help="only jobs of this kind, such as exports.render")
    parser.add_argument("--limit", type=whole(1, 200), default=50, metavar="N", help="jobs on a page, 50")
    parser.add_argument("--page", type=whole(1, 1_000_000), default=1, metavar="N", help="which page, 1")


def _id_argument(parser: ArgumentParser) -> None:
    parser.add_argument("id", type=job_id, metavar="ID", help="the job's id in `opora jobs list`")


COMMANDS = {
    "list": Command("List jobs, the newest first", show, _list_arguments, "opora jobs list --state dead"),
    "retry": Command("Queue a dead job again", retry, _id_argument),
    "cancel": Command("Cancel a job, or ask the attempt that runs to stop", cancel, _id_argument),
    "why": Command("Say why a job stands where it stands, and what can be done", why, _id_argument),
}
