"""What an engine is asked, and what it says."""

from dataclasses import dataclass
from enum import StrEnum


class Speaker(StrEnum):
    """Whose words a message holds."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation."""

    role: Speaker
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What an engine is asked to write: at most `max_tokens`, after these messages; None leaves it to the engine."""

    messages: tuple[Message, ...]
    max_tokens: int
    model: str | None = None
    temperature: float | None = None
    top_p: float | None = None
    stop: tuple[str, ...] = ()
    seed: int | None = None


class Finish(StrEnum):
    """Why a text ends: by itself, or at its bound."""

    STOP = "stop"
    LENGTH = "length"


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens read and written; `is_estimated` where the engine did not count."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    is_estimated: bool = False

    @property
    def total_tokens(self) -> int:
        """What limits of tokens count."""
        return self.prompt_tokens + self.completion_tokens


@dataclass(frozen=True, slots=True)
class Said:
    """Some more of the text, never empty."""

    text: str


@dataclass(frozen=True, slots=True)
class Ended:
    """The text is whole. `usage` is None where the engine did not count; `reference` is its own name of the call."""

    reason: Finish = Finish.STOP
    usage: Usage | None = None
    model: str | None = None
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class Began:
    """An engine is about to be called."""

    engine: str


@dataclass(frozen=True, slots=True)
class Broke:
    """A call came to nothing; what it said does not count, and another may begin."""

    error: str
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class RetryBudget:
    """How many repetitions are left, kept full by calls that went well: an outage is not made worse by repeating."""

    tokens: float = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CallPolicy:
    """How often one engine is tried at once, the pauses between, and what repetitions cost.

    A first call adds `budget_ratio` to the budget, up to `budget_max`; a repetition takes one from it.
    """

    tries_max: int = 2
    base_s: float = 0.25
    cap_s: float = 5.0
    budget_max: float = 10.0
    budget_ratio: float = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long an engine may take: to its first word, between words, and altogether."""

    first_s: float = 30.0
    idle_s: float = 20.0
    total_s: float = 300.0
