"""Time from the machine."""

from datetime import UTC, datetime

from opora.core.kernel.ports import Clock


class SystemClock(Clock):
    """The machine's clock, in UTC."""

    def now(self) -> datetime:
        return datetime.now(UTC)
