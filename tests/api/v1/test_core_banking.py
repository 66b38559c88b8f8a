"""What goes between documents and the bank's own system, over HTTP: packets, tickets, comparisons."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from api.v1.bank import ABS, Bank
from api.v1.work import work

pytestmark = pytest.mark.anyio

PACKETS, TICKETS, RECONCILIATIONS = "/api/v1/abs/packets", "/api/v1/abs/tickets", "/api/v1/abs/reconciliations"


@pytest.fixture
async def bank(tmp_path: Path) -> AsyncIterator[Bank]:
    """A bank whose own system refuses the first packet and then sends a receipt for nobody."""
    faults = "submit:ok,submit:refuse,receipts:ok,receipts:stranger"
    async with Bank.over(tmp_path, OPORA_CORE_BANKING_FAULTS=faults) as bank:
        yield bank


async def test_an_approved_document_is_taken_by_the_bank_and_every_step_can_be_followed(bank: Bank) -> None:
    document = await bank.uploaded(await bank.anna())
    olga = await bank.olga()
    place = f"{ABS}/{document['id']}"
    await bank.moved(document["id"], "in_review")
    await work(bank.program, "abs.receive")
    await bank.moved(document["id"], "approved")
    await work(bank.program)
    failed = (await olga.get(place)).json()
    assert (failed["status"], failed["abs_sync"]) == ("approved", "failed")
    (packet,) = (await olga.get(PACKETS, params={"status": "failed"})).json()["results"]
    assert (packet["key"], packet["has_file"]) == (f"{document['id']}.{packet['version']}", True)
    (ticket,) = (await olga.get(TICKETS, params={"open": "true"})).json()["results"]
    assert (ticket["kind"], ticket["subject"]) == ("not_taken", f"document:{document['id']}")
    retried = await olga.post(f"{PACKETS}/{packet['id']}/retry")
    assert (retried.status_code, retried.json()["status"]) == (200, "queued")
    await work(bank.program, "abs.receive")
    await work(bank.program, "abs.receive")  # of the change to processed, which was told too
    taken = (await olga.get(place)).json()
    assert (taken["status"], taken["abs_sync"]) == ("processed", "accepted")
    assert taken["abs_reference"] == f"ABS-{document['id']:010d}"
    again = await olga.post(f"{PACKETS}/{packet['id']}/retry")
    assert (again.status_code, again.json()["code"]) == (409, "illegal_move")


async def test_a_packet_is_settled_by_hand_with_a_reason_only(bank: Bank) -> None:
    document = await bank.uploaded(await bank.anna())
    olga = await bank.olga()
    await bank.moved(document["id"], "in_review", "approved")
    await work(bank.program)
    (packet,) = (await olga.get(PACKETS, params={"status": "failed"})).json()["results"]
    place = f"{PACKETS}/{packet['id']}/override"
    assert (await olga.post(place, json={})).status_code == 422
    done = await olga.post(place, json={"comment": "Принято вручную", "reference": "MANUAL-1"})
    assert (done.json()["status"], done.json()["comment"]) == ("overridden", "Принято вручную")
    assert (await olga.get(f"{ABS}/{document['id']}")).json()["status"] == "processed"
    assert (await olga.get(f"{PACKETS}/{packet['id']}")).json()["reference"] == "MANUAL-1"


async def test_a_comparison_is_asked_for_made_and_read(bank: Bank) -> None:
    olga = await bank.olga()
    asked = await olga.post(RECONCILIATIONS)
    assert (asked.status_code, asked.json()["status"]) == (202, "queued")
    await work(bank.program)
    done = (await olga.get(asked.headers["location"])).json()
    assert (done["status"], done["differences"], done["compared"]) == ("completed", 0, 0)
    assert [one["id"] for one in (await olga.get(RECONCILIATIONS)).json()["results"]] == [done["id"]]


async def test_a_ticket_is_closed_once(bank: Bank) -> None:
    olga = await bank.olga()
    await work(bank.program, "abs.receive")
    await work(bank.program, "abs.receive")
    (ticket,) = (await olga.get(TICKETS)).json()["results"]
    assert ticket["kind"] == "stranger_receipt"
    place = f"{TICKETS}/{ticket['id']}/close"
    assert (await olga.post(place, json={"comment": "Проверено"})).json()["closed_by"] == f"user:{bank.ids['olga']}"
    again = await olga.post(place, json={"comment": "Проверено"})
    assert (again.status_code, again.json()["code"]) == (409, "ticket_closed")


async def test_packets_and_tickets_are_read_by_cursor(bank: Bank) -> None:
    olga = await bank.olga()
    for _ in range(3):
        document = await bank.uploaded(await bank.anna())
        await bank.moved(document["id"], "in_review")
    await work(bank.program)
    first = (await olga.get(PACKETS, params={"limit": 2})).json()
    second = (await olga.get(first["next"])).json()
    ids = [one["id"] for one in first["results"] + second["results"]]
    assert (ids, first["count"], second["next"]) == (sorted(ids, reverse=True), 3, None)
    assert (await olga.get(PACKETS, params={"cursor": "made-up"})).status_code in (400, 422)


async def test_clients_see_nothing_of_it(bank: Bank) -> None:
    anna = await bank.anna()
    for path in (PACKETS, TICKETS, RECONCILIATIONS):
        assert (await anna.get(path)).status_code == 403
    assert (await (await bank.olga()).get(f"{PACKETS}/999")).json()["code"] == "no_such_packet"
    missing = await (await bank.olga()).get(f"{RECONCILIATIONS}/0190b2f0-0000-7000-8000-000000000000")
    assert missing.json()["code"] == "no_such_reconciliation"
    assert (await (await bank.olga()).post(f"{TICKETS}/9/close", json={"comment": "x"})).status_code == 404
