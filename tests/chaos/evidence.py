"""Reads from the database and the files what a run has left behind."""

import asyncio
import json
import subprocess
import time
from collections import Counter
from collections.abc import Sequence

import asyncpg

from chaos.promises import Evidence, Seat, Sold
from chaos.town import Town, rows

DRAINED_WITHIN_S = 120.0
EFFECTS = {
    "people": "SELECT seed::text AS mark, count(*) AS parts FROM profiles WHERE deleted_at IS NULL GROUP BY seed",
    "export": "SELECT jsonb_array_elements_text(profile_ids::jsonb) AS mark, count(*) AS parts FROM exports GROUP BY 1",
    "booking": "SELECT note AS mark, count(*) AS parts FROM appointments GROUP BY note",
    "cancellation": "SELECT id::text AS mark, 1 AS parts FROM appointments WHERE status = 'cancelled'",
    "document": "SELECT description AS mark, count(*) AS parts FROM documents WHERE deleted_at IS NULL GROUP BY 1",
    "payment": "SELECT description AS mark, count(*) AS parts FROM payments GROUP BY description",
    "settlement": "SELECT cause AS mark, count(*) AS parts FROM ledger_transfers WHERE kind = 'top_up' GROUP BY cause",
    "text": "SELECT substring(wish FROM 'chaos-[0-9]{6}') AS mark, count(*) AS parts FROM generations GROUP BY 1",
}
UNFINISHED = """
SELECT 'export ' || id || ': ' || status AS what FROM exports WHERE status <> 'completed'
UNION ALL SELECT 'text ' || id || ': ' || status FROM generations WHERE status NOT IN ('completed', 'cancelled')
UNION ALL SELECT 'job ' || kind || ' ' || id || ': dead, ' || coalesce(error, '') FROM jobs WHERE state = 'dead'
UNION ALL SELECT 'event ' || topic || ' ' || id FROM outbox WHERE dispatched_at IS NULL
UNION ALL SELECT 'hold of a quota ' || hold_id FROM quota_holds
"""
TWICE = """
SELECT action || ' of ' || entity_id || ': ' || count(*) AS what FROM audit_log
WHERE action IN ('export.completed', 'appointment.booked', 'document.uploaded', 'payment.succeeded',
 'generation.completed')
GROUP BY action, entity_id HAVING count(*) > 1
"""
SEATS = """
SELECT staff_id, engagement_id, place, starts_at, ends_at FROM appointments
WHERE status IN ('held', 'pending', 'confirmed', 'completed') AND engagement_id IS NOT NULL
"""
SOLD = """
SELECT u.person_id, u.feature, u.units, greatest(u.used + u.held, CASE u.feature WHEN 'generate.requests' THEN
 (SELECT count(*) FROM generations g WHERE g.user_id = u.person_id AND g.status = 'completed' AND NOT g.is_cached)
 ELSE 0 END) AS had
FROM quota_usage u WHERE u.units IS NOT NULL
"""
BLOBS = "SELECT 'document ' || id AS what, blob_id FROM documents WHERE deleted_at IS NULL AND NOT is_file_removed"


async def drained(town: Town) -> None:
    """Wait until nothing that was taken on waits any more, or for as long as that may take."""
    until_s = time.monotonic() + DRAINED_WITHIN_S
    while time.monotonic() < until_s and await waiting(town):  # noqa: ASYNC110  # it is the store that is asked
        await asyncio.sleep(0.3)


async def waiting(town: Town) -> Sequence[str]:
    """Return what has not come to its end."""
    return [row["what"] for row in await rows(town.database_url, UNFINISHED)]


async def gathered(town: Town) -> Evidence:
    """Look at everything."""
    url = town.database_url
    effects = Counter[tuple[str, str]]()
    for kind, sql in EFFECTS.items():
        effects.update({(kind, row["mark"]): row["parts"] for row in await rows(url, sql)})
    found_files = {file.name for file in (town.home / "files").rglob("*") if file.is_file()}
    without = [row["what"] + ": no file" for row in await rows(url, BLOBS) if str(row["blob_id"]) not in found_files]
    return Evidence(
        effects=effects,
        unfinished=[*await waiting(town), *without],
        twice=[row["what"] for row in await rows(url, TWICE)],
        seats=[seat_in(row) for row in await rows(url, SEATS)],
        sold=[Sold(*row) for row in await rows(url, SOLD)],
        discrepancies=await asyncio.to_thread(recounted, town),
        audit=await asyncio.to_thread(verified, town),
    )


def seat_in(row: asyncpg.Record) -> Seat:
    """Read a row of appointments."""
    return Seat(row["staff_id"], row["engagement_id"], row["place"], row["starts_at"], row["ends_at"])


def asked(town: Town, *command: str) -> dict[str, object]:
    """Run a command that finds faults, and return what it says."""
    try:
        told = town.installation.command(*command, "--json").stdout
    except subprocess.CalledProcessError as findings:
        told = findings.stdout
    return dict(json.loads(told))


def recounted(town: Town) -> list[str]:
    """Add the ledger up anew."""
    found = asked(town, "billing", "check")["discrepancies"]
    assert isinstance(found, list)
    return [json.dumps(one) for one in found]


def verified(town: Town) -> list[str]:
    """Walk the audit log."""
    found = asked(town, "audit", "verify")
    return [] if found["whole"] else [f"at {found['broken_at']}: {found['reason']}"]
