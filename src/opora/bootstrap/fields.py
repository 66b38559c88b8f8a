"""The settings as data: what the annotations of `Settings` say, for reading, checking and the reference page."""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Literal, get_args, get_origin

import msgspec

from opora.bootstrap.settings import Settings

PREFIX = "OPORA_"
FILE_SUFFIX = "_FILE"
OUTSIDE: Mapping[str, str] = {
    "OPORA_CONFIG": "The path of `opora.toml`, when it does not lie in the working folder.",
    "OPORA_DEBUG": "`1` shows the stack trace of a command that fails unexpectedly.",
}
"""Variables that are read before the settings are, or beside them."""

INTERNAL = frozenset({"OPORA_SERVE_WITH_WORKER"})
"""Variables by which the processes of one service tell each other things; nobody sets them."""

PLUGINS = ("core_banking", "text_engine", "payments")
"""The settings that name an adapter; variables that begin with one's name are its adapter's own."""


@dataclass(frozen=True, slots=True)
class Field:
    """One setting as its annotation describes it; `annotated` is the type with its range."""

    name: str
    annotated: Any
    default: Any

    @property
    def variable(self) -> str:
        """The variable that sets it."""
        return PREFIX + self.name.upper()

    @property
    def kind(self) -> Any:
        """The bare type."""
        return get_args(self.annotated)[0]

    @property
    def about(self) -> msgspec.Meta:
        """Its sentence and its range."""
        meta: msgspec.Meta = get_args(self.annotated)[1]
        return meta

    @property
    def extra(self) -> Mapping[str, str]:
        """Its `section`, `form`, `hides` and worked-out `default`."""
        return self.about.extra or {}

    @property
    def choices(self) -> tuple[object, ...]:
        """What it may be, when that is a short list."""
        return get_args(self.kind) if get_origin(self.kind) is Literal else ()

    @property
    def many(self) -> bool:
        """Tell whether it is a list, written with commas."""
        return self.kind not in {int, str, bool} and not self.choices

    @property
    def range(self) -> str:
        """What a value has to be, in words."""
        if self.choices:
            return "one of " + ", ".join(str(one) for one in self.choices)
        if self.kind is int:
            return f"a whole number from {self.about.ge} to {self.about.le}"
        if self.kind is bool:
            return "true or false"
        return "a list with commas between" if self.many else "text"

    @property
    def written_default(self) -> str:
        """The default as it would be written in a variable; empty when there is none."""
        if self.kind is bool:
            return str(self.default).lower()
        return ",".join(self.default) if self.many else str(self.default)


def _described() -> dict[str, Field]:
    described = {}
    for one in msgspec.structs.fields(Settings):
        if isinstance((get_args(one.type) or (None,))[-1], msgspec.Meta):
            described[one.name] = Field(one.name, one.type, one.default)
    return described


FIELDS: Mapping[str, Field] = _described()
"""Every setting by its field's name, in the order of the reference."""

_NAMES = [
    name
    for field in FIELDS.values()
    for name in (field.variable, *([field.variable + FILE_SUFFIX] if field.extra["hides"] else []))
]


def nearest(variable: str) -> str | None:
    """Return the known variable that was probably meant."""
    close = get_close_matches(variable, [*_NAMES, *OUTSIDE], n=1, cutoff=0.7)
    return close[0] if close else None
