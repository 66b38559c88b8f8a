"""What can be wrong with the settings."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with the settings: where, what, and how to mend it. Never holds a secret's value."""

    name: str
    fault: str
    mend: str

    def __str__(self) -> str:
        return f"{self.name} {self.fault}. {self.mend}."


class SettingsInvalid(Exception):
    """The settings cannot be used; `faults` lists everything wrong with them."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(str(one) for one in self.faults))
