"""The figures of a campaign at one moment."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """How many numbers a project has, how many were called to an outcome, and how many of those succeeded."""

    id: int
    project_id: int
    calculated_at: datetime
    total_numbers: int
    processed_numbers: int
    success_numbers: int
    failed_numbers: int

    @property
    def conversion_rate(self) -> float | None:
        """Successes in per cent of the numbers processed, to two places; None where none was processed."""
        if not self.processed_numbers:
            return None
        return round(100 * self.success_numbers / self.processed_numbers, 2)
