"""What contexts hold on people, as statements: one a kind of record to show it, one a table to erase it."""

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import ClassVar

from opora.adapters.sql.connection import Database, Row, carried
from opora.core.access.ports.personal import PersonalRecords
from opora.core.bookings.ports.erasure import BookingRows

PAGE = 1_000
"""How many records are read together."""
ORDERED = re.compile(r"\s+ORDER BY (?P<order>[^()]+?)\s+LIMIT :most\s*$")


class SqlRecords(PersonalRecords):
    """The records of a context that are all rows: a subclass says which.

    `shown` has one query a kind of record, `erased` the statements that leave nothing personal, in their order. They
    take `:user_id`, or `:owner`, the person's name as an owner (`user:7`). A query that may give many ends in `ORDER BY
    … LIMIT :most` and is read page after page to its end: what it is ordered by is among what it selects, and no two
    rows are equal in it.
    """

    shown: ClassVar[Mapping[str, str]] = {}
    erased: ClassVar[Sequence[str]] = ()

    def __init__(self, database: Database) -> None:
        self._database = database

    async def held(self, user_id: int) -> AsyncIterator[Mapping[str, object]]:
        for kind, sql in self.shown.items():
            async for row in self._rows(sql, user_id):
                yield {"record": kind, **{name: row[name] for name in row.keys()}}  # noqa: SIM118  # no mapping

    async def _rows(self, sql: str, user_id: int) -> AsyncIterator[Row]:
        names, next_page = following(sql)
        rows = await self._database.read.fetch(sql, **wanted(sql, user_id))
        while True:
            for row in rows:
                yield row
            if not names or len(rows) < PAGE:
                return
            last = {f"after_{number}": rows[-1][name] for number, name in enumerate(names)}
            rows = await self._database.read.fetch(next_page, **wanted(next_page, user_id), **last)

    async def erase(self, user_id: int) -> None:
        if self.erased:
            async with carried(await self._database.begin()) as connection:
                for sql in self.erased:
                    await connection.execute(sql, **wanted(sql, user_id))


def wanted(sql: str, user_id: int) -> dict[str, object]:
    """Return the parameters that a statement takes."""
    known: dict[str, object] = {"user_id": user_id, "owner": f"user:{user_id}", "most": PAGE}
    return {name: value for name, value in known.items() if f":{name}" in sql}


def following(sql: str) -> tuple[tuple[str, ...], str]:
    """Return the columns that a query is ordered by, and the query of the page after the row with these values.

    A query that is not read by pages has neither. Raises ValueError where the columns are not ordered all one way.
    """
    found = ORDERED.search(sql)
    if found is None:
        return (), ""
    terms = [term.strip() for term in found["order"].split(",")]
    columns = [term.removesuffix(" DESC") for term in terms]
    falling = {term.endswith(" DESC") for term in terms}
    if len(falling) > 1:
        raise ValueError(f"ordered both ways: {found['order']}")
    sign = "<" if falling.pop() else ">"
    values = ", ".join(f":after_{number}" for number in range(len(columns)))
    condition = f" AND ({', '.join(columns)}) {sign} ({values})"
    return tuple(one.rpartition(".")[2] for one in columns), sql[: found.start()] + condition + found[0]


class SqlAccessRecords(SqlRecords):
    """The account with everything around it. Its erasure is the use case's own, in one transaction with the person."""

    section = "access"
    shown: ClassVar[Mapping[str, str]] = {
        "account": """
SELECT id, email, full_name, locale, is_active, email_verified, created_at FROM users WHERE id = :user_id
""",
        "role": "SELECT role FROM user_roles WHERE user_id = :user_id ORDER BY role",
        "session": """
SELECT id, address, user_agent, created_at, expires_at, ended_at FROM sessions WHERE user_id = :user_id
ORDER BY id DESC LIMIT :most
""",
        "device": """
SELECT first_seen_at, last_seen_at FROM known_devices WHERE user_id = :user_id ORDER BY first_seen_at
""",
        "second_factor": "SELECT created_at, confirmed_at FROM second_factors WHERE user_id = :user_id",
        "api_key": """
SELECT id, label, start, last4, scopes, state, created_at, last_used_at, expires_at FROM api_keys
WHERE owner_id = :user_id ORDER BY id DESC LIMIT :most
""",
        "activity": """
SELECT id, created_at, action, entity_type, entity_id, address, user_agent FROM audit_log WHERE user_id = :user_id
ORDER BY id DESC LIMIT :most
""",
    }


