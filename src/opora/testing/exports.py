"""People to export, exports of them, and the contract of the stores that keep exports."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Protocol
from uuid import UUID, uuid4

import pytest

from opora.core.jobs.model import JobState, NewJob
from opora.core.kernel.errors import Stale
from opora.core.kernel.model import Blob, PageRequest
from opora.core.kernel.ports import UnitOfWork
from opora.core.profiles.model.exports import (
    EVERYONES,
    RENDER,
    Export,
    ExportFormat,
    ExportPolicy,
    ExportStatus,
    Reach,
)
from opora.core.profiles.model.kept import KeptProfile
from opora.core.profiles.model.people import Address, Card, Finance, Passport, Profile, Sex, Tax
from opora.core.profiles.model.requests import Recipe
from opora.core.profiles.ports.exports import ExportTx, ExportViews, ProfilePayloads
from opora.core.profiles.ports.profiles import ProfileRepository

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)

PASSPORT = {
    "series": "6512",
    "number": "406872",
    "issued_on": "2012-05-28",
    "issued_by": "Отделом УФМС России по Свердловской области",
    "department_code": "660-004",
}
ADDRESS = {
    "postal_code": "620014",
    "region": "Свердловская область",
    "city": "г. Екатеринбург",
    "street": "ул. Малышева",
    "house": "36",
    "apartment": "114",
}
CARD = {"number": "2200000000000053", "expires": "09/31", "payment_system": "mir"}
FINANCE = {
    "bank_name": "Банк «Пример»",
    "bik": "046577964",
    "correspondent_account": "30101810100000000964",
    "account": "40817810600000000017",
    "card": CARD,
    "currency": "RUB",
}
PERSON: Mapping[str, Any] = {
    "id": 7,
    "locale": "ru_RU",
    "sex": "female",
    "full_name": "Щербакова Юлия Артёмовна",
    "last_name": "Щербакова",
    "first_name": "Юлия",
    "middle_name": "Артёмовна",
    "birth_date": "1987-03-09",
    "birth_place": "г. Нижний Тагил",
    "passport": PASSPORT,
    "address": ADDRESS,
    "phone": "+79120000000",
    "email": "scherbakova@example.org",
    "tax": {"inn": "500100732259", "snils": "112-233-445 95"},
    "finance": FINANCE,
}


def a_profile(**changes: Any) -> bytes:
    """Return a profile as JSON; the other fields are those of one made-up Russian."""
    return json.dumps({**PERSON, **changes}, ensure_ascii=False).encode()


def people(count: int) -> list[bytes]:
    """Return that many profiles whose names and numbers differ."""
    return [a_profile(id=number, full_name=f"Щербакова Юлия {number:04d}-я") for number in range(1, count + 1)]


def an_export(**changes: Any) -> Export:
    """Return a queued export of two profiles."""
    export = Export(
        id=uuid4(),
        job_id=uuid4(),
        owner="key:7",
        profile_ids=(3, 1),
        format=ExportFormat.PDF,
        status=ExportStatus.QUEUED,
        requested_at=NOON,
    )
    return replace(export, **changes)


def completed(export: Export, at: datetime = NOON, kept_for: timedelta = HOUR) -> Export:
    """Return the export with a file made at that moment."""
    blob = Blob(export.blob_name, 5, "ab" * 32)
    return export.start().complete(blob, at, ExportPolicy(kept_for=kept_for))


class ExportRepositoryContract:
    """What every store of exports promises."""

    unit: UnitOfWork[ExportTx]
    views: ExportViews

    async def kept(self, *exports: Export) -> None:
        """Keep exports as they are."""
        async with self.unit() as tx:
            for export in exports:
                await tx.exports.add(export)

    async def with_job(self, **changes: Any) -> Export:
        """Keep an export together with a job of its own."""
        async with self.unit() as tx:
            export = an_export(job_id=await tx.jobs.add(NewJob(kind=RENDER)), **changes)
            await tx.exports.add(export)
        return export

    async def end_job(self, job_id: UUID, state: JobState) -> None:
        """End a job in that state, without its export."""
        async with self.unit() as tx:
            job = await tx.jobs.get(job_id)
            assert job is not None
            await tx.jobs.move(job, state)

    async def test_gives_back_what_was_added_and_saved(self) -> None:
        export = an_export()
        await self.kept(export)
        for step in (export, export.start(), completed(export), completed(export).without_file()):
            async with self.unit() as tx:
                found = await tx.exports.get(export.id)
                assert found is not None
                await tx.exports.save(step, found.status)
            async with self.unit() as tx:
                assert await tx.exports.get(export.id) == step
                assert await tx.exports.of_job(export.job_id) == step

    async def test_knows_no_export_of_another_id(self) -> None:
        await self.kept(an_export())
        async with self.unit() as tx:
            assert await tx.exports.get(uuid4()) is None
            assert await tx.exports.of_job(uuid4()) is None

    async def test_forgets_what_a_failed_block_added(self) -> None:
        export = an_export()
        with pytest.raises(ZeroDivisionError):
            async with self.unit() as tx:
                await tx.exports.add(export)
                raise ZeroDivisionError
        async with self.unit() as tx:
            assert await tx.exports.get(export.id) is None

    async def test_refuses_to_save_over_another_status(self) -> None:
        export = an_export()
        await self.kept(export)
        with pytest.raises(Stale):
            async with self.unit() as tx:
                await tx.exports.save(completed(export), ExportStatus.RUNNING)

    async def test_lets_one_of_many_simultaneous_attempts_move_it(self) -> None:
        export = an_export()
        await self.kept(export)

        async def start() -> bool:
            async with self.unit() as tx:
                found = await tx.exports.get(export.id)
                assert found is not None
                if found.status is not ExportStatus.QUEUED:
                    return False
                await tx.exports.save(found.start(), found.status)
                return True

        assert sum(await asyncio.gather(*(start() for _ in range(8)))) == 1

    async def test_finds_orphans_whose_job_has_ended_or_is_gone(self) -> None:
        living, cancelled = await self.with_job(), await self.with_job()
        await self.end_job(cancelled.job_id, JobState.CANCELLED)
        gone, ended = an_export(), an_export(status=ExportStatus.FAILED)
        await self.kept(gone, ended)
        async with self.unit() as tx:
            orphans = {export.id: state for export, state in await tx.exports.orphans(10)}
        assert orphans == {cancelled.id: JobState.CANCELLED, gone.id: JobState.DEAD}
        assert living.id not in orphans

    async def test_finds_expired_files_the_longest_past_first(self) -> None:
        first, second, fresh = an_export(), an_export(), an_export()
        removed = completed(an_export()).without_file()
        await self.kept(completed(second, NOON + HOUR), completed(first), completed(fresh, NOON + 2 * HOUR), removed)
        async with self.unit() as tx:
            found = await tx.exports.expired(NOON + 2 * HOUR, 10)
            assert [export.id for export in found] == [first.id, second.id]
            assert len(await tx.exports.expired(NOON + 2 * HOUR, 1)) == 1

    async def test_shows_an_owner_its_own_exports_the_newest_first(self) -> None:
        ids = [UUID(int=number) for number in range(1, 6)]
        await self.kept(*(an_export(id=one) for one in ids), an_export(owner="key:8"))
        page = await self.views.page(Reach("key:7"), PageRequest(limit=2, number=2))
        assert [report.export.id for report in page.items] == [ids[2], ids[1]]
        assert (page.count, page.more, page.count_exact) == (5, True, True)
        last = await self.views.page(Reach("key:7"), PageRequest(limit=2, number=3))
        assert ([report.export.id for report in last.items], last.more) == ([ids[0]], False)
        assert (await self.views.page(EVERYONES, PageRequest())).count == 6

    async def test_shows_nobody_what_is_another_owners(self) -> None:
        export = an_export()
        await self.kept(export)
        assert await self.views.one(export.id, Reach("key:8")) is None
        assert await self.views.one(uuid4(), EVERYONES) is None
        for reach in (Reach("key:7"), EVERYONES):
            found = await self.views.one(export.id, reach)
            assert found is not None
            assert (found.export, found.progress, found.is_downloadable) == (export, 0, False)

    async def test_tells_whether_the_file_can_be_downloaded(self) -> None:
        day = timedelta(days=1)
        future, past = datetime.now(UTC) + day, datetime.now(UTC) - 2 * day
        fresh, stale = completed(an_export(), future), completed(an_export(), past)
        removed = completed(an_export(), future).without_file()
        await self.kept(fresh, stale, removed)
        found = [await self.views.one(one.id, EVERYONES) for one in (fresh, stale, removed)]
        assert [one.is_downloadable for one in found if one is not None] == [True, False, False]

    async def test_tells_which_exports_may_still_have_a_file(self) -> None:
        early, late = an_export().start().fail("x", NOON - HOUR), an_export().start().fail("x", NOON)
        running, done = an_export().start(), completed(an_export())
        removed = completed(an_export()).without_file()
        await self.kept(early, late, running, done, removed)
        ids = [one.id for one in (early, late, running, done, removed)]
        assert await self.views.with_file([*ids, uuid4()], NOON) == {late.id, running.id, done.id}


class PayloadsTx(ExportTx, Protocol):
    """What a transaction shows that also keeps profiles."""

    @property
    def profiles(self) -> ProfileRepository: ...


def a_person() -> Profile:
    """Return the person of `a_profile`."""
    fields = {name: value for name, value in PERSON.items() if name != "id"}
    fields |= {
        "sex": Sex.FEMALE,
        "birth_date": date.fromisoformat(PERSON["birth_date"]),
        "passport": Passport(
            series=PASSPORT["series"],
            number=PASSPORT["number"],
            issued_on=date.fromisoformat(PASSPORT["issued_on"]),
            issued_by=PASSPORT["issued_by"],
            department_code=PASSPORT["department_code"],
        ),
        "address": Address(**ADDRESS),
        "tax": Tax(**PERSON["tax"]),
        "finance": Finance(**{**FINANCE, "card": Card(**CARD)}),  # type: ignore[arg-type]  # plain JSON values
    }
    return Profile(**fields)


def a_kept_profile(id: int, **changes: Any) -> KeptProfile:
    """Return a kept profile of key 7."""
    kept = KeptProfile(
        id=id,
        source_key="key:7",
        profile=a_person(),
        recipe=Recipe(locale="ru_RU", seed=1, as_of=date(2030, 1, 1)),
        index=0,
        data_version=1,
        search="",
        created_at=NOON,
    )
    return replace(kept, **changes)


class ProfilePayloadsContract:
    """What every source of profiles to export promises."""

    unit: UnitOfWork[PayloadsTx]
    payloads: ProfilePayloads

    async def kept(self, *profiles: KeptProfile) -> None:
        """Keep profiles as they are."""
        async with self.unit() as tx:
            await tx.profiles.add(profiles)

    async def test_gives_documents_with_their_ids(self) -> None:
        await self.kept(a_kept_profile(1), a_kept_profile(2))
        found = await self.payloads.fetch([2, 1, 3], EVERYONES)
        assert set(found) == {1, 2}
        assert json.loads(found[2]) == {**PERSON, "id": 2}

    async def test_keeps_what_is_out_of_reach_to_itself(self) -> None:
        await self.kept(a_kept_profile(1), a_kept_profile(2, source_key="key:8"))
        for reach, visible in (
            (Reach("key:7"), {1}),
            (Reach("key:8"), {2}),
            (Reach("user:7"), set()),
            (EVERYONES, {1, 2}),
        ):
            assert await self.payloads.visible([1, 2], reach) == visible
            assert set(await self.payloads.fetch([1, 2], reach)) == visible

    async def test_does_not_see_what_was_deleted_or_is_past_its_time(self) -> None:
        past = datetime.now(UTC) - HOUR
        await self.kept(a_kept_profile(1), a_kept_profile(2), a_kept_profile(3, expires_at=past))
        async with self.unit() as tx:
            assert await tx.profiles.delete(1, EVERYONES, NOON)
        assert await self.payloads.visible([1, 2, 3], EVERYONES) == {2}
        assert set(await self.payloads.fetch([1, 2, 3], EVERYONES)) == {2}

    async def test_takes_a_thousand_ids_at_once(self) -> None:
        await self.kept(*(a_kept_profile(number) for number in range(1, 1001)))
        assert len(await self.payloads.visible(range(1, 1001), EVERYONES)) == 1000
