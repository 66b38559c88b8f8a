"""One effect for any number of equal calls: the claim is durable first, the answer commits with the effect."""

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Protocol, cast

import msgspec

from opora.adapters.sql.connection import Connection, Database, Transaction
from opora.core.kernel.errors import AnswerLost, IdempotencyKeyReused, Overtaken, StillRunning
from opora.core.kernel.model import IdempotentCall, StoredAnswer
from opora.core.kernel.ports import Checkpoint, IdempotentCalls, Randomness, Started

KEEP_S = 24 * 3600.0
LEASE_S = 10.0
CLAIM = """
INSERT INTO idempotency_keys (caller, key, fingerprint, state, token, lease_until, expires_at)
VALUES (:caller, :key, :fingerprint, 'running', :token, later(:lease_s), later(:keep_s))
ON CONFLICT (caller, key) DO UPDATE SET
 fingerprint = EXCLUDED.fingerprint, state = 'running', token = EXCLUDED.token, lease_until = EXCLUDED.lease_until,
 expires_at = EXCLUDED.expires_at, status = NULL, headers = NULL, body = NULL
WHERE idempotency_keys.expires_at < now() OR (idempotency_keys.state = 'running'
 AND idempotency_keys.lease_until < now() AND idempotency_keys.fingerprint = EXCLUDED.fingerprint)
RETURNING token
"""
READ = """
SELECT fingerprint, state, status, headers, body, lease_until < now() AS lapsed FROM idempotency_keys
WHERE caller = :caller AND key = :key
"""
OWN = "caller = :caller AND key = :key AND token = :token"
MARK = f"UPDATE idempotency_keys SET state = 'committed' WHERE {OWN} AND state IN ('running', 'committed')"
SETTLE = f"""
UPDATE idempotency_keys SET state = 'done', status = :status, headers = :headers, body = :body
WHERE {OWN} AND state IN ('running', 'committed')
"""
FREE = f"DELETE FROM idempotency_keys WHERE {OWN} AND state = 'running'"
PRUNE = "DELETE FROM idempotency_keys WHERE expires_at < now()"


class Vault(Protocol):
    """Keeps answers so that the database alone shows neither them nor what was asked: some hold a secret."""

    def seal(self, plain: bytes, place: str) -> bytes:
        """Encrypt for one place."""
        ...

    def open(self, sealed: bytes, place: str) -> bytes:
        """Decrypt what was sealed for that place."""
        ...

    def mark(self, fingerprint: bytes) -> bytes:
        """Return a keyed digest."""
        ...


def place(call: IdempotentCall) -> str:
    """Name the row of a call for its seal."""
    return f"{call.caller} {call.key}"


@dataclass(slots=True)
class Parking(Started):
    """A claim, and the transaction that waits for its answer."""

    call: IdempotentCall
    token: str
    vault: Vault
    transaction: Transaction | None = None
    after_commit: list[Callable[[], None]] = field(default_factory=list)

    @property
    def own(self) -> dict[str, object]:
        """What names the claim's row, and only while it is ours."""
        return {"caller": self.call.caller, "key": self.call.key, "token": self.token}

    def park(self, transaction: Transaction, after_commit: Callable[[], None]) -> None:
        """Keep an ended block's transaction open until the answer is known."""
        self.transaction = transaction
        self.after_commit.append(after_commit)

    async def commit_earlier(self) -> None:
        """Commit what an earlier block of the same call left, marked so that it is never done again."""
        if self.transaction is None:
            return
        transaction, self.transaction = self.transaction, None
        await self._end(transaction, MARK, {})

    async def settle(self, database: Database, answer: StoredAnswer) -> None:
        """Store the answer in the waiting transaction, or in one of its own, and commit it."""
        transaction, self.transaction = self.transaction, None
        headers = msgspec.json.encode(answer.headers).decode()
        body = self.vault.seal(answer.body, place(self.call))
        values = {"status": answer.status, "headers": headers, "body": body}
        await self._end(transaction or await database.begin(), SETTLE, values)

    async def _end(self, transaction: Transaction, sql: str, values: dict[str, object]) -> None:
        try:
            ours = await transaction.connection.execute(sql, **self.own, **values)
            if not ours:
                raise Overtaken
        except BaseException:
            await transaction.rollback()
            raise
        await transaction.commit()
        waiting, self.after_commit = self.after_commit, []
        for run in waiting:
            run()

    async def drop(self) -> None:
        """Roll back what waits."""
        if self.transaction is not None:
            transaction, self.transaction = self.transaction, None
            await transaction.rollback()


PARKING: ContextVar[Parking | None] = ContextVar("opora_parking", default=None)
"""The idempotent call that the running task serves."""


class ParkedCheckpoint(Checkpoint):
    """Commits what is parked; outside of an idempotent call nothing ever is."""

    async def __call__(self) -> None:
        parking = PARKING.get()
        if parking is not None:
            await parking.commit_earlier()


class SqlIdempotentCalls(IdempotentCalls):
    """Idempotency keys in the same database as the effects they guard."""

    def __init__(self, database: Database, randomness: Randomness, vault: Vault) -> None:
        self._database = database
        self._randomness = randomness
        self._vault = vault

    async def open(self, call: IdempotentCall) -> StoredAnswer | Started:
        token = self._randomness.token_bytes(16).hex()
        names = {"caller": call.caller, "key": call.key}
        claimed = await self._database.read.fetch(
            CLAIM, **names, fingerprint=self._vault.mark(call.fingerprint), token=token, lease_s=LEASE_S, keep_s=KEEP_S
        )
        if claimed:
            parking = Parking(call, token, self._vault)
            PARKING.set(parking)
            return parking
        return await self._first(self._database.read, call)

    async def _first(self, connection: Connection, call: IdempotentCall) -> StoredAnswer:
        row = await connection.fetch_one(READ, caller=call.caller, key=call.key)
        if row is None:
            raise StillRunning  # freed this moment
        if bytes(row["fingerprint"]) != self._vault.mark(call.fingerprint):
            raise IdempotencyKeyReused
        if row["state"] != "done":
            raise AnswerLost if row["state"] == "committed" and row["lapsed"] else StillRunning
        headers = tuple((name, value) for name, value in msgspec.json.decode(row["headers"]))
        return StoredAnswer(row["status"], headers, self._vault.open(bytes(row["body"]), place(call)))

    async def commit(self) -> None:
        parking = PARKING.get()
        if parking is not None:
            await parking.commit_earlier()

    async def settle(self, started: Started, answer: StoredAnswer) -> None:
        PARKING.set(None)
        await cast("Parking", started).settle(self._database, answer)

    async def abandon(self, started: Started) -> None:
        PARKING.set(None)
        parking = cast("Parking", started)
        await parking.drop()
        await self._database.read.execute(FREE, **parking.own)

    async def prune(self) -> int:
        """Forget keys past their 24 hours; returns how many."""
        return await self._database.read.execute(PRUNE)
