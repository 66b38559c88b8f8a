"""Document 4, the way of a client's paper: sent in, judged by a worker, read by its client."""

import json
import time

from e2e.bank import Person
from e2e.conftest import Setup
from opora.testing.papers import a_docx, a_pdf

TAKEN_WITHIN_S = 60.0


def test_a_paper_is_sent_in_judged_and_read(setup: Setup) -> None:
    anna, olga = Person(setup, "anna@example.org", "client"), Person(setup, "olga@example.org", "operator")
    content = a_pdf("Lease", pages=2)
    said = {"description": "Договор аренды", "category": "Договоры"}

    sent = anna.call("POST", "/v1/dbo/documents", data=said, files={"file": ("lease.pdf", content)})
    assert (sent.status_code, sent.json()["status"], sent.json()["pages"]) == (201, "pending", 2)
    id = sent.json()["id"]
    again = anna.call("POST", "/v1/dbo/documents", data=said, files={"file": ("lease.pdf", content)})
    assert (again.status_code, again.json()["id"]) == (200, id)
    changed = anna.call("PATCH", f"/v1/dbo/documents/{id}", json={"description": "Обновленный договор аренды"})
    assert changed.json() == {
        "document_id": id,
        "updated_field": "description",
        "new_value": "Обновленный договор аренды",
    }
    listed = anna.call("GET", f"/v1/dbo/users/{anna.id}/documents").json()["documents"]
    assert [(one["id"], one["status"]) for one in listed] == [(id, "pending")]

    found = olga.call("GET", "/v1/abs/documents", params={"status": "pending", "category": "Договоры"}).json()
    assert id in [one["id"] for one in found["results"]]
    for status in ("in_review", "approved"):
        moved = olga.call("PUT", f"/v1/abs/documents/{id}/status", json={"status": status})
        assert moved.json() == {"document_id": id, "new_status": status, "updated_by": olga.id}
    illegal = olga.call("PUT", f"/v1/abs/documents/{id}/status", json={"status": "pending"})
    assert (illegal.status_code, illegal.json()["code"]) == (409, "illegal_move")
    refused = anna.call("DELETE", f"/v1/dbo/documents/{id}")
    assert (refused.status_code, refused.json()["code"]) == (409, "document_in_use")

    whole = anna.call("GET", f"/v1/abs/documents/{id}").json()
    assert [one["status"] for one in whole["history"]][:3] == ["pending", "in_review", "approved"]
    assert anna.call("GET", f"/v1/dbo/documents/{id}/download").content == content
    assert json.loads(setup.installation.command("audit", "verify", "--json").stdout)["whole"]


def test_an_approved_paper_is_taken_by_the_abs_and_linked_to_a_contract(setup: Setup) -> None:
    vera, oleg = Person(setup, "vera@example.org", "client"), Person(setup, "omar@example.org", "operator")
    said = {"description": "Договор аренды", "category": "Договоры"}
    sent = vera.call("POST", "/v1/dbo/documents", data=said, files={"file": ("lease.pdf", a_pdf("Taken"))})
    id = sent.json()["id"]
    for status in ("in_review", "approved"):
        oleg.call("PUT", f"/v1/abs/documents/{id}/status", json={"status": status})
    deadline = time.monotonic() + TAKEN_WITHIN_S
    while (taken := oleg.call("GET", f"/v1/abs/documents/{id}").json())["abs_sync"] != "accepted":
        assert time.monotonic() < deadline, taken
        time.sleep(0.2)
    assert (taken["status"], taken["abs_reference"]) == ("processed", f"ABS-{id:010d}")
    told = {"document_id": id}
    while (
        packets := [one["status"] for one in oleg.call("GET", "/v1/abs/packets", params=told).json()["results"]]
    ) != ["accepted"] * 3:  # of each change one, and they go out side by side
        assert time.monotonic() < deadline, packets
        time.sleep(0.2)

    made = oleg.call("POST", "/v1/sm/contracts", json={"user_id": vera.id, "description": "Контракт на обслуживание"})
    contract = made.json()["contract_id"]
    assert made.json() == {"contract_id": contract, "user_id": vera.id, "status": "draft"}
    linked = oleg.call("POST", f"/v1/sm/contracts/{contract}/link", json={"document_id": id})
    assert (linked.status_code, linked.json()["status"]) == (201, "active")
    papers = vera.call("GET", f"/v1/sm/contracts/{contract}/documents").json()["documents"]
    assert [(one["document_id"], one["document_status"]) for one in papers] == [(id, "processed")]
    assert vera.call("GET", papers[0]["link"]).content.startswith(b"%PDF-")
    asked = oleg.call("POST", "/v1/abs/reconciliations")
    while (done := oleg.call("GET", asked.headers["location"]).json())["status"] == "queued":
        assert time.monotonic() < deadline, done
        time.sleep(0.2)
    assert (done["status"], done["differences"]) == ("completed", 0)


def test_a_batch_is_answered_item_by_item_and_taken_back(setup: Setup) -> None:
    boris, oleg = Person(setup, "boris@example.org", "client"), Person(setup, "oleg@example.org", "operator")
    said = [{"user_id": boris.id, "description": f"Справка {number}", "callcopy_id": 3} for number in (1, 2)]
    files = [("files", ("a.docx", a_docx("Справка"))), ("files", ("b.docx", a_docx("Справка")[:-30]))]
    answer = oleg.call("POST", "/v1/abs/documents/batch", data={"documents": json.dumps(said)}, files=files)
    found = answer.json()
    assert (found["processed_count"], found["failed_count"]) == (1, 1)
    assert [one.get("code") for one in found["items"]] == [None, "damaged_file"]
    (id,) = found["document_ids"]
    deleted = boris.call("DELETE", f"/v1/dbo/documents/{id}")
    assert deleted.json() == {"message": f"Document {id} deleted successfully"}
