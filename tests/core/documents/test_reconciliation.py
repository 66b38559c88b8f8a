"""Both sides compared: the difference is empty, or each item of it has a ticket."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.documents.branch import HOUR, OPERATOR, Branch
from opora.core.documents.errors import BadRegister, NoSuchTicket, TicketClosed
from opora.core.documents.model.packets import PacketStatus
from opora.core.documents.model.reconciliation import (
    RECONCILE,
    Holding,
    ReconciliationStatus,
    Register,
    TicketKind,
    Told,
)
from opora.core.documents.model.statuses import DocumentStatus
from opora.core.documents.rules.reconciliation import difference
from opora.core.documents.usecases.packets import OverridePacket
from opora.core.documents.usecases.reconciliation import CloseTicket, Reconcile, RequestReconciliation, side_by_side
from opora.core.jobs.model import JobState
from opora.core.kernel.errors import Unavailable

pytestmark = pytest.mark.anyio

NOON = datetime(2030, 1, 14, 12, tzinfo=UTC)
DIGEST = "a" * 64


def told(document_id: int = 5, **changes: Any) -> Told:
    """Return what the bank was told of a document, and has taken."""
    one = Told(
        document_id=document_id,
        version=2,
        document_status=DocumentStatus.APPROVED,
        status=PacketStatus.ACCEPTED,
        sha256=DIGEST,
        created_at=NOON - 2 * HOUR,
        settled_at=NOON - HOUR,
    )
    return replace(one, **changes)


def held(document_id: int = 5, **changes: Any) -> Holding:
    """Return what the bank holds of that document."""
    return replace(Holding(document_id=document_id, version=2, status="approved", sha256=DIGEST), **changes)


def found(ours: Told | None, theirs: Holding | None) -> TicketKind | None:
    """Return what kind of difference these two make."""
    one = difference(ours, theirs, NOON, NOON, HOUR)
    return None if one is None else one.kind


@pytest.mark.parametrize(
    ("ours", "theirs", "kind"),
    [
        (told(), held(), None),
        (told(), held(sha256=None), None),
        (told(), None, TicketKind.MISSING_THERE),
        (None, held(), TicketKind.UNKNOWN_HERE),
        (None, None, None),
        (told(), held(version=1), TicketKind.DIFFERS),
        (told(), held(status="processed"), TicketKind.DIFFERS),
        (told(), held(sha256="b" * 64), TicketKind.DIFFERS),
        (told(status=PacketStatus.SENT, settled_at=None), None, TicketKind.UNANSWERED),
        (told(status=PacketStatus.SENT, settled_at=None, created_at=NOON), held(version=1), None),
        (told(settled_at=NOON), None, None),
        (told(status=PacketStatus.OVERRIDDEN), None, None),
        (told(status=PacketStatus.FAILED), held(version=1), TicketKind.NOT_TAKEN),
        (told(status=PacketStatus.REJECTED), None, TicketKind.NOT_TAKEN),
    ],
)
def test_what_two_sides_make_of_one_document(
    ours: Told | None, theirs: Holding | None, kind: TicketKind | None
) -> None:
    assert found(ours, theirs) is kind


async def each(some: list[Any]) -> AsyncIterator[Any]:
    """Give one after another."""
    for one in some:
        yield one


IDS = st.sets(st.integers(1, 30)).map(sorted)


@given(IDS, IDS)
async def test_every_document_of_either_side_is_looked_at_once(ours: list[int], theirs: list[int]) -> None:
    register = Register(NOON, each([held(id) for id in theirs]))
    seen = [
        (left.document_id if left else None, right.document_id if right else None)
        async for left, right in side_by_side(each([told(id) for id in ours]), register)
    ]
    both = sorted({*ours, *theirs})
    assert seen == [(id if id in ours else None, id if id in theirs else None) for id in both]


@pytest.mark.parametrize("ids", [[2, 1], [1, 1], [-1], [0]])
async def test_a_register_that_does_not_go_up_is_refused(ids: list[int]) -> None:
    with pytest.raises(BadRegister):
        _ = [one async for one in side_by_side(each([]), Register(NOON, each([held(id) for id in ids])))]


async def settled(branch: Branch, *ids: int) -> None:
    """Have documents taken by the bank, and all of it told."""
    await branch.approved(*ids)
    for _ in range(2):
        await branch.send()
        await branch.receive()
        await branch.relay()
    branch.clock.at -= timedelta(seconds=1)  # the register is younger than the last receipt


async def test_two_sides_that_agree_have_no_difference(branch: Branch) -> None:
    branch.clock.at -= HOUR
    await settled(branch, 1, 2, 3, 4, 5)
    assert await branch.compare() == {"compared": 5, "differences": 0}
    assert await branch.tickets() == []
    assert "abs.reconciled" in await branch.actions()


async def test_each_difference_has_one_ticket_however_often_it_is_found_until_it_is_no_more(branch: Branch) -> None:
    branch.clock.at -= HOUR
    branch.faults = "register:miss,register:differ,register:differ"
    await settled(branch, 1, 2, 3)
    assert await branch.compare() == {"compared": 3, "differences": 1}
    assert [one.kind for one in await branch.tickets(is_open=True)] == ["missing_there"]
    for _ in range(2):
        assert await branch.compare() == {"compared": 3, "differences": 1}
    assert [one.kind for one in await branch.tickets(is_open=True)] == ["differs"]
    assert await branch.compare() == {"compared": 3, "differences": 0}
    assert [(one.kind, one.closed_by) for one in await branch.tickets()] == [
        ("missing_there", "system"),
        ("differs", "system"),
    ]


async def test_what_the_bank_holds_and_was_never_told_of_has_a_ticket(branch: Branch) -> None:
    from opora.testing.core_banking import a_consignment

    await branch.bank.submit(a_consignment(77, status=DocumentStatus.REJECTED), None)
    assert await branch.compare() == {"compared": 1, "differences": 1}
    (ticket,) = await branch.tickets()
    assert (ticket.kind, ticket.subject, ticket.here) == ("unknown_here", "document:77", None)
    assert ticket.there is not None


async def test_more_differences_than_fit_in_a_batch_each_have_a_ticket(branch: Branch) -> None:
    branch.clock.at -= 3 * HOUR
    await branch.approved(1, 2, 3, 4, 5)
    branch.clock.at += 3 * HOUR
    wish = await RequestReconciliation(branch.unit, branch.reconcile.identifiers, branch.clock)(OPERATOR)
    await branch.reconcile(await branch.claim(RECONCILE))
    done = await branch.views.reconciliation(wish.id)
    assert done is not None
    assert (done.status, done.differences, done.opened, done.under_way) == ("completed", 5, 5, 5)
    assert {one.kind for one in await branch.tickets()} == {"unanswered"}


async def test_a_comparison_asked_for_twice_over_is_made_once(branch: Branch) -> None:
    wish = await RequestReconciliation(branch.unit, branch.reconcile.identifiers, branch.clock)(OPERATOR)
    await branch.compare(reconciliation_id=str(wish.id))
    assert await branch.compare(reconciliation_id=str(wish.id)) is None
    assert await branch.compare(reconciliation_id=str(uuid4())) is None


async def test_a_register_in_disorder_ends_the_comparison_as_failed_and_closes_nothing(branch: Branch) -> None:
    branch.clock.at -= HOUR
    branch.faults = "register:miss,register:disorder"
    await settled(branch, 1, 2)
    await branch.compare()
    assert "error" in (await branch.compare() or {})
    assert len(await branch.tickets(is_open=True)) == 1


async def test_a_bank_that_does_not_answer_repeats_the_job_and_a_dead_one_has_failed(branch: Branch) -> None:
    branch.faults = "register:down*2"
    wish = await RequestReconciliation(branch.unit, branch.reconcile.identifiers, branch.clock)(OPERATOR)
    claim = await branch.claim(RECONCILE)
    with pytest.raises(Unavailable):
        await branch.reconcile(claim)
    await branch.leases.fail(claim, JobState.DEAD, 0.0, "down")
    await branch.bury()
    kept = await branch.views.reconciliation(wish.id)
    assert kept is not None
    assert (kept.status, kept.error) == (ReconciliationStatus.FAILED, "down")


async def test_a_comparison_that_ended_before_its_job_died_stays_as_it_ended(branch: Branch) -> None:
    wish = await RequestReconciliation(branch.unit, branch.reconcile.identifiers, branch.clock)(OPERATOR)
    claim = await branch.claim(RECONCILE)
    async with branch.unit() as tx:
        await tx.reconciliations.save(wish.ended(ReconciliationStatus.COMPLETED, branch.clock.now()))
    await branch.leases.fail(claim, JobState.DEAD, 0.0, "down")
    await branch.bury()
    kept = await branch.views.reconciliation(wish.id)
    assert kept is not None
    assert kept.status is ReconciliationStatus.COMPLETED


async def test_a_comparison_at_once_needs_no_job(branch: Branch) -> None:
    branch.clock.at -= HOUR
    await settled(branch, 1)
    done = await branch.reconcile.at_once(OPERATOR)
    assert (done.status, done.compared, done.requested_by) == ("completed", 1, OPERATOR.subject)


async def test_what_was_settled_by_hand_is_nobodys_difference(branch: Branch) -> None:
    branch.faults = "submit:refuse"
    await branch.approved(5)
    await branch.send()
    (packet,) = await branch.packets()
    branch.clock.at -= HOUR
    await OverridePacket(branch.unit, branch.clock, branch.desk)(OPERATOR, packet.id, "by hand")
    assert await branch.compare() == {"compared": 1, "differences": 0}


async def test_a_ticket_is_closed_once_with_a_word_about_it(branch: Branch) -> None:
    branch.faults = "receipts:stranger"
    await branch.receive()
    (ticket,) = await branch.tickets()
    close = CloseTicket(branch.unit, branch.clock)
    closed = await close(OPERATOR, ticket.id, "a test of the bank's")
    assert (closed.closed_by, closed.comment) == (OPERATOR.subject, "a test of the bank's")
    with pytest.raises(TicketClosed):
        await close(OPERATOR, ticket.id, "again")
    with pytest.raises(NoSuchTicket):
        await close(OPERATOR, 999, "none")
    assert isinstance(branch.reconcile, Reconcile)
    assert await branch.views.reconciliation(UUID(int=1)) is None
