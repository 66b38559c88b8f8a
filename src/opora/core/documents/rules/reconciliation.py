"""On what the two sides differ, one document at a time."""

from datetime import datetime, timedelta

from opora.core.documents.errors import BadRegister
from opora.core.documents.model.packets import UNDER_WAY, PacketStatus
from opora.core.documents.model.reconciliation import Difference, Holding, TicketKind, Told


def is_under_way(told: Told, as_of: datetime) -> bool:
    """Tell whether nobody can know: the packet is not settled yet, or was settled after the register was made."""
    settled_at = told.settled_at
    return told.status in UNDER_WAY or settled_at is None or settled_at >= as_of


def difference(
    told: Told | None, holding: Holding | None, as_of: datetime, now: datetime, silence: timedelta
) -> Difference | None:
    """Return how the sides differ on one document; None where they agree, or where it cannot be known yet."""
    if told is None:
        return None if holding is None else unknown(holding)
    if is_under_way(told, as_of):
        return unanswered(told) if told.status in UNDER_WAY and now - told.created_at > silence else None
    if told.status is PacketStatus.OVERRIDDEN:  # a person answered for it
        return None
    if told.status is not PacketStatus.ACCEPTED:
        kind = TicketKind.NOT_TAKEN
    elif holding is None:
        kind = TicketKind.MISSING_THERE
    elif agree(told, holding):
        return None
    else:
        kind = TicketKind.DIFFERS
    return Difference(
        kind=kind, document_id=told.document_id, here=said(told), there=None if holding is None else held(holding)
    )


def unknown(holding: Holding) -> Difference:
    """The difference that a document makes which the bank was never told of."""
    return Difference(kind=TicketKind.UNKNOWN_HERE, document_id=holding.document_id, there=held(holding))


def unanswered(told: Told) -> Difference:
    """The difference that a packet makes which the bank leaves without an answer."""
    return Difference(kind=TicketKind.UNANSWERED, document_id=told.document_id, here=said(told))


def agree(told: Told, holding: Holding) -> bool:
    """Tell whether the bank holds what it was told; a file it was never given has no digest."""
    return (told.version, str(told.document_status)) == (holding.version, holding.status) and holding.sha256 in (
        None,
        told.sha256,
    )


def said(told: Told) -> str:
    """What we told, in words."""
    return f"version {told.version}, {told.document_status}, packet {told.status}, {told.sha256}"


def held(holding: Holding) -> str:
    """What the bank holds, in words."""
    return f"version {holding.version}, {holding.status}, {holding.sha256 or 'no file'}"


def refuse_disorder(before: int, holding: Holding) -> None:
    """Raise BadRegister where a register does not go up from document to document."""
    if holding.document_id <= before:
        raise BadRegister(f"Document {holding.document_id} comes after {before}: the register is not in order.")
