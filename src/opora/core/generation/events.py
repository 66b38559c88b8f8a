"""Facts that generation announces."""

from dataclasses import dataclass
from typing import ClassVar

from opora.core.kernel.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class TextCompleted(Event):
    """A text was written; `subject` is its task, and the text itself is read there."""

    topic: ClassVar[str] = "generation.completed"
    owner: str
    function: str
    prompt_tokens: int
    completion_tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TextFailed(Event):
    """A text could not be written; nothing was charged for it."""

    topic: ClassVar[str] = "generation.failed"
    owner: str
    function: str
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TextStopped(Event):
    """Its owner cancelled a text; what had been written is charged."""

    topic: ClassVar[str] = "generation.cancelled"
    owner: str
    function: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptPublished(Event):
    """A prompt has a new version; `labels` point to it."""

    topic: ClassVar[str] = "prompt.published"
    name: str
    version: int
    labels: tuple[str, ...]
