"""The bounds that no setting moves, read from where they hold."""

from opora.adapters.banking import calls, wire
from opora.adapters.clamav import scanner
from opora.adapters.outbound.client import ANSWER_BYTES_MAX
from opora.bootstrap.lean import ORM_FOR_LITESTAR, without
from opora.bootstrap.sources import SECRET_FILE_BYTES_MAX
from opora.core.access.model.tickets import TICKET_TTL_S
from opora.core.access.model.tokens import TOKEN_LENGTH_MAX
from opora.core.access.rules import keys, passwords, people, totp
from opora.core.access.rules.login import DEVICES_KEPT
from opora.core.bookings.model.appointments import HOLDS_MAX
from opora.core.bookings.model.calendars import FEED_APPOINTMENTS_MAX, FEEDS_MAX
from opora.core.bookings.model.hours import EXCEPTIONS_MAX
from opora.core.bookings.model.offerings import CAPACITY_MAX, DURATION_MIN_MAX, STAFF_MAX
from opora.core.bookings.model.series import RULE_LENGTH_MAX, SERIES_DAYS_MAX, SERIES_MAX
from opora.core.bookings.model.waiting import ENTRIES_MAX
from opora.core.bookings.rules import openings
from opora.core.documents.model.packets import DispatchPolicy
from opora.core.kernel.model import PAGE_LIMIT_DEFAULT, PAGE_LIMIT_MAX, BreakerPolicy
from opora.core.notifications.model import places
from opora.core.notifications.usecases.gathering import ITEMS_MAX
from opora.core.numbers.model import tables
from opora.core.profiles.model.exports import PROFILES_MAX
from opora.core.profiles.rules import asking
from opora.worker.publisher import PublishPolicy

with without(ORM_FOR_LITESTAR):
    from opora.api import bodies, headers, json_guard, live, pages, paths, query

FIXED: tuple[tuple[str, str, int | float, str], ...] = (
    ("requests", "Wait for the next part of a body", bodies.BODY_TIMEOUT_S, "s"),
    ("requests", "Path", paths.PATH_MAX, "characters"),
    ("requests", "Query", query.SIZE_MAX_BYTES, "bytes"),
    ("requests", "Parameters in a query", query.COUNT_MAX, ""),
    ("requests", "Headers, all together", headers.SIZE_MAX_BYTES, "bytes"),
    ("requests", "Headers", headers.COUNT_MAX, ""),
    ("requests", "Depth of JSON", json_guard.DEPTH_MAX, "levels"),
    ("lists", "Records on a page", PAGE_LIMIT_MAX, ""),
    ("lists", "Records on a page when the call does not say", PAGE_LIMIT_DEFAULT, ""),
    ("lists", "Number of a page", pages.PAGE_NUMBER_MAX, ""),
    ("lists", "Cursor", pages.CURSOR_MAX, "characters"),
    ("access", "Access token", TOKEN_LENGTH_MAX, "characters"),
    ("access", "Password", passwords.PASSWORD_BYTES_MAX, "bytes"),
    ("access", "Devices known of a person", DEVICES_KEPT, ""),
    ("access", "Recovery codes of a person", totp.RECOVERY_CODES, ""),
    ("access", "E-mail address", people.EMAIL_LENGTH_MAX, "characters"),
    ("access", "Name of a person", people.NAME_LENGTH_MAX, "characters"),
    ("access", "Label of a key", keys.LABEL_LENGTH_MAX, "characters"),
    ("access", "Networks a key is allowed from", keys.ADDRESS_RANGES_MAX, ""),
    ("access", "Requests a minute a key can be given", keys.RATE_LIMIT_MAX, "a minute"),
    ("profiles", "People made by one call", asking.COUNT_MAX, ""),
    ("profiles", "Profiles in one export", PROFILES_MAX, ""),
    ("notifications", "Browsers of a person", places.SUBSCRIPTIONS_MAX, ""),
    ("notifications", "Webhook endpoints of a person", places.ENDPOINTS_MAX, ""),
    ("notifications", "Streams open in a process", live.READERS_MAX, ""),
    ("notifications", "Streams of one person in a process", live.READERS_OF_ONE_MAX, ""),
    ("notifications", "Notices that wait for a slow stream", live.WAITING_MAX, ""),
    ("notifications", "Patience with a slow stream", live.SLOW_S, "s"),
    ("notifications", "Life of a stream's ticket", TICKET_TTL_S, "s"),
    ("notifications", "Read of an answer to a webhook", ANSWER_BYTES_MAX, "bytes"),
    ("notifications", "Lines of a gathered letter", ITEMS_MAX, ""),
    ("documents", "Receipt of the core banking system", wire.RECEIPT_BYTES_MAX, "bytes"),
    ("documents", "Line of its register", wire.LINE_BYTES_MAX, "bytes"),
    ("documents", "Answer of it over HTTP", calls.ANSWER_BYTES_MAX, "bytes"),
    ("documents", "Receipts read at once", DispatchPolicy().receipts_at_once, ""),
    ("documents", "Failures in a row before it is left alone", BreakerPolicy().failures_max, ""),
    ("documents", "Longest pause until it is tried again", BreakerPolicy().open_max_s, "s"),
    ("documents", "Files at the virus scanner at once, a process", scanner.SCANS_MAX, ""),
    ("documents", "Wait for a word of the virus scanner", scanner.SILENCE_S, "s"),
    ("numbers", "Line of a file with numbers", tables.LINE_CHARS_MAX, "characters"),
    ("numbers", "Cell of a file with numbers", tables.FIELD_CHARS_MAX, "characters"),
    ("numbers", "Lines of a record in quotes", tables.RECORD_LINES_MAX, ""),
    ("numbers", "Columns of a file with numbers", tables.COLUMNS_MAX, ""),
    ("numbers", "Rows of a workbook's sheet", tables.WORKBOOK_ROWS_MAX, ""),
    ("bookings", "Days of one look for free times", openings.SPAN_DAYS_MAX, ""),
    ("bookings", "Free times in one answer", openings.SLOTS_MAX, ""),
    ("bookings", "Appointments of a series", SERIES_MAX, ""),
    ("bookings", "Days from the first to the last appointment of a series", SERIES_DAYS_MAX, ""),
    ("bookings", "Recurrence rule", RULE_LENGTH_MAX, "characters"),
    ("bookings", "Times a person holds at once", HOLDS_MAX, ""),
    ("bookings", "Things a person waits for at once", ENTRIES_MAX, ""),
    ("bookings", "Private calendars of a person", FEEDS_MAX, ""),
    ("bookings", "Appointments in a private calendar", FEED_APPOINTMENTS_MAX, ""),
    ("bookings", "Places of a session", CAPACITY_MAX, ""),
    ("bookings", "Staff of a service", STAFF_MAX, ""),
    ("bookings", "Length of a service", DURATION_MIN_MAX, "minutes"),
    ("bookings", "Exceptions in somebody's hours", EXCEPTIONS_MAX, ""),
    ("events", "Events on their way to the bus at once", PublishPolicy().chunk, ""),
    ("events", "One publisher has the queue", PublishPolicy().lease_s, "s"),
    ("service", "File that holds a secret", SECRET_FILE_BYTES_MAX, "bytes"),
)
"""What it belongs to, what is bounded, the value and its unit."""
