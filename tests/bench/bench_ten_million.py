"""Ten million numbers brought in, on both stores: the import of bench_import at the size that document 2 speaks of."""

from unittest.mock import patch

from bench import bench_import
from bench.figures import Figure

ROWS = 10_000_000


def figures() -> list[Figure]:
    """Measure our own way alone: its peers are measured at a million rows, in the same way."""
    with patch.object(bench_import, "ROWS", ROWS):
        return bench_import.figures()
