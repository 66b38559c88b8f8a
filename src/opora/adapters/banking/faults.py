"""What a stand-in is told to do wrong, and when."""

KNOWN = {
    "submit": frozenset({"ok", "down", "lost", "refuse", "reject"}),
    "receipts": frozenset({"ok", "down", "twice", "stranger", "garbled"}),
    "register": frozenset({"ok", "down", "miss", "differ", "disorder"}),
}
"""The faults of each operation; `ok` is none."""
STEPS_MAX = 10_000


class FaultScript:
    """Faults by operation and in order: `submit:down*2,submit:lost,receipts:twice`. Past its end all goes well."""

    def __init__(self, text: str) -> None:
        """Raises ValueError naming the step that cannot be read."""
        self._steps: dict[str, list[str]] = {}
        for step in filter(None, (part.strip() for part in text.split(","))):
            operation, _, rest = step.partition(":")
            fault, _, times = rest.partition("*")
            count = int(times) if times.isdecimal() else 1
            if fault not in KNOWN.get(operation, ()) or (times and not times.isdecimal()) or count > STEPS_MAX:
                raise ValueError(f"{step!r} is no fault; there are {told()}")
            self._steps.setdefault(operation, []).extend([fault] * count)

    def has(self, operation: str) -> bool:
        """Tell whether anything is said of an operation."""
        return operation in self._steps

    def at(self, operation: str, number: int) -> str:
        """Return the fault of the n-th call of an operation, from 1; the empty string where it goes well."""
        steps = self._steps.get(operation, [])
        fault = steps[number - 1] if number <= len(steps) else "ok"
        return "" if fault == "ok" else fault


def told() -> str:
    """Name every fault there is."""
    return ", ".join(f"{operation}:{fault}" for operation, faults in KNOWN.items() for fault in sorted(faults))
