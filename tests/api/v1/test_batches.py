"""Batches over HTTP: an answer for each document in order, and a bad one fails alone."""

import json

import httpx
import pytest

from api.v1.bank import ABS, Bank, paper, send, send_batch
from api.v1.banking_fixtures import anna, anyio_backend, bank, boris, olga, refused
from opora.testing.papers import a_pdf

pytestmark = pytest.mark.anyio
__all__ = ("anna", "anyio_backend", "bank", "boris", "olga")


async def test_a_batch_is_taken_as_the_bank_wrote_it_down(
    bank: Bank, anna: httpx.AsyncClient, boris: httpx.AsyncClient, olga: httpx.AsyncClient
) -> None:
    said = [
        {"user_id": bank.ids["anna"], "description": "Справка 1", "callcopy_id": 3},
        {"user_id": bank.ids["boris"], "description": "Справка 2", "callcopy_id": 3},
    ]
    answer = await send_batch(olga, said, paper(), paper())
    assert answer.status_code == 200
    found = answer.json()
    assert (found["processed_count"], found["failed_count"]) == (2, 0)
    ids = found["document_ids"]
    assert found["items"] == [
        {"index": 0, "status": "created", "document_id": ids[0]},
        {"index": 1, "status": "created", "document_id": ids[1]},
    ]
    whole = (await olga.get(f"{ABS}/{ids[1]}")).json()
    assert (whole["user_id"], whole["category"]) == (bank.ids["boris"], "Справки о доходах")
    assert whole["history"][0]["by"] == bank.ids["olga"]


async def test_a_bad_one_fails_alone_and_leaves_no_file(
    bank: Bank, anna: httpx.AsyncClient, olga: httpx.AsyncClient
) -> None:
    content, anna_id = paper(), bank.ids["anna"]
    there = (await bank.uploaded(anna, content))["id"]
    good = {"user_id": anna_id, "description": "Справка", "callcopy_id": 2}
    said = [
        good,
        {**good, "user_id": 999_999},
        {**good, "callcopy_id": 99},
        {"user_id": "x", "odd": 1},
        good,
        good,
        {**good, "actual_date": "2026-02-01", "actual_end_date": "2026-01-01"},
        good,
    ]
    before = len(bank.files())
    bodies = [paper(), paper(), paper(), paper(), a_pdf()[:-20], b"", paper(), content]
    found = (await send_batch(olga, said, *bodies)).json()
    assert [(one["index"], one["status"], one.get("code")) for one in found["items"]] == [
        (0, "created", None),
        (1, "failed", "no_such_client"),
        (2, "failed", "no_such_category"),
        (3, "failed", "validation_failed"),
        (4, "failed", "damaged_file"),
        (5, "failed", "empty_file"),
        (6, "failed", "invalid_document"),
        (7, "existing", None),
    ]
    assert all(one["detail"] for one in found["items"] if one["status"] == "failed")
    assert (found["processed_count"], found["failed_count"]) == (2, 6)
    assert found["document_ids"][1] == there
    assert len(bank.files()) == before + 1


async def test_a_file_that_is_too_large_fails_alone(tmp_path_factory: pytest.TempPathFactory) -> None:
    async with (
        Bank.over(tmp_path_factory.mktemp("small"), OPORA_DOCUMENT_LIMIT_BYTES="4096") as small,
        await small.anna() as anna,
        await small.olga() as olga,
    ):
        assert refused(await send(anna, a_pdf(padding=5_000)))[0] == 413
        said = [{"user_id": small.ids["anna"], "description": "Справка", "callcopy_id": 3}] * 2
        found = (await send_batch(olga, said, a_pdf(padding=100_000), paper())).json()
        assert [(one["status"], one.get("code")) for one in found["items"]] == [
            ("failed", "blob_too_large"),
            ("created", None),
        ]
        assert len(small.files()) == 1


async def test_a_repeated_batch_is_answered_as_the_first_one(
    bank: Bank, anna: httpx.AsyncClient, olga: httpx.AsyncClient
) -> None:
    said = [{"user_id": bank.ids["anna"], "description": "Справка", "callcopy_id": 3}] * 2
    contents, key = [paper(), paper()], {"idempotency-key": "batch-1"}
    first = await send_batch(olga, said, *contents, headers=key)
    again = await send_batch(olga, said, *contents, headers=key)
    assert (again.json(), again.headers["idempotent-replayed"]) == (first.json(), "true")
    other = await send_batch(olga, said, *contents[::-1], headers=key)
    assert refused(other) == (422, "idempotency_key_reused")


async def test_what_is_no_batch_is_refused_whole(bank: Bank, anna: httpx.AsyncClient, olga: httpx.AsyncClient) -> None:
    one = {"user_id": bank.ids["anna"], "description": "Справка", "callcopy_id": 3}
    for said in ("{", "{}", "null", "[]"):
        assert refused(await send_batch(olga, said, paper())) == (422, "validation_failed"), said
    assert refused(await send_batch(olga, [one, one], paper())) == (422, "validation_failed")
    assert refused(await send_batch(olga, [one] * 501, *[b"x"] * 501)) == (413, "too_many_parts")
    odd = {"files": ("a.pdf", paper()), "file": ("b.pdf", paper())}
    answer = await olga.post(f"{ABS}/batch", data={"documents": json.dumps([one, one])}, files=odd)
    assert refused(answer) == (400, "malformed_form")
    extra = {"documents": json.dumps([one]), "mode": "fast"}
    answer = await olga.post(f"{ABS}/batch", data=extra, files={"files": ("a.pdf", paper())})
    assert refused(answer) == (422, "validation_failed")
    assert refused(await send_batch(anna, [one], paper())) == (403, "insufficient_scope")


async def test_a_bank_may_take_smaller_batches(tmp_path_factory: pytest.TempPathFactory) -> None:
    async with (
        Bank.over(tmp_path_factory.mktemp("few"), OPORA_DOCUMENT_BATCH_MAX="2") as few,
        await few.anna(),
        await few.olga() as olga,
    ):
        one = {"user_id": few.ids["anna"], "description": "Справка", "callcopy_id": 3}
        assert refused(await send_batch(olga, [one] * 3, *[b"x"] * 3)) == (413, "too_many_parts")
