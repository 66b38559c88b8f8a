"""How well a campaign does."""

from collections.abc import Mapping
from datetime import datetime

from opora.core.numbers.model.conversion import Conversion
from opora.core.numbers.model.numbers import NumberStatus

PROCESSED = (NumberStatus.SUCCESS, NumberStatus.FAILED, NumberStatus.NO_ANSWER)
"""The statuses of numbers whose last attempt has an outcome."""


def conversion(id: int, project_id: int, counts: Mapping[NumberStatus, int], now: datetime) -> Conversion:
    """Return the figures of a project from the counts of its numbers."""
    return Conversion(
        id=id,
        project_id=project_id,
        calculated_at=now,
        total_numbers=sum(counts.values()),
        processed_numbers=sum(counts[status] for status in PROCESSED),
        success_numbers=counts[NumberStatus.SUCCESS],
        failed_numbers=counts[NumberStatus.FAILED],
    )
