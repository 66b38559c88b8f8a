"""What the bank's own system is told, what it answers, and that either counts once."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.documents.branch import OPERATOR, Branch
from opora.adapters.banking.local import LocalCoreBanking
from opora.core.documents.errors import CoreBankingRefused, NoSuchPacket
from opora.core.documents.model.documents import AbsSync
from opora.core.documents.model.packets import (
    MOVES,
    SEND,
    SYNC_OF,
    TAKEN,
    BadReceipt,
    Consignment,
    DispatchPolicy,
    Outcome,
    Packet,
    PacketStatus,
    Receipt,
    Verdict,
)
from opora.core.documents.model.statuses import DocumentStatus
from opora.core.documents.ports.banking import Content
from opora.core.documents.rules import packets as rules
from opora.core.documents.usecases.packets import OverridePacket, RetryPacket, SendPacket
from opora.core.kernel.errors import IllegalMove
from opora.core.kernel.model import SYSTEM
from opora.testing.documents import a_document

pytestmark = pytest.mark.anyio

NOON = datetime(2030, 1, 14, 12, tzinfo=UTC)
APPROVED, PROCESSED = DocumentStatus.APPROVED, DocumentStatus.PROCESSED


def a_packet(**changes: Any) -> Packet:
    """Return a packet of an approved document that waits to be sent."""
    packet = Packet(id=1, document_id=5, version=2, document_status=APPROVED, has_file=True, created_at=NOON)
    return replace(packet, **changes)


def a_receipt(verdict: Verdict = Verdict.ACCEPTED, **changes: Any) -> Receipt:
    """Return a receipt of that packet."""
    return replace(Receipt(id="r-1", packet="5.2", verdict=verdict, reference="ABS-5"), **changes)


@given(
    st.sampled_from(list(PacketStatus)),
    st.lists(st.sampled_from([Verdict.ACCEPTED, Verdict.REJECTED]), max_size=4),
)
def test_receipts_in_any_number_lead_to_a_verdict_and_never_away_from_what_was_taken(
    status: PacketStatus, verdicts: list[Verdict]
) -> None:
    packet = a_packet(status=status)
    for verdict in verdicts:
        before, (packet, outcome) = packet, rules.answered(packet, a_receipt(verdict), NOON)
        assert (packet == before) is (outcome is Outcome.IDLE)
        assert before.status not in TAKEN or packet == before


def test_a_bank_may_think_better_of_what_it_rejected() -> None:
    packet, _ = rules.answered(a_packet(status=PacketStatus.REJECTED, error="no"), a_receipt(), NOON)
    assert (packet.status, packet.error) == (PacketStatus.ACCEPTED, None)


def test_a_receipt_leaves_what_it_does_not_say() -> None:
    sent = a_packet(status=PacketStatus.SENT, reference="ABS-4")
    accepted, _ = rules.answered(sent, a_receipt(reference=None, reason="thanks"), NOON)
    assert (accepted.reference, accepted.error, accepted.settled_at) == ("ABS-4", None, NOON)
    rejected, _ = rules.answered(sent, a_receipt(Verdict.REJECTED, reason="unreadable"), NOON)
    assert (rejected.status, rejected.error) == (PacketStatus.REJECTED, "unreadable")


def test_only_an_approved_documents_packet_carries_the_file() -> None:
    assert [status for status in DocumentStatus if rules.carries_file(status)] == [APPROVED]


def test_a_purged_file_cannot_go_along() -> None:
    with pytest.raises(CoreBankingRefused):
        rules.consignment(a_packet(), a_document(5, is_file_removed=True), "contracts")
    assert not rules.consignment(a_packet(has_file=False), a_document(5, is_file_removed=True), "contracts").has_file


def test_every_status_shows_on_the_document_and_what_was_taken_is_final() -> None:
    assert set(SYNC_OF) == set(PacketStatus)
    assert MOVES.final() == TAKEN


class TestJourney:
    """A document on its way to the bank and back."""

    async def test_an_approved_document_is_taken_by_the_bank_and_is_processed(self, branch: Branch) -> None:
        await branch.approved(5)
        assert (await branch.read(5)).abs_sync is AbsSync.QUEUED
        await branch.send()
        document = await branch.read(5)
        assert (document.abs_sync, document.abs_reference) == (AbsSync.SENT, "ABS-0000000005")
        assert await branch.receive() == {"applied": 1}
        document = await branch.read(5)
        assert (document.status, document.abs_sync, document.moved_by) == (PROCESSED, AbsSync.ACCEPTED, "system")
        assert "abs.receipt_applied" in await branch.actions()

    async def test_the_change_to_processed_is_told_too_and_ends_there(self, branch: Branch) -> None:
        await branch.approved(5)
        for _ in range(3):
            await branch.send()
            await branch.receive()
            await branch.relay()
        packets = await branch.packets()
        assert [(one.document_status, one.has_file, one.status) for one in packets] == [
            (APPROVED, True, PacketStatus.ACCEPTED),
            (PROCESSED, False, PacketStatus.ACCEPTED),
        ]
        assert await branch.receive() == {}

    async def test_telling_on_a_document_does_not_move_its_version(self, branch: Branch) -> None:
        await branch.approved(5)
        version = (await branch.read(5)).version
        await branch.send()
        assert (await branch.read(5)).version == version

    async def test_an_event_told_twice_is_one_packet(self, branch: Branch) -> None:
        await branch.approved(5)
        event = {"subject": 5, "version": 2, "status": "approved"}
        from opora.core.documents.usecases.packets import RegisterPacket

        await branch.job("abs.register", RegisterPacket(branch.unit, branch.clock, branch.policy), event=event)
        assert len(await branch.packets()) == 1

    async def test_a_document_deleted_meanwhile_is_not_told_of(self, branch: Branch) -> None:
        await branch.document(5)
        await branch.move(5, DocumentStatus.REJECTED)
        await branch.remove(5)
        await branch.relay()
        assert await branch.packets() == []

    async def test_a_bank_that_is_down_is_asked_again_and_an_answer_that_was_lost_sends_nothing_twice(
        self, branch: Branch
    ) -> None:
        branch.faults = "submit:down,submit:lost"
        await branch.approved(5)
        assert [await branch.send() for _ in range(3)] == [1, 1, 0]
        assert await branch.receive() == {"applied": 1}
        (packet,) = await branch.packets()
        assert packet.attempts == 3

    async def test_a_receipt_may_come_before_our_own_note_that_the_packet_was_sent(self, branch: Branch) -> None:
        branch.faults = "submit:lost"
        await branch.approved(5)
        assert await branch.send() == 1
        assert await branch.receive() == {"applied": 1}
        assert await branch.send() == 0
        assert [one.status for one in await branch.packets()] == [PacketStatus.ACCEPTED]

    async def test_a_packet_that_nobody_takes_fails_with_one_ticket(self, branch: Branch) -> None:
        branch.faults = "submit:down*3"
        await branch.approved(5)
        for _ in range(3):
            await branch.send()
        await branch.bury()
        (packet,), (ticket,) = await branch.packets(), await branch.tickets()
        assert (packet.status, ticket.kind, ticket.subject) == (PacketStatus.FAILED, "not_taken", "document:5")
        assert (await branch.read(5)).abs_sync is AbsSync.FAILED

    async def test_what_the_bank_will_never_take_fails_at_once(self, branch: Branch) -> None:
        branch.faults = "submit:refuse"
        await branch.approved(5)
        assert await branch.send() == 0
        assert [one.status for one in await branch.packets()] == [PacketStatus.FAILED]

    @pytest.mark.parametrize("loss", ["file", "document", "blob"])
    async def test_what_went_before_it_was_sent_fails_at_once(self, branch: Branch, loss: str) -> None:
        await branch.approved(5)
        document = await branch.read(5)
        if loss == "file":
            async with branch.unit() as tx:
                await tx.documents.save(document.changed(is_file_removed=True), document.version)
        elif loss == "document":
            await branch.remove(5)
        else:
            await branch.blobs.delete(document.blob_name)
        assert await branch.send() == 0
        assert [one.status for one in await branch.packets()] == [PacketStatus.FAILED]

    async def test_an_answer_that_comes_while_the_bank_is_still_told_is_not_overwritten(self, branch: Branch) -> None:
        await branch.approved(5)
        (claim,) = await branch.leases.claim([SEND], 1, 30.0)
        await SendPacket(branch.unit, AnsweredMeanwhile(branch), branch.blobs, branch.clock)(claim)
        assert [one.status for one in await branch.packets()] == [PacketStatus.ACCEPTED]

    async def test_a_document_deleted_while_the_bank_is_told_leaves_its_packet_as_sent(self, branch: Branch) -> None:
        await branch.approved(5)
        (claim,) = await branch.leases.claim([SEND], 1, 30.0)
        await SendPacket(branch.unit, DeletedMeanwhile(branch), branch.blobs, branch.clock)(claim)
        assert [one.status for one in await branch.packets()] == [PacketStatus.SENT]
        await branch.bank.close()


class AnsweredMeanwhile(LocalCoreBanking):
    """A bank whose receipt is there, and read, before its answer is."""

    def __init__(self, branch: Branch) -> None:
        super().__init__(branch.folder)
        self.branch = branch

    async def submit(self, consignment: Consignment, content: Content | None) -> str | None:
        reference = await super().submit(consignment, content)
        await self.branch.receive()
        return reference


class DeletedMeanwhile(AnsweredMeanwhile):
    """A bank that is being told while the client deletes the document."""

    async def submit(self, consignment: Consignment, content: Content | None) -> str | None:
        await self.branch.remove(consignment.document_id)
        return None


class TestReceipts:
    """What the bank sends, and what else it may send."""

    async def test_a_receipt_twice_counts_once(self, branch: Branch) -> None:
        branch.faults = "receipts:ok,receipts:twice"
        await branch.approved(5)
        await branch.send()
        assert await branch.receive() == {"applied": 1}
        assert await branch.receive() == {"idle": 1}
        assert (await branch.actions()).count("abs.receipt_applied") == 1

    async def test_a_receipt_for_nobody_and_one_that_cannot_be_read_are_put_aside_with_a_ticket_each(
        self, branch: Branch
    ) -> None:
        branch.faults = "receipts:stranger,receipts:garbled"
        assert await branch.receive() == {"stranger": 1}
        assert await branch.receive() == {"unreadable": 1}
        assert [one.kind for one in await branch.tickets()] == ["stranger_receipt", "bad_receipt"]
        assert await branch.receive() == {}

    @pytest.mark.parametrize("key", ["x", "5", "5.x", "٥.2", "1" * 40 + ".1", "5.3"])
    async def test_a_key_that_no_packet_has_is_a_stranger(self, branch: Branch, key: str) -> None:
        from opora.core.documents.usecases.receipts import apply

        await branch.approved(5)
        async with branch.unit() as tx:
            outcome = await apply(tx, a_receipt(packet=key), branch.clock.now(), branch.desk)
            assert await apply(tx, a_receipt(packet=key), branch.clock.now(), branch.desk) is outcome
        assert outcome is Outcome.STRANGER
        assert len(await branch.tickets()) == 1

    async def test_a_rejected_document_stays_approved_and_has_a_ticket_until_it_is_taken(self, branch: Branch) -> None:
        branch.faults = "submit:reject"
        await branch.approved(5)
        await branch.send()
        await branch.receive()
        document = await branch.read(5)
        assert (document.status, document.abs_sync) == (APPROVED, AbsSync.FAILED)
        (packet,), (ticket,) = await branch.packets(), await branch.tickets()
        assert (packet.status, ticket.here) == (PacketStatus.REJECTED, "The stand-in was told to reject.")

    async def test_a_rejected_packet_that_is_sent_again_is_judged_anew(self, branch: Branch) -> None:
        branch.faults = "submit:reject"
        await branch.approved(5)
        await branch.send()
        await branch.receive()
        (packet,) = await branch.packets()
        await RetryPacket(branch.unit, branch.clock, branch.policy)(OPERATOR, packet.id)
        await branch.send()
        assert await branch.receive() == {"applied": 1}
        assert (await branch.read(5)).status is PROCESSED
        assert await branch.tickets(is_open=True) == []

    async def test_more_receipts_than_fit_in_a_batch_are_all_read(self, branch: Branch) -> None:
        await branch.approved(1, 2, 3, 4, 5)
        await branch.send()
        assert await branch.receive() == {"applied": 5}
        assert len(await branch.receipt_ids()) == 5

    async def test_one_job_reads_so_many_batches_and_the_next_reads_on(self, branch: Branch) -> None:
        branch.policy = DispatchPolicy(receipts_at_once=1, rounds_max=2)
        await branch.approved(1, 2, 3)
        await branch.send()
        assert [await branch.receive() for _ in range(2)] == [{"applied": 2}, {"applied": 1}]

    async def test_what_cannot_be_read_has_one_ticket_however_often_it_comes(self, branch: Branch) -> None:
        from opora.core.documents.usecases.receipts import put_aside

        for _ in range(2):
            async with branch.unit() as tx:
                await put_aside(tx, BadReceipt("file-1", "not JSON"), branch.clock.now())
        assert len(await branch.tickets()) == 1


class TestOperators:
    """What people do where the queue cannot help."""

    async def failed(self, branch: Branch) -> Packet:
        """Return a packet that the bank refused."""
        branch.faults = "submit:refuse"
        await branch.approved(5)
        await branch.send()
        return (await branch.packets())[0]

    async def test_a_failed_packet_is_sent_again_by_hand_and_its_ticket_closed(self, branch: Branch) -> None:
        packet = await self.failed(branch)
        again = await RetryPacket(branch.unit, branch.clock, branch.policy)(OPERATOR, packet.id)
        assert (again.status, again.error) == (PacketStatus.QUEUED, None)
        await branch.send()
        assert await branch.receive() == {"applied": 1}
        assert [one.closed_by for one in await branch.tickets()] == [OPERATOR.subject]
        assert "abs.packet_retried" in await branch.actions()

    async def test_a_packet_settled_by_hand_processes_its_document_in_the_operators_name(self, branch: Branch) -> None:
        packet = await self.failed(branch)
        override = OverridePacket(branch.unit, branch.clock, branch.desk)
        settled = await override(OPERATOR, packet.id, "Typed in by hand", "MANUAL-7")
        assert (settled.status, settled.comment) == (PacketStatus.OVERRIDDEN, "Typed in by hand")
        document = await branch.read(5)
        assert (document.status, document.abs_reference, document.moved_by) == (
            PROCESSED,
            "MANUAL-7",
            OPERATOR.subject,
        )
        assert await branch.tickets(is_open=True) == []

    async def test_what_the_bank_has_taken_is_neither_sent_again_nor_overridden(self, branch: Branch) -> None:
        await branch.approved(5)
        await branch.send()
        await branch.receive()
        (packet,) = await branch.packets()
        with pytest.raises(IllegalMove):
            await RetryPacket(branch.unit, branch.clock, branch.policy)(OPERATOR, packet.id)
        with pytest.raises(IllegalMove):
            await OverridePacket(branch.unit, branch.clock, branch.desk)(OPERATOR, packet.id, "again")

    async def test_a_packet_of_a_deleted_document_can_be_sent_again_and_overridden(self, branch: Branch) -> None:
        packet = await self.failed(branch)
        await branch.remove(5)
        await RetryPacket(branch.unit, branch.clock, branch.policy)(OPERATOR, packet.id)
        assert await branch.send() == 0
        await OverridePacket(branch.unit, branch.clock, branch.desk)(OPERATOR, packet.id, "not needed any more")

    async def test_there_is_nothing_to_do_with_a_packet_that_is_not_there(self, branch: Branch) -> None:
        with pytest.raises(NoSuchPacket):
            await RetryPacket(branch.unit, branch.clock, branch.policy)(OPERATOR, 1)

    async def test_a_dead_job_of_another_kind_gives_up_nothing(self, branch: Branch) -> None:
        from opora.core.jobs.events import JobDied

        async with branch.unit() as tx:
            await tx.outbox.add(JobDied(subject="x", at=branch.clock.now(), kind="exports.render", error=""))
        await branch.bury()
        assert await branch.tickets() == []

    async def test_giving_up_what_was_settled_meanwhile_changes_nothing(self, branch: Branch) -> None:
        from opora.core.documents.usecases.packets import give_up

        await branch.approved(5)
        await branch.send()
        (packet,) = await branch.packets()
        async with branch.unit() as tx:
            await give_up(tx, packet.id, "late", branch.clock.now())
        assert [one.status for one in await branch.packets()] == [PacketStatus.SENT]

    async def test_an_older_packet_does_not_speak_for_a_document_that_moved_on(self, branch: Branch) -> None:
        branch.faults = "submit:refuse"
        await branch.approved(5)
        await branch.move(5, PROCESSED, SYSTEM)
        await branch.relay()
        await branch.send()
        assert (await branch.read(5)).abs_sync is AbsSync.SENT
        branch.clock.at += timedelta(hours=1)
        assert [one.status for one in await branch.packets()] == [PacketStatus.FAILED, PacketStatus.SENT]
