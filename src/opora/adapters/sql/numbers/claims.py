"""Handing numbers out for calling, and finding those whose lease has ended."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from opora.adapters.sql.connection import Row
from opora.adapters.sql.numbers.rows import FIELDS
from opora.core.numbers.model.numbers import FIRST, NumberStatus, PhoneNumber
from opora.core.numbers.ports.numbers import ClaimTerms

type Place = tuple[datetime, int]
"""Where a number stands in the order of claims: when it is due, and its id."""
HEAD: Place = (FIRST - timedelta(days=1), 0)
NO_MARK = (HEAD, float("-inf"))
MARKS_MAX = 10_000
UNTOLD = ("id", "phone", "attempts", "zone_set", "provider_id", "geo_id", "next_call_at", "result_data", "created_at")
"""The columns of a number just claimed that its claimer does not know already."""
DUE = """
SELECT n.id, n.project_id, n.status FROM phone_numbers n
WHERE n.project_id = :project_id AND n.zone_set = :zone_set AND n.status IN (0, 3, 4)
 AND n.next_call_at <= :now AND n.attempts < :attempts_max
 AND NOT EXISTS (SELECT 1 FROM suppressions s WHERE s.phone = n.phone AND s.project_id IN (0, n.project_id))
ORDER BY n.next_call_at, n.id LIMIT :limit
"""
"""The partial index `ix_phone_numbers_due` gives these in order: the cost follows the limit, not the table."""
BEGIN = """
UPDATE phone_numbers SET status = 1, cause = NULL, attempts = phone_numbers.attempts + 1, counted_from = :now,
 last_call_at = :now, lease_until = :lease_until, updated_at = :now
"""
PAST_MARK = DUE.replace(":zone_set", "open.zone_set").replace(
    "ORDER BY", " AND (n.next_call_at, n.id) > (open.at, open.id)\nORDER BY"
)
CLAIM_POSTGRES = f"""
WITH due AS MATERIALIZED (
 SELECT taken.id, taken.status FROM unnest(
  CAST(:zone_sets AS smallint[]), CAST(:ats AS timestamptz[]), CAST(:ids AS bigint[])) AS open(zone_set, at, id)
 CROSS JOIN LATERAL ({PAST_MARK} FOR UPDATE OF n SKIP LOCKED) AS taken LIMIT :limit),
counted AS (
 INSERT INTO number_deltas (project_id, status, delta)
 SELECT :project_id, status, -count(*) FROM due GROUP BY status
 UNION ALL SELECT :project_id, 1, count(*) FROM due HAVING count(*) > 0)
{BEGIN} FROM due WHERE phone_numbers.id = due.id AND phone_numbers.project_id = :project_id
RETURNING {", ".join(f"phone_numbers.{name}" for name in UNTOLD)}
"""
"""Takes, begins and counts in one exchange; a set of zones is looked into only where those before it are empty.

The limit goes in as a number: the planner then finds one plan good for every call, and plans no more.
"""
CLAIM_SQLITE = f"{BEGIN} WHERE id IN (SELECT value FROM json_each(:ids)) RETURNING {FIELDS}"
IN_PROGRESS = """
SELECT count(*) FROM (
 SELECT 1 FROM phone_numbers WHERE project_id = :project_id AND status = 1 LIMIT :counted) AS out_now
"""
WAITING = """
WITH RECURSIVE waiting(id) AS (
 SELECT (SELECT min(zone_set) FROM phone_numbers WHERE project_id = :project_id AND status IN (0, 3, 4))
 UNION ALL
 SELECT (SELECT min(zone_set) FROM phone_numbers
  WHERE project_id = :project_id AND status IN (0, 3, 4) AND zone_set > waiting.id)
 FROM waiting WHERE waiting.id IS NOT NULL)
