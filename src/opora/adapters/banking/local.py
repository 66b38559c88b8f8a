"""A stand-in for the bank's system, in a file of its own: it takes packets and answers them, and fails as it is told.

It is what the embedded set-up runs with. Any number of processes may use one folder.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from time import time

from opora.adapters.banking.faults import FaultScript
from opora.core.documents.errors import CoreBankingRefused, CoreBankingUnavailable
from opora.core.documents.model.packets import BadReceipt, Consignment, Receipt, Verdict
from opora.core.documents.model.reconciliation import Holding, Register
from opora.core.documents.ports.banking import Content, CoreBanking

FILE_NAME = "abs.db"
REGISTER_PAGE = 2000
BUSY_S = 10.0
SCHEMA = """
CREATE TABLE IF NOT EXISTS packets (
  key TEXT PRIMARY KEY, document_id INTEGER NOT NULL, reference TEXT NOT NULL, is_rejected INTEGER NOT NULL,
  judged INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS holdings (
  document_id INTEGER PRIMARY KEY, version INTEGER NOT NULL, status TEXT NOT NULL, sha256 TEXT);
CREATE TABLE IF NOT EXISTS receipts (
  number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL, packet TEXT, verdict TEXT, reference TEXT, reason TEXT,
  ready_at REAL NOT NULL, state TEXT NOT NULL DEFAULT 'waiting');
CREATE INDEX IF NOT EXISTS waiting ON receipts (number) WHERE state = 'waiting';
CREATE TABLE IF NOT EXISTS faults (operation TEXT PRIMARY KEY, spent INTEGER NOT NULL);
"""


# A packet is judged once, and again where it was rejected: then a row comes back, with how often it was.
TAKE = """
INSERT INTO packets VALUES (?, ?, ?, ?, 1) ON CONFLICT (key) DO UPDATE
SET is_rejected = excluded.is_rejected, judged = judged + 1 WHERE packets.is_rejected RETURNING judged
"""


class LocalCoreBanking(CoreBanking):
    """The stand-in: takes what it is given, and accepts it by a receipt `answer_after_s` later.

    Deterministic: a document's reference follows from its id, a receipt's id from its packet, and faults come in the
    order that the script says, whichever process calls.
    """

    def __init__(
        self, folder: Path, answer_after_s: float = 0.0, faults: str = "", clock: Callable[[], float] = time
    ) -> None:
        """Raises ValueError for a script that cannot be read."""
        self._file = folder / FILE_NAME
        self._answer_after_s = answer_after_s
        self._script = FaultScript(faults)
        self._clock = clock

    async def submit(self, consignment: Consignment, content: Content | None) -> str | None:
        """See the port."""
        fault = await self._do(self._fault, "submit")
        if fault == "down":
            raise CoreBankingUnavailable("The stand-in was told to be down.")
        if fault == "refuse":
            raise CoreBankingRefused("The stand-in was told to refuse.")
        if consignment.has_file:
            await arrived(consignment, content)
        reference = await self._do(self._take, consignment, fault == "reject")
        if fault == "lost":
            raise CoreBankingUnavailable("The stand-in was told to lose its answer.")
        return reference

    def _take(self, base: sqlite3.Connection, given: Consignment, is_rejected: bool) -> str:
        reference = f"ABS-{given.document_id:010d}"
        row = (given.key, given.document_id, reference, is_rejected)
        judged = base.execute(TAKE, row).fetchone()
        if judged is not None:
            verdict = Verdict.REJECTED if is_rejected else Verdict.ACCEPTED
            reason = "The stand-in was told to reject." if is_rejected else None
            self._answer(base, f"receipt-{given.key}-{judged[0]}", given.key, verdict, reference, reason)
            if not is_rejected:
                hold(base, given)
        return reference

    def _answer(
        self, base: sqlite3.Connection, id: str, packet: str, verdict: str, reference: str | None, reason: str | None
    ) -> None:
        row = (id, packet, str(verdict), reference, reason, self._clock() + self._answer_after_s)
        base.execute(
            "INSERT INTO receipts (id, packet, verdict, reference, reason, ready_at) VALUES (?, ?, ?, ?, ?, ?)", row
        )

    async def receipts(self, limit: int) -> Sequence[Receipt | BadReceipt]:
        """See the port."""
        fault = await self._do(self._fault, "receipts")
        if fault == "down":
            raise CoreBankingUnavailable("The stand-in was told to be down.")
        if fault:
            await self._do(self._disturb, fault)
        return await self._do(self._waiting, limit)

    def _disturb(self, base: sqlite3.Connection, fault: str) -> None:
        if fault == "twice":
            base.execute(
                "INSERT INTO receipts (id, packet, verdict, reference, reason, ready_at)"
                " SELECT id, packet, verdict, reference, reason, ready_at FROM receipts ORDER BY number DESC LIMIT 1"
            )
            return
        number = base.execute("SELECT count(*) FROM receipts").fetchone()[0]
        if fault == "stranger":
            self._answer(base, f"stranger-{number}", "999999999.1", Verdict.ACCEPTED, None, None)
        else:
            self._answer(base, f"garbled-{number}", "", "", None, None)

    def _waiting(self, base: sqlite3.Connection, limit: int) -> list[Receipt | BadReceipt]:
        rows = base.execute(
            "SELECT id, packet, verdict, reference, reason FROM receipts"
            " WHERE state = 'waiting' AND ready_at <= ? ORDER BY number LIMIT ?",
            (self._clock(), limit),
        ).fetchall()
        return [receipt_of(row) for row in rows]

    async def settle(self, ids: Sequence[str]) -> None:
        """See the port."""
        await self._do(put_away, ids, "settled")

    async def quarantine(self, id: str, reason: str) -> None:
        """See the port."""
        await self._do(put_away, [id], "quarantined", reason)

    async def register(self) -> Register:
        """See the port."""
        fault = await self._do(self._fault, "register")
        if fault == "down":
            raise CoreBankingUnavailable("The stand-in was told to be down.")
        return Register(datetime.now(UTC), self._holdings(fault))

    async def _holdings(self, fault: str) -> AsyncIterator[Holding]:
        after = 0
        while rows := await self._do(held_after, after):
            for document_id, version, status, digest in rows:
                if fault == "disorder":
                    yield Holding(document_id=-document_id, version=version, status=status, sha256=digest)
                elif fault == "differ":
                    yield Holding(document_id=document_id, version=version, status="lost", sha256=digest)
                elif fault != "miss":
                    yield Holding(document_id=document_id, version=version, status=status, sha256=digest)
                fault = fault if fault == "disorder" else ""
            after = rows[-1][0]

    async def check(self) -> str:
        """See the port."""
        taken = await self._do(lambda base: base.execute("SELECT count(*) FROM packets").fetchone()[0])
        return f"the embedded stand-in in {self._file.parent}, {taken} packets taken"

    def _fault(self, base: sqlite3.Connection, operation: str) -> str:
        if not self._script.has(operation):
            return ""
        sql = "INSERT INTO faults VALUES (?, 1) ON CONFLICT (operation) DO UPDATE SET spent = spent + 1 RETURNING spent"
        return self._script.at(operation, base.execute(sql, (operation,)).fetchone()[0])

    async def _do[**P, T](self, work: Callable[..., T], *args: object) -> T:
        return await asyncio.to_thread(self._within, work, *args)

    def _within[T](self, work: Callable[..., T], *args: object) -> T:
        with opened(self._file) as base:
            return work(base, *args)


@contextmanager
def opened(file: Path) -> Iterator[sqlite3.Connection]:
    """Open the stand-in's file for one transaction."""
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with closing(sqlite3.connect(file, timeout=BUSY_S, isolation_level=None)) as base:
            base.execute("PRAGMA journal_mode = WAL")
            base.executescript(SCHEMA)
            base.execute("BEGIN IMMEDIATE")
            yield base
            base.execute("COMMIT")
    except (sqlite3.Error, OSError) as error:
        raise CoreBankingUnavailable(retry_after_s=5) from error


async def arrived(consignment: Consignment, content: Content | None) -> None:
    """Read the file to its end; raise CoreBankingRefused where it is not what was announced."""
    digest = sha256()
    if content is not None:
        async for some in await content(0):
            digest.update(some)
    if digest.hexdigest() != consignment.sha256:
        raise CoreBankingRefused("The file is not the one that was announced.")


def hold(base: sqlite3.Connection, given: Consignment) -> None:
    """Keep what a packet says of a document, unless something newer is kept."""
    row = (given.document_id, given.version, str(given.status), given.sha256 if given.has_file else None)
    base.execute(
        "INSERT INTO holdings VALUES (?, ?, ?, ?) ON CONFLICT (document_id) DO UPDATE SET"
        " version = excluded.version, status = excluded.status, sha256 = COALESCE(excluded.sha256, sha256)"
        " WHERE excluded.version > version",
        row,
    )


def put_away(base: sqlite3.Connection, ids: Sequence[str], state: str, reason: str | None = None) -> None:
    """Move waiting receipts to another state."""
    sql = "UPDATE receipts SET state = ?, reason = COALESCE(?, reason) WHERE id = ? AND state = 'waiting'"
    base.executemany(sql, [(state, reason, id) for id in ids])


def held_after(base: sqlite3.Connection, after: int) -> list[tuple[int, int, str, str | None]]:
    """Read a page of holdings."""
    return base.execute(
        "SELECT document_id, version, status, sha256 FROM holdings WHERE document_id > ? ORDER BY document_id LIMIT ?",
        (after, REGISTER_PAGE),
    ).fetchall()


def receipt_of(row: tuple[str, str, str, str | None, str | None]) -> Receipt | BadReceipt:
    """Read a receipt from its row."""
    id, packet, verdict, reference, reason = row
    if not packet:
        return BadReceipt(id, "names no packet")
    return Receipt(id=id, packet=packet, verdict=Verdict(verdict), reference=reference, reason=reason)


def build(config: Mapping[str, str]) -> CoreBanking:
    """Build the stand-in: `folder` (under OPORA_HOME unless said), `answer_after_s`, `faults`."""
    return LocalCoreBanking(Path(config["folder"]), float(config.get("answer_after_s", "0")), config.get("faults", ""))
