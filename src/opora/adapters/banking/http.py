"""The bank's system over HTTP: files by their digest, packets by their key, receipts and a register by pages."""

import json
import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from hashlib import sha256
from urllib.parse import quote, urlsplit

import httpx

from opora.adapters.banking import wire
from opora.adapters.banking.calls import BankCalls, Body
from opora.adapters.banking.retries import CallPolicy
from opora.core.documents.errors import BadRegister, CoreBankingRefused
from opora.core.documents.model.packets import BadReceipt, Consignment, Receipt
from opora.core.documents.model.reconciliation import Holding, Register
from opora.core.documents.ports.banking import Content, CoreBanking

REGISTER_PAGE = 2000
RECEIPTS_MAX = 1000
STEP_S = 30.0
CONNECTIONS_MAX = 10
GONE = frozenset({404, 410})
REFERENCE_MAX = 200


class HttpCoreBanking(CoreBanking):
    """Speaks the small protocol of docs/core-banking.md; every call of it may be repeated."""

    def __init__(self, calls: BankCalls) -> None:
        self._calls = calls

    async def submit(self, consignment: Consignment, content: Content | None) -> str | None:
        """See the port."""
        if consignment.has_file and content is not None:
            path = f"/files/{consignment.sha256}"
            there = await self._calls.call("HEAD", path, passed_over=GONE)
            if not there.is_good:
                await self._calls.call("PUT", path, body=announced(consignment, content))
        told = json.loads(wire.manifest(consignment, consignment.sha256 if consignment.has_file else None))
        answer = await self._calls.call("PUT", f"/packets/{quote(consignment.key, safe='')}", fields=told)
        return reference_in(answer.content)

    async def receipts(self, limit: int) -> Sequence[Receipt | BadReceipt]:
        """See the port."""
        answer = await self._calls.call("GET", "/receipts", query={"limit": str(min(limit, RECEIPTS_MAX))})
        try:
            listed = wire.parsed(answer.content, len(answer.content)).get("receipts")
        except wire.Unreadable as fault:
            raise CoreBankingRefused(f"Its receipts are {fault}.") from None
        return [receipt_in(one) for one in listed[:limit]] if isinstance(listed, list) else []

    async def settle(self, ids: Sequence[str]) -> None:
        """See the port."""
        for id in ids:
            await self._calls.call("DELETE", f"/receipts/{quote(id, safe='')}", passed_over=GONE)

    async def quarantine(self, id: str, reason: str) -> None:
        """See the port."""
        path = f"/receipts/{quote(id, safe='')}/quarantine"
        await self._calls.call("POST", path, fields={"reason": reason}, passed_over=GONE)

    async def register(self) -> Register:
        """See the port."""
        first = await self._page(0)
        try:
            as_of = wire.instant(first.get("as_of"))
        except wire.Unreadable as fault:
            raise BadRegister(str(fault)) from None
        return Register(as_of, self._holdings(first))

    async def _holdings(self, page: Mapping[str, object]) -> AsyncIterator[Holding]:
        while True:
            listed = page.get("holdings")
            if not isinstance(listed, list):
                raise BadRegister("A page has no list of holdings.")
            after = 0
            for fields in listed:
                try:
                    holding = wire.read_holding(fields)
                except wire.Unreadable as fault:
                    raise BadRegister(str(fault)) from None
                after = holding.document_id
                yield holding
            if not listed:
                return
            page = await self._page(after)

    async def _page(self, after: int) -> Mapping[str, object]:
        query = {"after": str(after), "limit": str(REGISTER_PAGE)}
        answer = await self._calls.call("GET", "/register", query=query)
        try:
            return wire.parsed(answer.content, len(answer.content))
        except wire.Unreadable as fault:
            raise BadRegister(str(fault)) from None

    async def check(self) -> str:
        """See the port."""
        answer = await self._calls.call("GET", "/health")
        return f"an HTTP system that answers {answer.status}"

    async def close(self) -> None:
        """See the port."""
        await self._calls.close()


def announced(told: Consignment, content: Content) -> Body:
    """Return the body of a file; one that is not what was announced breaks off with CoreBankingRefused."""

    async def opened() -> AsyncIterator[bytes]:
        return checked(await content(0), told)

    return opened


async def checked(parts: AsyncIterator[bytes], told: Consignment) -> AsyncIterator[bytes]:
    """Give a file on, all but its last part only as long as it can still be what was announced."""
    digest, kept = sha256(), b""
    async for some in parts:
        digest.update(some)
        if kept:
            yield kept
        kept = some
    if digest.hexdigest() != told.sha256:
        raise CoreBankingRefused("The file is not the one that was announced.")
    yield kept


def reference_in(content: bytes) -> str | None:
    """Read the reference that an answer may hold."""
    try:
        found = wire.parsed(content, wire.RECEIPT_BYTES_MAX).get("reference")
    except wire.Unreadable:
        return None
    return found if isinstance(found, str) and 1 <= len(found) <= REFERENCE_MAX and found.isprintable() else None


def receipt_in(fields: object) -> Receipt | BadReceipt:
    """Read one receipt of a list."""
    if not isinstance(fields, dict):
        return BadReceipt(name_of(fields), "no JSON object")
    try:
        return wire.read_receipt(fields)
    except wire.Unreadable as fault:
        id = fields.get("id")
        return BadReceipt(id if wire.is_id(id) else name_of(fields), str(fault))


def name_of(fields: object) -> str:
    """Return a name for what has none of its own."""
    return f"unnamed-{sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()[:32]}"


def build(config: Mapping[str, str]) -> CoreBanking:
    """Build it: `url`, `token`, `ca` (a certificate of the bank's own authority), `step_s`, `tries_max`."""
    parts = urlsplit(config["url"])
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username or parts.query:
        raise ValueError("url is not https://host:port/path, its token in a setting of its own")
    headers = {"authorization": f"Bearer {config['token']}"} if "token" in config else {}
    client = httpx.AsyncClient(
        base_url=config["url"].rstrip("/"),
        headers=headers,
        timeout=float(config.get("step_s", STEP_S)),
        limits=httpx.Limits(max_connections=CONNECTIONS_MAX),
        verify=ssl.create_default_context(cadata=config.get("ca")),
        trust_env=False,
    )
    return HttpCoreBanking(BankCalls(client, CallPolicy(tries_max=int(config.get("tries_max", "3")))))
