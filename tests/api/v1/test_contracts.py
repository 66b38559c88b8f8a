"""Contracts over HTTP: the answers of the bank's description, and who sees what."""

from collections.abc import AsyncIterator

import pytest

from api.v1.bank import Bank

pytestmark = pytest.mark.anyio

SM = "/api/v1/sm/contracts"
SERVICE = "Контракт на обслуживание"


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """The bank outlives a test."""
    return "asyncio"


@pytest.fixture(scope="module")
async def bank(anyio_backend: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Bank]:
    """A bank with a client, another one and a worker."""
    async with Bank.over(tmp_path_factory.mktemp("bank")) as bank:
        yield bank


async def contract_of(bank: Bank, name: str = "anna") -> int:
    """Register a contract of a client."""
    await bank.person(name)
    made = await (await bank.olga()).post(SM, json={"user_id": bank.ids[name], "description": SERVICE})
    assert made.status_code == 201
    return int(made.json()["contract_id"])


async def test_a_contract_is_registered_linked_shown_and_its_link_revoked_as_the_bank_described_it(bank: Bank) -> None:
    anna, olga = await bank.anna(), await bank.olga()
    made = await olga.post(SM, json={"user_id": bank.ids["anna"], "description": SERVICE})
    id = made.json()["contract_id"]
    assert (made.status_code, made.headers["location"]) == (201, f"{SM}/{id}")
    assert made.json() == {"contract_id": id, "user_id": bank.ids["anna"], "status": "draft"}
    document = await bank.uploaded(anna)
    linked = await olga.post(f"{SM}/{id}/link", json={"document_id": document["id"]})
    assert (linked.status_code, linked.json()) == (
        201,
        {"contract_id": id, "document_id": document["id"], "status": "active"},
    )
    papers = (await anna.get(f"/v1/sm/contracts/{id}/documents")).json()
    assert papers["contract_id"] == id
    (paper,) = papers["documents"]
    assert {name: paper[name] for name in ("document_id", "description", "status")} == {
        "document_id": document["id"],
        "description": "Договор аренды",
        "status": "active",
    }
    file = await bank.program.client().get(paper["link"])
    assert (file.status_code, file.content[:5]) == (200, b"%PDF-")
    moved = await olga.put(f"{SM}/{id}/link", json={"document_id": document["id"], "operation_status_id": 4})
    assert (moved.status_code, moved.json()) == (
        200,
        {"contract_id": id, "document_id": document["id"], "new_status": "revoked"},
    )


async def test_a_contract_moves_from_draft_to_active_to_closed_and_not_back(bank: Bank) -> None:
    id, olga = await contract_of(bank), await bank.olga()
    for status in ("active", "closed"):
        changed = await olga.patch(f"{SM}/{id}", json={"status": status})
        assert (changed.status_code, changed.json()["status"]) == (200, status)
    back = await olga.patch(f"{SM}/{id}", json={"status": "draft"})
    assert (back.status_code, back.json()["code"], back.json()["allowed"]) == (409, "illegal_move", [])


async def test_a_client_sees_their_own_contracts_and_changes_none(bank: Bank) -> None:
    own, others = await contract_of(bank), await contract_of(bank, "boris")
    anna = await bank.anna()
    seen = (await anna.get(SM)).json()["results"]
    assert seen[0]["contract_id"] == own
    assert {one["user_id"] for one in seen} == {bank.ids["anna"]}
    assert (await anna.get(f"{SM}/{own}")).json()["description"] == SERVICE
    for path in (f"{SM}/{others}", f"{SM}/{others}/documents"):
        hidden = await anna.get(path)
        assert (hidden.status_code, hidden.json()["code"]) == (404, "no_such_contract")
    link = await anna.post(f"{SM}/{own}/link", json={"document_id": 1})
    assert link.status_code == 403
    assert (await anna.post(SM, json={"user_id": 1, "description": SERVICE})).status_code == 403
    listed = (await (await bank.olga()).get(SM, params={"user_id": bank.ids["boris"], "status": "draft"})).json()
    assert [one["contract_id"] for one in listed["results"]] == [others]


async def test_what_cannot_be_linked_is_refused_by_its_code(bank: Bank) -> None:
    id, olga = await contract_of(bank), await bank.olga()
    own, others = await bank.uploaded(await bank.anna()), await bank.uploaded(await bank.boris())
    place = f"{SM}/{id}/link"
    strange = await olga.post(place, json={"document_id": others["id"]})
    assert (strange.status_code, strange.json()["code"]) == (403, "not_the_contracts_client")
    missing = await olga.post(place, json={"document_id": 999})
    assert (missing.status_code, missing.json()["code"]) == (404, "no_such_document")
    assert (await olga.post(f"{SM}/999/link", json={"document_id": own["id"]})).json()["code"] == "no_such_contract"
    assert (await olga.post(place, json={"document_id": own["id"]})).status_code == 201
    twice = await olga.post(place, json={"document_id": own["id"]})
    assert (twice.status_code, twice.json()["code"]) == (409, "already_linked")
    unlinked = await olga.put(place, json={"document_id": others["id"], "status": "revoked"})
    assert (unlinked.status_code, unlinked.json()["code"]) == (404, "no_such_link")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"document_id": 1, "operation_status_id": 1}, "operation_status_id"),
        ({"document_id": 1}, "operation_status_id"),
        ({"document_id": 1, "operation_status_id": 4, "status": "active"}, "status"),
        ({"document_id": 0, "operation_status_id": 4}, "document_id"),
        ({"document_id": 1, "status": "burnt"}, "status"),
        ({"document_id": 1, "operation_status_id": 4, "why": "x"}, "why"),
    ],
)
async def test_a_link_status_that_is_none_is_named_by_its_field(
    bank: Bank, body: dict[str, object], field: str
) -> None:
    answer = await (await bank.olga()).put(f"{SM}/1/link", json=body)
    assert (answer.status_code, field in answer.json()["errors"]) == (422, True)


async def test_a_contract_of_nobody_and_one_without_words_are_not_made(bank: Bank) -> None:
    olga = await bank.olga()
    nobody = await olga.post(SM, json={"user_id": 999, "description": SERVICE})
    assert (nobody.status_code, nobody.json()["code"]) == (404, "no_such_client")
    assert (await olga.post(SM, json={"user_id": 1, "description": ""})).status_code == 422
    assert (await olga.get(f"{SM}/999")).status_code == 404
