"""What the bank does with contracts, and what it links to them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from opora.core.documents.errors import (
    AlreadyLinked,
    NoSuchClient,
    NoSuchContract,
    NoSuchDocument,
    NoSuchLink,
)
from opora.core.documents.events import ContractChanged, ContractCreated, DocumentLinked, LinkMoved
from opora.core.documents.model.contracts import Contract, ContractStatus, Link, LinkedDocument, LinkStatus
from opora.core.documents.model.documents import EVERYONES
from opora.core.documents.model.links import LinkPolicy
from opora.core.documents.ports.contracts import ContractTx, ContractViews
from opora.core.documents.ports.reference import ClientViews
from opora.core.documents.rules import contracts as rules
from opora.core.documents.rules.links import signed
from opora.core.documents.usecases.work import refuse_unreadable
from opora.core.kernel.errors import DomainError
from opora.core.kernel.model import Actor, Change, Page, PageRequest
from opora.core.kernel.ports import Clock, UnitOfWork


@dataclass(frozen=True, slots=True)
class CreateContract:
    """Register a client's contract."""

    unit: UnitOfWork[ContractTx]
    clients: ClientViews
    clock: Clock

    async def __call__(self, actor: Actor, user_id: int, description: str) -> Contract:
        """Return the new contract, a draft; raises NoSuchClient."""
        if user_id not in await self.clients.exist([user_id]):
            raise NoSuchClient(user_id=user_id)
        now = self.clock.now()
        async with self.unit() as tx:
            contract = Contract(
                id=await tx.contracts.next_id(),
                user_id=user_id,
                description=description,
                created_at=now,
                created_by=actor.subject,
                updated_at=now,
            )
            await tx.contracts.add(contract)
            await tx.outbox.add(ContractCreated(subject=contract.id, at=now, user_id=user_id))
            new = {"user_id": user_id, "status": str(contract.status)}
            await tx.audit.record(change(actor, ContractCreated.topic, contract, now, new))
        return contract


@dataclass(frozen=True, slots=True)
class ChangeContract:
    """Describe a contract anew, or move it on."""

    unit: UnitOfWork[ContractTx]
    clock: Clock

    async def __call__(
        self, actor: Actor, id: int, description: str | None = None, status: ContractStatus | None = None
    ) -> Contract:
        """Return the contract as it is then; raises NoSuchContract, IllegalMove."""
        now = self.clock.now()
        async with self.unit() as tx:
            before = await held(tx, id)
            after = rules.changed(before, now, description, status)
            await tx.contracts.save(after, before.version)
            event = ContractChanged(subject=id, at=now, user_id=after.user_id, status=str(after.status))
            await tx.outbox.add(event)
            new = {"status": str(after.status), "is_described": description is not None}
            await tx.audit.record(change(actor, event.topic, after, now, new, {"status": str(before.status)}))
        return after


@dataclass(frozen=True, slots=True)
class ReadContract:
    """Read a contract, and the documents on its card."""

    views: ContractViews
    clock: Clock
    policy: LinkPolicy

    async def __call__(self, actor: Actor, id: int) -> Contract:
        """Raise NoSuchContract for a contract that is not within the caller's reach."""
        contract = await self.views.one(id, rules.reach(actor))
        if contract is None:
            raise NoSuchContract(contract_id=id)
        return contract

    async def documents(self, actor: Actor, id: int, request: PageRequest) -> Page[LinkedDocument]:
        """Return a page of its documents, each with a link to its file that holds for a while."""
        await self(actor, id)
        page = await self.views.documents(id, request)
        now = self.clock.now()
        return page.shown_as(lambda one: self._offered(one, now))

    def _offered(self, one: LinkedDocument, now: datetime) -> LinkedDocument:
        try:
            refuse_unreadable(one.document)
        except DomainError:
            return one
        return replace(one, download=signed(one.document, now, None, self.policy))


@dataclass(frozen=True, slots=True)
class LinkDocument:
    """Link a client's document to their contract."""

    unit: UnitOfWork[ContractTx]
    clock: Clock

    async def __call__(self, actor: Actor, contract_id: int, document_id: int) -> Link:
        """Return the link; a revoked one is made active again.

        Raises NoSuchContract, NoSuchDocument, NotTheContractsClient, ContractClosed, AlreadyLinked.
        """
        now = self.clock.now()
        async with self.unit() as tx:
            contract = await held(tx, contract_id)
            document = await tx.documents.get(document_id, EVERYONES)
            if document is None:
                raise NoSuchDocument(document_id=document_id)
            rules.refuse_link(contract, document)
            link = Link(
                contract_id=contract_id,
                document_id=document_id,
                linked_at=now,
                linked_by=actor.subject,
                moved_at=now,
            )
            if not await tx.contracts.link(link):
                link = await self._again(tx, contract_id, document_id)
            event = DocumentLinked(subject=contract_id, at=now, document_id=document_id, user_id=contract.user_id)
            await tx.outbox.add(event)
            await tx.audit.record(change(actor, event.topic, contract, now, {"document_id": document_id}))
        return link

    async def _again(self, tx: ContractTx, contract_id: int, document_id: int) -> Link:
        kept = await tx.contracts.linked(contract_id, document_id)
        if kept is None or kept.status is not LinkStatus.REVOKED:
            raise AlreadyLinked(contract_id=contract_id, document_id=document_id)
        link = rules.moved(kept, LinkStatus.ACTIVE, self.clock.now())
        await tx.contracts.save_link(link)
        return link


@dataclass(frozen=True, slots=True)
class MoveLink:
    """Revoke, archive or renew a link."""

    unit: UnitOfWork[ContractTx]
    clock: Clock

    async def __call__(self, actor: Actor, contract_id: int, document_id: int, status: LinkStatus) -> Link:
        """Return the link as it is then; raises NoSuchContract, NoSuchLink, ContractClosed, IllegalMove."""
        now = self.clock.now()
        async with self.unit() as tx:
            contract = await held(tx, contract_id)
            kept = await tx.contracts.linked(contract_id, document_id)
            if kept is None:
                raise NoSuchLink(contract_id=contract_id, document_id=document_id)
            if status is LinkStatus.ACTIVE:
                rules.refuse_closed(contract)
            link = rules.moved(kept, status, now)
            await tx.contracts.save_link(link)
            await tx.outbox.add(LinkMoved(subject=contract_id, at=now, document_id=document_id, status=str(status)))
            new = {"document_id": document_id, "status": str(status)}
            await tx.audit.record(change(actor, LinkMoved.topic, contract, now, new, {"status": str(kept.status)}))
        return link


async def held(tx: ContractTx, id: int) -> Contract:
    """Return the contract, locked; raises NoSuchContract."""
    contract = await tx.contracts.get(id)
    if contract is None:
        raise NoSuchContract(contract_id=id)
    return contract


def change(
    actor: Actor,
    action: str,
    contract: Contract,
    at: datetime,
    new: Mapping[str, object],
    old: Mapping[str, object] | None = None,
) -> Change:
    """The audit entry of something done to a contract."""
    return Change(
        actor=actor,
        action=action,
        entity_type="contract",
        entity_id=str(contract.id),
        at=at,
        old=old,
        new=new,
    )


USE_CASES = (CreateContract, ReadContract, ChangeContract, LinkDocument, MoveLink)
