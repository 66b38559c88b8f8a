"""What bookings, documents and numbers hold on people is shown, and erased as far as it may go, on both stores."""

from uuid import uuid4

import pytest

from opora.adapters.sql.personal import SqlBookingRecords, SqlDocumentRecords, SqlNumberRecords
from opora.core.bookings.model.calendars import Feed
from opora.core.bookings.model.hours import Availability
from opora.core.documents.model.clients import ClientProfile
from opora.core.documents.model.contracts import Contract
from opora.core.documents.model.documents import EVERYONES, HistoryEntry
from opora.core.kernel.model import Actor, Change
from opora.core.numbers.model.numbers import Suppression
from opora.core.numbers.model.projects import Grant
from opora.core.numbers.model.transfers import Channel, Transfer, TransferKind
from opora.testing.bookings import NOON, a_series, an_appointment
from opora.testing.documents import CLIENT, STRANGER, WORKER, a_document, with_people
from opora.testing.numbers import a_project
from opora.testing.offerings import an_offering
from opora.testing.waiting import an_entry

pytestmark = pytest.mark.anyio

STAFF = 10


async def held(records, user_id):
    """Return the records that are held on a person, by kind."""
    found = {}
    async for record in records.held(user_id):
        found.setdefault(record["record"], []).append(record)
    return found


async def logged(database):
    """Return the whole audit log."""
    rows = await database.read.fetch("SELECT * FROM audit_log ORDER BY id")
    return [tuple(row) for row in rows]


async def recorded(tx, user_id):
    """Have something in the log that the person did."""
    change = Change(actor=Actor(user_id=user_id), action="thing.done", entity_type="thing", entity_id="1", at=NOON)
    await tx.audit.record(change)


async def with_bookings(unit):
    """Have two clients, CLIENT and STRANGER, with one of everything, at STAFF who has hours."""
    await with_people(unit, CLIENT, STRANGER, STAFF)
    async with unit() as tx:
        await tx.offerings.add(an_offering())
        await tx.diaries.set_hours(Availability(user_id=STAFF, timezone="Europe/Moscow"), NOON)
        for id in (CLIENT, STRANGER):
            words = {"note": f"note of {id}", "reason": f"reason of {id}", "price_minor": 700, "fee_minor": 300}
            await tx.appointments.add(an_appointment(id=id, uid=f"{id}@opora", client_id=id, **words))
            await tx.appointments.add_series(a_series(id=id, client_id=id))
            await tx.waitlist.add(an_entry(id=id, client_id=id))
            await tx.feeds.add(Feed(id=id, user_id=id, digest=str(id).encode(), created_at=NOON))
        await recorded(tx, CLIENT)


async def test_a_client_is_shown_appointments_and_leaves_them_without_words(unit, database):
    await with_bookings(unit)
    records = SqlBookingRecords(database)
    shown = await held(records, CLIENT)
    assert set(shown) == {"appointment", "series", "waitlist_entry", "calendar"}
    assert [one["note"] for one in shown["appointment"]] == [f"note of {CLIENT}"]
    before, log = await held(records, STRANGER), await logged(database)
    for _ in range(2):
        await records.erase(CLIENT)
        left = await held(records, CLIENT)
        assert set(left) == {"appointment", "series"}
        (stays,) = left["appointment"]
        assert (stays["note"], stays["reason"], stays["price_minor"], stays["fee_minor"]) == ("", None, 700, 300)
        async with unit() as tx:
            kept = await tx.appointments.get(CLIENT)
        assert (kept.client_id, kept.staff_id, kept.version) == (CLIENT, STAFF, 2)
    assert await held(records, STRANGER) == before
    assert await logged(database) == log != []


