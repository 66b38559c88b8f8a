"""How often somebody may call, what a call found, and how often everybody did."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

SECOND_US = 1_000_000
WINDOW_MAX_S = 366 * 86_400
POLICY_NAME = re.compile(r"[a-z][a-z0-9_.-]{0,63}")
OTHERS = ""
"""The subject under which counts are kept once there are too many subjects to name each."""


class FailureMode(StrEnum):
    """What a limit does while its store does not answer."""

    OPEN = "open"
    """Let everybody pass, uncounted."""
    CLOSED = "closed"
    """Let nobody pass: the answer is 503, never 429."""
    LOCAL = "local"
    """Count in this process alone, against this process's share of the quota."""


@dataclass(frozen=True, slots=True)
class RatePolicy:
    """At most `quota` calls a window of `window_s` seconds.

    What was spent comes back in steps of `step_s`, counted from the first call. The default, a step as long as the
    window, gives everything back at its end: the window holds `quota` calls however slowly they came. A step of 0 lets
    calls trickle back one by one (classic GCRA).

    The microsecond fields are derived once, because they are read on every call.
    """

    name: str
    quota: int
    window_s: int
    on_store_failure: FailureMode = FailureMode.LOCAL
    step_s: int | None = None
    interval_us: int = field(init=False, compare=False, repr=False)
    """What one call costs. Rounded down, so that a whole quota is never longer than its window."""
    tolerance_us: int = field(init=False, compare=False, repr=False)
    """What may be spent at once: the cost of `quota` calls."""
    step_us: int = field(init=False, compare=False, repr=False)
    """At least 1: a step of one microsecond is the classic rule, since time is told in whole microseconds."""

    def __post_init__(self) -> None:
        step_s = self.window_s if self.step_s is None else self.step_s
        if POLICY_NAME.fullmatch(self.name) is None:
            raise ValueError("a policy's name is lower-case ASCII: it stands in headers and in keys of stores")
        if not 1 <= self.window_s <= WINDOW_MAX_S:
            raise ValueError(f"a window is 1 to {WINDOW_MAX_S} seconds long")
        if not 1 <= self.quota <= self.window_s * SECOND_US:
            raise ValueError("a quota is at least one call, and at most one a microsecond")
        if not 0 <= step_s <= self.window_s:
            raise ValueError("a step is no longer than its window")
        object.__setattr__(self, "interval_us", self.window_s * SECOND_US // self.quota)
        object.__setattr__(self, "tolerance_us", self.interval_us * self.quota)
        object.__setattr__(self, "step_us", max(1, step_s * SECOND_US))


@dataclass(frozen=True, slots=True)
class Cell:
    """All that is kept of one subject under one policy, in microseconds.

    At `anchor_us` so much was spent as `spent_us`, in calls that cost `interval_us` each. The theoretical arrival time
    of GCRA is the sum of the first two.
    """

    anchor_us: int
    spent_us: int
    interval_us: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one policy said to one call; every figure is as it stands after the call."""

    policy: RatePolicy
    allowed: bool
    remaining: int
    reset_after_s: float
    """How long until the whole quota is there again."""
    retry_after_s: float
    """How long until the same call passes: 0 when it passed now, infinite when it costs more than the quota."""


@dataclass(frozen=True, slots=True)
class Admission:
    """A call that wants in: whose it is, what it is measured by, and what must not have been revoked."""

    subject: str
    policies: tuple[RatePolicy, ...]
    cost: int = 1
    revocation: tuple[str, ...] = ()
    """Names that must not be denied: `key:7`, `user:3`, or `user:3/jti:…` for what belongs to a subject."""
    epoch_subject: str | None = None
    issued_at: datetime | None = None
    """When the token was made: one made before the epoch of `epoch_subject` is revoked."""

    def __post_init__(self) -> None:
        if self.cost < 0:
            raise ValueError("a call cannot give back what others spent")


@dataclass(frozen=True, slots=True)
class Decision:
    """What all policies said together: `degraded` when the store did not answer and each policy's mode decided."""

    verdicts: tuple[Verdict, ...]
    revoked: bool = False
    degraded: bool = False

    @property
    def allowed(self) -> bool:
        """Tell whether the call may go on: not revoked, and refused by no policy."""
        return not self.revoked and all(verdict.allowed for verdict in self.verdicts)


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time that figures are kept for, in buckets of `bucket_s` seconds."""

    name: str
    length_s: int
    bucket_s: int


SPANS = (Span("minute", 60, 5), Span("hour", 3_600, 300), Span("day", 86_400, 3_600))


@dataclass(frozen=True, slots=True)
class SubjectCount:
    """How often a subject was let in and refused."""

    subject: str
    allowed: int
    refused: int


@dataclass(frozen=True, slots=True)
class RateFigures:
    """Calls of the last `span`, over all processes, and the subjects that called most, busiest first."""

    span: str
    allowed: int
    refused: int
    busiest: tuple[SubjectCount, ...]


class Tally:
    """What one process counted and has not handed over yet: a dictionary entry a subject, bounded."""

    def __init__(self, subjects_max: int = 10_000) -> None:
        """Count what comes after `subjects_max` different subjects under OTHERS."""
        self._subjects_max = subjects_max
        self._counts: dict[str, list[int]] = {}

    def count(self, subject: str, allowed: bool) -> None:
        """Note one call."""
        counts = self._counts.get(subject)
        if counts is None:
            known = subject if len(self._counts) < self._subjects_max else OTHERS
            counts = self._counts.setdefault(known, [0, 0])
        counts[0 if allowed else 1] += 1

    def drain(self) -> Sequence[SubjectCount]:
        """Hand over everything counted since the last time."""
        counts, self._counts = self._counts, {}
        return [SubjectCount(subject, allowed, refused) for subject, (allowed, refused) in counts.items()]

    def restore(self, counts: Sequence[SubjectCount]) -> None:
        """Take back what could not be handed over."""
        for one in counts:
            kept = self._counts.setdefault(one.subject, [0, 0])
            kept[0] += one.allowed
            kept[1] += one.refused
