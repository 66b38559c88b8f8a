"""Kept people for tests, and what every store of them must hold."""

import asyncio
import json
from dataclasses import asdict, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from opora.core.kernel.errors import Invalid
from opora.core.kernel.model import PageRequest
from opora.core.kernel.ports import UnitOfWork
from opora.core.kernel.rules import folded
from opora.core.profiles.model.exports import EVERYONES, Reach
from opora.core.profiles.model.kept import KeptProfile, ProfileFilter
from opora.core.profiles.model.people import Address, Card, Finance, Passport, Profile, Sex, Tax
from opora.core.profiles.model.requests import Recipe
from opora.core.profiles.ports.exports import ProfilePayloads
from opora.core.profiles.ports.profiles import ProfileTx, ProfileViews

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
MINE, YOURS = Reach("key:1"), Reach("key:2")
EVERYTHING = ProfileFilter()


def a_person(**changes: Any) -> Profile:
    """Build a made-up Russian."""
    person = Profile(
        locale="ru_RU",
        sex=Sex.FEMALE,
        full_name="Соловьёва Анна Игоревна",
        last_name="Соловьёва",
        first_name="Анна",
        middle_name="Игоревна",
        birth_date=date(1990, 2, 3),
        birth_place="г. Калуга",
        passport=Passport("2910", "123456", date(2010, 2, 20), "ОУФМС России по Калужской области", "400-001"),
        address=Address("248000", "Калужская область", "Калуга", "ул. Мира", "1", "2"),
        phone="+74840123456",
        email="anna.soloveva.000001@example.com",
        tax=Tax("500100732259", "112-233-445 95"),
        finance=Finance(
            "ПАО Сбербанк",
            "044525225",
            "30101810400000000225",
            "40817810000000000001",
            Card("2200000000000053", "12/29", "МИР"),
            "RUB",
        ),
    )
    return replace(person, **changes)


def a_kept_profile(id: int, **changes: Any) -> KeptProfile:
    """Build a record of `key:1`, made at noon and kept for good."""
    person = changes.pop("profile", a_person())
    kept = KeptProfile(
        id=id,
        source_key="key:1",
        profile=person,
        recipe=Recipe(person.locale, 42, date(2026, 6, 1)),
        index=0,
        data_version=1,
        search=folded(person.full_name),
        created_at=NOON,
    )
    return replace(kept, **changes)


def document(kept: KeptProfile) -> dict[str, Any]:
    """Return what callers are to read of a record."""
    body: dict[str, Any] = json.loads(json.dumps(asdict(kept.profile), default=str))
    return {"id": kept.id, **body}


