"""When a job runs, when it is tried again and when it is given up."""

from datetime import UTC, datetime, timedelta

from opora.core.jobs.errors import Hopeless
from opora.core.jobs.model import Claim, CronSlot, JobState, NewJob, Priority, RetryPolicy

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def retry_delay_s(attempt: int, policy: RetryPolicy, fraction: float) -> float:
    """Seconds to wait after the failure of `attempt` (from 1): uniform in [0, min(cap, base * 2^(attempt-1))].

    Full jitter: Brooker, "Exponential Backoff and Jitter", 2015. `fraction` is a random number in [0, 1).
    """
    ceiling_s = min(policy.cap_s, policy.base_s * 2.0 ** min(attempt - 1, 30))
    return ceiling_s * fraction


def after_failure(claim: Claim, error: Exception) -> JobState:
    """The state a failed attempt leads to: tried again while attempts are left, unless no retry can mend it."""
    if isinstance(error, Hopeless) or claim.attempt >= claim.attempts_max:
        return JobState.DEAD
    return JobState.QUEUED


def slot_start(slot: CronSlot, now: datetime) -> datetime:
    """The start of the slot that `now` lies in, counted from the epoch in UTC."""
    return now - (now - EPOCH) % slot.every


def slot_job(slot: CronSlot, start: datetime) -> NewJob:
    """The job of one slot; its dedup key makes it one however many processes add it."""
    return NewJob(
        kind=slot.kind,
        payload=slot.payload,
        dedup_key=f"cron:{slot.name}:{start:%Y-%m-%dT%H:%M:%SZ}",
        priority=Priority.LOW,
    )


def next_slot(slot: CronSlot, now: datetime) -> datetime:
    """When the next slot begins."""
    return slot_start(slot, now) + slot.every


def overdue_s(run_at: datetime, now: datetime) -> float:
    """Seconds a job has waited past the time it was due; 0 while it is not due."""
    return max((now - run_at) / timedelta(seconds=1), 0.0)
