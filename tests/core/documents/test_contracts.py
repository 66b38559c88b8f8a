"""Contracts: whose they are, what may be linked to them, and how a link moves."""

from datetime import UTC, datetime

import pytest

from core.documents.branch import ALL, CUSTOMER, OPERATOR, Branch
from opora.adapters.sql.documents.reference import SqlClientViews
from opora.core.documents.errors import (
    AlreadyLinked,
    ContractClosed,
    InvalidLink,
    NoSuchClient,
    NoSuchContract,
    NoSuchDocument,
    NoSuchLink,
    NotTheContractsClient,
)
from opora.core.documents.model.contracts import Contract, ContractFilter, ContractStatus, LinkStatus
from opora.core.documents.model.documents import EVERYONES, NOBODYS, Reach
from opora.core.documents.model.links import LinkPolicy
from opora.core.documents.rules.contracts import OPERATION_STATUSES, reach, wanted_status
from opora.core.documents.usecases.contracts import (
    ChangeContract,
    CreateContract,
    LinkDocument,
    MoveLink,
    ReadContract,
)
from opora.core.kernel.errors import IllegalMove
from opora.core.kernel.model import Actor
from opora.testing.documents import CLIENT, STRANGER

pytestmark = pytest.mark.anyio

NOON = datetime(2030, 1, 14, 12, tzinfo=UTC)


async def a_contract(branch: Branch, user_id: int = CLIENT) -> Contract:
    """Register a contract."""
    clients = SqlClientViews(branch.database.read)
    return await CreateContract(branch.unit, clients, branch.clock)(OPERATOR, user_id, "Контракт на обслуживание")


def reader(branch: Branch) -> ReadContract:
    """Return what reads contracts."""
    return ReadContract(branch.contracts, branch.clock, LinkPolicy(secret=b"secret"))


async def test_a_new_contract_is_a_draft_and_goes_on_to_active_and_closed(branch: Branch) -> None:
    contract = await a_contract(branch)
    assert (contract.status, contract.user_id) == (ContractStatus.DRAFT, CLIENT)
    change = ChangeContract(branch.unit, branch.clock)
    assert (await change(OPERATOR, contract.id, status=ContractStatus.ACTIVE)).status is ContractStatus.ACTIVE
    described = await change(OPERATOR, contract.id, "Новый", ContractStatus.ACTIVE)
    assert (described.description, described.version) == ("Новый", 3)
    await change(OPERATOR, contract.id, status=ContractStatus.CLOSED)
    with pytest.raises(IllegalMove) as refused:
        await change(OPERATOR, contract.id, status=ContractStatus.DRAFT)
    assert refused.value.facts["allowed"] == []
    assert (await branch.actions()).count("contract.changed") == 3


async def test_a_draft_is_never_closed_without_having_been_active(branch: Branch) -> None:
    contract = await a_contract(branch)
    with pytest.raises(IllegalMove) as refused:
        await ChangeContract(branch.unit, branch.clock)(OPERATOR, contract.id, status=ContractStatus.CLOSED)
    assert refused.value.facts["allowed"] == ["active"]


async def test_a_contract_is_made_with_somebody_who_is_there(branch: Branch) -> None:
    with pytest.raises(NoSuchClient):
        await a_contract(branch, 999)


async def test_a_client_sees_their_own_contracts_and_the_bank_everyones(branch: Branch) -> None:
    own, other = await a_contract(branch), await a_contract(branch, STRANGER)
    read = reader(branch)
    assert await read(CUSTOMER, own.id) == own
    with pytest.raises(NoSuchContract):
        await read(CUSTOMER, other.id)
    assert await read(OPERATOR, other.id) == other
    mine = await branch.contracts.page(reach(CUSTOMER), ContractFilter(), ALL)
    assert [one.id for one in mine.items] == [own.id]
    drafts = ContractFilter(user_id=STRANGER, status=ContractStatus.DRAFT)
    assert [one.id for one in (await branch.contracts.page(EVERYONES, drafts, ALL)).items] == [other.id]


def test_a_key_of_nobody_sees_no_contract() -> None:
    assert reach(Actor(key_id=1, scopes=frozenset({"contracts:read"}))) == NOBODYS
    assert reach(CUSTOMER) == Reach(CLIENT)


