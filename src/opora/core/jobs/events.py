"""What the job engine announces."""

from dataclasses import dataclass
from typing import ClassVar

from opora.core.kernel.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class JobDied(Event):
    """A job was given up; an operator may look at it and retry it."""

    topic: ClassVar[str] = "job.dead"
    kind: str
    error: str
