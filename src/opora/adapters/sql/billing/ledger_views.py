"""The ledger as people read it, and its recount."""

from opora.adapters.sql.connection import Connection, Database
from opora.adapters.sql.mapping import load
from opora.core.billing.model.ledger import Balance, Discrepancy, Line, Recount, of_person
from opora.core.billing.ports.ledger import LedgerViews
from opora.core.kernel.errors import Invalid
from opora.core.kernel.model import Page, PageRequest

BALANCE = """
SELECT b.posted_minor, b.held_minor FROM ledger_accounts a JOIN ledger_balances b ON b.account_id = a.id
WHERE a.name = :name AND a.currency = :currency
"""
HISTORY = """
SELECT e.id, t.kind, t.cause, e.amount_minor, e.currency, t.created_at AS at FROM ledger_entries e
JOIN ledger_transfers t ON t.id = e.transfer_id
WHERE e.account_id IN (SELECT id FROM ledger_accounts WHERE user_id = :user_id {currency}) {after}
ORDER BY e.id DESC LIMIT :limit
"""
COUNTED_MAX = 1_000
COUNT = """
SELECT count(*) FROM (SELECT 1 FROM ledger_entries
WHERE account_id IN (SELECT id FROM ledger_accounts WHERE user_id = :user_id {currency}) LIMIT :limit) AS counted
"""
SIZES = """
SELECT (SELECT count(*) FROM ledger_accounts) AS accounts, (SELECT count(*) FROM ledger_transfers) AS transfers,
 (SELECT count(*) FROM ledger_entries) AS entries,
 (SELECT count(*) FROM ledger_holds WHERE state = 'pending') AS holds_open
"""
TOTALS = """
SELECT currency, CAST(SUM(amount_minor) AS bigint) AS total_minor FROM ledger_entries GROUP BY currency
"""
NAME = "a.name || ' ' || a.currency"
FAULTS = {
    "balance": f"""
SELECT {NAME} AS name, b.posted_minor AS kept_minor, CAST(COALESCE(e.sum_minor, 0) AS bigint) AS counted_minor
FROM ledger_balances b JOIN ledger_accounts a ON a.id = b.account_id
LEFT JOIN (SELECT account_id, SUM(amount_minor) AS sum_minor FROM ledger_entries GROUP BY account_id) e
 ON e.account_id = b.account_id WHERE b.posted_minor <> COALESCE(e.sum_minor, 0)
""",
    "held": f"""
SELECT {NAME} AS name, b.held_minor AS kept_minor, CAST(COALESCE(h.sum_minor, 0) AS bigint) AS counted_minor
FROM ledger_balances b JOIN ledger_accounts a ON a.id = b.account_id
LEFT JOIN (SELECT account_id, SUM(amount_minor) AS sum_minor FROM ledger_holds WHERE state = 'pending'
 GROUP BY account_id) h ON h.account_id = b.account_id WHERE b.held_minor <> COALESCE(h.sum_minor, 0)
""",
    "floor": f"""
SELECT {NAME} AS name, b.posted_minor - b.held_minor AS kept_minor, b.floor_minor AS counted_minor
FROM ledger_balances b JOIN ledger_accounts a ON a.id = b.account_id WHERE b.posted_minor - b.held_minor < b.floor_minor
""",
    "account_without_balance": f"""
SELECT {NAME} AS name, 0 AS kept_minor, 0 AS counted_minor FROM ledger_accounts a
WHERE a.has_balance AND NOT EXISTS (SELECT 1 FROM ledger_balances b WHERE b.account_id = a.id)
""",
    "transfer": """
SELECT t.key AS name, 0 AS kept_minor, CAST(COALESCE(SUM(e.amount_minor), 0) AS bigint) AS counted_minor
FROM ledger_transfers t LEFT JOIN ledger_entries e ON e.transfer_id = t.id
GROUP BY t.id, t.key, e.currency HAVING COALESCE(SUM(e.amount_minor), 1) <> 0
""",
    "unsealed": """
SELECT t.key AS name, 0 AS kept_minor, 0 AS counted_minor FROM ledger_transfers t
WHERE NOT EXISTS (SELECT 1 FROM ledger_seals s WHERE s.transfer_id = t.id)
""",
    "payment": """
SELECT 'payment:' || p.id AS name, p.amount_minor AS kept_minor, CAST(COALESCE(e.amount_minor, 0) AS bigint)
 AS counted_minor FROM payments p LEFT JOIN ledger_transfers t ON t.key = 'payment:' || p.id
LEFT JOIN ledger_entries e ON e.transfer_id = t.id AND e.amount_minor > 0
WHERE (p.status = 'succeeded') <> (t.id IS NOT NULL) OR (t.id IS NOT NULL AND e.amount_minor <> p.amount_minor)
""",
    "refunds": """
SELECT 'payment:' || p.id AS name, p.refunded_minor AS kept_minor, CAST(COALESCE(r.sum_minor, 0) AS bigint)
 AS counted_minor FROM payments p LEFT JOIN (SELECT payment_id, SUM(amount_minor) AS sum_minor FROM refunds
 WHERE status = 'succeeded' GROUP BY payment_id) r ON r.payment_id = p.id
WHERE p.refunded_minor <> COALESCE(r.sum_minor, 0)
""",
}
"""What each kind of fault is found by: a query whose every row is one. Each sees one instant of the store."""


