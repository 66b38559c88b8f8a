"""Documents and their clients, and the contract of the stores that keep them."""

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Protocol
from uuid import UUID, uuid4

import pytest

from opora.core.access.model.people import User
from opora.core.access.ports.people import UserRepository
from opora.core.documents.errors import CategoryTaken
from opora.core.documents.model.clients import ClientProfile, Sex
from opora.core.documents.model.documents import (
    EVERYONES,
    Document,
    DocumentFilter,
    HistoryEntry,
    MediaType,
    Reach,
    ScanState,
)
from opora.core.documents.model.reference import Category, ReferenceList
from opora.core.documents.model.statuses import DocumentStatus
from opora.core.documents.ports.documents import DocumentTx, DocumentViews
from opora.core.documents.ports.reference import ClientViews, ReferenceTx, ReferenceViews
from opora.core.kernel.errors import Invalid, Stale, StorageUnavailable
from opora.core.kernel.model import PageRequest
from opora.core.kernel.ports import UnitOfWork

NOON = datetime(2030, 1, 14, 12, tzinfo=UTC)
"""A Monday."""
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
CLIENT, STRANGER, WORKER = 101, 102, 103
CONTRACTS, FINANCE = 2, 4
"""Categories that migrations seed."""


def a_document(id: int, **changes: Any) -> Document:
    """Return a document of CLIENT's that waits to be reviewed."""
    document = Document(
        id=id,
        user_id=CLIENT,
        category_id=CONTRACTS,
        description="Договор аренды",
        uploaded_at=NOON + timedelta(seconds=id),
        uploaded_by=f"user:{CLIENT}",
        plan_maturity_date=date(2030, 1, 21),
        blob_id=UUID(int=id),
        file_name="lease.pdf",
        media_type=MediaType.PDF,
        size=1000,
        sha256=f"{id:064x}",
        pages=2,
        scan=ScanState.CLEAN,
        moved_at=NOON + timedelta(seconds=id),
        moved_by=f"user:{CLIENT}",
    )
    return replace(document, **changes)


class PeopleTx(DocumentTx, ReferenceTx, Protocol):
    """What a transaction shows that also keeps people."""

    @property
    def users(self) -> UserRepository: ...


async def with_people(unit: UnitOfWork[Any], *ids: int) -> None:
    """Keep users of these ids."""
    async with unit() as tx:
        for id in ids:
            await tx.users.add(User(id=id, email=f"person{id}@example.org", created_at=NOON))