class ProfileRepositoryContract:
    """What a store of profiles holds; a subclass sets `unit`, `views` and `payloads` before each test."""

    unit: UnitOfWork[ProfileTx]
    views: ProfileViews
    payloads: ProfilePayloads

    async def keep(self, *changes: dict[str, Any]) -> list[KeptProfile]:
        """Keep one record for each set of changes."""
        async with self.unit() as tx:
            ids = await tx.profiles.next_ids(len(changes))
            records = [a_kept_profile(number, **one) for number, one in zip(ids, changes, strict=True)]
            await tx.profiles.add(records)
        return records

    async def listed(self, reach: Reach = MINE, wanted: ProfileFilter = EVERYTHING, **request: Any) -> list[int]:
        """Return the ids on one page."""
        page = await self.views.page(reach, wanted, PageRequest(**request))
        return [json.loads(one)["id"] for one in page.items]

    async def test_what_was_kept_is_read_as_it_was_given_out(self) -> None:
        (kept,) = await self.keep({})
        read = await self.views.one(kept.id, MINE)
        assert read is not None
        assert json.loads(read) == document(kept)
        assert read.startswith(f'{{"id":{kept.id},'.encode())
        assert (await self.views.page(MINE, EVERYTHING, PageRequest())).items == [read]
        assert await self.payloads.fetch([kept.id], MINE) == {kept.id: read}

    async def test_ids_are_never_handed_out_twice(self) -> None:
        async def take() -> list[int]:
            async with self.unit() as tx:
                return list(await tx.profiles.next_ids(20))

        taken = [one for some in await asyncio.gather(*(take() for _ in range(5))) for one in some]
        assert len(set(taken)) == 100

    async def test_a_failed_transaction_keeps_nothing(self) -> None:
        with pytest.raises(LookupError):
            async with self.unit() as tx:
                await tx.profiles.add([a_kept_profile(one) for one in await tx.profiles.next_ids(2)])
                raise LookupError
        assert await self.listed(EVERYONES) == []

    async def test_anothers_profile_is_not_there(self) -> None:
        (kept,) = await self.keep({})
        assert await self.views.one(kept.id, YOURS) is None
        assert await self.listed(YOURS) == []
        assert await self.payloads.visible([kept.id], YOURS) == frozenset()
        async with self.unit() as tx:
            assert not await tx.profiles.delete(kept.id, YOURS, NOON)
        assert await self.listed(EVERYONES) == [kept.id]
        assert await self.payloads.visible([kept.id, kept.id + 1], EVERYONES) == {kept.id}

    async def test_one_of_many_simultaneous_deleters_is_told_that_it_deleted(self) -> None:
        kept, other = await self.keep({}, {})

        async def delete() -> bool:
            async with self.unit() as tx:
                return await tx.profiles.delete(kept.id, MINE, NOON + HOUR)

        assert sorted(await asyncio.gather(*(delete() for _ in range(5)))) == [False] * 4 + [True]
        assert await self.views.one(kept.id, MINE) is None
        assert await self.listed() == [other.id]
        assert await self.payloads.fetch([kept.id, other.id], EVERYONES) == {
            other.id: await self.views.one(other.id, MINE)
        }

    async def test_past_its_time_a_profile_is_gone_before_the_sweep(self) -> None:
        past = {"expires_at": datetime.now(UTC) - HOUR}
        first, second, lasting = await self.keep(past, past, {"expires_at": datetime.now(UTC) + HOUR})
        assert await self.listed() == [lasting.id]
        async with self.unit() as tx:
            assert not await tx.profiles.delete(first.id, EVERYONES, datetime.now(UTC))
            assert await tx.profiles.expire(datetime.now(UTC), 1) == [first.id]
        async with self.unit() as tx:
            assert await tx.profiles.expire(datetime.now(UTC), 10) == [second.id]
            assert await tx.profiles.expire(datetime.now(UTC), 10) == []

    async def test_pages_by_number_and_by_cursor_show_each_profile_once_the_newest_first(self) -> None:
        ids = [one.id for one in await self.keep(*[{} for _ in range(7)])][::-1]
        assert [await self.listed(limit=3, number=number) for number in (1, 2, 3, 4)] == [
            ids[:3],
            ids[3:6],
            ids[6:],
            [],
        ]
        first = await self.views.page(MINE, EVERYTHING, PageRequest(limit=3, cursor=""))
        second = await self.views.page(MINE, EVERYTHING, PageRequest(limit=3, cursor=first.cursor))
        last = await self.views.page(MINE, EVERYTHING, PageRequest(limit=3, cursor=second.cursor))
        shown = [json.loads(one)["id"] for page in (first, second, last) for one in page.items]
        assert shown == ids
        assert [page.more for page in (first, second, last)] == [True, True, False]
        assert {page.count for page in (first, second, last)} == {7}
        assert last.cursor is None

    async def test_the_count_is_exact_on_a_page_past_the_end(self) -> None:
        await self.keep({}, {"source_key": "key:2"})
        page = await self.views.page(MINE, EVERYTHING, PageRequest(number=9))
        assert (page.items, page.count, page.count_exact, page.more) == ([], 1, True, False)

    async def test_a_cursor_of_ones_own_making_is_refused(self) -> None:
        with pytest.raises(Invalid):
            await self.views.page(MINE, EVERYTHING, PageRequest(cursor="1 OR 1=1"))

    async def test_filters_narrow_the_list_together(self) -> None:
        american = a_person(locale="en_US", full_name="Anna 100% O_Hara")
        first, second, third = await self.keep(
            {}, {"created_at": NOON + HOUR, "profile": american}, {"source_key": "key:2"}
        )
        for wanted, found in [
            (ProfileFilter(locale="en_US"), [second]),
            (ProfileFilter(source_key="key:2"), [third]),
            (ProfileFilter(created_after=NOON + HOUR), [second]),
            (ProfileFilter(created_before=NOON + HOUR), [third, first]),
            (ProfileFilter(q=("соловьева", "анна")), [third, first]),
            (ProfileFilter(q=("анна", "пётр")), []),
            (ProfileFilter(q=("0%",)), [second]),
            (ProfileFilter(q=("o_h",)), [second]),
            (ProfileFilter(q=("a_na",)), []),
            (ProfileFilter(created_after=NOON, locale="ru_RU", source_key="key:1", q=("анна",)), [first]),
        ]:
            ids = [one.id for one in found]
            assert await self.listed(EVERYONES, wanted) == ids
            streamed = [json.loads(one)["id"] async for some in self.views.stream(EVERYONES, wanted) for one in some]
            assert streamed == ids

    async def test_a_stream_gives_everything_in_parts(self) -> None:
        records = await self.keep(*[{} for _ in range(1_203)])
        await self.keep({"source_key": "key:2"})
        parts = [len(some) async for some in self.views.stream(MINE, EVERYTHING)]
        assert sum(parts) == 1_203
        assert max(parts) <= 500
        seen = [json.loads(one)["id"] async for some in self.views.stream(MINE, EVERYTHING) for one in some]
        assert seen == [one.id for one in records][::-1]

    async def test_a_stream_leaves_out_what_is_made_meanwhile(self) -> None:
        (kept,) = await self.keep({})
        seen = []
        async for some in self.views.stream(MINE, EVERYTHING):
            await self.keep({})
            seen += [json.loads(one)["id"] for one in some]
        assert seen == [kept.id]

    async def test_a_stream_of_nothing_is_empty(self) -> None:
        assert [some async for some in self.views.stream(EVERYONES, EVERYTHING)] == []
