"""Contracts of the stores of packets, receipts, tickets, comparisons and contracts."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any, Protocol
from uuid import UUID, uuid4

import pytest

from opora.core.access.ports.people import UserRepository
from opora.core.documents.model.contracts import Contract, ContractFilter, ContractStatus, Link, LinkStatus
from opora.core.documents.model.documents import EVERYONES, NOBODYS, Reach
from opora.core.documents.model.packets import InboxEntry, Outcome, Packet, PacketFilter, PacketStatus, Verdict
from opora.core.documents.model.reconciliation import (
    COMPARED,
    Difference,
    Reconciliation,
    ReconciliationStatus,
    TicketFilter,
    TicketKind,
)
from opora.core.documents.model.statuses import DocumentStatus
from opora.core.documents.ports.contracts import ContractTx, ContractViews
from opora.core.documents.ports.packets import BankingTx, BankingViews
from opora.core.kernel.errors import Invalid, Stale
from opora.core.kernel.model import PageRequest
from opora.core.kernel.ports import UnitOfWork
from opora.testing.documents import CLIENT, HOUR, NOON, STRANGER, a_document

TAKERS = 8
ALL = PageRequest(200)


class WholeTx(BankingTx, ContractTx, Protocol):
    """What a transaction shows that also keeps people."""

    @property
    def users(self) -> UserRepository: ...


def a_packet(id: int, document_id: int = 5, version: int = 2, **changes: Any) -> Packet:
    """Return a packet that waits to be sent."""
    packet = Packet(
        id=id,
        document_id=document_id,
        version=version,
        document_status=DocumentStatus.APPROVED,
        has_file=True,
        created_at=NOON,
    )
    return replace(packet, **changes)


def a_difference(document_id: int, kind: TicketKind = TicketKind.MISSING_THERE) -> Difference:
    """Return a difference on a document."""
    return Difference(kind=kind, document_id=document_id, here="here", there="there")


class BankingStoreContract:
    """What every store between documents and the bank's system promises; documents 5 and 6 are there."""

    unit: UnitOfWork[WholeTx]
    views: BankingViews

    async def with_documents(self, *ids: int) -> None:
        """Keep documents."""
        async with self.unit() as tx:
            for id in ids:
                await tx.documents.add(a_document(id))

    async def kept(self, **changes: Any) -> Packet:
        """Keep a packet."""
        async with self.unit() as tx:
            packet = a_packet(await tx.packets.next_id(), **changes)
            assert await tx.packets.add(packet)
        return packet

    async def test_gives_back_a_packet_as_it_was_kept_and_as_it_was_changed(self) -> None:
        packet = await self.kept()
        assert await self.views.packet(packet.id) == packet
        sent = packet.moved(
            PacketStatus.SENT, sent_at=NOON + HOUR, reference="ABS-5", attempts=1, error=None, comment="слово"
        )
        async with self.unit() as tx:
            assert await tx.packets.at(5, 2) == packet
            await tx.packets.save(sent)
        assert await self.views.packet(packet.id) == sent
        assert await self.views.packet(packet.id + 100) is None

    async def test_of_many_packets_of_one_change_one_is_kept(self) -> None:
        async def add() -> bool:
            async with self.unit() as tx:
                return await tx.packets.add(a_packet(await tx.packets.next_id()))

        assert sum(await asyncio.gather(*(add() for _ in range(TAKERS)))) == 1

    async def test_nothing_is_left_of_a_transaction_that_fails(self) -> None:
        with pytest.raises(RuntimeError):
            async with self.unit() as tx:
                await tx.packets.add(a_packet(await tx.packets.next_id()))
                await tx.abs_tickets.open(TicketKind.NOT_TAKEN, "document:5", None, NOON)
                raise RuntimeError
        assert (await self.views.packets(PacketFilter(), ALL)).count == 0
        assert (await self.views.tickets(TicketFilter(), ALL)).count == 0

    async def test_tells_the_newest_version_that_was_told_of(self) -> None:
        await self.kept(version=2)
        await self.kept(version=7)
        async with self.unit() as tx:
            assert await tx.packets.newest(5) == 7
            assert await tx.packets.newest(6) is None

    async def test_lists_packets_by_cursor_the_newest_first_by_status_and_document(self) -> None:
        await self.with_documents(6)
        packets = [await self.kept(version=number) for number in range(1, 6)]
        other = await self.kept(document_id=6, status=PacketStatus.SENT)
        first = await self.views.packets(PacketFilter(document_id=5), PageRequest(3))
        rest = await self.views.packets(PacketFilter(document_id=5), PageRequest(3, cursor=first.cursor))
        assert [*first.items, *rest.items] == packets[::-1]
        assert (first.count, first.more, rest.more, rest.cursor) == (5, True, False, None)
        assert list((await self.views.packets(PacketFilter(status=PacketStatus.SENT), ALL)).items) == [other]
        with pytest.raises(Invalid):
            await self.views.packets(PacketFilter(), PageRequest(3, cursor="5; DROP TABLE"))

    async def test_a_receipt_is_taken_in_once_whoever_brings_it(self) -> None:
        entry = InboxEntry(
            id="r-1",
            packet="5.2",
            verdict=Verdict.ACCEPTED,
            outcome=Outcome.APPLIED,
            reference="ABS-5",
            reason=None,
            received_at=NOON,
        )

        async def take() -> bool:
            async with self.unit() as tx:
                return await tx.abs_receipts.add(entry)

        assert sum(await asyncio.gather(*(take() for _ in range(TAKERS)))) == 1

    async def test_one_ticket_of_a_kind_and_subject_is_open_at_a_time(self) -> None:
        async def open_one() -> bool:
            async with self.unit() as tx:
                return await tx.abs_tickets.open(TicketKind.NOT_TAKEN, "document:5", "down", NOON)

        assert sum(await asyncio.gather(*(open_one() for _ in range(TAKERS)))) == 1
        async with self.unit() as tx:
            await tx.abs_tickets.close_about(TicketKind.NOT_TAKEN, "document:5", "user:3", NOON + HOUR)
        assert await open_one()
        tickets = (await self.views.tickets(TicketFilter(kind=TicketKind.NOT_TAKEN), ALL)).items
        assert [one.closed_by for one in tickets] == [None, "user:3"]
        assert [one.id for one in (await self.views.tickets(TicketFilter(is_open=True), ALL)).items] == [tickets[0].id]

    async def test_differences_have_one_ticket_each_and_those_not_found_again_are_closed(self) -> None:
        first, second = uuid4(), uuid4()
        async with self.unit() as tx:
            assert await tx.abs_tickets.open_all([a_difference(id) for id in (1, 2, 3)], first, NOON) == 3
            await tx.abs_tickets.open(TicketKind.STRANGER_RECEIPT, "receipt:x", None, NOON)
        async with self.unit() as tx:
            found = [a_difference(2), a_difference(4), a_difference(2, TicketKind.DIFFERS)]
            assert await tx.abs_tickets.open_all(found, second, NOON + HOUR) == 2
            assert await tx.abs_tickets.close_unfound(COMPARED, second, NOON + HOUR) == 2
        open_ones = (await self.views.tickets(TicketFilter(is_open=True), ALL)).items
        assert {(one.kind, one.subject) for one in open_ones} == {
            ("missing_there", "document:2"),
            ("missing_there", "document:4"),
            ("differs", "document:2"),
            ("stranger_receipt", "receipt:x"),
        }

    async def test_gives_back_a_ticket_as_it_was_closed(self) -> None:
        async with self.unit() as tx:
            await tx.abs_tickets.open(TicketKind.BAD_RECEIPT, "receipt:x", "not JSON", NOON)
        (ticket,) = (await self.views.tickets(TicketFilter(), ALL)).items
        closed = replace(ticket, closed_at=NOON + HOUR, closed_by="user:3", comment="слово")
        async with self.unit() as tx:
            assert await tx.abs_tickets.get(ticket.id) == ticket
            await tx.abs_tickets.save(closed)
            assert await tx.abs_tickets.get(ticket.id + 100) is None
        assert list((await self.views.tickets(TicketFilter(is_open=False), ALL)).items) == [closed]

    async def test_gives_back_a_comparison_as_it_began_and_as_it_ended(self) -> None:
        wish = Reconciliation(id=uuid4(), requested_at=NOON, requested_by="user:3")
        async with self.unit() as tx:
            await tx.reconciliations.add(wish)
        async with self.unit() as tx:
            assert await tx.reconciliations.get(wish.id) == wish
            assert await tx.reconciliations.get(UUID(int=1)) is None
            ended = wish.ended(ReconciliationStatus.COMPLETED, NOON + HOUR, as_of=NOON, compared=7, closed=1)
            await tx.reconciliations.save(ended)
        assert await self.views.reconciliation(wish.id) == ended
        assert list((await self.views.reconciliations(ALL)).items) == [ended]

    async def test_tells_the_newest_packet_of_each_document_in_their_order(self) -> None:
        await self.with_documents(6, 7)
        for document_id, version in ((7, 1), (5, 2), (5, 4), (6, 3)):
            await self.kept(document_id=document_id, version=version, settled_at=NOON, status=PacketStatus.ACCEPTED)
        found = await self.views.told(0, 2)
        assert [(one.document_id, one.version) for one in found] == [(5, 4), (6, 3)]
        assert [(one.document_id, one.version) for one in await self.views.told(6, 2)] == [(7, 1)]
        assert found[0].sha256 == a_document(5).sha256