class SqlLedgerViews(LedgerViews):
    """Single statements; the recount's run apart from the loop."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def _connection(self) -> Connection:
        return self._database.read

    async def balance(self, user_id: int, currency: str) -> Balance:
        row = await self._connection.fetch_one(BALANCE, name=str(of_person(user_id)), currency=currency)
        return Balance(0, 0, currency) if row is None else Balance(row["posted_minor"], row["held_minor"], currency)

    async def history(self, user_id: int, currency: str | None, request: PageRequest) -> Page[Line]:
        parameters: dict[str, object] = {"user_id": user_id}
        of_currency = "" if currency is None else "AND currency = :currency"
        if currency is not None:
            parameters["currency"] = currency
        count = await self._connection.fetch_value(
            COUNT.format(currency=of_currency), **parameters, limit=COUNTED_MAX + 1
        )
        after = ""
        if request.cursor is not None:
            after, parameters["before"] = "AND e.id < :before", position(request.cursor)
        sql = HISTORY.format(currency=of_currency, after=after)
        rows = await self._connection.fetch(sql, **parameters, limit=request.limit + 1)
        items = [load(Line, row) for row in rows[: request.limit]]
        return Page(
            items,
            min(count, COUNTED_MAX),
            more=len(rows) > request.limit,
            cursor=str(items[-1].id) if items else None,
            count_exact=count <= COUNTED_MAX,
        )

    async def recount(self) -> Recount:
        async with self._database.scan() as connection:
            (sizes,) = await connection.fetch(SIZES)
            totals = {row["currency"]: int(row["total_minor"]) for row in await connection.fetch(TOTALS)}
            found = []
            for what, sql in FAULTS.items():
                found += [
                    Discrepancy(
                        what=what, name=row["name"], kept_minor=row["kept_minor"], counted_minor=row["counted_minor"]
                    )
                    for row in await connection.fetch(sql)
                ]
        found += [
            Discrepancy(what="total", name=currency, kept_minor=0, counted_minor=total_minor)
            for currency, total_minor in totals.items()
            if total_minor
        ]
        return Recount(
            accounts=sizes["accounts"],
            transfers=sizes["transfers"],
            entries=sizes["entries"],
            holds_open=sizes["holds_open"],
            totals=totals,
            discrepancies=tuple(found),
        )


def position(cursor: str) -> int:
    """Read the id after which a page starts."""
    if not cursor.isascii() or not cursor.isdecimal():
        raise Invalid(errors={"cursor": ["was not given out by this list"]})
    return int(cursor)
