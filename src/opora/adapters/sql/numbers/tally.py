"""Counts of numbers: rows that are only added, folded into totals by a job."""

from collections import defaultdict
from collections.abc import Mapping

from opora.adapters.sql.connection import Connection
from opora.adapters.sql.numbers.rows import STATUSES
from opora.core.numbers.model.numbers import STATUS_CODES, NumberStatus
from opora.core.numbers.ports.numbers import NumberTally

CHANGE = "INSERT INTO number_deltas (project_id, status, delta) VALUES "
COUNTED = """
SELECT status, CAST(sum(numbers) AS bigint) AS numbers FROM (
 SELECT status, numbers FROM number_counts WHERE project_id = :project_id
 UNION ALL SELECT status, delta FROM number_deltas WHERE project_id = :project_id) AS both_parts
GROUP BY status
"""
TAKE = """
DELETE FROM number_deltas WHERE id IN (SELECT id FROM number_deltas ORDER BY id LIMIT :limit {lock})
RETURNING project_id, status, delta
"""
FOLD = """
INSERT INTO number_counts (project_id, status, numbers) VALUES (:project_id, :status, :numbers)
ON CONFLICT (project_id, status) DO UPDATE SET numbers = number_counts.numbers + excluded.numbers
"""
SKIP = {"postgresql": "FOR UPDATE SKIP LOCKED", "sqlite": ""}


class SqlNumberTally(NumberTally):
    """Counts inside one transaction; every read is one statement, so that no change is seen twice or not at all."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def change(self, project_id: int, changes: Mapping[NumberStatus, int]) -> None:
        told = {STATUS_CODES[status]: delta for status, delta in changes.items() if delta}
        if told:
            rows = ", ".join(f"(:project_id, {code}, :delta_{place})" for place, code in enumerate(told))
            deltas = {f"delta_{place}": delta for place, delta in enumerate(told.values())}
            await self._connection.execute(CHANGE + rows, project_id=project_id, **deltas)

    async def of(self, project_id: int) -> Mapping[NumberStatus, int]:
        rows = await self._connection.fetch(COUNTED, project_id=project_id)
        found = {STATUSES[row["status"]]: row["numbers"] for row in rows}
        return {status: found.get(status, 0) for status in NumberStatus}

    async def fold(self, limit: int) -> int:
        taken = await self._connection.fetch(TAKE.format(lock=SKIP[self._connection.dialect]), limit=limit)
        sums: defaultdict[tuple[int, int], int] = defaultdict(int)
        for row in taken:
            sums[row["project_id"], row["status"]] += row["delta"]
        for (project_id, status), numbers in sorted(sums.items()):
            if numbers:
                await self._connection.execute(FOLD, project_id=project_id, status=status, numbers=numbers)
        return len(taken)
