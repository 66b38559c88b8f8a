"""Campaigns for tests, and what every store of numbers must hold."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from opora.core.kernel.errors import Invalid, Stale
from opora.core.kernel.model import PageRequest
from opora.core.kernel.ports import UnitOfWork
from opora.core.numbers.errors.numbers import SuppressionExists
from opora.core.numbers.errors.projects import GeoInUse, NoSuchProject, NoSuchProvider, ProviderInUse
from opora.core.numbers.model.numbers import (
    CallingPolicy,
    Cause,
    NewNumber,
    NumberFilter,
    NumberStatus,
    PhoneNumber,
    Suppression,
)
from opora.core.numbers.model.projects import EVERY_PROJECT, Geo, Grant, Project, ProjectReach, Provider
from opora.core.numbers.ports.numbers import ClaimTerms, NumberViews
from opora.core.numbers.ports.transaction import NumberTx
from opora.core.numbers.rules import lifecycle

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
POLICY = CallingPolicy()
FIRST_PHONE = 79160000000
NOBODY = ProjectReach(0)
EVERYTHING = NumberFilter()


def a_project(id: int, **changes: Any) -> Project:
    """Build a project whose numbers may be called five times."""
    project = Project(id=id, name=f"Project {id}", created_by="user:1", created_at=NOON, updated_at=NOON)
    return replace(project, **changes)


def a_provider(id: int, **changes: Any) -> Provider:
    """Build a provider."""
    provider = Provider(id=id, name=f"Provider {id}", contact_info={}, created_at=NOON, updated_at=NOON)
    return replace(provider, **changes)


def an_area(id: int, **changes: Any) -> Geo:
    """Build an area."""
    return replace(Geo(id=id, country_code="RU", region="Калужская область", created_at=NOON), **changes)


def new_numbers(count: int, first: int = FIRST_PHONE, **changes: Any) -> list[NewNumber]:
    """Build new numbers in a row."""
    return [replace(NewNumber(index=place, phone=first + place), **changes) for place in range(count)]


def terms(**changes: Any) -> ClaimTerms:
    """Build terms under which every number of no known zone may be claimed."""
    return replace(ClaimTerms(now=NOON + HOUR, lease_until=NOON + 2 * HOUR, zone_sets=(0,), attempts_max=5), **changes)


class NumberStoreContract:
    """What a store of numbers holds; a subclass sets `unit` and `views` before each test."""

    unit: UnitOfWork[NumberTx]
    views: NumberViews

    async def project(self, **changes: Any) -> int:
        """Keep a project and return its id."""
        async with self.unit() as tx:
            id = await tx.projects.next_id()
            await tx.projects.add(a_project(id, **changes))
        return id

    async def add(self, project_id: int, numbers: Sequence[NewNumber]) -> list[int]:
        """Add numbers and return the ids of those that were kept."""
        async with self.unit() as tx:
            return sorted((await tx.numbers.add(project_id, numbers, NOON)).ids.values())

    async def one(self, id: int) -> PhoneNumber:
        """Return a number that is there."""
        number = await self.views.one(id, EVERY_PROJECT)
        assert number is not None
        return number

    async def counts(self, project_id: int) -> dict[str, int]:
        """Return the counts of a project that are not zero."""
        async with self.unit() as tx:
            return {str(status): count for status, count in (await tx.tally.of(project_id)).items() if count}

    async def listed(self, wanted: NumberFilter = EVERYTHING, reach: ProjectReach = EVERY_PROJECT) -> list[int]:
        """Return the ids of a list, read page by page, three at a time."""
        found: list[int] = []
        cursor: str | None = ""
        while cursor is not None:
            page = await self.views.page(reach, wanted, PageRequest(3, cursor=cursor))
            found += [one.id for one in page.items]
            assert page.more == (page.cursor is not None)
            cursor = page.cursor
        return found

    async def test_what_was_added_is_read_as_it_was(self) -> None:
        project = await self.project()
        async with self.unit() as tx:
            provider, area = await tx.providers.next_id(), await tx.geo.next_id()
            await tx.providers.add(a_provider(provider))
            await tx.geo.add(an_area(area))
            zones = (await tx.zones.ids([("Europe/Moscow",)]))[("Europe/Moscow",)]
        given = new_numbers(1, provider_id=provider, geo_id=area, zone_set=zones)
        (id,) = await self.add(project, given)
        assert await self.one(id) == PhoneNumber(
            id=id,
            project_id=project,
            phone=FIRST_PHONE,
            provider_id=provider,
            geo_id=area,
            zone_set=zones,
            created_at=NOON,
            updated_at=NOON,
        )

    async def test_of_a_number_given_twice_the_first_is_kept_in_each_project_once(self) -> None:
        mine, other = await self.project(), await self.project()
        first, again = new_numbers(1)[0], new_numbers(1, index=1)[0]
        async with self.unit() as tx:
            added = await tx.numbers.add(mine, [first, again], NOON)
        assert list(added.ids) == [0]
        assert await self.add(mine, new_numbers(3)) != []
        assert len(await self.add(other, new_numbers(3))) == 3
        assert await self.counts(mine) == {"new": 3}

    async def test_many_adders_of_the_same_numbers_keep_each_once(self) -> None:
        project = await self.project()
        batches = [list(reversed(new_numbers(40))) if turn % 2 else new_numbers(40) for turn in range(6)]
        kept = await asyncio.gather(*(self.add(project, batch) for batch in batches))
        assert sum(len(ids) for ids in kept) == 40
        assert await self.counts(project) == {"new": 40}

    async def test_a_failed_transaction_keeps_and_counts_nothing(self) -> None:
        project = await self.project()
        with pytest.raises(LookupError):
            async with self.unit() as tx:
                await tx.numbers.add(project, new_numbers(3), NOON)
                raise LookupError
        assert await self.counts(project) == {}
        assert await self.listed() == []

    async def test_a_reference_to_nothing_is_refused(self) -> None:
        project = await self.project()
        with pytest.raises(NoSuchProject):
            await self.add(project + 999, new_numbers(1))
        with pytest.raises(NoSuchProvider):
            await self.add(project, new_numbers(1, provider_id=999))
        (id,) = await self.add(project, new_numbers(1))
        number = await self.one(id)
        with pytest.raises(NoSuchProvider):
            async with self.unit() as tx:
                await tx.numbers.save(replace(number, provider_id=999), number)

    async def test_what_numbers_refer_to_cannot_be_removed(self) -> None:
        project = await self.project()
        async with self.unit() as tx:
            await tx.providers.add(a_provider(provider := await tx.providers.next_id()))
            await tx.geo.add(an_area(area := await tx.geo.next_id()))
        await self.add(project, new_numbers(1, provider_id=provider, geo_id=area))
        with pytest.raises(ProviderInUse):
            async with self.unit() as tx:
                await tx.providers.remove(provider)
        with pytest.raises(GeoInUse):
            async with self.unit() as tx:
                await tx.geo.remove(area)

    async def test_a_stale_save_is_refused_and_counts_nothing(self) -> None:
        project = await self.project()
        (id,) = await self.add(project, new_numbers(1))
        number = await self.one(id)
        begun = lifecycle.begun(number, NOON, POLICY)
        async with self.unit() as tx:
            await tx.numbers.save(begun, number)
        for save in ("save", "save_all"):
            with pytest.raises(Stale):
                async with self.unit() as tx:
                    if save == "save":
                        await tx.numbers.save(begun, number)
                    else:
                        await tx.numbers.save_all([(begun, number)])
        assert await self.one(id) == begun
        assert await self.counts(project) == {"in_progress": 1}

    async def test_many_are_saved_at_once_as_one_by_one(self) -> None:
        project = await self.project()
        ids = await self.add(project, new_numbers(5))
        async with self.unit() as tx:
            before = await tx.numbers.several(ids, EVERY_PROJECT)
            after = [
                replace(
                    lifecycle.ended(
                        lifecycle.begun(one, NOON, POLICY), NumberStatus.FAILED, Cause.BUSY, 5, NOON + HOUR
                    ),
                    result_data={"note": "занято", "n": one.id},
                )
                for one in before
            ]
            await tx.numbers.save_all(list(zip(after, before, strict=True)))
        assert [await self.one(id) for id in ids] == after
        assert await self.counts(project) == {"failed": 5}

    async def test_folding_leaves_the_counts_as_they_were(self) -> None:
        project = await self.project()
        ids = await self.add(project, new_numbers(7))
        async with self.unit() as tx:
            for number in await tx.numbers.several(ids[:3], EVERY_PROJECT):
                await tx.numbers.save(lifecycle.begun(number, NOON, POLICY), number)
        before = await self.counts(project)
        async with self.unit() as tx:
            assert await tx.tally.fold(2) == 2
        assert await self.counts(project) == before == {"new": 4, "in_progress": 3}
        async with self.unit() as tx:
            assert await tx.tally.fold(1000) == 5
        async with self.unit() as tx:
            assert await tx.tally.fold(1000) == 0
        assert await self.counts(project) == before

    async def test_pages_cover_a_list_once_in_a_stable_order(self) -> None:
        mine, other = await self.project(), await self.project()
        ids = sorted(await self.add(mine, new_numbers(8)) + await self.add(other, new_numbers(5)), reverse=True)
        assert await self.listed() == ids
        assert await self.listed(NumberFilter(status=NumberStatus.NEW)) == ids
        assert await self.listed(NumberFilter(status=NumberStatus.FAILED)) == []
        assert len(await self.listed(NumberFilter(project_id=mine))) == 8
        assert await self.listed(NumberFilter(created_after=NOON + HOUR)) == []
        assert await self.listed(NumberFilter(created_before=NOON + HOUR)) == ids
        assert len(await self.listed(NumberFilter(phone="79160000"))) == 13
        assert len(await self.listed(NumberFilter(phone="7916000000", project_id=other))) == 5
        assert await self.listed(NumberFilter(phone="7917")) == []
        assert await self.listed(NumberFilter(project_id=10**12)) == []

    async def test_a_list_by_provider_or_area_finds_theirs_alone(self) -> None:
        project = await self.project()
        async with self.unit() as tx:
            await tx.providers.add(a_provider(provider := await tx.providers.next_id()))
            await tx.geo.add(an_area(area := await tx.geo.next_id()))
        theirs = await self.add(project, new_numbers(5, provider_id=provider, geo_id=area))
        await self.add(project, new_numbers(4, first=FIRST_PHONE + 100))
        for wanted in (NumberFilter(provider_id=provider), NumberFilter(geo_id=area, project_id=project)):
            assert sorted(await self.listed(wanted)) == theirs
            page = await self.views.page(EVERY_PROJECT, wanted, PageRequest(2))
            assert (page.count, page.count_exact) == (5, True)
        assert await self.listed(NumberFilter(provider_id=2**40)) == []

    async def test_counts_of_a_list_are_those_of_the_filter(self) -> None:
        mine, other = await self.project(), await self.project()
        await self.add(mine, new_numbers(4))
        await self.add(other, new_numbers(2))
        for wanted, count in (
            (EVERYTHING, 6),
            (NumberFilter(project_id=mine), 4),
            (NumberFilter(project_id=mine, status=NumberStatus.NEW), 4),
            (NumberFilter(status=NumberStatus.SUCCESS), 0),
        ):
            page = await self.views.page(EVERY_PROJECT, wanted, PageRequest(1))
            assert (page.count, page.count_exact) == (count, True)

    async def test_a_forged_cursor_is_refused(self) -> None:
        await self.add(await self.project(), new_numbers(1))
        for wanted in (EVERYTHING, NumberFilter(phone="79")):
            for cursor in ("x", "-1", "1' OR 1=1", "9" * 40):
                with pytest.raises(Invalid):
                    await self.views.page(EVERY_PROJECT, wanted, PageRequest(1, cursor=cursor))

    async def test_what_was_not_granted_is_not_there(self) -> None:
        project = await self.project()
        (id,) = await self.add(project, new_numbers(1))
        assert await self.views.one(id, NOBODY) is None
        assert await self.listed(reach=NOBODY) == []
        assert await self.listed(NumberFilter(project_id=project), NOBODY) == []
        assert await self.listed(NumberFilter(phone="79"), NOBODY) == []
        assert await self.views.by_phone(FIRST_PHONE, NOBODY, 5) == []
        assert (await self.views.page(NOBODY, EVERYTHING, PageRequest())).count == 0
        async with self.unit() as tx:
            assert await tx.numbers.get(id, NOBODY) is None
            assert await tx.numbers.several([id], NOBODY) == []
            assert await tx.numbers.by_phone(FIRST_PHONE, NOBODY) == []
            assert await tx.numbers.matching(EVERYTHING, NOBODY, 10) == []
            assert await tx.projects.get(project, NOBODY) is None
            assert await tx.projects.granted(NOBODY) == frozenset()

    async def test_the_numbers_of_a_deleted_project_are_hidden_and_come_back_with_it(self) -> None:
        project = await self.project()
        (id,) = await self.add(project, new_numbers(1))
        async with self.unit() as tx:
            found = await tx.projects.get(project, EVERY_PROJECT)
            assert found is not None
            gone = replace(found, deleted_at=NOON, version=2)
            await tx.projects.save(gone)
        assert await self.views.one(id, EVERY_PROJECT) is None
        assert await self.listed() == []
        assert await self.views.by_phone(FIRST_PHONE, EVERY_PROJECT, 5) == []
        async with self.unit() as tx:
            assert await tx.projects.get(project, EVERY_PROJECT) is None
            assert await tx.projects.get(project, EVERY_PROJECT, deleted=True) == gone
            await tx.projects.save(replace(gone, deleted_at=None, version=3))
        assert await self.listed() == [id]

    async def test_no_number_is_claimed_twice(self) -> None:
        project = await self.project()
        await self.add(project, new_numbers(60))

        async def claim() -> list[int]:
            async with self.unit() as tx:
                return [one.id for one in await tx.numbers.claim(project, terms(), 10)]

        claimed = [id for ids in await asyncio.gather(*(claim() for _ in range(8))) for id in ids]
        assert len(claimed) == len(set(claimed)) == 60
        assert await self.counts(project) == {"in_progress": 60}

    async def test_a_claim_is_what_the_rule_says(self) -> None:
        project = await self.project()
        (id,) = await self.add(project, new_numbers(1))
        before = await self.one(id)
        at = terms()
        async with self.unit() as tx:
            (claimed,) = await tx.numbers.claim(project, at, 10)
            assert await tx.numbers.in_progress(project, 100) == 1
        assert claimed == await self.one(id)
        assert claimed == replace(lifecycle.begun(before, at.now, POLICY), lease_until=at.lease_until)

    async def test_only_what_is_due_is_claimed(self) -> None:
        project = await self.project()
        ids = await self.add(project, new_numbers(6))
        async with self.unit() as tx:
            zones = (await tx.zones.ids([("Europe/Moscow",)]))[("Europe/Moscow",)]
            later, spent, done, barred, elsewhere, due = await tx.numbers.several(ids, EVERY_PROJECT)
            changes = [
                (replace(later, next_call_at=NOON + 5 * HOUR), later),
                (replace(spent, attempts=5), spent),
                (replace(done, status=NumberStatus.SUCCESS), done),
                (replace(elsewhere, zone_set=zones), elsewhere),
            ]
            await tx.numbers.save_all(changes)
            entry = Suppression(
                id=await tx.suppressions.next_id(),
                phone=barred.phone,
                project_id=None,
                reason="asked",
                created_by="user:1",
                created_at=NOON,
            )
            await tx.suppressions.add(entry)
            with pytest.raises(SuppressionExists):
                await tx.suppressions.add(replace(entry, id=entry.id + 1))
        async with self.unit() as tx:
            ground = await tx.numbers.ground(project, EVERY_PROJECT)
            assert ground is not None
            assert list(ground.waiting) == [0, zones]
            assert (ground.waiting[0], await tx.numbers.ground(project, NOBODY)) == ((), None)
            assert await tx.numbers.suppressed(project, [one.phone for one in (due, barred)]) == {barred.phone}
            assert [one.id for one in await tx.numbers.claim(project, terms(), 10)] == [due.id]

    async def test_a_lease_that_ended_is_found_once(self) -> None:
        project = await self.project()
        await self.add(project, new_numbers(3))
        async with self.unit() as tx:
            await tx.numbers.claim(project, terms(), 2)
            assert await tx.numbers.overdue(NOON + 2 * HOUR, 10) == []
            assert len(await tx.numbers.overdue(NOON + 3 * HOUR, 10)) == 2

    async def test_a_set_of_zones_has_one_id_for_all(self) -> None:
        async def ids() -> int:
            async with self.unit() as tx:
                found = await tx.zones.ids([("Asia/Omsk", "Asia/Tomsk"), ()])
                assert found[()] == 0
                return found[("Asia/Omsk", "Asia/Tomsk")]

        assert len(set(await asyncio.gather(*(ids() for _ in range(5))))) == 1

    async def test_a_grant_is_made_once_and_taken_back_once(self, user_id: int) -> None:
        project = await self.project()
        reach = ProjectReach(user_id)
        grant = Grant(project_id=project, user_id=user_id, granted_by="user:1", created_at=NOON)
        async with self.unit() as tx:
            assert [await tx.projects.grant(grant), await tx.projects.grant(grant)] == [True, False]
        await self.project()
        async with self.unit() as tx:
            assert await tx.projects.granted(reach) == {project}
        (id,) = await self.add(project, new_numbers(1))
        assert await self.listed(reach=reach) == [id]
        async with self.unit() as tx:
            assert await tx.projects.withdraw(project, user_id)
            assert not await tx.projects.withdraw(project, user_id)
        assert await self.listed(reach=reach) == []
