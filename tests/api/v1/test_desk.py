"""Documents over HTTP, as the bank's workers find and move them."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import httpx
import pytest

from api.program import PASSWORD
from api.v1.bank import ABS, DBO, Bank, paper, send
from api.v1.banking_fixtures import anna, anyio_backend, bank, boris, olga, refused, root
from opora.core.access.usecases.login import LogIn
from opora.core.documents.model.statuses import MOVES, DocumentStatus
from opora.core.kernel.model import Origin

pytestmark = pytest.mark.anyio
__all__ = ("anna", "anyio_backend", "bank", "boris", "olga", "root")

WAYS: Mapping[str, tuple[str, ...]] = {
    "pending": (),
    "in_review": ("in_review",),
    "needs_info": ("in_review", "needs_info"),
    "approved": ("in_review", "approved"),
    "rejected": ("in_review", "rejected"),
    "processed": ("in_review", "approved", "processed"),
    "archived": ("in_review", "rejected", "archived"),
}
"""How a worker brings a document into each status."""


async def put(client: httpx.AsyncClient, id: int, status: str, **rest: Any) -> httpx.Response:
    return await client.put(f"{ABS}/{id}/status", json={"status": status, **rest})


@pytest.mark.parametrize("status", WAYS)
async def test_from_each_status_the_table_alone_leads_on(
    bank: Bank, anna: httpx.AsyncClient, olga: httpx.AsyncClient, status: str
) -> None:
    allowed = [str(one) for one in MOVES.allowed(DocumentStatus(status))]
    for target in sorted(set(map(str, DocumentStatus)) - set(allowed)):
        id = (await bank.uploaded(anna))["id"]
        await bank.moved(id, *WAYS[status])
        answer = await put(olga, id, target)
        assert refused(answer) == (409, "illegal_move"), target
        assert answer.json()["allowed"] == allowed
        assert (await olga.get(f"{ABS}/{id}")).json()["status"] == status
    for target in allowed:
        id = (await bank.uploaded(anna))["id"]
        await bank.moved(id, *WAYS[status])
        answer = await put(olga, id, target)
        if target == "quarantined":
            assert refused(answer) == (403, "move_not_yours")
            assert answer.json()["allowed"] == ["in_review"]
        else:
            told = {"document_id": id, "new_status": target, "updated_by": bank.ids["olga"]}
            assert (answer.status_code, answer.json()) == (200, told)


async def test_a_document_is_archived_as_the_bank_wrote_it_down(
    bank: Bank, anna: httpx.AsyncClient, olga: httpx.AsyncClient
) -> None:
    id = (await bank.uploaded(anna))["id"]
    await bank.moved(id, "in_review", "approved", "processed")
    answer = await put(olga, id, "archived", worker_id=bank.ids["olga"])
    assert answer.json() == {"document_id": id, "new_status": "archived", "updated_by": bank.ids["olga"]}


async def test_a_worker_acts_in_their_own_name_and_an_admin_in_anybodys(
    bank: Bank, anna: httpx.AsyncClient, olga: httpx.AsyncClient, root: httpx.AsyncClient
) -> None:
    id = (await bank.uploaded(anna))["id"]
    await bank.person("oleg")
    assert refused(await put(olga, id, "in_review", worker_id=bank.ids["oleg"])) == (403, "not_the_worker")
    answer = await put(root, id, "in_review", worker_id=999_999)
    assert (refused(answer), list(answer.json()["errors"])) == ((422, "invalid_document"), ["worker_id"])
    answer = await put(root, id, "in_review", worker_id=bank.ids["olga"])
    assert answer.json()["updated_by"] == bank.ids["olga"]
    assert (await olga.get(f"{ABS}/{id}")).json()["worker_id"] == bank.ids["olga"]


async def test_clients_move_nothing(bank: Bank, anna: httpx.AsyncClient) -> None:
    id = (await bank.uploaded(anna))["id"]
    assert refused(await put(anna, id, "in_review")) == (403, "insufficient_scope")
    assert refused(await anna.get(ABS)) == (403, "insufficient_scope")


async def test_a_history_tells_who_did_what_and_why(
    bank: Bank, anna: httpx.AsyncClient, olga: httpx.AsyncClient
) -> None:
    id = (await bank.uploaded(anna))["id"]
    await bank.moved(id, "in_review")
    assert (await put(olga, id, "needs_info", comment="Нужна вторая страница")).status_code == 200
    whole = (await anna.get(f"{ABS}/{id}")).json()
    assert [(one["status"], one["by"], one["comment"]) for one in whole["history"]] == [
        ("pending", bank.ids["anna"], None),
        ("in_review", bank.ids["olga"], None),
        ("needs_info", bank.ids["olga"], "Нужна вторая страница"),
    ]
    assert (whole["allowed"], whole["abs_reference"], whole["abs_sync"]) == (["in_review"], None, "not_sent")
    assert whole["text"].startswith("Paper")
    assert whole["worker_id"] == bank.ids["olga"]


async def test_documents_are_found_by_every_filter(
    bank: Bank, anna: httpx.AsyncClient, boris: httpx.AsyncClient, olga: httpx.AsyncClient
) -> None:
    mine = await bank.uploaded(anna, description="Устав общества", category="Учредительные документы")
    his = await bank.uploaded(boris, description="Устав артели", category="Учредительные документы")
    await bank.moved(his["id"], "in_review")
    every = {"category": "founding"}
    asked: list[tuple[dict[str, Any], list[int]]] = [
        (every, [his["id"], mine["id"]]),
        ({**every, "status": "in_review"}, [his["id"]]),
        ({**every, "user_id": bank.ids["anna"]}, [mine["id"]]),
        ({**every, "worker_id": bank.ids["olga"]}, [his["id"]]),
        ({**every, "uploaded_after": his["uploaded_at"]}, [his["id"]]),
        ({**every, "uploaded_before": his["uploaded_at"]}, [mine["id"]]),
        ({**every, "overdue": "true"}, []),
        ({**every, "overdue": "false", "q": "артели УСТАВ"}, [his["id"]]),
        ({"category": "нет такой"}, []),
        ({**every, "page": 2, "limit": 1}, [mine["id"]]),
    ]
    for query, ids in asked:
        answer = await olga.get(ABS, params=query)
        assert [one["id"] for one in answer.json()["results"]] == ids, query
    found = (await olga.get(ABS, params=every)).json()["results"][0]
    assert {"id", "description", "worker_id", "plan_maturity_date"} <= set(found)
    assert (await olga.get(ABS, params={"status": "sold"})).status_code == 422


async def test_a_list_is_walked_by_cursor(bank: Bank, olga: httpx.AsyncClient) -> None:
    async with await bank.person("dora") as dora:
        ids = [(await bank.uploaded(dora))["id"] for _ in range(5)]
    answer = await olga.get(ABS, params={"user_id": bank.ids["dora"], "limit": 2})
    seen: list[int] = []
    while True:
        page = answer.json()
        seen += [one["id"] for one in page["results"]]
        assert page["count"] == 5
        if page["next"] is None:
            break
        answer = await olga.get(page["next"])
    assert seen == ids[::-1]
    assert refused(await olga.get(ABS, params={"cursor": "AAAA"})) == (422, "bad_cursor")


async def test_a_document_is_due_by_the_banks_calendar_and_settled_once(
    bank: Bank, anna: httpx.AsyncClient, olga: httpx.AsyncClient
) -> None:
    found = await bank.uploaded(anna)
    assert found["plan_maturity_date"] > found["upload_date"]
    assert found["fact_maturity_date"] is None
    await bank.moved(found["id"], "in_review", "approved", "processed")
    settled = (await olga.get(f"{ABS}/{found['id']}")).json()["fact_maturity_date"]
    assert settled is not None
    bank.program.clock.ahead += timedelta(days=30)
    try:
        await bank.moved(found["id"], "archived")
        async with await bank.olga() as later:
            whole = (await later.get(f"{ABS}/{found['id']}")).json()
    finally:
        bank.program.clock.ahead -= timedelta(days=30)
    assert (whole["fact_maturity_date"], whole["overdue"]) == (settled, False)


async def test_what_is_held_as_evidence_stays(bank: Bank, anna: httpx.AsyncClient, olga: httpx.AsyncClient) -> None:
    content = paper()
    id = (await bank.uploaded(anna, content))["id"]
    answer = await olga.put(f"{ABS}/{id}/hold", json={"held": True, "reason": "дело 7"})
    assert answer.json() == {"document_id": id, "held": True}
    assert refused(await anna.delete(f"{DBO}/documents/{id}")) == (409, "document_held")
    assert (await olga.get(f"{ABS}/{id}")).json()["held"] is True
    await olga.put(f"{ABS}/{id}/hold", json={"held": False, "reason": "дело 7 закрыто"})
    assert (await anna.delete(f"{DBO}/documents/{id}")).status_code == 200
    assert refused(await olga.put(f"{ABS}/{id}/hold", json={"held": True, "reason": "?"})) == (404, "no_such_document")


async def test_every_change_is_in_the_audit_log_and_told_to_the_client(
    bank: Bank, anna: httpx.AsyncClient, root: httpx.AsyncClient
) -> None:
    id = (await bank.uploaded(anna))["id"]
    await bank.moved(id, "in_review", "rejected")
    log = await root.get("/api/v1/audit-log", params={"entity_type": "document", "entity_id": str(id)})
    told = sorted(one["action"] for one in log.json()["results"])
    assert told == ["document.status_changed", "document.status_changed", "document.uploaded"]
    rows = await bank.program.rows()
    assert rows["notices"] >= 2


async def test_a_bank_may_want_reasons_and_four_eyes(tmp_path_factory: pytest.TempPathFactory) -> None:
    strict = {"OPORA_DOCUMENT_FOUR_EYES": "true", "OPORA_DOCUMENT_REASONS": "true"}
    async with (
        Bank.over(tmp_path_factory.mktemp("strict"), **strict) as bank,
        await bank.anna() as anna,
        await bank.olga() as olga,
        await bank.root() as root,
    ):
        id = (await bank.uploaded(anna))["id"]
        await bank.moved(id, "in_review")
        assert refused(await put(olga, id, "approved")) == (403, "four_eyes")
        assert refused(await put(root, id, "rejected")) == (422, "comment_needed")
        assert (await put(root, id, "rejected", comment="Неразборчиво")).status_code == 200
        own = (await send(root, paper())).json()["id"]
        await bank.moved(own, "in_review")
        assert refused(await put(root, own, "approved")) == (403, "four_eyes")


async def test_a_worker_whose_sign_in_is_old_reads_and_decides_nothing_and_a_key_may(
    bank: Bank, anna: httpx.AsyncClient, olga: httpx.AsyncClient
) -> None:
    id = (await bank.uploaded(anna))["id"]
    log_in = await bank.program.container.get(LogIn)
    pair = await log_in("olga@example.org", PASSWORD, Origin("127.0.0.1"))
    key = await bank.program.key("documents:read", "documents:read_all", "documents:process")
    bank.program.clock.ahead += timedelta(hours=1, seconds=1)
    try:
        async with bank.program.client() as nobody:
            renewed = await nobody.post("/api/v1/auth/refresh", json={"refresh_token": pair.refresh_token})
        async with bank.program.client(token=renewed.json()["access_token"]) as stale:
            assert (await stale.get(f"{ABS}/{id}")).status_code == 200
            for path, body in (
                (f"{ABS}/{id}/status", {"status": "in_review"}),
                (f"{ABS}/{id}/hold", {"held": True, "reason": "evidence"}),
                ("/api/v1/sm/contracts/1/link", {"document_id": id, "status": "revoked"}),
            ):
                assert refused(await stale.put(path, json=body)) == (401, "step_up_required"), path
            for path in (f"{ABS}/batch", "/api/v1/sm/contracts", "/api/v1/abs/packets/1/override"):
                assert refused(await stale.post(path, json={})) == (401, "step_up_required"), path
        async with bank.program.client(key=key.key) as program:
            assert (await program.put(f"{ABS}/{id}/hold", json={"held": True, "reason": "evidence"})).status_code == 200
    finally:
        bank.program.clock.ahead -= timedelta(hours=1, seconds=1)
