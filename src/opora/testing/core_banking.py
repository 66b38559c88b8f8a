"""Contract of an adapter of the bank's own system: subclass it, give it `self.bank`, and let the bank answer."""

from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime
from hashlib import sha256
from random import SystemRandom

import pytest

from opora.core.documents.errors import CoreBankingRefused, CoreBankingUnavailable
from opora.core.documents.model.documents import MediaType
from opora.core.documents.model.packets import Consignment, Receipt, Verdict, key_of
from opora.core.documents.model.reconciliation import Holding
from opora.core.documents.model.statuses import DocumentStatus
from opora.core.documents.ports.banking import Content, CoreBanking

CHANCE = SystemRandom()
PAPER = b"%PDF-1.7 " + b"a paper of the bank's client " * 20_000 + b"%%EOF"


def fresh_id() -> int:
    """Return the id of a document that no bank has heard of."""
    return CHANCE.randrange(1, 2**40)


def a_consignment(
    document_id: int | None = None,
    version: int = 3,
    status: DocumentStatus = DocumentStatus.APPROVED,
    paper: bytes = PAPER,
) -> Consignment:
    """Return what the bank is told of an approved document, or of one in another status."""
    id = document_id or fresh_id()
    return Consignment(
        key=key_of(id, version),
        document_id=id,
        version=version,
        status=status,
        user_id=7,
        category="contracts",
        description="Договор аренды",
        media_type=str(MediaType.PDF),
        size=len(paper),
        sha256=sha256(paper).hexdigest(),
        has_file=status is DocumentStatus.APPROVED,
        at=datetime.now(UTC),
    )


def content_of(paper: bytes = PAPER) -> Content:
    """Return what opens a file of these bytes."""

    async def opened(start: int) -> AsyncIterator[bytes]:
        return in_parts(paper[start:])

    return opened


async def in_parts(some: bytes, length: int = 65_536) -> AsyncIterator[bytes]:
    """Give bytes over in parts."""
    for start in range(0, len(some), length):
        yield some[start : start + length]


