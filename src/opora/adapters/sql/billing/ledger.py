"""The ledger in a relational store, which itself holds that it adds up."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from opora.adapters.sql.connection import Connection
from opora.adapters.sql.mapping import load
from opora.core.billing.errors.ledger import TransferReused
from opora.core.billing.model.ledger import AccountName, Balance, Hold, Posting, Transfer, account_named, of_person
from opora.core.billing.ports.ledger import Ledger
from opora.core.billing.rules.ledger import debits, refuse_overdraft
from opora.core.kernel.errors import Stale
from opora.core.kernel.model import Money

type Place = tuple[str, str]
"""An account by its name and currency."""
type Entry = tuple[int, str, int]
"""An entry by its account's id, its currency and its amount in minor units."""

OPEN = """
INSERT INTO ledger_accounts (name, currency, kind, user_id, has_balance, created_at)
VALUES (:name, :currency, :kind, :user_id, :has_balance, now()) ON CONFLICT (name, currency) DO NOTHING
"""
# Balances are locked in the order of their accounts: two transfers between the same people never wait in a circle.
ACCOUNTS = """
WITH wanted AS MATERIALIZED (SELECT id, name, currency FROM ledger_accounts WHERE {places}),
locked AS MATERIALIZED (
 SELECT account_id, posted_minor, held_minor FROM ledger_balances WHERE account_id IN (SELECT id FROM wanted)
 ORDER BY account_id {lock}
)
SELECT w.id, w.name, w.currency, l.posted_minor, l.held_minor FROM wanted w LEFT JOIN locked l ON l.account_id = w.id
"""
ADD = """
INSERT INTO ledger_transfers (key, kind, cause, created_at) VALUES (:key, :kind, :cause, :at)
ON CONFLICT (key) DO NOTHING RETURNING id
"""
ADD_ENTRY = """
INSERT INTO ledger_entries (transfer_id, account_id, currency, amount_minor)
VALUES (:id, :account_id, :currency, :amount_minor)
"""
# Accounts are found and the transfer is entered in one exchange, so that a hot balance is locked for no more than that
# and the commit; -1 where an account is not open yet.
ENTER = """
SELECT CASE WHEN count(*) < cardinality(CAST(:names AS text[])) THEN -1 ELSE ledger_enter(:key, :kind, :cause, :at,
 array_agg(a.id ORDER BY a.id), array_agg(a.currency ORDER BY a.id), array_agg(one.amount ORDER BY a.id)) END
FROM unnest(CAST(:names AS text[]), CAST(:currencies AS text[]), CAST(:amounts AS bigint[]))
 AS one (name, currency, amount) JOIN ledger_accounts a ON a.name = one.name AND a.currency = one.currency
"""
UNOPENED = -1
SEAL = "INSERT INTO ledger_seals (transfer_id) VALUES (:id)"
POSTED = """
SELECT t.kind, t.cause, t.created_at, a.name, e.currency, e.amount_minor FROM ledger_transfers t
JOIN ledger_entries e ON e.transfer_id = t.id
JOIN ledger_accounts a ON a.id = e.account_id WHERE t.key = :key ORDER BY e.id
"""
HOLD = """
SELECT h.key, a.user_id, h.amount_minor, a.currency, h.cause, h.created_at, h.state, h.captured_minor, h.expires_at,
 h.resolved_at FROM ledger_holds h JOIN ledger_accounts a ON a.id = h.account_id WHERE h.key = :key
"""
ADD_HOLD = """
INSERT INTO ledger_holds (key, account_id, amount_minor, captured_minor, state, cause, created_at, expires_at)
VALUES (:key, :account_id, :amount_minor, 0, 'pending', :cause, :created_at, :expires_at)
ON CONFLICT (key) DO NOTHING
"""
RESOLVE = """
UPDATE ledger_holds SET state = :state, captured_minor = :captured_minor, resolved_at = :resolved_at
WHERE key = :key AND state = 'pending'
"""
EXPIRED = """
SELECT key FROM ledger_holds WHERE state = 'pending' AND expires_at <= :now ORDER BY expires_at, id LIMIT :limit
"""


