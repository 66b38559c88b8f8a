"""Documents over HTTP, as clients of a bank send them in and see them."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from api.v1.bank import ABS, DBO, LEASE, Bank, paper, send
from api.v1.banking_fixtures import anna, anyio_backend, bank, boris, olga, refused
from opora.adapters.sandbox.signatures import EICAR
from opora.testing.papers import GOOD, a_pdf

pytestmark = pytest.mark.anyio
__all__ = ("anna", "anyio_backend", "bank", "boris", "olga")


async def test_a_document_that_is_sent_in_waits_to_be_worked_on(bank: Bank, anna: httpx.AsyncClient) -> None:
    content = paper()
    answer = await send(anna, content, actual_date="2026-01-01", actual_end_date="2027-01-01")
    assert answer.status_code == 201
    found = answer.json()
    assert {**LEASE, "status": "pending", "media_type": "application/pdf", "pages": 1}.items() <= found.items()
    assert (found["size"], len(found["sha256"]), found["callcopy_id"]) == (len(content), 64, 2)
    assert (found["actual_date"], found["actual_end_date"]) == ("2026-01-01", "2027-01-01")
    assert answer.headers["location"] == f"{DBO}/documents/{found['id']}"
    assert (await anna.get(f"{DBO}/documents/{found['id']}")).json() == found


@pytest.mark.parametrize("kind", GOOD)
async def test_each_kind_of_file_is_told_by_its_content_whatever_it_is_called(
    anna: httpx.AsyncClient, kind: str
) -> None:
    answer = await send(anna, GOOD[kind], "scan.of.12.05.2026")
    assert (answer.status_code, answer.json()["media_type"]) == (201, kind)
    file = await anna.get(f"{DBO}/documents/{answer.json()['id']}/download")
    suffix = {"application/pdf": "pdf", "image/png": "png", "image/jpeg": "jpg"}.get(kind, "docx")
    assert file.headers["content-type"] == kind
    assert f'filename="scan.of.12.05.2026.{suffix}"' in file.headers["content-disposition"]


@pytest.mark.parametrize("said", [{"category": "финансы"}, {"category": "finance"}, {"category": "4"}, {}])
async def test_a_category_is_said_by_name_code_or_id(anna: httpx.AsyncClient, said: dict[str, str]) -> None:
    fields = said or {"category": None, "callcopy_id": "4"}
    answer = await send(anna, paper(), **fields)
    assert (answer.status_code, answer.json()["category"]) == (201, "Финансы")


async def test_the_same_bytes_in_the_same_category_are_one_document(
    bank: Bank, anna: httpx.AsyncClient, boris: httpx.AsyncClient
) -> None:
    content = paper()
    first = await send(anna, content)
    again = await send(anna, content, name="other.pdf", description="Иное")
    assert (again.status_code, again.json()) == (200, first.json())
    elsewhere = await send(anna, content, category="Финансы")
    others = await send(boris, content)
    assert (elsewhere.status_code, others.status_code) == (201, 201)
    assert len({one.json()["id"] for one in (first, elsewhere, others)}) == 3


async def test_a_repeated_upload_under_its_key_is_answered_as_the_first_one(anna: httpx.AsyncClient) -> None:
    content, key = paper(), {"idempotency-key": "upload-1"}
    first = await send(anna, content, headers=key)
    again = await send(anna, content, headers=key)
    assert (first.status_code, again.status_code) == (201, 201), again.text
    assert (again.json(), again.headers["idempotent-replayed"]) == (first.json(), "true")
    other = await send(anna, paper(), headers=key)
    assert refused(other) == (422, "idempotency_key_reused")
    bad = await send(anna, b"no paper", headers={"idempotency-key": "upload-2"})
    assert bad.status_code == 415
    mended = await send(anna, paper(), headers={"idempotency-key": "upload-2"})
    assert mended.status_code == 201


async def test_a_clients_documents_are_listed_the_newest_first(bank: Bank, olga: httpx.AsyncClient) -> None:
    async with await bank.person("clara") as clara:
        ids = [(await bank.uploaded(clara, description=f"№ {number}"))["id"] for number in range(3)]
        path = f"{DBO}/users/{bank.ids['clara']}/documents"
        whole = (await clara.get(path)).json()
        assert [one["id"] for one in whole["documents"]] == ids[::-1]
        assert set(whole["documents"][0]) == {"id", "description", "category", "upload_date", "status"}
        assert (whole["count"], whole["next"], whole["previous"]) == (3, None, None)
        page = (await clara.get(path, params={"limit": 2})).json()
        rest = (await clara.get(page["next"])).json()
        assert [one["id"] for one in rest["documents"]] == ids[:1]
    assert (await olga.get(path)).json() == whole


async def test_a_strangers_documents_are_not_there(
    bank: Bank, anna: httpx.AsyncClient, boris: httpx.AsyncClient
) -> None:
    id = (await bank.uploaded(anna))["id"]
    own = f"{DBO}/documents/{id}"
    calls = [
        boris.get(own),
        boris.patch(own, json={"description": "Моё"}),
        boris.delete(own),
        boris.get(f"{own}/download"),
        boris.post(f"{own}/download-link"),
        boris.get(f"{ABS}/{id}"),
    ]
    assert [refused(await one) for one in calls] == [(404, "no_such_document")] * 6
    assert refused(await boris.get(f"{DBO}/users/{bank.ids['anna']}/documents")) == (404, "no_such_client")
    assert refused(await anna.get(f"{DBO}/users/{10**6}/documents")) == (404, "no_such_client")


async def test_a_worker_reads_what_clients_sent_and_changes_none_of_it(
    bank: Bank, anna: httpx.AsyncClient, olga: httpx.AsyncClient
) -> None:
    content = paper()
    own = f"{DBO}/documents/{(await bank.uploaded(anna, content))['id']}"
    assert (await olga.get(f"{own}/download")).content == content
    assert refused(await olga.patch(own, json={"description": "Моё"})) == (403, "insufficient_scope")
    assert refused(await olga.delete(own)) == (403, "insufficient_scope")
    assert (await send(olga, paper())).status_code == 403


async def test_a_key_without_a_person_has_no_documents(bank: Bank) -> None:
    key = await bank.program.key("documents:read", "documents:write")
    async with bank.program.client(key=key.key) as client:
        assert refused(await send(client, paper())) == (403, "no_person")
        assert refused(await client.get(f"{DBO}/documents/1")) == (404, "no_such_document")


async def test_a_description_is_changed_as_the_bank_wrote_it_down(bank: Bank, anna: httpx.AsyncClient) -> None:
    id = (await bank.uploaded(anna))["id"]
    answer = await anna.patch(f"{DBO}/documents/{id}", json={"description": "Обновленный договор аренды"})
    told = {"document_id": id, "updated_field": "description", "new_value": "Обновленный договор аренды"}
    assert (answer.status_code, answer.json()) == (200, told)
    assert (await anna.get(f"{DBO}/documents/{id}")).json()["description"] == "Обновленный договор аренды"
    assert refused(await anna.patch(f"{DBO}/documents/{id}", json={"description": "  "})) == (422, "invalid_document")


async def test_a_document_is_deleted_until_the_bank_works_on_it(bank: Bank, anna: httpx.AsyncClient) -> None:
    content = paper()
    id = (await bank.uploaded(anna, content))["id"]
    answer = await anna.delete(f"{DBO}/documents/{id}")
    assert (answer.status_code, answer.json()) == (200, {"message": f"Document {id} deleted successfully"})
    assert refused(await anna.get(f"{DBO}/documents/{id}")) == (404, "no_such_document")
    assert refused(await anna.delete(f"{DBO}/documents/{id}")) == (404, "no_such_document")
    again = await bank.uploaded(anna, content)
    assert again["id"] != id
    await bank.moved(again["id"], "in_review")
    answer = await anna.delete(f"{DBO}/documents/{again['id']}")
    assert refused(answer) == (409, "document_in_use")
    assert answer.json()["deletable"] == ["needs_info", "pending", "rejected"]
    await bank.moved(again["id"], "rejected")
    assert (await anna.delete(f"{DBO}/documents/{again['id']}")).status_code == 200


async def test_a_file_is_read_in_parts(bank: Bank, anna: httpx.AsyncClient) -> None:
    content = a_pdf("Parts", padding=5_000)
    own = f"{DBO}/documents/{(await bank.uploaded(anna, content))['id']}/download"
    whole = await anna.get(own)
    assert (whole.content, whole.headers["accept-ranges"]) == (content, "bytes")
    part = await anna.get(own, headers={"range": "bytes=100-199"})
    assert (part.status_code, part.content) == (206, content[100:200])
    assert part.headers["content-range"] == f"bytes 100-199/{len(content)}"
    same = await anna.get(own, headers={"if-none-match": whole.headers["etag"]})
    assert same.status_code == 304
    assert (await anna.get(own, headers={"range": "bytes=999999-"})).status_code == 416
    assert whole.headers["x-content-type-options"] == "nosniff"
    assert whole.headers["content-disposition"].startswith("attachment;")


async def test_a_link_lets_its_holder_read_one_file_for_a_while(bank: Bank, anna: httpx.AsyncClient) -> None:
    content = paper()
    id, other = [(await bank.uploaded(anna, one))["id"] for one in (content, paper())]
    answer = await anna.post(f"{DBO}/documents/{id}/download-link", json={"expires_in_seconds": 60})
    assert answer.status_code == 201
    url = answer.json()["url"]
    async with bank.program.client() as nobody:
        assert (await nobody.get(url)).content == content
        said = {name: one[0] for name, one in parse_qs(urlsplit(url).query).items()}
        forged = [
            (f"{DBO}/documents/{other}/file", said),
            (f"{DBO}/documents/{id}/file", {**said, "expires": int(said["expires"]) + 1}),
            (f"{DBO}/documents/{id}/file", {**said, "signature": "0" * 64}),
            (f"{DBO}/documents/{id}/file", {**said, "signature": "é" * 64}),
        ]
        for path, query in forged:
            assert refused(await nobody.get(path, params=query)) == (404, "link_invalid")
        assert refused(await nobody.get(f"{DBO}/documents/999999/file", params=said)) == (404, "no_such_document")
        assert (await nobody.get(f"{DBO}/documents/{id}/file")).status_code == 422
        bank.program.clock.ahead += timedelta(seconds=61)
        assert refused(await nobody.get(url)) == (410, "link_expired")


async def test_a_link_holds_as_long_as_the_bank_lets(bank: Bank, anna: httpx.AsyncClient) -> None:
    id = (await bank.uploaded(anna))["id"]
    place = f"{DBO}/documents/{id}/download-link"
    assert (await anna.post(place)).status_code == 201
    answer = await anna.post(place, json={"expires_in_seconds": 86_401})
    assert (refused(answer), list(answer.json()["errors"])) == ((422, "invalid_document"), ["expires_in_seconds"])


async def test_a_harmful_file_is_kept_out_of_reach(
    bank: Bank, anna: httpx.AsyncClient, olga: httpx.AsyncClient
) -> None:
    found = await bank.uploaded(anna, a_pdf(extra=EICAR))
    assert found["status"] == "quarantined"
    place = f"{DBO}/documents/{found['id']}"
    for client in (anna, olga):
        assert refused(await client.get(f"{place}/download")) == (403, "document_quarantined")
        assert refused(await client.post(f"{place}/download-link")) == (403, "document_quarantined")
    whole = (await olga.get(f"{ABS}/{found['id']}")).json()
    assert [(one["status"], one["by"]) for one in whole["history"]] == [
        ("pending", bank.ids["anna"]),
        ("quarantined", "system"),
    ]
    assert (whole["scan"], whole["allowed"]) == ("infected", [])
    assert refused(await anna.delete(place)) == (409, "document_in_use")
