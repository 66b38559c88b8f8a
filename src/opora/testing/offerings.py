"""Services of tests, and the contract of a store of services and working hours."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from opora.core.bookings.model.hours import Availability, Closure, DayException, WeeklyHours
from opora.core.bookings.model.offerings import Band, CancellationPolicy, Offering, OfferingFilter
from opora.core.bookings.ports.diaries import DiaryViews
from opora.core.bookings.ports.offerings import OfferingViews
from opora.core.kernel.errors import Stale
from opora.core.kernel.model import PageRequest
from opora.testing.bookings import HOUR, NOON, Unit


def an_offering(**changes: Any) -> Offering:
    """Return an hour of one place, given by users 10 and 11."""
    plain: dict[str, Any] = {
        "id": 1,
        "name": "Стрижка",
        "duration_min": 60,
        "step_min": 60,
        "price_minor": 250_000,
        "staff_ids": (10, 11),
        "created_at": NOON,
    }
    return Offering(**(plain | changes))


class OfferingRepositoryContract:
    """What every store of services and hours holds: give it `unit`, and `views` and `diaries` on the same store."""

    unit: Unit
    views: OfferingViews
    diaries: DiaryViews

    async def test_gives_back_the_service_that_was_added_and_that_was_saved(self) -> None:
        full = an_offering(
            id=2,
            capacity=7,
            currency="EUR",
            buffer_before_min=5,
            buffer_after_min=10,
            auto_confirm=False,
            min_notice_min=90,
            horizon_days=30,
            policy=CancellationPolicy((Band(48, 0), Band(2, 50)), 15, ("admin",)),
            staff_ids=(),
        )
        async with self.unit() as tx:
            assert await tx.offerings.next_id() != await tx.offerings.next_id()
            await tx.offerings.add(an_offering())
            await tx.offerings.add(full)
        async with self.unit() as tx:
            assert await tx.offerings.get(1) == an_offering()
            assert await tx.offerings.get(2) == full
            assert await tx.offerings.get(3) is None
            await tx.offerings.save(replace(full, name="other", staff_ids=(12,), version=2))
        assert await self.views.one(2) == replace(full, name="other", staff_ids=(12,), version=2)

    async def test_refuses_to_save_over_what_somebody_else_saved_and_forgets_a_failed_block(self) -> None:
        async with self.unit() as tx:
            await tx.offerings.add(an_offering())
        with pytest.raises(Stale):
            async with self.unit() as tx:
                await tx.offerings.save(an_offering(version=2, name="mine"))
                await tx.offerings.save(an_offering(version=2, name="theirs"))
        assert await self.views.one(1) == an_offering()

    async def test_a_retired_service_is_not_shown_but_has_its_name(self) -> None:
        async with self.unit() as tx:
            await tx.offerings.add(an_offering(name="Ёлка 100%"))
            await tx.offerings.add(an_offering(id=2, name="Beard", staff_ids=(11,)))
            await tx.offerings.add(an_offering(id=3, is_active=False))
        assert await self.views.one(3) is None
        assert await self.views.names([1, 3, 9]) == {1: "Ёлка 100%", 3: "Стрижка"}
        page = await self.views.page(OfferingFilter(), PageRequest(1))
        assert ([one.id for one in page.items], page.count, page.more) == ([2], 2, True)
        for wanted, ids in (
            (OfferingFilter(staff_id=10), [1]),
            (OfferingFilter(q="beaR"), [2]),
            (OfferingFilter(q="еЛКА  100"), [1]),
            (OfferingFilter(q="0%"), [1]),
            (OfferingFilter(q="_"), []),
        ):
            found = await self.views.page(wanted, PageRequest())
            assert [one.id for one in found.items] == ids

    async def test_gives_back_the_hours_that_were_set_last(self) -> None:
        hours = Availability(
            user_id=10,
            timezone="Europe/Moscow",
            weekly=(WeeklyHours(0, 540, 1080),),
            exceptions=(DayException(date(2030, 5, 9)), DayException(date(2030, 5, 10), 600, 1440)),
            closures=(Closure(NOON, NOON + HOUR),),
        )
        assert await self.diaries.hours(10) is None
        async with self.unit() as tx:
            await tx.diaries.lock([11, 10])
            await tx.diaries.set_hours(Availability(user_id=10, timezone="UTC"), NOON)
            await tx.diaries.set_hours(hours, NOON)
            assert await tx.diaries.hours(10) == hours
        assert await self.diaries.hours(10) == hours
        read = await self.diaries.read([11, 10], 0, 1, NOON)
        assert [(one.staff_id, one.availability, one.busy) for one in read] == [(11, None, ()), (10, hours, ())]

    async def test_names_stand_around_an_appointment_as_far_as_they_are_known(self) -> None:
        async with self.unit() as tx:
            await tx.offerings.add(an_offering())
            assert await tx.offerings.names_around(1, 10**6) == ("Стрижка", "")
            assert await tx.offerings.names_around(2, 10**6) == ("", "")