async def test_a_linked_document_stands_on_the_card_with_a_link_to_its_file(branch: Branch) -> None:
    contract = await a_contract(branch)
    await branch.document(5)
    link = await LinkDocument(branch.unit, branch.clock)(OPERATOR, contract.id, 5)
    assert link.status is LinkStatus.ACTIVE
    (paper,) = (await reader(branch).documents(CUSTOMER, contract.id, ALL)).items
    assert (paper.document.id, paper.status) == (5, LinkStatus.ACTIVE)
    assert paper.download is not None
    assert paper.download.document_id == 5


async def test_a_file_that_is_not_handed_out_has_no_link(branch: Branch) -> None:
    contract = await a_contract(branch)
    await branch.document(5, is_file_removed=True)
    await LinkDocument(branch.unit, branch.clock)(OPERATOR, contract.id, 5)
    (paper,) = (await reader(branch).documents(OPERATOR, contract.id, ALL)).items
    assert paper.download is None


async def test_another_clients_document_is_refused_and_one_that_is_not_there_is_not_found(branch: Branch) -> None:
    contract, link = await a_contract(branch), LinkDocument(branch.unit, branch.clock)
    await branch.document(5, user_id=STRANGER)
    with pytest.raises(NotTheContractsClient):
        await link(OPERATOR, contract.id, 5)
    with pytest.raises(NoSuchDocument):
        await link(OPERATOR, contract.id, 6)
    with pytest.raises(NoSuchContract):
        await link(OPERATOR, 999, 5)


async def test_a_document_is_linked_once_and_again_after_its_link_was_revoked(branch: Branch) -> None:
    contract, link = await a_contract(branch), LinkDocument(branch.unit, branch.clock)
    move = MoveLink(branch.unit, branch.clock)
    await branch.document(5)
    await link(OPERATOR, contract.id, 5)
    with pytest.raises(AlreadyLinked):
        await link(OPERATOR, contract.id, 5)
    assert (await move(OPERATOR, contract.id, 5, LinkStatus.REVOKED)).status is LinkStatus.REVOKED
    assert (await link(OPERATOR, contract.id, 5)).status is LinkStatus.ACTIVE
    await move(OPERATOR, contract.id, 5, LinkStatus.ARCHIVED)
    with pytest.raises(AlreadyLinked):
        await link(OPERATOR, contract.id, 5)
    with pytest.raises(IllegalMove):
        await move(OPERATOR, contract.id, 5, LinkStatus.ACTIVE)


async def test_nothing_is_linked_to_a_closed_contract_but_a_link_can_still_be_revoked(branch: Branch) -> None:
    contract, link = await a_contract(branch), LinkDocument(branch.unit, branch.clock)
    move = MoveLink(branch.unit, branch.clock)
    await branch.document(5)
    await link(OPERATOR, contract.id, 5)
    for status in (ContractStatus.ACTIVE, ContractStatus.CLOSED):
        await ChangeContract(branch.unit, branch.clock)(OPERATOR, contract.id, status=status)
    await move(OPERATOR, contract.id, 5, LinkStatus.REVOKED)
    with pytest.raises(ContractClosed):
        await move(OPERATOR, contract.id, 5, LinkStatus.ACTIVE)
    with pytest.raises(ContractClosed):
        await link(OPERATOR, contract.id, 5)


async def test_what_is_not_linked_cannot_be_revoked(branch: Branch) -> None:
    contract = await a_contract(branch)
    with pytest.raises(NoSuchLink):
        await MoveLink(branch.unit, branch.clock)(OPERATOR, contract.id, 5, LinkStatus.REVOKED)


async def test_the_ids_of_link_statuses_are_those_of_the_seeded_list(branch: Branch) -> None:
    rows = await branch.database.read.fetch("SELECT id, code FROM operation_statuses")
    seeded = {row["id"]: row["code"] for row in rows}
    assert {id: seeded[id] for id in OPERATION_STATUSES} == {id: str(one) for id, one in OPERATION_STATUSES.items()}


def test_a_status_is_said_by_its_id_or_its_name_or_both_alike() -> None:
    assert wanted_status(4, None) is LinkStatus.REVOKED
    assert wanted_status(None, LinkStatus.ARCHIVED) is LinkStatus.ARCHIVED
    assert wanted_status(4, LinkStatus.REVOKED) is LinkStatus.REVOKED


@pytest.mark.parametrize(
    ("id", "status", "field"),
    [(1, None, "operation_status_id"), (4, LinkStatus.ACTIVE, "status"), (None, None, "operation_status_id")],
)
def test_a_status_that_links_do_not_have_is_refused_by_its_field(
    id: int | None, status: LinkStatus | None, field: str
) -> None:
    with pytest.raises(InvalidLink) as refused:
        wanted_status(id, status)
    assert list(refused.value.errors) == [field]
