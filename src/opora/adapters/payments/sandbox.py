"""A payment provider of our own, in a file of its own: a page where one pays or refuses, and notices signed as by
Standard Webhooks, whose word it takes.

It is what the embedded set-up runs with; no money moves. Any number of processes may use one folder.
"""

import asyncio
import hmac
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from hashlib import sha256
from pathlib import Path

from opora.adapters.payments.calls import Unreadable, json_object, object_in, text_in
from opora.core.billing.errors.payments import (
    InvalidNotice,
    NoSuchConfirmation,
    ProviderRefused,
    ProviderUnavailable,
    UnsignedNotice,
)
from opora.core.billing.model.payments import (
    Heard,
    Order,
    PaymentStatus,
    RefundOrder,
    RefundSnapshot,
    RefundStatus,
    Snapshot,
    ToConfirm,
    WebhookCall,
)
from opora.core.billing.ports.providers import ConfirmationDesk, PaymentProvider
from opora.core.kernel.model import Money
from opora.core.kernel.rules import is_signed_webhook, webhook_key

FILE_NAME = "payments.db"
BUSY_S = 10.0
INT64_MAX = 2**63 - 1
SCHEMA = """
CREATE TABLE IF NOT EXISTS payments (
  key TEXT PRIMARY KEY, payment_id INTEGER NOT NULL, amount_minor INTEGER NOT NULL, currency TEXT NOT NULL,
  description TEXT NOT NULL, return_url TEXT NOT NULL, status TEXT NOT NULL DEFAULT 'pending');
CREATE TABLE IF NOT EXISTS refunds (
  key TEXT PRIMARY KEY, payment_key TEXT NOT NULL REFERENCES payments (key), amount_minor INTEGER NOT NULL,
  status TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS payments_by_id ON payments (payment_id);
"""
DECIDED = {
    "payment.succeeded": PaymentStatus.SUCCEEDED,
    "payment.cancelled": PaymentStatus.CANCELLED,
    "payment.canceled": PaymentStatus.CANCELLED,
}
"""What a notice decides of a payment that is pending; every other is a reminder to look."""