class DocumentStoreContract:
    """What every store of documents promises. The tests' own fixture makes CLIENT, STRANGER and WORKER users."""

    unit: UnitOfWork[PeopleTx]
    views: DocumentViews

    async def kept(self, *documents: Document, text: str = "") -> None:
        """Keep documents as they are."""
        async with self.unit() as tx:
            for document in documents:
                assert await tx.documents.add(document, text)

    async def listed(self, wanted: DocumentFilter, reach: Reach = EVERYONES) -> list[int]:
        """Return the ids of every document that a filter lets through."""
        page = await self.views.page(reach, wanted, PageRequest(limit=200))
        return [one.document.id for one in page.items]

    async def test_gives_back_what_was_added_and_saved(self) -> None:
        document = a_document(1, actual_date=date(2030, 1, 1), actual_end_date=date(2031, 1, 1))
        await self.kept(document)
        later = document.changed(
            worker_id=WORKER,
            status=DocumentStatus.REJECTED,
            fact_maturity_date=date(2030, 1, 15),
            moved_at=NOON + DAY,
            overdue_at=NOON + DAY,
            retained_until=date(2035, 1, 1),
            is_held=True,
            abs_reference="ABS-1",
        )
        for step in (document, later):
            async with self.unit() as tx:
                found = await tx.documents.get(1, EVERYONES)
                assert found is not None
                await tx.documents.save(step, found.version)
                assert await tx.documents.get(1, EVERYONES) == step
            assert (view := await self.views.one(1, EVERYONES)) is not None
            assert (view.document, view.category) == (step, "Договоры")

    async def test_writes_the_day_that_a_document_was_settled_once(self) -> None:
        await self.kept(document := a_document(1, fact_maturity_date=date(2030, 1, 15)))
        async with self.unit() as tx:
            await tx.documents.save(document.changed(fact_maturity_date=date(2030, 2, 1)), 1)
            found = await tx.documents.get(1, EVERYONES)
        assert found is not None
        assert found.fact_maturity_date == date(2030, 1, 15)

    async def test_gives_out_no_id_twice(self) -> None:
        async def take() -> int:
            async with self.unit() as tx:
                return await tx.documents.next_id()

        assert len(set(await asyncio.gather(*(take() for _ in range(8))))) == 8

    async def test_keeps_nothing_of_what_is_rolled_back(self) -> None:
        with pytest.raises(ZeroDivisionError):
            async with self.unit() as tx:
                await tx.documents.add(a_document(1))
                raise ZeroDivisionError
        assert await self.views.one(1, EVERYONES) is None

    async def test_refuses_to_save_over_a_change_of_somebody_else(self) -> None:
        await self.kept(document := a_document(1))
        async with self.unit() as tx:
            await tx.documents.save(document.changed(description="Первое"), 1)
        with pytest.raises(Stale):
            async with self.unit() as tx:
                await tx.documents.save(document.changed(description="Второе"), 1)

    async def test_keeps_the_same_bytes_of_one_client_once_a_category(self) -> None:
        same = {"sha256": "ab" * 32}
        await self.kept(a_document(1, **same), a_document(2, category_id=FINANCE, **same))
        await self.kept(a_document(3, user_id=STRANGER, **same))
        async with self.unit() as tx:
            assert not await tx.documents.add(a_document(4, **same), "text")
            twin = await tx.documents.twin(CLIENT, "ab" * 32, CONTRACTS)
            assert twin is not None
            assert twin.id == 1
            assert await tx.documents.twin(WORKER, "ab" * 32, CONTRACTS) is None

    async def test_of_many_at_once_with_the_same_bytes_keeps_one(self) -> None:
        async def add(id: int) -> bool:
            async with self.unit() as tx:
                return await tx.documents.add(a_document(id, sha256="ab" * 32))

        assert sum(await asyncio.gather(*(add(id) for id in range(1, 9)))) == 1

    async def test_takes_the_bytes_of_a_deleted_document_again(self) -> None:
        await self.kept(document := a_document(1, sha256="ab" * 32))
        async with self.unit() as tx:
            await tx.documents.save(document.changed(deleted_at=NOON), 1)
            assert await tx.documents.get(1, EVERYONES) is None
            assert await tx.documents.add(a_document(2, sha256="ab" * 32))
        assert await self.views.one(1, EVERYONES) is None
        assert await self.listed(DocumentFilter()) == [2]

    async def test_shows_nobody_anothers_document(self) -> None:
        await self.kept(a_document(1), a_document(2, user_id=STRANGER))
        assert await self.views.one(1, Reach(STRANGER)) is None
        assert await self.views.one(1, Reach(CLIENT)) is not None
        assert await self.listed(DocumentFilter(), Reach(STRANGER)) == [2]
        assert await self.listed(DocumentFilter(user_id=CLIENT), Reach(STRANGER)) == []
        async with self.unit() as tx:
            assert await tx.documents.get(1, Reach(STRANGER)) is None
            assert await tx.documents.get(1, Reach(CLIENT)) is not None

    async def test_numbers_the_history_of_each_document(self) -> None:
        await self.kept(a_document(1), a_document(2))
        said = [
            HistoryEntry(
                document_id=1, number=9, status=DocumentStatus.PENDING, at=NOON, by="user:101", user_id=CLIENT
            ),
            HistoryEntry(document_id=1, number=9, status=DocumentStatus.IN_REVIEW, at=NOON, by="system", comment="?"),
        ]
        async with self.unit() as tx:
            for entry in said:
                await tx.documents.tell(entry)
            assert list(await tx.documents.movers(1)) == [replace(said[0], number=1), replace(said[1], number=2)]
        assert [one.number for one in await self.views.history(1)] == [1, 2]
        assert await self.views.history(2) == []

    async def test_keeps_the_text_that_was_read(self) -> None:
        await self.kept(a_document(1), text="Договор № 7")
        assert await self.views.text(1) == "Договор № 7"
        assert await self.views.text(2) == ""

    async def test_lists_what_a_filter_lets_through_the_newest_first(self) -> None:
        late = {"plan_maturity_date": date(2030, 1, 10)}
        await self.kept(
            a_document(1, **late),
            a_document(2, status=DocumentStatus.IN_REVIEW, worker_id=WORKER),
            a_document(3, category_id=FINANCE, description="Справка 100%_о доходах"),
            a_document(4, user_id=STRANGER, status=DocumentStatus.NEEDS_INFO, **late),
        )
        today = date(2030, 1, 11)
        asked = {
            (1, 3): DocumentFilter(status=DocumentStatus.PENDING),
            (3,): DocumentFilter(category_id=FINANCE),
            (4,): DocumentFilter(user_id=STRANGER),
            (2,): DocumentFilter(worker_id=WORKER),
            (2, 3, 4): DocumentFilter(uploaded_after=NOON + timedelta(seconds=2)),
            (1, 2): DocumentFilter(uploaded_before=NOON + timedelta(seconds=3)),
            (1,): DocumentFilter(overdue=True, today=today),
            (2, 3, 4, 4): DocumentFilter(overdue=False, today=today),
            (3, 3): DocumentFilter(q=("100%_о", "доходах")),
            (): DocumentFilter(status=DocumentStatus.PENDING, user_id=STRANGER, q=("аренды",)),
        }
        for ids, wanted in asked.items():
            assert await self.listed(wanted) == sorted(set(ids), reverse=True), wanted

    async def test_walks_a_list_by_cursor_past_what_comes_in_meanwhile(self) -> None:
        same_moment = [a_document(id, uploaded_at=NOON) for id in range(1, 8)]
        await self.kept(*same_moment)
        seen: list[int] = []
        request = PageRequest(limit=3, cursor="")
        for _ in range(3):
            page = await self.views.page(EVERYONES, DocumentFilter(), request)
            seen += [one.document.id for one in page.items]
            if len(seen) == 3:
                await self.kept(a_document(9))
            request = PageRequest(limit=3, cursor=page.cursor)
        assert (seen, page.more) == ([7, 6, 5, 4, 3, 2, 1], False)
        with pytest.raises(Invalid):
            await self.views.page(EVERYONES, DocumentFilter(), PageRequest(cursor="made up"))

    async def test_lists_by_number_and_counts(self) -> None:
        await self.kept(*(a_document(id) for id in range(1, 6)))
        page = await self.views.page(EVERYONES, DocumentFilter(), PageRequest(limit=2, number=2))
        assert ([one.document.id for one in page.items], page.count, page.more) == ([3, 2], 5, True)
        past = await self.views.page(EVERYONES, DocumentFilter(), PageRequest(limit=2, number=9))
        assert (past.items, past.count, past.more) == ([], 5, False)

    async def test_finds_what_is_late_and_was_not_told_of(self) -> None:
        due = date(2030, 1, 10)
        await self.kept(
            a_document(1, plan_maturity_date=due),
            a_document(2, plan_maturity_date=due - DAY, status=DocumentStatus.APPROVED),
            a_document(3, plan_maturity_date=due, status=DocumentStatus.NEEDS_INFO),
            a_document(4, plan_maturity_date=due, overdue_at=NOON),
            a_document(5, plan_maturity_date=due + DAY),
            a_document(6, plan_maturity_date=due, deleted_at=NOON),
        )
        async with self.unit() as tx:
            assert [one.id for one in await tx.documents.late(due + DAY, 10)] == [2, 1]
            assert len(await tx.documents.late(due + DAY, 1)) == 1

    async def test_finds_files_whose_time_is_over_but_for_those_that_are_held(self) -> None:
        end = date(2030, 1, 10)
        await self.kept(
            a_document(1, retained_until=end),
            a_document(2, retained_until=end, is_held=True),
            a_document(3, retained_until=end + DAY),
            a_document(4, retained_until=end, is_file_removed=True),
            a_document(5),
            a_document(6, deleted_at=NOON),
        )
        async with self.unit() as tx:
            assert [one.id for one in await tx.documents.spent(end + DAY, 10)] == [1, 6]
        named = [UUID(int=number) for number in range(1, 7)]
        stray = uuid4()
        async with self.unit() as tx:
            assert await tx.documents.condemn([*named, stray], NOON) == {stray, UUID(int=4), UUID(int=6)}

    async def test_no_document_is_written_for_a_file_that_was_condemned(self) -> None:
        async with self.unit() as tx:
            assert await tx.documents.condemn([UUID(int=1)], NOON) == {UUID(int=1)}
        with pytest.raises(StorageUnavailable):
            await self.kept(a_document(1))
        async with self.unit() as tx:
            await tx.documents.condemn([], NOON + timedelta(days=8))
        await self.kept(a_document(1))

    async def test_of_a_sweep_and_a_document_at_one_file_at_once_one_wins(self) -> None:
        for number in range(1, 9):

            async def written(number: int = number) -> bool:
                try:
                    await self.kept(a_document(number))
                except StorageUnavailable:
                    return False
                return True

            async def condemned(number: int = number) -> bool:
                async with self.unit() as tx:
                    return bool(await tx.documents.condemn([UUID(int=number)], NOON))

            both = (written(), condemned()) if number % 2 else (condemned(), written())
            assert sum(await asyncio.gather(*both)) == 1

    async def test_finds_what_no_scanner_has_judged(self) -> None:
        await self.kept(a_document(1, scan=ScanState.WAITING), a_document(2), a_document(3, scan=ScanState.WAITING))
        async with self.unit() as tx:
            assert list(await tx.documents.unscanned(NOON + timedelta(seconds=2), 10)) == [1]


