"""The hours in which a project calls."""

from dataclasses import dataclass
from datetime import date

from opora.core.numbers.model.projects import ZoneMode

DAY_MIN = 24 * 60
WINDOWS_MAX = 100


@dataclass(frozen=True, slots=True)
class CallingWindow:
    """Hours of one weekday (0 is Monday), in minutes from its midnight: `[start_minute, end_minute)`.

    An end at or before the start lies on the next day: 22:00–02:00 of Friday ends on Saturday. An end of 1440 is
    midnight. Raises ValueError for a window of no length or out of the day.
    """

    weekday: int
    start_minute: int
    end_minute: int
    is_active: bool = True

    def __post_init__(self) -> None:
        if not 0 <= self.weekday <= 6:  # noqa: PLR2004  # days of a week
            raise ValueError("weekday is 0 (Monday) to 6 (Sunday)")
        if not 0 <= self.start_minute < DAY_MIN or not 0 <= self.end_minute <= DAY_MIN:
            raise ValueError("times lie between 00:00 and 24:00")
        if self.start_minute == self.end_minute:
            raise ValueError("a window ends at another time than it starts")

    @property
    def is_overnight(self) -> bool:
        """Tell whether the window ends on the next day."""
        return self.end_minute < self.start_minute


@dataclass(frozen=True, slots=True)
class Schedule:
    """A project's hours: a week of windows, the days without any, and whose clock they follow."""

    windows: tuple[CallingWindow, ...]
    holidays: frozenset[date]
    zone_mode: ZoneMode
    timezone: str
