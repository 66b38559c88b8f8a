"""The rate rule: GCRA (the generic cell rate algorithm of ITU-T I.371) in whole microseconds, told time in steps.

Decision record 0004 says why, and proves what is promised. Every store keeps cells by the arithmetic of `settled`,
`fits` and `charged`, in its own language; what an answer says of a cell is decided here alone.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from math import inf

from opora.core.access.model.rates import OTHERS, SECOND_US, Cell, RateFigures, RatePolicy, Span, SubjectCount, Verdict


def settled(policy: RatePolicy, cell: Cell | None, now_us: int) -> Cell:
    """Return the cell as it stands now: counted in today's calls, and moved to the last step that has passed.

    A quota that changed keeps the calls counted (part of a call stays part of a call). A cell whose spending is over
    starts anew at this instant. A clock that went backwards is ignored: time never falls behind the anchor.
    """
    if cell is None:
        return Cell(now_us, 0, policy.interval_us)
    calls, part_us = divmod(cell.spent_us, cell.interval_us)
    spent_us = min(policy.tolerance_us, calls * policy.interval_us + min(part_us, policy.interval_us))
    step_start_us = max(cell.anchor_us, now_us - (now_us - cell.anchor_us) % policy.step_us)
    left_us = cell.anchor_us + spent_us - step_start_us
    if left_us <= 0:
        return Cell(max(now_us, step_start_us), 0, policy.interval_us)
    return Cell(step_start_us, left_us, policy.interval_us)


def fits(policy: RatePolicy, cell: Cell, cost: int) -> bool:
    """Tell whether a settled cell has room for `cost` calls."""
    return cell.spent_us + cost * policy.interval_us <= policy.tolerance_us


def charged(policy: RatePolicy, cell: Cell, cost: int) -> Cell:
    """Return a settled cell with `cost` calls more on it."""
    return Cell(cell.anchor_us, cell.spent_us + cost * policy.interval_us, cell.interval_us)


def verdict(policy: RatePolicy, anchor_us: int, spent_us: int, now_us: int, cost: int, *, taken: bool) -> Verdict:
    """Say what a settled cell means for a call of `cost`: `taken` when the cell holds its charge already."""
    interval_us, step_us = policy.interval_us, policy.step_us
    room_us = policy.tolerance_us - spent_us
    ahead_us = anchor_us - now_us  # positive only while the clock is behind the anchor
    reset_us = ahead_us + -(-spent_us // step_us) * step_us if spent_us else 0
    allowed = taken or cost * interval_us <= room_us
    if allowed:
        retry_after_s = 0.0
    elif cost > policy.quota:
        retry_after_s = inf
    else:
        retry_after_s = (ahead_us + -(-(cost * interval_us - room_us) // step_us) * step_us) / SECOND_US
    return Verdict(policy, allowed, room_us // interval_us, reset_us / SECOND_US, retry_after_s)


def decide(
    policies: Sequence[RatePolicy], cells: Sequence[Cell | None], now_us: int, cost: int, *, charge: bool = True
) -> tuple[tuple[Verdict, ...], Sequence[Cell]]:
    """Judge one call by all its policies, and return the cells to keep: one for each policy, or none at all.

    None are kept when any policy refuses, when the call costs nothing, or when it is only asked about (`charge` off).
    """
    now = [settled(policy, cell, now_us) for policy, cell in zip(policies, cells, strict=True)]
    taken = charge and cost > 0
    for policy, cell in zip(policies, now, strict=True):
        taken = taken and fits(policy, cell, cost)
    if taken:
        now = [charged(policy, cell, cost) for policy, cell in zip(policies, now, strict=True)]
    verdicts = [
        verdict(policy, cell.anchor_us, cell.spent_us, now_us, cost, taken=taken)
        for policy, cell in zip(policies, now, strict=True)
    ]
    return tuple(verdicts), now if taken else ()


def share(policy: RatePolicy, instances: int) -> RatePolicy:
    """Return one instance's part of a policy: at least one call, so that nobody is locked out by a division."""
    return replace(policy, quota=max(1, policy.quota // instances))


def dead_at_us(policy: RatePolicy, cell: Cell) -> int:
    """Return when a cell says nothing any more and may be forgotten."""
    return cell.anchor_us + -(-cell.spent_us // policy.step_us) * policy.step_us


def bucket(span: Span, now_s: int) -> int:
    """Return the start of the bucket that an instant's calls are counted in."""
    return now_s - now_s % span.bucket_s


def first_bucket(span: Span, now_s: int) -> int:
    """Return the oldest bucket that still belongs to the span: it may begin up to one bucket before the span does."""
    return bucket(span, now_s - span.length_s)


def merged(counts: Iterable[SubjectCount]) -> list[SubjectCount]:
    """Add up counts, several a subject, busiest first; ties go by name."""
    sums: dict[str, tuple[int, int]] = {}
    for one in counts:
        allowed, refused = sums.get(one.subject, (0, 0))
        sums[one.subject] = (allowed + one.allowed, refused + one.refused)
    ranked = sorted((-allowed - refused, subject) for subject, (allowed, refused) in sums.items())
    return [SubjectCount(subject, *sums[subject]) for _, subject in ranked]


def figures(span: Span, counts: Iterable[SubjectCount], top: int) -> RateFigures:
    """Add up the counts of one span, several a subject, and name the `top` busiest."""
    sums = merged(counts)
    named = [one for one in sums if one.subject != OTHERS]
    allowed, refused = sum(one.allowed for one in sums), sum(one.refused for one in sums)
    return RateFigures(span.name, allowed, refused, tuple(named[:top]))


def thinned(counts: Sequence[SubjectCount], keep: int) -> list[SubjectCount]:
    """Keep the busiest `keep` subjects by name and add the rest up under OTHERS: what a flush may write is bounded."""
    ranked = merged(counts)
    return ranked[:keep] + merged(replace(one, subject=OTHERS) for one in ranked[keep:])