class ContractStoreContract:
    """What every store of contracts promises; CLIENT and STRANGER are users, 5 and 6 documents of CLIENT's."""

    unit: UnitOfWork[WholeTx]
    contracts: ContractViews

    async def kept(self, **changes: Any) -> Contract:
        """Keep a contract."""
        async with self.unit() as tx:
            contract = replace(
                Contract(
                    id=await tx.contracts.next_id(),
                    user_id=CLIENT,
                    description="Контракт",
                    created_at=NOON,
                    created_by="user:3",
                    updated_at=NOON,
                ),
                **changes,
            )
            await tx.contracts.add(contract)
        return contract

    async def test_gives_back_a_contract_and_refuses_a_stale_change(self) -> None:
        contract = await self.kept()
        active = contract.changed(NOON + HOUR, status=ContractStatus.ACTIVE)
        async with self.unit() as tx:
            assert await tx.contracts.get(contract.id) == contract
            await tx.contracts.save(active, contract.version)
        assert await self.contracts.one(contract.id, EVERYONES) == active
        with pytest.raises(Stale):
            async with self.unit() as tx:
                await tx.contracts.save(active, contract.version)

    async def test_shows_nobody_anothers_contract(self) -> None:
        own, other = await self.kept(), await self.kept(user_id=STRANGER)
        for reach, expected in ((Reach(CLIENT), [own]), (EVERYONES, [other, own]), (NOBODYS, [])):
            page = await self.contracts.page(reach, ContractFilter(), ALL)
            assert (list(page.items), page.count) == (expected, len(expected))
        assert await self.contracts.one(other.id, Reach(CLIENT)) is None
        strangers = ContractFilter(user_id=STRANGER)
        assert list((await self.contracts.page(Reach(CLIENT), strangers, ALL)).items) == []

    async def test_of_many_links_of_one_document_one_is_kept(self) -> None:
        contract = await self.kept()
        link = Link(contract_id=contract.id, document_id=5, linked_at=NOON, linked_by="user:3", moved_at=NOON)

        async def add() -> bool:
            async with self.unit() as tx:
                return await tx.contracts.link(link)

        assert sum(await asyncio.gather(*(add() for _ in range(TAKERS)))) == 1
        async with self.unit() as tx:
            assert await tx.contracts.linked(contract.id, 5) == link
            assert await tx.contracts.linked(contract.id, 6) is None
            await tx.contracts.save_link(replace(link, status=LinkStatus.REVOKED, moved_at=NOON + HOUR))
        async with self.unit() as tx:
            moved = await tx.contracts.linked(contract.id, 5)
        assert moved == replace(link, status=LinkStatus.REVOKED, moved_at=NOON + HOUR)

    async def test_lists_a_contracts_documents_the_first_linked_first_without_deleted_ones(self) -> None:
        contract = await self.kept()
        async with self.unit() as tx:
            for minutes, id in enumerate((6, 5)):
                at = NOON + timedelta(minutes=minutes)
                await tx.contracts.link(
                    Link(contract_id=contract.id, document_id=id, linked_at=at, linked_by="user:3", moved_at=at)
                )
        page = await self.contracts.documents(contract.id, PageRequest(1))
        assert [one.document.id for one in page.items] == [6]
        assert (page.count, page.more) == (2, True)
        async with self.unit() as tx:
            document = await tx.documents.get(6, EVERYONES)
            assert document is not None
            await tx.documents.save(document.changed(deleted_at=NOON), document.version)
        assert [one.document.id for one in (await self.contracts.documents(contract.id, ALL)).items] == [5]
