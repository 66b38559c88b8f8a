"""How many events of each topic this process has committed."""

from collections import Counter
from collections.abc import Sequence


class EventCounts:
    """Counts topics for as long as the process lives."""

    def __init__(self) -> None:
        self.by_topic: Counter[str] = Counter()

    def add(self, topics: Sequence[str]) -> None:
        """Count the events of one committed transaction."""
        self.by_topic.update(topics)