class ReferenceStoreContract:
    """What every store of lists and client profiles promises. The tests' own fixture makes CLIENT a user."""

    unit: UnitOfWork[ReferenceTx]
    lists: ReferenceViews
    clients: ClientViews

    async def test_knows_the_seeded_lists(self) -> None:
        statuses = {item.id: item.code for item in await self.lists.items(ReferenceList.OPERATION_STATUSES)}
        assert statuses[4] == "revoked"
        assert {str(status) for status in DocumentStatus} <= set(statuses.values())
        positions = await self.lists.items(ReferenceList.FINANCIAL_POSITIONS)
        assert [item.name for item in positions] == ["Стабильный", "Под наблюдением", "Критический"]
        assert "Оператор ДБО" in [item.name for item in await self.lists.items(ReferenceList.USER_TYPES)]

    async def test_finds_a_category_by_id_name_or_code(self) -> None:
        found = [await self.lists.category(said) for said in (2, "Договоры", " дОГОВОРЫ ", "contracts")]
        assert [one.id for one in found if one] == [2, 2, 2, 2]
        assert await self.lists.category("нет такой") is None
        assert await self.lists.category(99) is None

    async def test_adds_a_category_whose_name_and_code_are_new(self) -> None:
        async with self.unit() as tx:
            id = await tx.categories.next_id()
            category = Category(id=id, code="deeds", name="Акты", processing_days=2, retention_days=30, created_at=NOON)
            await tx.categories.add(category)
            assert await tx.categories.get(id) == category
        assert id >= 100
        for name, code in (("АКТЫ", "x"), ("Другое", "deeds")):
            with pytest.raises(CategoryTaken):
                async with self.unit() as tx:
                    twin = replace(category, id=await tx.categories.next_id(), name=name, code=code)
                    await tx.categories.add(twin)
        page = await self.lists.categories(PageRequest(limit=3, number=3))
        assert ([one.id for one in page.items], page.count, page.more) == ([7, id], 8, False)

    async def test_keeps_a_profile_and_every_change_of_it(self) -> None:
        empty = ClientProfile(user_id=CLIENT)
        filled = replace(
            empty, last_name="Юрьева", birthday=date(1990, 2, 3), sex=Sex.FEMALE, address="Тверь", inn="500100732259",
            financial_position_id=1, user_type_id=1, updated_at=NOON, version=1,
        )  # fmt: skip
        moved = replace(filled, address="г. Клин", version=2)
        for before, after in ((empty, filled), (filled, moved)):
            async with self.unit() as tx:
                assert await tx.clients.get(CLIENT, Reach(CLIENT)) == before
                await tx.clients.save(after, before.version)
            assert await self.clients.one(CLIENT, EVERYONES) == after
        with pytest.raises(Stale):
            async with self.unit() as tx:
                await tx.clients.save(moved, 1)

    async def test_knows_no_profile_of_a_stranger_or_of_nobody(self) -> None:
        assert await self.clients.one(CLIENT, Reach(STRANGER)) is None
        assert await self.clients.one(999, EVERYONES) is None
        assert await self.clients.exist([CLIENT, 999]) == {CLIENT}
