"""What the embedded engine is told to do wrong, and when."""

from dataclasses import dataclass

FAULTS = frozenset({"ok", "down", "busy", "refuse", "hang", "truncate", "slow"})
STEPS_MAX = 10_000


@dataclass(frozen=True, slots=True)
class Step:
    """One call's fault; `after` is how many pieces it comes after, `retry_after_s` what a busy engine asks for."""

    fault: str = "ok"
    after: int = 0
    retry_after_s: int = 1


class FaultScript:
    """Faults in the order of calls: `down*2,hang@3,busy@2=5,ok`. Past its end all goes well."""

    def __init__(self, text: str = "") -> None:
        """Raises ValueError naming the step that cannot be read."""
        self._steps: list[Step] = []
        for part in filter(None, (one.strip() for one in text.split(","))):
            self._steps += read(part)

    def take(self) -> Step:
        """Return the next call's."""
        return self._steps.pop(0) if self._steps else Step()


def read(part: str) -> list[Step]:
    """Read `fault@pieces=seconds*times`, of which all but the fault may be left out."""
    told, _, times = part.partition("*")
    told, _, seconds = told.partition("=")
    fault, _, after = told.partition("@")
    numbers = (times, seconds, after)
    if fault not in FAULTS or not all(one == "" or (one.isdecimal() and int(one) <= STEPS_MAX) for one in numbers):
        raise ValueError(f"{part!r} is no fault; there are {', '.join(sorted(FAULTS))}, as in down*2 or hang@3")
    return [Step(fault, int(after or 0), int(seconds or 1))] * int(times or 1)
