"""Who sees a contract, and which documents may be linked to it."""

from dataclasses import replace
from datetime import datetime

from opora.core.documents.errors import ContractClosed, InvalidLink, NotTheContractsClient
from opora.core.documents.model.contracts import (
    CONTRACT_MOVES,
    LINK_MOVES,
    Contract,
    ContractStatus,
    Link,
    LinkStatus,
)
from opora.core.documents.model.documents import EVERYONES, NOBODYS, Document, Reach
from opora.core.kernel.model import Actor

WRITE = "contracts:write"
"""Whoever may change contracts sees every client's."""

OPERATION_STATUSES = {4: LinkStatus.REVOKED, 5: LinkStatus.ACTIVE, 6: LinkStatus.ARCHIVED}
"""The entries of the list of operation statuses that a link may have, by their ids."""


def reach(actor: Actor) -> Reach:
    """Return whose contracts the caller may see."""
    if actor.may(WRITE):
        return EVERYONES
    return NOBODYS if actor.user_id is None else Reach(actor.user_id)


def changed(contract: Contract, now: datetime, description: str | None, status: ContractStatus | None) -> Contract:
    """Return the contract after a change; raises IllegalMove. The same status again is no move."""
    if status is not None and status is not contract.status:
        CONTRACT_MOVES.check(contract.status, status)
    return contract.changed(now, description=description or contract.description, status=status or contract.status)


def refuse_link(contract: Contract, document: Document) -> None:
    """Raise NotTheContractsClient for another client's document, ContractClosed for a closed contract."""
    if document.user_id != contract.user_id:
        raise NotTheContractsClient(contract_id=contract.id, document_id=document.id)
    refuse_closed(contract)


def refuse_closed(contract: Contract) -> None:
    """Raise ContractClosed for a closed contract."""
    if contract.status is ContractStatus.CLOSED:
        raise ContractClosed(contract_id=contract.id)


def wanted_status(operation_status_id: int | None, status: LinkStatus | None) -> LinkStatus:
    """Return the status that is meant, said by its id or its name; raises InvalidLink."""
    named = OPERATION_STATUSES.get(operation_status_id) if operation_status_id is not None else None
    if operation_status_id is not None and named is None:
        known = ", ".join(f"{id} ({status})" for id, status in OPERATION_STATUSES.items())
        raise InvalidLink(errors={"operation_status_id": [f"is one of {known}"]})
    if status is not None and named not in (None, status):
        raise InvalidLink(errors={"status": [f"says something else than operation_status_id ({named})"]})
    if named is None and status is None:
        raise InvalidLink(errors={"operation_status_id": ["is needed, or status"]})
    return named or status or LinkStatus.ACTIVE


def moved(link: Link, status: LinkStatus, now: datetime) -> Link:
    """Return the link in another status; raises IllegalMove."""
    LINK_MOVES.check(link.status, status)
    return replace(link, status=status, moved_at=now)