SELECT {pairs} FROM waiting JOIN zone_sets z ON z.id = waiting.id
"""
"""Steps from one set to the next through the index, instead of reading every number."""
GROUND = """
SELECT {project}, ({windows}) AS windows, ({waiting}) AS waiting FROM projects
WHERE id = :project_id AND id IN ({reach})
"""
WEEK = "SELECT {rows} FROM project_schedules WHERE project_id = :project_id"
COLLECTED = {
    "postgresql": (
        "COALESCE(json_agg(json_build_array({window}) ORDER BY position), '[]')::text",
        "COALESCE(json_agg(json_build_array(z.id, z.zones) ORDER BY z.id), '[]')::text",
    ),
    "sqlite": ("json_group_array(json_array({window}))", "json_group_array(json_array(z.id, z.zones))"),
}
"""How either store puts rows into one JSON array."""
OVERDUE = f"""
SELECT {FIELDS} FROM phone_numbers WHERE status = 1 AND lease_until < :now ORDER BY lease_until LIMIT :limit
"""
SKIP = {"postgresql": " FOR UPDATE SKIP LOCKED", "sqlite": ""}


def ground_sql(dialect: str, project: str, window: str, reach: str) -> str:
    """Write the statement that reads all a claim is judged by in one exchange; `window` names the columns."""
    windows, pairs = COLLECTED[dialect]
    week = WEEK.format(rows=windows.format(window=window))
    return GROUND.format(project=project, windows=week, waiting=WAITING.format(pairs=pairs), reach=reach)


class ClaimMarks:
    """Up to where one process has handed numbers out lately, by project and set of zones.

    What was handed out stays at the head of the index until the table is vacuumed, and what others hold is skipped one
    by one: a claim that begins at the head pays for all of it. So it begins where the last one of this process
    ended. Whatever may lie before that again (a claim undone, numbers added or given back) is found by a claim that
    begins at the head, once in `fresh_s` and whenever there is nothing past the mark.
    """

    def __init__(self, fresh_s: float = 1.0, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._fresh_s = fresh_s
        self._monotonic = monotonic
        self._marks: dict[tuple[int, int], tuple[Place, float]] = {}

    def of(self, project_id: int, zone_sets: Sequence[int]) -> list[Place]:
        """Return where to begin in each set of zones."""
        oldest_s = self._monotonic() - self._fresh_s
        found = (self._marks.get((project_id, one), NO_MARK) for one in zone_sets)
        return [place if since_s > oldest_s else HEAD for place, since_s in found]

    def move(self, project_id: int, began: Mapping[int, Place], numbers: Iterable[PhoneNumber]) -> None:
        """Remember how far a claim came that began there in each set of zones."""
        if len(self._marks) > MARKS_MAX:
            self._marks.clear()
        reached: dict[int, Place] = {}
        for one in numbers:
            reached[one.zone_set] = max(reached.get(one.zone_set, HEAD), (one.next_call_at, one.id))
        for zone_set, place in reached.items():
            held, since_s = self._marks.get((project_id, zone_set), NO_MARK)
            if began[zone_set] == HEAD:
                self._marks[project_id, zone_set] = place, self._monotonic()
            else:
                self._marks[project_id, zone_set] = max(held, place), since_s


def claimed(rows: Sequence[Row], project_id: int, terms: ClaimTerms) -> list[PhoneNumber]:
    """Build numbers just claimed from rows that have UNTOLD; all else is as the claim made it."""
    return [
        PhoneNumber(
            id=id,
            project_id=project_id,
            phone=phone,
            status=NumberStatus.IN_PROGRESS,
            attempts=attempts,
            zone_set=zone_set,
            provider_id=provider_id,
            geo_id=geo_id,
            next_call_at=next_call_at,
            last_call_at=terms.now,
            counted_from=terms.now,
            lease_until=terms.lease_until,
            result_data=None if result is None else msgspec.json.decode(result),
            created_at=created_at,
            updated_at=terms.now,
        )
        for id, phone, attempts, zone_set, provider_id, geo_id, next_call_at, result, created_at in rows
    ]