class SandboxPayments(PaymentProvider, ConfirmationDesk):
    """Takes what its page or a signed notice says was paid, once: what was decided stays so."""

    name = "sandbox"

    def __init__(self, folder: Path, secret: str, page_url: str) -> None:
        """`page_url` is the address of the page, to which a token is added. Raises ValueError for a bad secret."""
        self._file = folder / FILE_NAME
        self._key = webhook_key(secret)
        self._page_url = page_url

    async def place(self, order: Order) -> Snapshot:
        return await self._do(self._place, order)

    def _place(self, base: sqlite3.Connection, order: Order) -> Snapshot:
        row = (
            order.key,
            order.payment_id,
            order.amount.amount_minor,
            order.amount.currency,
            order.description,
            order.return_url,
        )
        base.execute(
            "INSERT INTO payments (key, payment_id, amount_minor, currency, description, return_url)"
            " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO NOTHING",
            row,
        )
        found = self._read(base, order.key)
        if found is None:
            raise ProviderRefused("not_placed")
        return found

    async def fetch(self, ref: str) -> Snapshot | None:
        return await self._do(self._read, ref.removeprefix("sandbox-"))

    def _read(self, base: sqlite3.Connection, key: str) -> Snapshot | None:
        row = base.execute("SELECT * FROM payments WHERE key = ?", (key,)).fetchone()
        if row is None:
            return None
        refunds = base.execute("SELECT * FROM refunds WHERE payment_key = ? ORDER BY rowid", (key,)).fetchall()
        status = PaymentStatus(row["status"])
        return Snapshot(
            ref=f"sandbox-{key}",
            key=key,
            status=status,
            amount_minor=row["amount_minor"],
            currency=row["currency"],
            confirmation_url=f"{self._page_url}{self.token(key)}",
            reason="refused" if status is PaymentStatus.CANCELLED else None,
            refunds=tuple(refund_in(one) for one in refunds),
        )

    async def refund(self, order: RefundOrder) -> RefundSnapshot:
        return await self._do(self._refund, order)

    def _refund(self, base: sqlite3.Connection, order: RefundOrder) -> RefundSnapshot:
        known = base.execute("SELECT * FROM refunds WHERE key = ?", (order.key,)).fetchone()
        if known is not None:
            return refund_in(known)
        payment = self._read(base, order.payment_key)
        if payment is None or payment.status is not PaymentStatus.SUCCEEDED:
            raise ProviderRefused("not_paid")
        back_minor = sum(one.amount_minor for one in payment.refunds)
        if back_minor + order.amount.amount_minor > payment.amount_minor:
            raise ProviderRefused("amount_too_large")
        row = (order.key, order.payment_key, order.amount.amount_minor, str(RefundStatus.SUCCEEDED))
        base.execute("INSERT INTO refunds VALUES (?, ?, ?, ?)", row)
        return refund_in(base.execute("SELECT * FROM refunds WHERE key = ?", (order.key,)).fetchone())

    async def hear(self, call: WebhookCall) -> Heard:
        names = ("id", "timestamp", "signature")
        signed = tuple(call.headers.get(f"webhook-{name}", "") for name in names)
        if not is_signed_webhook(self._key, (signed[0], signed[1], signed[2]), call.body, call.at.timestamp()):
            raise UnsignedNotice
        type, payment_id = read_notice(call.body)
        key = await self._do(self._take_word, payment_id, DECIDED.get(type))
        return Heard(event_id=signed[0][:200], type=type, payment_key=key)

    def _take_word(self, base: sqlite3.Connection, payment_id: int, decided: PaymentStatus | None) -> str | None:
        # The newest: a file may outlive the database whose ids it knows.
        sql = "SELECT key FROM payments WHERE payment_id = ? ORDER BY rowid DESC LIMIT 1"
        row = base.execute(sql, (payment_id,)).fetchone()
        if row is not None and decided is not None:
            decide(base, row["key"], decided)
        return None if row is None else str(row["key"])

    def token(self, key: str) -> str:
        """Return what opens the page of one payment and of no other."""
        return f"{key}.{hmac.digest(self._key, b'opora.sandbox ' + key.encode(), sha256).hex()[:32]}"

    async def read(self, token: str) -> ToConfirm:
        return await self._do(self._shown, self._opened(token))

    async def decide(self, token: str, status: PaymentStatus) -> ToConfirm:
        key = self._opened(token)
        await self._do(decide, key, status)
        return await self._do(self._shown, key)

    def _opened(self, token: str) -> str:
        key = token.partition(".")[0]
        if not hmac.compare_digest(self.token(key).encode(), token.encode("utf-8", "replace")):
            raise NoSuchConfirmation
        return key

    def _shown(self, base: sqlite3.Connection, key: str) -> ToConfirm:
        row = base.execute("SELECT * FROM payments WHERE key = ?", (key,)).fetchone()
        if row is None:
            raise NoSuchConfirmation
        return ToConfirm(
            key=key,
            amount=Money(row["amount_minor"], row["currency"]),
            description=row["description"],
            return_url=row["return_url"],
            status=PaymentStatus(row["status"]),
        )

    async def check(self) -> str:
        await self._do(lambda base: base.execute("SELECT count(*) FROM payments").fetchone())
        return "the sandbox, in which no money moves"

    async def close(self) -> None:
        """Nothing stays open between calls."""

    async def _do[T](self, work: Callable[..., T], *given: object) -> T:
        return await asyncio.to_thread(self._run, work, *given)

    def _run[T](self, work: Callable[..., T], *given: object) -> T:
        try:
            with self._base() as base:
                return work(base, *given)
        except (sqlite3.Error, OSError) as error:
            raise ProviderUnavailable(type(error).__name__) from error

    @contextmanager
    def _base(self) -> Iterator[sqlite3.Connection]:
        self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with closing(sqlite3.connect(self._file, timeout=BUSY_S, isolation_level=None)) as base:
            base.row_factory = sqlite3.Row
            base.executescript(SCHEMA)
            base.execute("BEGIN IMMEDIATE")
            try:
                yield base
            except BaseException:
                base.execute("ROLLBACK")
                raise
            base.execute("COMMIT")


def decide(base: sqlite3.Connection, key: str, status: PaymentStatus) -> None:
    """Pay or refuse what is pending; what was decided before stays so."""
    base.execute("UPDATE payments SET status = ? WHERE key = ? AND status = 'pending'", (str(status), key))


def refund_in(row: sqlite3.Row) -> RefundSnapshot:
    """Read a refund's row."""
    return RefundSnapshot(
        ref=f"refund-{row['key']}", key=row["key"], amount_minor=row["amount_minor"], status=RefundStatus(row["status"])
    )


def read_notice(body: bytes) -> tuple[str, int]:
    """Return what a notice says happened, and to which payment of ours; raises InvalidNotice."""
    try:
        event = json_object(body)
    except Unreadable:
        raise InvalidNotice(errors={"": ["is no JSON object"]}) from None
    errors: dict[str, list[str]] = {}
    type = text_in(event, "type", 100)
    if type is None:
        errors["type"] = ["is the name of what happened, such as payment.succeeded"]
    given = object_in(event, "data").get("payment_id")
    if isinstance(given, str) and given.isascii() and given.isdecimal() and len(given) <= len(str(INT64_MAX)):
        given = int(given)
    if isinstance(given, bool) or not isinstance(given, int) or not 0 < given <= INT64_MAX:
        errors["data.payment_id"] = ["is the id of a payment"]
        given = 0
    if errors or type is None:
        raise InvalidNotice(errors=errors)
    return type, given


def build(config: Mapping[str, str]) -> PaymentProvider:
    """Build it: `folder`, `secret`, `page_url`; the composition root gives them."""
    return SandboxPayments(Path(config["folder"]), config["secret"], config["page_url"])
