"""Deliveries as operators read them, and their end after their time."""

from collections.abc import Mapping
from uuid import UUID

from opora.adapters.sql.connection import Connection, Row
from opora.adapters.sql.filters import Filter
from opora.adapters.sql.mapping import load
from opora.adapters.sql.notifications.deliveries import ATTEMPTS, NAMES
from opora.adapters.sql.pages import page_of
from opora.core.kernel.model import Page, PageRequest
from opora.core.notifications.model.deliveries import Attempt, Delivery, DeliveryFilter, DeliveryReport
from opora.core.notifications.ports.notices import DeliveryViews, NoticeHousekeeping

FIELDS = ", ".join(f"d.{name}" for name in NAMES)
REPORTS = f"SELECT {FIELDS}, n.kind, n.user_id, n.about FROM deliveries d JOIN notices n ON n.id = d.notice_id"
COLUMNS = {"state": "d.state", "channel": "d.channel", "user_id": "n.user_id", "kind": "n.kind"}
CHUNK = 1000
PRUNE_NOTICES = """
DELETE FROM notices WHERE id IN (
 SELECT id FROM notices n WHERE n.created_at < later(:age_s) AND n.fire_at < later(:age_s) AND n.state <> 'waiting'
 AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.notice_id = n.id AND d.state IN ('queued', 'sending'))
 ORDER BY n.created_at LIMIT :limit)
"""
PRUNE_INBOX = """
DELETE FROM inbox WHERE (user_id, number) IN (
 SELECT user_id, number FROM inbox WHERE created_at < later(:age_s) ORDER BY created_at LIMIT :limit)
"""
PRUNE_TICKETS = """
DELETE FROM stream_tickets WHERE digest IN (SELECT digest FROM stream_tickets WHERE expires_at < now() LIMIT :limit)
"""
FORGET_SECRETS = """
UPDATE notices SET secret_sealed = NULL WHERE id IN (
 SELECT id FROM notices n WHERE n.secret_sealed IS NOT NULL AND n.state <> 'waiting' AND NOT EXISTS (
  SELECT 1 FROM deliveries d WHERE d.notice_id = n.id AND d.state IN ('queued', 'sending', 'failed'))
 LIMIT :limit)
"""


class SqlDeliveryViews(DeliveryViews):
    """Deliveries with what their notices say; single statements."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def page(self, wanted: DeliveryFilter, request: PageRequest) -> Page[DeliveryReport]:
        found = Filter()
        for name, column in COLUMNS.items():
            found.narrow(f"{column} = :{name}", **{name: getattr(wanted, name)})
        return await page_of(
            self._connection,
            report_of,
            f"deliveries d JOIN notices n ON n.id = d.notice_id WHERE {found.where}",
            f"{REPORTS} WHERE {found.where} ORDER BY d.id DESC",
            request,
            found.parameters,
        )

    async def one(self, id: UUID) -> DeliveryReport | None:
        row = await self._connection.fetch_one(f"{REPORTS} WHERE d.id = :id", id=id)
        if row is None:
            return None
        attempts = [load(Attempt, one) for one in await self._connection.fetch(ATTEMPTS, id=id)]
        return report_of(row, tuple(attempts))


def report_of(row: Row, attempts: tuple[Attempt, ...] = ()) -> DeliveryReport:
    """Read a delivery with its notice."""
    return DeliveryReport(
        delivery=load(Delivery, row),
        kind=row["kind"],
        user_id=row["user_id"],
        about=row["about"],
        attempts=attempts,
    )


class SqlNoticeHousekeeping(NoticeHousekeeping):
    """Deletes a thousand rows a statement, so that nobody waits long behind it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def tidy(self, keep_s: float) -> Mapping[str, int]:
        return {
            "secrets": await self._drained(FORGET_SECRETS),
            "notices": await self._drained(PRUNE_NOTICES, age_s=-keep_s),
            "entries": await self._drained(PRUNE_INBOX, age_s=-keep_s),
            "tickets": await self._drained(PRUNE_TICKETS),
        }

    async def _drained(self, sql: str, **values: object) -> int:
        total = 0
        while count := await self._connection.execute(sql, **values, limit=CHUNK):
            total += count
            if count < CHUNK:
                break
        return total
