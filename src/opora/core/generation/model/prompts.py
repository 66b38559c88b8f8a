"""Prompts: a name, versions that never change, and labels that point to one of them."""

from dataclasses import dataclass
from datetime import datetime

NAME_MAX = 64
TEMPLATE_MAX = 20_000
RENDERED_MAX = 200_000
VARIABLES_MAX = 50
VALUE_MAX = 20_000
LABELS_MAX = 20
VERSIONS_MAX = 10_000
PRODUCTION = "production"
"""The label of the version that callers get who name none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """A value that a template asks for: one with a default may be left out."""

    name: str
    default: str | None = None
    max_length: int = 10_000
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptVersion:
    """One version of a prompt; `max_tokens` is how long its texts are unless a caller says otherwise."""

    prompt_id: int
    version: int
    template: str
    system: str
    variables: tuple[Variable, ...]
    max_tokens: int
    created_at: datetime
    created_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """A prompt: `versions` is how many there are, the newest included, and `labels` maps each to its version."""

    id: int
    name: str
    description: str
    versions: int
    labels: dict[str, int]
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A version as somebody wants to publish it."""

    template: str
    system: str = ""
    variables: tuple[Variable, ...] = ()
    max_tokens: int = 512
    labels: tuple[str, ...] = (PRODUCTION,)