async def breaking_off(start: int) -> AsyncIterator[bytes]:
    """Open a file whose reading fails in the middle."""

    async def parts() -> AsyncIterator[bytes]:
        async for part in in_parts(PAPER[start : len(PAPER) // 2]):
            yield part
        raise ConnectionResetError("the store of files broke off")

    return parts()


class CoreBankingContract:
    """What every adapter of the bank's system promises.

    `bank_answers` gives the bank its turn: where receipts do not come by themselves, let it write them. Documents get
    ids that are drawn anew, so that the suite may run on a test system of the bank again and again.
    """

    bank: CoreBanking

    async def bank_answers(self) -> None:
        """Let the bank work on what it was given; nothing where it does so by itself."""
        return

    async def receipts_of(self, *keys: str) -> list[Receipt]:
        """Return the receipts of these packets, settled or not yet; others are left where they are."""
        await self.bank_answers()
        found = [one for one in await self.bank.receipts(10_000) if isinstance(one, Receipt) and one.packet in keys]
        return sorted(found, key=lambda one: keys.index(one.packet))

    async def held(self, document_id: int) -> Holding | None:
        """Return what the bank's register says of a document."""
        register = await self.bank.register()
        return next(iter([one async for one in register.holdings if one.document_id == document_id]), None)

    async def test_a_packet_is_answered_by_a_receipt_that_names_it(self) -> None:
        told = a_consignment()
        await self.bank.submit(told, content_of())
        (receipt,) = await self.receipts_of(told.key)
        assert receipt.verdict is Verdict.ACCEPTED
        assert 1 <= len(receipt.id) <= 200

    async def test_what_was_accepted_stands_in_the_register_with_the_digest_of_its_file(self) -> None:
        told = a_consignment()
        await self.bank.submit(told, content_of())
        await self.receipts_of(told.key)
        held = await self.held(told.document_id)
        assert held == Holding(
            document_id=told.document_id, version=told.version, status="approved", sha256=told.sha256
        )

    async def test_a_change_without_a_file_is_taken_too_and_keeps_the_digest(self) -> None:
        approved = a_consignment()
        processed = a_consignment(approved.document_id, 4, DocumentStatus.PROCESSED)
        await self.bank.submit(approved, content_of())
        await self.bank_answers()
        await self.bank.submit(processed, None)
        assert len(await self.receipts_of(approved.key, processed.key)) == 2
        held = await self.held(approved.document_id)
        assert held is not None
        assert (held.version, held.status, held.sha256) == (4, "processed", approved.sha256)

    async def test_a_packet_sent_again_is_the_same_packet(self) -> None:
        told = a_consignment()
        first = await self.bank.submit(told, content_of())
        again = await self.bank.submit(told, content_of())
        assert first == again
        assert len(await self.receipts_of(told.key)) == 1
        await self.bank.submit(told, content_of())
        assert len(await self.receipts_of(told.key)) == 1

    async def test_an_older_version_changes_nothing(self) -> None:
        newer = a_consignment(version=5)
        older = a_consignment(newer.document_id, 2, DocumentStatus.IN_REVIEW)
        await self.bank.submit(newer, content_of())
        await self.bank_answers()
        await self.bank.submit(older, None)
        await self.bank_answers()
        held = await self.held(newer.document_id)
        assert held is not None
        assert (held.version, held.status) == (5, "approved")

    async def test_receipts_come_again_until_they_are_settled(self) -> None:
        told = a_consignment()
        await self.bank.submit(told, content_of())
        first = await self.receipts_of(told.key)
        assert await self.receipts_of(told.key) == first
        await self.bank.settle([one.id for one in first])
        assert await self.receipts_of(told.key) == []
        await self.bank.settle([one.id for one in first])

    async def test_a_receipt_that_was_put_aside_comes_no_more(self) -> None:
        told = a_consignment()
        await self.bank.submit(told, content_of())
        (receipt,) = await self.receipts_of(told.key)
        await self.bank.quarantine(receipt.id, "for a look")
        assert await self.receipts_of(told.key) == []
        await self.bank.quarantine(receipt.id, "for a look")

    async def test_ids_that_are_not_there_are_passed_over(self) -> None:
        for id in ("no-such-receipt", "../../etc/passwd", "a" * 200):
            await self.bank.settle([id])
            await self.bank.quarantine(id, "none")

    async def test_no_more_receipts_come_than_were_asked_for(self) -> None:
        for _ in range(3):
            await self.bank.submit(a_consignment(status=DocumentStatus.IN_REVIEW), None)
        await self.bank_answers()
        assert len(await self.bank.receipts(2)) == 2

    async def test_a_file_that_is_not_the_one_announced_is_never_held(self) -> None:
        told = a_consignment()
        with suppress(CoreBankingRefused, CoreBankingUnavailable):
            await self.bank.submit(told, content_of(b"something else"))
        await self.bank_answers()
        assert await self.held(told.document_id) is None

    async def test_a_file_that_breaks_off_is_not_held_and_may_be_sent_again(self) -> None:
        told = a_consignment()
        with pytest.raises((ConnectionResetError, CoreBankingUnavailable)):
            await self.bank.submit(told, breaking_off)
        await self.bank_answers()
        assert await self.held(told.document_id) is None
        await self.bank.submit(told, content_of())
        (receipt,) = await self.receipts_of(told.key)
        assert receipt.verdict is Verdict.ACCEPTED

    async def test_the_register_goes_up_from_document_to_document(self) -> None:
        base = fresh_id()
        for number in (2, 0, 1):
            await self.bank.submit(a_consignment(base + number, status=DocumentStatus.REJECTED), None)
        await self.bank_answers()
        register = await self.bank.register()
        ids = [one.document_id async for one in register.holdings]
        assert ids == sorted(set(ids))
        assert {base, base + 1, base + 2} <= set(ids)
        assert register.as_of.tzinfo is not None

    async def test_it_tells_in_a_few_words_what_answers(self) -> None:
        assert 1 <= len(await self.bank.check()) <= 300