class SqlNotificationRecords(SqlRecords):
    """What people were told and where it goes. Letters that were sent go too: they say where somebody signed in."""

    section = "notifications"
    shown: ClassVar[Mapping[str, str]] = {
        "notice": """
SELECT id, kind, state, data, created_at, fire_at FROM notices WHERE user_id = :user_id ORDER BY id DESC LIMIT :most
""",
        "message": """
SELECT number, kind, title, text, read_at FROM inbox WHERE user_id = :user_id ORDER BY number DESC LIMIT :most
""",
        "preferences": """
SELECT channels, quiet_hours, timezone, language, digest, phone FROM notification_preferences WHERE user_id = :user_id
""",
        "push_subscription": """
SELECT id, endpoint FROM push_subscriptions WHERE user_id = :user_id ORDER BY id LIMIT :most
""",
        "webhook": """
SELECT id, url, kinds, is_active FROM webhook_endpoints WHERE user_id = :user_id ORDER BY id LIMIT :most
""",
    }
    erased: ClassVar[Sequence[str]] = [
        f"DELETE FROM {table} WHERE user_id = :user_id"
        for table in (
            "digest_items",
            "notices",
            "inbox",
            "inbox_heads",
            "notification_preferences",
            "push_subscriptions",
            "webhook_endpoints",
            "stream_tickets",
        )
    ]


class SqlProfileRecords(SqlRecords):
    """What people had made. It is of nobody who lives, and stays with its owner's number."""

    section = "profiles"
    shown: ClassVar[Mapping[str, str]] = {
        "profile": """
SELECT id, locale, created_at FROM profiles WHERE source_key = :owner AND deleted_at IS NULL
ORDER BY id DESC LIMIT :most
""",
        "export": """
SELECT id, format, status, requested_at, completed_at FROM exports WHERE owner = :owner ORDER BY id DESC LIMIT :most
""",
    }


class SqlBookingRecords(SqlRecords, BookingRows):
    """Appointments taken and given, waiting, working hours and calendars.

    Appointments stay, with what was paid and when, between two numbers; words written about them go with the client.
    """

    section = "bookings"
    shown: ClassVar[Mapping[str, str]] = {
        "appointment": """
SELECT id, service_id, staff_id, status, starts_at, ends_at, timezone, price_minor, fee_minor, currency, note, reason,
 series_id, created_at, cancelled_at FROM appointments WHERE client_id = :user_id ORDER BY id DESC LIMIT :most
""",
        "appointment_given": """
SELECT id, service_id, status, starts_at, ends_at, timezone FROM appointments WHERE staff_id = :user_id
ORDER BY id DESC LIMIT :most
""",
        "series": """
SELECT id, service_id, staff_id, rrule, timezone, starts_at, created_at FROM appointment_series
WHERE client_id = :user_id ORDER BY id DESC LIMIT :most
""",
        "waitlist_entry": """
SELECT id, service_id, staff_id, starts_from, starts_before, status, created_at FROM waitlist
WHERE client_id = :user_id ORDER BY id DESC LIMIT :most
""",
        "calendar": """
SELECT id, created_at, revoked_at FROM calendar_feeds WHERE user_id = :user_id ORDER BY id DESC LIMIT :most
""",
        "working_hours": """
SELECT timezone, weekly, exceptions, closures, changed_at FROM availability WHERE user_id = :user_id
""",
        "service_given": """
SELECT service_id FROM service_staff WHERE user_id = :user_id ORDER BY service_id LIMIT :most
""",
    }
    erased: ClassVar[Sequence[str]] = (
        # A new version: who has read the words before cannot write them back.
        """
UPDATE appointments SET note = '', reason = NULL, version = version + 1
WHERE client_id = :user_id AND (note <> '' OR reason IS NOT NULL)
""",
        "DELETE FROM waitlist WHERE client_id = :user_id",
        "DELETE FROM calendar_feeds WHERE user_id = :user_id",
        "DELETE FROM availability WHERE user_id = :user_id",
        """
UPDATE services SET version = version + 1
WHERE id IN (SELECT service_id FROM service_staff WHERE user_id = :user_id)
""",
        "DELETE FROM service_staff WHERE user_id = :user_id",
    )