class SqlLedger(Ledger):
    """Transfers, balances and holds inside one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lock = "FOR UPDATE" if connection.dialect == "postgresql" else ""

    async def post(self, transfer: Transfer) -> bool:
        places = {place(one.account, one.amount.currency) for one in transfer.postings}
        if self._lock:
            entered = await self._enter_at_once(transfer)
            if entered == UNOPENED:
                await self._accounts(places, "")
                entered = await self._enter_at_once(transfer)
            if entered is None:
                await self._is_posted(transfer)
            if entered != 0:
                return entered is not None
        accounts = await self._accounts(places, self._lock)
        for (account, currency), needed_minor in debits(transfer).items():
            balance = balance_in(accounts[place(account, currency)], currency)
            if balance.available_minor < needed_minor and await self._is_posted(transfer):
                return False
            refuse_overdraft(balance, needed_minor)
        return await self._enter(transfer, entries_of(transfer, accounts))

    async def _enter_at_once(self, transfer: Transfer) -> int | None:
        """Enter a transfer by the store's own function: its id, None where its key is there, 0 for a low balance."""
        told = {"key": transfer.key, "kind": transfer.kind, "cause": transfer.cause, "at": transfer.at}
        entered: int | None = await self._connection.fetch_value(
            ENTER,
            **told,
            names=[str(one.account) for one in transfer.postings],
            currencies=[one.amount.currency for one in transfer.postings],
            amounts=[one.amount.amount_minor for one in transfer.postings],
        )
        return entered

    async def _enter(self, transfer: Transfer, entries: Sequence[Entry]) -> bool:
        """Enter a transfer with its entries and its seal; False where its key is there."""
        added = {"key": transfer.key, "kind": transfer.kind, "cause": transfer.cause, "at": transfer.at}
        id = await self._connection.fetch_value(ADD, **added)
        if id is None:
            await self._is_posted(transfer)
            return False
        rows = [{"id": id, "account_id": one[0], "currency": one[1], "amount_minor": one[2]} for one in entries]
        await self._connection.execute_many(ADD_ENTRY, rows)
        await self._connection.execute(SEAL, id=id)
        return True

    async def posted(self, key: str) -> Transfer | None:
        rows = await self._connection.fetch(POSTED, key=key)
        if not rows:
            return None
        postings = [Posting(account_named(row["name"]), Money(row["amount_minor"], row["currency"])) for row in rows]
        first = rows[0]
        at = first["created_at"]
        return Transfer(
            key=key,
            kind=first["kind"],
            cause=first["cause"],
            postings=tuple(postings),
            at=datetime.fromisoformat(at) if isinstance(at, str) else at,
        )

    async def _is_posted(self, transfer: Transfer) -> bool:
        """Tell whether the key was posted; raises TransferReused where that was another transfer."""
        rows = await self._connection.fetch(POSTED, key=transfer.key)
        if not rows:
            return False
        posted = sorted((row["name"], row["currency"], row["amount_minor"]) for row in rows)
        asked = sorted((*place(one.account, one.amount.currency), one.amount.amount_minor) for one in transfer.postings)
        if posted != asked:
            raise TransferReused(key=transfer.key)
        return True

    async def balance(self, account: AccountName, currency: str) -> Balance:
        found = await self._found({place(account, currency)}, self._lock)
        return balance_in(found.get(place(account, currency)), currency)

    async def _accounts(self, places: set[Place], lock: str) -> Mapping[Place, Any]:
        """Return these accounts, opened where they are not there, with their balances locked as `lock` says."""
        found = await self._found(places, lock)
        missing = places - found.keys()
        if not missing:
            return found
        for name, currency in sorted(missing):
            kind, _, owner = name.partition(":")
            is_person = kind == "person"
            await self._connection.execute(
                OPEN,
                name=name,
                currency=currency,
                kind=kind,
                user_id=int(owner) if is_person else None,
                has_balance=is_person,
            )
        return await self._found(places, lock)

    async def _found(self, places: set[Place], lock: str) -> Mapping[Place, Any]:
        parts: list[str] = []
        parameters: dict[str, object] = {}
        for number, (name, currency) in enumerate(sorted(places)):
            parts.append(f"(name = :name_{number} AND currency = :currency_{number})")
            parameters |= {f"name_{number}": name, f"currency_{number}": currency}
        sql = ACCOUNTS.format(places=" OR ".join(parts), lock=lock)
        rows = await self._connection.fetch(sql, **parameters)
        return {(row["name"], row["currency"]): row for row in rows}

    async def add_hold(self, hold: Hold) -> Hold:
        there = await self.hold(hold.key)
        if there is not None:
            return there
        where = place(of_person(hold.user_id), hold.currency)
        account = (await self._accounts({where}, self._lock))[where]
        there = await self.hold(hold.key)  # made by whoever had the balance before
        if there is not None:
            return there
        refuse_overdraft(balance_in(account, hold.currency), hold.amount_minor)
        await self._connection.execute(
            ADD_HOLD,
            key=hold.key,
            account_id=account["id"],
            amount_minor=hold.amount_minor,
            cause=hold.cause,
            created_at=hold.created_at,
            expires_at=hold.expires_at,
        )
        return hold

    async def hold(self, key: str) -> Hold | None:
        lock = " FOR UPDATE OF h" if self._lock else ""
        row = await self._connection.fetch_one(HOLD + lock, key=key)
        return load(Hold, row) if row else None

    async def resolve_hold(self, hold: Hold) -> None:
        resolved = await self._connection.execute(
            RESOLVE,
            key=hold.key,
            state=str(hold.state),
            captured_minor=hold.captured_minor,
            resolved_at=hold.resolved_at,
        )
        if not resolved:
            raise Stale(key=hold.key)

    async def expired_holds(self, now: datetime, limit: int) -> Sequence[str]:
        return [row["key"] for row in await self._connection.fetch(EXPIRED, now=now, limit=limit)]


def entries_of(transfer: Transfer, accounts: Mapping[Place, Any]) -> list[Entry]:
    """Return a transfer's entries in the order of their accounts, in which their balances are changed."""
    entries = [
        (accounts[place(one.account, one.amount.currency)]["id"], one.amount.currency, one.amount.amount_minor)
        for one in transfer.postings
    ]
    return sorted(entries, key=lambda entry: entry[0])


def place(account: AccountName, currency: str) -> Place:
    """Return an account as its row is found."""
    return str(account), currency


def balance_in(row: Any, currency: str) -> Balance:
    """Return the balance in a row; zeros where there is no row."""
    return Balance(0, 0, currency) if row is None else Balance(row["posted_minor"], row["held_minor"], currency)