async def test_staff_are_shown_what_they_give_without_clients_words_and_give_nothing_after(unit, database):
    await with_bookings(unit)
    records = SqlBookingRecords(database)
    shown = await held(records, STAFF)
    assert set(shown) == {"appointment_given", "working_hours", "service_given"}
    assert len(shown["appointment_given"]) == 2 and "note of" not in str(shown)
    for _ in range(2):
        await records.erase(STAFF)
        assert set(await held(records, STAFF)) == {"appointment_given"}
        async with unit() as tx:
            service = await tx.offerings.get(1)
        assert (service.staff_ids, service.version) == ((11,), 2)
    assert [one["note"] for one in (await held(records, CLIENT))["appointment"]] == [f"note of {CLIENT}"]


async def test_a_banks_client_loses_the_profile_and_leaves_documents_and_contracts_to_their_number(unit, database):
    await with_people(unit, CLIENT, STRANGER, WORKER)
    async with unit() as tx:
        for id in (CLIENT, STRANGER):
            who = ClientProfile(user_id=id, last_name="Юрьева", user_type_id=1, updated_at=NOON, version=1)
            await tx.clients.save(who, 0)
            await tx.documents.add(a_document(id, user_id=id, worker_id=WORKER), "text")
            status = a_document(id).status
            await tx.documents.tell(HistoryEntry(document_id=id, number=1, status=status, at=NOON, by=f"user:{id}"))
            await tx.contracts.add(
                Contract(
                    id=id, user_id=id, description="Договор", created_at=NOON, created_by="user:1", updated_at=NOON
                )
            )
        await recorded(tx, CLIENT)
    records = SqlDocumentRecords(database)
    shown = await held(records, CLIENT)
    assert set(shown) == {"client_profile", "document", "document_status", "contract"}
    assert (shown["client_profile"][0]["last_name"], shown["document"][0]["id"]) == ("Юрьева", CLIENT)
    assert shown["client_profile"][0]["user_type"]
    before, log = await held(records, STRANGER), await logged(database)
    for _ in range(2):
        await records.erase(CLIENT)
        assert await held(records, CLIENT) == {kind: shown[kind] for kind in shown if kind != "client_profile"}
    async with unit() as tx:
        assert await tx.clients.get(CLIENT, EVERYONES) == ClientProfile(user_id=CLIENT)
    assert await held(records, STRANGER) == before
    assert len((await held(records, WORKER))["document_worked_on"]) == 2
    assert await logged(database) == log != []


async def test_a_manager_loses_what_they_were_granted_and_leaves_what_they_made(unit, database):
    await with_people(unit, CLIENT, STRANGER)
    owner = f"user:{CLIENT}"
    async with unit() as tx:
        await tx.projects.add(a_project(1, created_by=owner))
        for id in (CLIENT, STRANGER):
            await tx.projects.grant(Grant(project_id=1, user_id=id, granted_by="user:1", created_at=NOON))
        asked = {"reason": "asked", "created_by": owner, "created_at": NOON}
        await tx.suppressions.add(Suppression(id=1, phone=79160000000, project_id=None, **asked))
        await tx.transfers.add(
            Transfer(
                id=uuid4(), number=1, job_id=uuid4(), kind=TransferKind.IMPORT, channel=Channel.UPLOAD, project_id=1,
                owner=owner, file_name="a.csv", requested_at=NOON,
            )
        )  # fmt: skip
        await recorded(tx, CLIENT)
    records = SqlNumberRecords(database)
    shown, log = await held(records, CLIENT), await logged(database)
    assert set(shown) == {"grant", "project", "suppression", "transfer"}
    for _ in range(2):
        await records.erase(CLIENT)
        assert await held(records, CLIENT) == {kind: shown[kind] for kind in shown if kind != "grant"}
    assert set(await held(records, STRANGER)) == {"grant"}
    assert await logged(database) == log != []


@pytest.mark.parametrize("kind", [SqlBookingRecords, SqlDocumentRecords, SqlNumberRecords])
async def test_nothing_is_shown_or_erased_where_nothing_is_held(database, kind):
    records = kind(database)
    assert await held(records, 3) == {}
    await records.erase(3)