class SqlDocumentRecords(SqlRecords):
    """Who a client is to the bank, and their papers.

    What the law has a bank keep stays under the client's number: contracts, and documents, whose files go when the time
    of their category is over. The profile goes.
    """

    section = "documents"
    shown: ClassVar[Mapping[str, str]] = {
        "client_profile": """
SELECT p.last_name, p.first_name, p.middle_name, p.birthday, p.sex, p.address, p.inn, f.code AS financial_position,
 t.code AS user_type, p.updated_at FROM client_profiles p
LEFT JOIN financial_positions f ON f.id = p.financial_position_id LEFT JOIN user_types t ON t.id = p.user_type_id
WHERE p.user_id = :user_id
""",
        "document": """
SELECT id, category_id, description, status, uploaded_at, actual_date, actual_end_date, file_name, media_type, size,
 sha256, retained_until, deleted_at FROM documents WHERE user_id = :user_id ORDER BY id DESC LIMIT :most
""",
        "document_status": """
SELECT h.document_id, h.number, h.status, h.at, h.comment
FROM document_history h JOIN documents d ON d.id = h.document_id
WHERE d.user_id = :user_id ORDER BY h.document_id DESC, h.number DESC LIMIT :most
""",
        "document_worked_on": """
SELECT id, status, moved_at FROM documents WHERE worker_id = :user_id ORDER BY id DESC LIMIT :most
""",
        "contract": """
SELECT id, description, status, created_at, updated_at FROM contracts WHERE user_id = :user_id
ORDER BY id DESC LIMIT :most
""",
    }
    erased: ClassVar[Sequence[str]] = ("DELETE FROM client_profiles WHERE user_id = :user_id",)


class SqlNumberRecords(SqlRecords):
    """Which campaigns people see, and what they made there, which stays the campaign's under their number."""

    section = "numbers"
    shown: ClassVar[Mapping[str, str]] = {
        "grant": """
SELECT project_id, created_at FROM project_managers WHERE user_id = :user_id ORDER BY project_id LIMIT :most
""",
        "project": """
SELECT id, name, created_at, deleted_at FROM projects WHERE created_by = :owner ORDER BY id DESC LIMIT :most
""",
        "suppression": """
SELECT id, reason, created_at FROM suppressions WHERE created_by = :owner ORDER BY id DESC LIMIT :most
""",
        "transfer": """
SELECT number, id, kind, channel, project_id, file_name, status, requested_at FROM transfers WHERE owner = :owner
ORDER BY number DESC LIMIT :most
""",
    }
    erased: ClassVar[Sequence[str]] = ("DELETE FROM project_managers WHERE user_id = :user_id",)


class SqlGenerationRecords(SqlRecords):
    """Texts people asked for. What was asked and written goes; that it was, and what it took, stays under a number."""

    section = "generation"
    shown: ClassVar[Mapping[str, str]] = {
        "text": """
SELECT id, function, wish, status, content, usage, engine, model, requested_at, ended_at FROM generations
WHERE user_id = :user_id ORDER BY id DESC LIMIT :most
""",
    }
    erased: ClassVar[Sequence[str]] = (
        "DELETE FROM generation_words WHERE text_id IN (SELECT id FROM generations WHERE user_id = :user_id)",
        # A new version: whoever is writing it at this moment cannot write the words back.
        """
UPDATE generations SET wish = '{"messages":[],"max_tokens":1}', error_detail = NULL, cache_key = NULL,
 content = CASE WHEN content IS NULL THEN NULL ELSE '' END, version = version + 1
WHERE user_id = :user_id AND wish <> '{"messages":[],"max_tokens":1}'
""",
    )


class SqlBillingRecords(SqlRecords):
    """Payments, refunds and what moved a balance. A ledger keeps its amounts under the person's number; words go."""

    section = "billing"
    shown: ClassVar[Mapping[str, str]] = {
        "balance": """
SELECT a.currency, b.posted_minor AS balance_minor, b.held_minor FROM ledger_accounts a
JOIN ledger_balances b ON b.account_id = a.id WHERE a.user_id = :user_id ORDER BY a.currency
""",
        "payment": """
SELECT id, status, amount_minor, currency, description, provider, reason, refunded_minor, created_at, settled_at
FROM payments WHERE user_id = :user_id ORDER BY id DESC LIMIT :most
""",
        "refund": """
SELECT r.id, r.payment_id, r.status, r.amount_minor, r.currency, r.note, r.reason, r.created_at FROM refunds r
JOIN payments p ON p.id = r.payment_id WHERE p.user_id = :user_id ORDER BY r.id DESC LIMIT :most
""",
        "ledger_entry": """
SELECT e.id, t.kind, t.cause, e.amount_minor, e.currency, t.created_at FROM ledger_entries e
JOIN ledger_transfers t ON t.id = e.transfer_id
WHERE e.account_id IN (SELECT id FROM ledger_accounts WHERE user_id = :user_id) ORDER BY e.id DESC LIMIT :most
""",
    }
    erased: ClassVar[Sequence[str]] = (
        "UPDATE payments SET description = '', return_url = '', confirmation_url = NULL WHERE user_id = :user_id",
        "UPDATE refunds SET note = '' WHERE payment_id IN (SELECT id FROM payments WHERE user_id = :user_id)",
        """UPDATE payment_notices SET body = ''
 WHERE payment_id IN (SELECT id FROM payments WHERE user_id = :user_id)""",
    )
